"""The name, ARN and id patterns of the service model as linear checks.

The model's own regular expressions must not run on input: the one of team and priority class names nests
one repetition in another and takes half a minute on 31 characters. Each check here accepts the same
language; patterns that are not listed in CHECKS are not checked.
"""

import string
from collections.abc import Callable, Mapping
from types import MappingProxyType

_DIGITS = frozenset(string.digits)
_LOWER = frozenset(string.ascii_lowercase) | _DIGITS
_ALNUM = frozenset(string.ascii_letters) | _DIGITS
_PARTITION = frozenset(string.ascii_lowercase + "-")
_REGION = _LOWER | {"-"}


def _dashed(value: str, letters: frozenset[str]) -> bool:
    """Letters and hyphens, with a letter at both ends."""
    return value[:1] in letters and value[-1:] in letters and letters.issuperset(value.replace("-", ""))


def is_entity_name(value: str) -> bool:
    """At most 63 letters or digits; hyphens between them are not counted (the length limit is another one)."""
    return _dashed(value, _ALNUM) and len(value.replace("-", "")) <= 63


def is_cluster_name(value: str) -> bool:
    return _dashed(value, _ALNUM)


def is_team_name(value: str) -> bool:
    """Lower case letters, digits and inner hyphens. The model's repetition count limits no length."""
    return _dashed(value, _LOWER)


def is_resource_id(value: str) -> bool:
    return len(value) == 12 and _LOWER.issuperset(value)


def _sagemaker_resource(value: str) -> str | None:
    """The part of a SageMaker ARN after the account, None when it is no SageMaker ARN."""
    parts = value.split(":", 5)
    if len(parts) < 6:
        return None
    scheme, partition, service, region, account, resource = parts
    well_formed = (
        scheme == "arn"
        and partition.startswith("aws")
        and _PARTITION.issuperset(partition[3:])
        and service == "sagemaker"
        and _REGION.issuperset(region)
        and len(account) == 12
        and _DIGITS.issuperset(account)
    )
    return resource if well_formed else None


def is_resource_arn(value: str) -> bool:
    return bool(_sagemaker_resource(value))


def _arn_of(kind: str) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        segment, slash, resource_id = (_sagemaker_resource(value) or "").partition("/")
        return segment == kind and bool(slash) and is_resource_id(resource_id)

    return check


is_cluster_arn = _arn_of("cluster")


def is_cluster_name_or_arn(value: str) -> bool:
    return is_entity_name(value) or is_cluster_arn(value)


CHECKS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "EntityName": is_entity_name,
        "ClusterName": is_cluster_name,
        "ClusterInstanceGroupName": is_cluster_name,
        "ClusterNameOrArn": is_cluster_name_or_arn,
        "ComputeQuotaTargetTeamName": is_team_name,
        "ClusterSchedulerPriorityClassName": is_team_name,
        "ComputeQuotaId": is_resource_id,
        "ClusterSchedulerConfigId": is_resource_id,
        "ClusterArn": is_cluster_arn,
        "ComputeQuotaArn": _arn_of("compute-quota"),
        "ClusterSchedulerConfigArn": _arn_of("cluster-scheduler-config"),
        "ResourceArn": is_resource_arn,
    }
)
"""By shape name of the service model."""
