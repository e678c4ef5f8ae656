"""Reads the live state: as few calls as the question needs."""

from collections.abc import Iterable

import msgspec

from governor.apply.ports import GovernanceApi, InstanceTypesApi
from governor.errors import NotFoundError
from governor.plan import (
    ABSENT,
    BEYOND_REPAIR,
    NEVER_CREATED,
    Desired,
    Live,
    LiveClusterPolicy,
    Quota,
)
from governor.quota import Catalogue, Cluster, Instance, bundled_instances

_FAILED = NEVER_CREATED | BEYOND_REPAIR | {"UpdateFailed"}


def read_instances(types: Iterable[str], api: InstanceTypesApi) -> Catalogue:
    """The bundled table, and EC2's answer for the types it lacks."""
    bundled = bundled_instances()
    missing = {each for each in types if each and each not in bundled}
    if not missing:
        return bundled
    found: dict[str, Instance] = api.describe(missing)
    return {**bundled, **found}


def types_of(desired: Desired, cluster: Cluster) -> set[str]:
    """Every instance type that a plan has to know something about."""
    return {entry.instance_type for team in desired.teams for entry in team.quota} | {
        group.instance_type for group in cluster.groups
    }


def read_live(api: GovernanceApi, cluster: Cluster, desired: Desired, instances: Catalogue) -> Live:
    """One List call per hundred quotas; Describe only where a description is declared, something failed, or a
    summary lacks the version that an update needs (the model does not require it).

    The cluster policy's list does not tell its content, so one that matters costs one Describe.
    """
    described = {team.effective_quota_name for team in desired.teams if team.description is not None}
    quotas = tuple(
        _in_full(api, quota) if quota.name in described or quota.status in _FAILED or not quota.version else quota
        for quota in api.quotas.list(cluster.arn)
    )
    policies: tuple[LiveClusterPolicy, ...] = ()
    for policy in api.cluster_policies.list(cluster.arn):
        full: LiveClusterPolicy | None = policy
        if desired.cluster_policy is not None and desired.cluster_policy != ABSENT:
            full = _policy_in_full(api, policy)
        if full is not None:
            policies = (*policies, full)
    return Live(cluster, tuple(quota for quota in quotas if quota is not None), policies, instances)


def _in_full(api: GovernanceApi, quota: Quota) -> Quota | None:
    """None when it went away between the list and the question."""
    try:
        full = api.quotas.describe(quota.id)
    except NotFoundError:
        return None
    return None if full.status == "Deleted" else msgspec.structs.replace(full, description=full.description or "")


def _policy_in_full(api: GovernanceApi, policy: LiveClusterPolicy) -> LiveClusterPolicy | None:
    try:
        full = api.cluster_policies.describe(policy.id)
    except NotFoundError:
        return None
    return None if full.status == "Deleted" else full
