"""May this caller do this? Asked of an identity service, where one is set; without one everybody may.

Actions and resources as in the service authorization reference of SageMaker and EC2: creating needs the type of what
is created, listing needs `*`, everything else the resource itself.
"""

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from local.hyperpod.errors import ApiError
from local.hyperpod.request import ACCOUNT, Caller

ANSWER_SECONDS = 30
ANY = "*"


@dataclass(frozen=True, slots=True)
class Need:
    """One action on one resource that a call takes."""

    action: str
    resource: str


def needs_of(operation: str, body: Mapping[str, Any], region: str, cluster_arn: Callable[[str], str]) -> list[Need]:
    """What a SageMaker call takes. `cluster_arn` knows a cluster's ARN by the name or ARN that a request carries."""
    needs = [Need(f"sagemaker:{operation}", _resource(operation, body, region, cluster_arn))]
    if body.get("Tags") and operation.startswith("Create"):
        needs.append(Need("sagemaker:AddTags", needs[0].resource))
    return needs


def permitted(url: str, caller: Caller, needs: list[Need], denied: Callable[[str], ApiError]) -> Caller:
    """The caller with the ARN the identity service knows. Raises what `denied` makes of the first refusal."""
    for need in needs:
        verdict = _ask(url, caller, need)
        if not verdict["allowed"]:
            raise denied(verdict["reason"])
        caller = replace(caller, principal=verdict["principal"])
    return caller


def _resource(operation: str, body: Mapping[str, Any], region: str, cluster_arn: Callable[[str], str]) -> str:
    if operation in ("DescribeCluster", "ListClusterNodes"):
        return cluster_arn(str(body.get("ClusterName", "")))
    if operation in ("AddTags", "ListTags", "DeleteTags"):
        return str(body.get("ResourceArn", ANY))
    if operation.startswith("List"):
        return ANY
    kind, name = _kind_and_id(operation, body)
    return f"arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name}"


def _kind_and_id(operation: str, body: Mapping[str, Any]) -> tuple[str, str]:
    if operation.endswith("ComputeQuota"):
        return "compute-quota", str(body.get("ComputeQuotaId", ANY))
    return "cluster-scheduler-config", str(body.get("ClusterSchedulerConfigId", ANY))


def _ask(url: str, caller: Caller, need: Need) -> dict[str, Any]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=ANSWER_SECONDS)
    try:
        question = {
            "access_key": caller.access_key,
            "action": need.action,
            "resource": need.resource,
            "region": caller.region,
        }
        connection.request("POST", address.path, json.dumps(question))
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise RuntimeError(f"{url}: {answer}")
    return answer
