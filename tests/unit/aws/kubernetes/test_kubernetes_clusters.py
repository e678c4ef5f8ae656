"""Where a cluster is comes from EKS, is believed for some minutes, and is asked for anew when it turns out wrong."""

import base64
import re
from typing import Any

import boto3
import botocore.session
import pytest
import trustme
from botocore.exceptions import ClientError

from governor.aws.kubernetes import Clusters, Limits
from governor.aws.kubernetes.clusters import KEPT, target_of
from governor.aws.kubernetes.resources import NODES
from governor.aws.session import Aws
from governor.errors import (
    AccessError,
    NotFoundError,
    PermanentError,
    TransientError,
    UnauthorizedError,
    UnreachableError,
)
from tests.unit.aws.kubernetes.conftest import Server, pem, says

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
QUICK = Limits(connect=2.0, read=2.0, total=5.0)


class Meta:
    region_name = "us-west-2"


class Eks:
    """EKS with one cluster."""

    meta = Meta()

    def __init__(self, **cluster: Any) -> None:
        self.cluster, self.asked = cluster, 0
        self.refuses = ""

    def describe_cluster(self, name: str) -> dict[str, Any]:
        self.asked += 1
        if self.refuses:
            raise ClientError({"Error": {"Code": self.refuses, "Message": "no"}}, "DescribeCluster")
        return {"cluster": {"name": name, **self.cluster}}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def described(server: Server, authority: trustme.CA) -> dict[str, Any]:
    data = base64.b64encode(pem(authority).encode()).decode()
    return {"status": "ACTIVE", "endpoint": server.url, "certificateAuthority": {"data": data}}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def eks(server: Server, authority: trustme.CA) -> Eks:
    server.answers = [says({"items": [], "metadata": {}})]
    return Eks(**described(server, authority))


@pytest.fixture
def clusters(eks: Eks, clock: Clock) -> Clusters:
    session = boto3.Session(aws_access_key_id="AKID", aws_secret_access_key="secret", region_name="us-west-2")
    aws = Aws(session)
    aws.__dict__["eks"] = eks
    return Clusters(aws, QUICK, clock=clock)


def test_a_cluster_is_looked_up_once_in_some_minutes(
    clusters: Clusters, eks: Eks, clock: Clock, server: Server
) -> None:
    first = clusters.connect("research")
    assert list(first.pages(NODES, at_most=1)) == []
    assert clusters.connect("research") is first
    assert eks.asked == 1
    assert "Authorization: Bearer k8s-aws-v1." in server.heads[0]
    clock.now += KEPT + 1
    assert clusters.connect("research") is not first
    assert eks.asked == 2


def test_a_cluster_that_was_made_anew_is_found(
    clusters: Clusters, eks: Eks, server: Server, authority: trustme.CA
) -> None:
    old = clusters.connect("research")
    other = trustme.CA()
    new = Server(other)
    new.answers = [says({"items": [], "metadata": {}})]
    try:
        server.close()
        eks.cluster = described(new, other)
        with pytest.raises(UnreachableError, match="refused"):
            list(old.pages(NODES, at_most=1))
        assert list(clusters.connect("research").pages(NODES, at_most=1)) == []
    finally:
        new.close()


def test_so_is_one_whose_authority_has_changed(
    clusters: Clusters, eks: Eks, server: Server, authority: trustme.CA
) -> None:
    eks.cluster = described(server, trustme.CA())
    with pytest.raises(UnreachableError, match="cannot be trusted"):
        list(clusters.connect("research").pages(NODES, at_most=1))
    eks.cluster = described(server, authority)
    assert list(clusters.connect("research").pages(NODES, at_most=1)) == []


def test_after_a_401_all_is_asked_for_and_signed_anew(clusters: Clusters, eks: Eks, server: Server) -> None:
    refuses = says({"kind": "Status", "message": "Unauthorized", "reason": "Unauthorized", "code": 401}, 401)
    server.answers = [refuses]
    api = clusters.connect("research")
    with pytest.raises(UnauthorizedError):
        list(api.pages(NODES, at_most=1))
    assert clusters.connect("research") is not api


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ResourceNotFoundException", NotFoundError),
        ("AccessDeniedException", AccessError),
        ("ThrottlingException", TransientError),
    ],
)
def test_what_eks_refuses(clusters: Clusters, eks: Eks, code: str, error: type[Exception]) -> None:
    eks.refuses = code
    with pytest.raises(error, match="eks:DescribeCluster research"):
        clusters.connect("research")
    eks.refuses = ""
    assert clusters.connect("research").cluster == "research"


GOOD = {
    "endpoint": "https://a.example",
    "certificateAuthority": {"data": base64.b64encode(b"-BEGIN CERTIFICATE-").decode()},
}


@pytest.mark.parametrize(
    ("described", "error", "says"),
    [
        ({"status": "CREATING"}, TransientError, "is CREATING: it has no endpoint yet"),
        ({"status": "FAILED"}, PermanentError, "is FAILED: it has no endpoint"),
        ({**GOOD, "endpoint": "http://a.example"}, PermanentError, "is not https"),
        ({**GOOD, "certificateAuthority": {}}, PermanentError, "names no certificate authority"),
        ({**GOOD, "certificateAuthority": {"data": "%"}}, PermanentError, "names no certificate authority"),
        ({**GOOD, "certificateAuthority": {"data": "/w=="}}, PermanentError, "names no certificate authority"),
    ],
)
def test_a_cluster_that_cannot_be_connected_to(described: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        target_of("research", described)


@pytest.mark.parametrize(
    ("network", "hint"),
    [
        ({"endpointPublicAccess": False}, "its endpoint is private: .* SubnetIds"),
        ({"endpointPublicAccess": True, "publicAccessCidrs": ["203.0.113.0/24"]}, r"lets in 203\.0\.113\.0/24 only"),
        ({"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"]}, "check the way out"),
        ({}, "check the way out"),
    ],
)
def test_what_to_look_at_depends_on_the_endpoint(network: dict[str, Any], hint: str) -> None:
    assert re.search(hint, target_of("research", {**GOOD, "resourcesVpcConfig": network}).hint)


def test_the_real_eks_knows_what_is_read_of_it() -> None:
    """The client has no stubs: botocore's model says that the members exist."""
    answer: Any = botocore.session.Session().get_service_model("eks").operation_model("DescribeCluster").output_shape
    cluster = answer.members["cluster"].members
    assert {"endpoint", "status", "certificateAuthority", "resourcesVpcConfig"} <= set(cluster)
    assert "data" in cluster["certificateAuthority"].members
    assert {"endpointPublicAccess", "publicAccessCidrs"} <= set(cluster["resourcesVpcConfig"].members)
