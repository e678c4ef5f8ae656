"""May this caller do this? Asked of an identity service, where one is set; without one everybody may.

Actions and resources as in the service authorization reference of SageMaker, EKS and EC2: creating needs the type of
what is created, listing needs `*`, everything else the resource itself.

To make, change or delete a compute quota or a cluster policy takes `eks:` actions too: SageMaker looks at the EKS
cluster, at an access entry and its policies, and associates or disassociates one, in the caller's name (user guide,
set-up of the dashboard; permissions of the handlers in the CloudFormation schemas). Assumed, since it is written
nowhere:

- each call asks about all that its handler may do, before anything is changed, and a refusal is the call's own answer;
- these calls carry `aws:ViaAWSService`;
- the access entry is that of HyperPod's service-linked role, which HyperPod makes with the cluster, and the policy is
  AmazonSagemakerHyperpodControllerPolicy for the whole cluster.
"""

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from local.hyperpod.errors import ApiError
from local.hyperpod.request import ACCOUNT, Caller

ANSWER_SECONDS = 30
ANY = "*"
LINKED_ROLE = "AWSServiceRoleForSageMakerHyperPod"
LINKED_ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/hyperpod.sagemaker.amazonaws.com/{LINKED_ROLE}"
LINKED_ROLE_POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonSagemakerHyperpodControllerPolicy"
_LOOKING = ("DescribeAccessEntry", "ListAssociatedAccessPolicies")
_CHANGING = {
    "Create": ("AssociateAccessPolicy",),
    "Update": ("AssociateAccessPolicy", "DisassociateAccessPolicy"),
    "Delete": ("DisassociateAccessPolicy",),
}
_ON_BEHALF = {
    f"{verb}{kind}": (*_LOOKING, *changing)
    for verb, changing in _CHANGING.items()
    for kind in ("ComputeQuota", "ClusterSchedulerConfig")
}


@dataclass(frozen=True, slots=True)
class Need:
    """One action on one resource that a call takes; `context` has condition keys with their values."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def needs_of(operation: str, body: Mapping[str, Any], region: str, cluster_arn: Callable[[str], str]) -> list[Need]:
    """What a SageMaker call takes. `cluster_arn` knows a cluster's ARN by the name or ARN that a request carries."""
    needs = [Need(f"sagemaker:{operation}", _resource(operation, body, region, cluster_arn))]
    if body.get("Tags") and operation.startswith("Create"):
        needs.append(Need("sagemaker:AddTags", needs[0].resource))
    return needs


def needs_on_behalf(operation: str, eks_cluster: str | None) -> list[Need]:
    """What SageMaker itself asks of EKS in the name of the caller. `eks_cluster` is an ARN; without one, nothing."""
    if eks_cluster is None or operation not in _ON_BEHALF:
        return []
    place, _, name = eks_cluster.partition(":cluster/")
    entry = f"{place}:access-entry/{name}/role/{ACCOUNT}/{LINKED_ROLE}/*"
    by_service = {"aws:ViaAWSService": "true"}
    about_entry = {**by_service, "eks:clusterName": name, "eks:principalArn": LINKED_ROLE_ARN}
    about_policy = {**about_entry, "eks:policyArn": LINKED_ROLE_POLICY, "eks:accessScope": "cluster"}
    return [
        Need("eks:DescribeCluster", eks_cluster, by_service),
        *(
            Need(f"eks:{action}", entry, about_entry if action in _LOOKING else about_policy)
            for action in _ON_BEHALF[operation]
        ),
    ]


def permitted(url: str, caller: Caller, needs: list[Need], denied: Callable[[str], ApiError]) -> Caller:
    """The caller with the ARN the identity service knows. Raises what `denied` makes of the first refusal."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=ANSWER_SECONDS)
    try:
        for need in needs:
            verdict = _ask(connection, address.path, caller, need)
            if not verdict["allowed"]:
                raise denied(verdict["reason"])
            caller = replace(caller, principal=verdict["principal"])
    finally:
        connection.close()
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


def _ask(connection: http.client.HTTPConnection, path: str, caller: Caller, need: Need) -> dict[str, Any]:
    question = {
        "access_key": caller.access_key,
        "action": need.action,
        "resource": need.resource,
        "region": caller.region,
        "context": dict(need.context),
    }
    connection.request("POST", path, json.dumps(question))
    response = connection.getresponse()
    answer: dict[str, Any] = json.loads(response.read())
    if response.status != http.client.OK:
        raise RuntimeError(f"{connection.host}{path}: {answer}")
    return answer
