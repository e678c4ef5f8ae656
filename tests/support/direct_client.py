"""A boto3-like SageMaker client on a control plane in the same thread: no socket, no waiting."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from botocore import xform_name
from botocore.exceptions import ClientError

from governor.aws.sagemaker import Governance
from local.hyperpod.direct import REGION, Direct
from local.hyperpod.errors import ApiError

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

_OPERATIONS = {
    xform_name(name): name
    for name in (
        "DescribeCluster",
        "ListClusters",
        "CreateComputeQuota",
        "UpdateComputeQuota",
        "DescribeComputeQuota",
        "DeleteComputeQuota",
        "ListComputeQuotas",
        "CreateClusterSchedulerConfig",
        "UpdateClusterSchedulerConfig",
        "DescribeClusterSchedulerConfig",
        "DeleteClusterSchedulerConfig",
        "ListClusterSchedulerConfigs",
    )
}


class DirectClient:
    """Calls go straight to the control plane's service, judged by botocore's model as over HTTP."""

    class meta:  # noqa: N801 - boto3's own name
        """The part of a client's metadata that the product reads."""

        region_name = REGION

    def __init__(self, direct: Direct, user: str = "governor") -> None:
        self._direct, self._user = direct, user

    def __getattr__(self, name: str) -> Any:
        if name not in _OPERATIONS:
            raise AttributeError(name)
        operation = _OPERATIONS[name]

        def call(**members: Any) -> dict[str, Any]:
            try:
                return dict(self._direct.call(operation, user=self._user, **members))
            except ApiError as error:
                answer: Any = {
                    "Error": {"Code": error.code, "Message": error.message},
                    "ResponseMetadata": {"HTTPStatusCode": error.http_status, "RequestId": "r-1"},
                }
                raise ClientError(answer, operation) from error

        return call

    def get_paginator(self, name: str) -> "_Paginator":
        """All pages of a List operation."""
        return _Paginator(getattr(self, name))


class _Paginator:
    def __init__(self, call: Any) -> None:
        self._call = call

    def paginate(self, PaginationConfig: dict[str, int], **members: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        token: dict[str, str] = {}
        while True:
            page = self._call(**members, **token, MaxResults=PaginationConfig["PageSize"])
            yield page
            if "NextToken" not in page:
                return
            token = {"NextToken": page["NextToken"]}


def governance(direct: Direct, user: str = "governor") -> Governance:
    """The product's own adapter on a control plane without sockets."""
    return Governance(cast("SageMakerClient", DirectClient(direct, user)))


class DirectClock:
    """The writer's clock on the control plane's: sleeping moves time on."""

    def __init__(self, direct: Direct) -> None:
        self._direct = direct
        self.slept = 0.0

    def monotonic(self) -> float:
        """Seconds."""
        return self._direct.clock.now()

    def sleep(self, seconds: float) -> None:
        """Lets that much time pass at once."""
        self.slept += seconds
        self._direct.advance(seconds)
