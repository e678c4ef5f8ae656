"""A policy that declares what is live: the least that the service's fill-ins complete to the same."""

import msgspec

from governor.plan.state import STEADY, Live, Quota
from governor.policy import DEFAULT_CLUSTER_POLICY_NAME, ClusterPolicy, Policy, Sharing, Team
from governor.policy.names import MAX_TEAM_NAME
from governor.quota import Catalogue, QuotaEntry, fill_in

IMPORTABLE = STEADY | {"Creating", "Updating", "UpdateFailed"}
"""Statuses whose content is what the cluster has, or is about to have."""


def policy_from(live: Live, cluster: str) -> tuple[Policy, list[str]]:
    """The policy, and a line for everything that is left out and why."""
    left_out: list[str] = []
    teams: dict[str, Team] = {}
    for quota in sorted(live.quotas, key=lambda quota: quota.name):
        reason = _why_not(quota, teams)
        if reason:
            left_out.append(f"quota '{quota.name}' of team '{quota.team}': {reason}")
        else:
            teams[quota.team] = _team(quota, live.instances)
    return Policy(cluster, tuple(teams[name] for name in sorted(teams)), _cluster_policy(live, left_out)), left_out


def _why_not(quota: Quota, teams: dict[str, Team]) -> str:
    if quota.status not in IMPORTABLE:
        return f"it is {quota.status}; where governor made it, planning this file deletes it"
    if len({entry.key for entry in quota.entries}) != len(quota.entries):
        return "it has two entries for the same instance type, and nobody says what that means"
    if quota.team in teams:
        return f"the team has the quota '{teams[quota.team].effective_quota_name}' already, and a policy gives it one"
    if len(quota.team) > MAX_TEAM_NAME:
        return f"its team's name has {len(quota.team)} characters; the names of its queue do not fit Kubernetes"
    return ""


def _team(quota: Quota, instances: Catalogue) -> Team:
    name = quota.name if quota.name != f"{quota.team}-quota" else None
    return Team(
        name=quota.team,
        quota=tuple(
            least(entry, instances)
            for entry in sorted(quota.entries, key=lambda entry: entry.key)
            if not entry.gives_nothing
        ),
        quota_name=name,
        description=quota.description or None,
        fair_share_weight=quota.fair_share_weight,
        sharing=_sharing(quota.sharing, instances),
        preempt_team_tasks=quota.preempt_team_tasks,  # type: ignore[arg-type]  # the service's own enum
        activation=quota.activation,  # type: ignore[arg-type]  # the service's own enum
    )


def _sharing(sharing: Sharing | None, instances: Catalogue) -> Sharing | None:
    if sharing is None:
        return None
    if sharing.strategy != "LendAndBorrow":
        return Sharing(sharing.strategy)
    limits = sharing.absolute_borrow_limits
    return Sharing(
        sharing.strategy,
        sharing.borrow_limit,
        tuple(least(limit, instances) for limit in limits) if limits else None,
    )


def least(entry: QuotaEntry, instances: Catalogue) -> QuotaEntry:
    """The fewest declared amounts that the service completes to this entry; all of them if it is unclear."""
    kind = entry.instance_type
    instance = instances.get(kind)
    if instance is None:
        return QuotaEntry(kind, entry.count) if entry.count is not None else _without_nothing(entry)
    for candidate in (
        QuotaEntry(kind, entry.count),
        QuotaEntry(kind, accelerators=entry.accelerators or None),
        QuotaEntry(kind, partition=entry.partition),
        QuotaEntry(kind, v_cpu=entry.v_cpu),
        QuotaEntry(kind, memory_in_gib=entry.memory_in_gib),
    ):
        if not candidate.is_empty and _reads_as(fill_in(candidate, instance), entry):
            return candidate
    return _without_nothing(entry)


def _reads_as(filled: QuotaEntry, entry: QuotaEntry) -> bool:
    return (
        filled.count == entry.count
        and filled.partition == entry.partition
        and (filled.accelerators or 0) == (entry.accelerators or 0)
        and abs((filled.v_cpu or 0) - (entry.v_cpu or 0)) < 1e-6
        and abs((filled.memory_in_gib or 0) - (entry.memory_in_gib or 0)) < 1e-6
    )


def _without_nothing(entry: QuotaEntry) -> QuotaEntry:
    """Keeps the entry's amounts but no accelerators of 0, which a type without any would not accept."""
    return msgspec.structs.replace(entry, accelerators=entry.accelerators or None)


def _cluster_policy(live: Live, left_out: list[str]) -> ClusterPolicy | None:
    steady = [policy for policy in live.cluster_policies if policy.status in IMPORTABLE]
    left_out.extend(
        f"cluster policy '{policy.name}': it is {policy.status}"
        for policy in live.cluster_policies
        if policy not in steady
    )
    left_out.extend(f"cluster policy '{policy.name}': a policy declares one" for policy in steady[1:])
    if not steady:
        return None
    policy = steady[0]
    return ClusterPolicy(
        priority_classes=policy.priority_classes or (),
        fair_share=policy.fair_share,  # type: ignore[arg-type]  # the service's own enum
        idle_resource_sharing=policy.idle_resource_sharing,  # type: ignore[arg-type]  # the service's own enum
        name=policy.name if policy.name != DEFAULT_CLUSTER_POLICY_NAME else None,
    )
