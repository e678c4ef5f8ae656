"""Declared against live: only what was declared counts, in any order, with the service's fill-ins understood."""

import msgspec

from governor.plan.state import LiveClusterPolicy, Quota
from governor.policy import ClusterPolicy, PriorityClass, Sharing, Team
from governor.quota import Catalogue, QuotaEntry, fill_in

_AMOUNTS = ("count", "accelerators", "v_cpu", "memory_in_gib", "partition")


class QuotaRequest(msgspec.Struct, frozen=True):
    """The whole content of a compute quota to send; None leaves a value to the service."""

    name: str
    team: str
    entries: tuple[QuotaEntry, ...]
    sharing: Sharing | None = None
    preempt_team_tasks: str | None = None
    fair_share_weight: int | None = None
    activation: str | None = None
    description: str | None = None


class ClusterPolicyRequest(msgspec.Struct, frozen=True):
    """The whole content of a cluster policy to send; None leaves a value to the service."""

    name: str
    priority_classes: tuple[PriorityClass, ...]
    fair_share: str | None = None
    idle_resource_sharing: str | None = None


def quota_request(team: Team, live: Quota | None) -> QuotaRequest:
    """What to send for a team: the declared over the live, so that an update resets nothing undeclared.

    An update carries the whole configuration (that is how the tools that work do it; facts 4). Entries go
    as declared, without the fill-ins, so that the service completes them afresh.
    """
    if live is None:
        live = Quota("", team.effective_quota_name, team.name, "", 0)
    return QuotaRequest(
        name=team.effective_quota_name,
        team=team.name,
        entries=tuple(sorted(team.quota, key=lambda entry: entry.key)),
        sharing=_merged_sharing(team.sharing, live.sharing),
        preempt_team_tasks=team.preempt_team_tasks or live.preempt_team_tasks,
        fair_share_weight=live.fair_share_weight if team.fair_share_weight is None else team.fair_share_weight,
        activation=team.activation or live.activation,
        description=team.description,
    )


def _merged_sharing(declared: Sharing | None, live: Sharing | None) -> Sharing | None:
    if declared is None or live is None:
        return declared or live
    if declared.strategy != "LendAndBorrow":
        return declared  # whether a borrow limit is accepted without borrowing is not documented: none is sent
    return Sharing(
        declared.strategy,
        live.borrow_limit if declared.borrow_limit is None else declared.borrow_limit,
        live.absolute_borrow_limits if declared.absolute_borrow_limits is None else declared.absolute_borrow_limits,
    )


def quota_differs(team: Team, live: Quota, last: Team | None, instances: Catalogue) -> bool:
    """True when something that the team declares is not so. A live description of None was not read."""
    return (
        not same_entries(team.quota, live.entries, last.quota if last else (), instances)
        or not _same_sharing(team.sharing, live.sharing, instances)
        or (team.preempt_team_tasks or live.preempt_team_tasks) != live.preempt_team_tasks
        or (team.fair_share_weight is not None and team.fair_share_weight != (live.fair_share_weight or 0))
        or (team.activation or live.activation) != live.activation
        or (team.description is not None and team.description != (live.description or ""))
    )


def _same_sharing(declared: Sharing | None, live: Sharing | None, instances: Catalogue) -> bool:
    if declared is None:
        return True
    if live is None or declared.strategy != live.strategy:
        return False
    if declared.strategy == "LendAndBorrow":
        if declared.borrow_limit is not None and declared.borrow_limit != live.borrow_limit:
            return False
        limits = declared.absolute_borrow_limits
        return limits is None or same_entries(limits, live.absolute_borrow_limits or (), (), instances)
    return True


def same_entries(
    declared: tuple[QuotaEntry, ...],
    live: tuple[QuotaEntry, ...],
    last: tuple[QuotaEntry, ...],
    instances: Catalogue,
) -> bool:
    """True when each declared entry is there with its declared amounts, and no other entry is.

    An amount that the last applied policy declared and this one leaves to the service must be what the
    service would fill in; otherwise the entry is sent again, once, because then it is the last applied one.
    """
    found = {entry.key: entry for entry in live}
    before = {entry.key: entry for entry in last}
    wanted = {entry.key: entry for entry in declared}
    if len(found) != len(live):
        return False  # the same entry twice: nobody says what that means, so it is sent as declared
    if any(not entry.gives_nothing for key, entry in found.items() if key not in wanted):
        return False
    for key, entry in wanted.items():
        there = found.get(key)
        if there is None:
            if not entry.gives_nothing:
                return False
        elif not _same_amounts(entry, there, before.get(key), instances):
            return False
    return True


def _same_amounts(declared: QuotaEntry, live: QuotaEntry, last: QuotaEntry | None, instances: Catalogue) -> bool:
    for attribute in _AMOUNTS:
        wanted, there = getattr(declared, attribute), getattr(live, attribute)
        if wanted is not None:
            if not _same_value(wanted, there):
                return False
        elif last is not None and there is not None and _same_value(getattr(last, attribute), there):
            instance = instances.get(declared.instance_type)
            filled = getattr(fill_in(declared, instance), attribute) if instance else None
            if not _same_value(filled, there):
                return False
    return True


def _same_value(wanted: object, there: object) -> bool:
    if isinstance(wanted, float) or isinstance(there, float):
        left, right = _number(wanted), _number(there)
        return abs(left - right) <= 1e-6 * max(1.0, abs(left))  # the API's floats are of single precision
    if isinstance(wanted, int) or isinstance(there, int):
        return (wanted or 0) == (there or 0)
    return wanted == there


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def cluster_policy_request(declared: ClusterPolicy, name: str, live: LiveClusterPolicy | None) -> ClusterPolicyRequest:
    """What to send for the cluster policy, the declared over the live."""
    return ClusterPolicyRequest(
        name=name,
        priority_classes=tuple(sorted(declared.priority_classes, key=lambda item: (-item.weight, item.name))),
        fair_share=declared.fair_share or (live.fair_share if live else None),
        idle_resource_sharing=declared.idle_resource_sharing or (live.idle_resource_sharing if live else None),
    )


def cluster_policy_differs(declared: ClusterPolicy, live: LiveClusterPolicy) -> bool:
    """True when something declared is not so. No declared priority class means that there is none."""
    wanted = {item.name: item.weight for item in declared.priority_classes}
    there = {item.name: item.weight for item in live.priority_classes or ()}
    return (
        wanted != there
        or (declared.fair_share or live.fair_share) != live.fair_share
        or (declared.idle_resource_sharing or live.idle_resource_sharing) != live.idle_resource_sharing
    )
