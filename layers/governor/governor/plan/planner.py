"""plan(): desired, live, last applied and capacity in; ordered steps out. Pure: no call, no clock."""

import hashlib

import msgspec

from governor.checks import Overcommit, check_capacity, check_cluster, excess_of
from governor.plan.capacity import guaranteed, guaranteed_after
from governor.plan.cluster_policy_steps import plan_cluster_policy
from governor.plan.compare import QuotaRequest
from governor.plan.draft import Draft
from governor.plan.order import ordered, smaller_entries
from governor.plan.plan import Plan, Step, Unmanaged
from governor.plan.quota_steps import delete_quota, plan_teams
from governor.plan.record import Desired, Record
from governor.plan.state import Live, Quota
from governor.plan.words import changed, quota_words
from governor.policy import Severity
from governor.quota import Amounts, capacity_of


class Rules(msgspec.Struct, frozen=True):
    """The owner's guard rails."""

    max_teams_removed: int = 0
    overcommit: Severity = "error"


def plan(desired: Desired, live: Live, record: Record | None, rules: Rules | None = None) -> Plan:
    """What it takes to bring a cluster from its live state to the desired one.

    Three-way: a team is removed only where ``record`` says that its quota is ours. What somebody else made is
    deleted only to make a declared quota that failed anew, and then the plan is held.
    """
    rules = rules or Rules()
    record = record or Record(live.cluster.arn, live.cluster.name)
    draft = Draft(live, record, desired.digest)
    plan_cluster_policy(draft, desired.cluster_policy)
    others = plan_teams(draft, desired.teams)
    owned = [quota for quota in others if draft.ownership.owns_quota(quota.name, quota.team, quota.id)]
    removed = tuple(sorted(quota.team for quota in owned if quota.status != "Deleting"))
    _plan_removals(draft, owned, held=len(removed) > rules.max_teams_removed or not desired.teams)
    before = guaranteed(live)
    capacity = capacity_of(live.cluster.groups, live.instances)
    steps = _in_order(draft, before, capacity.amounts)
    after = guaranteed_after(before, steps)
    let_in = record.begun.let_in if record.begun is not None and record.begun.digest == draft.digest else {}
    draft.findings += check_cluster(live.cluster)
    draft.findings += check_capacity(
        desired.teams, live.cluster, live.instances, before, after, Overcommit(rules.overcommit, let_in)
    )
    excess = excess_of(after, live.cluster, live.instances)
    return Plan(
        cluster_arn=live.cluster.arn,
        cluster_name=live.cluster.name,
        digest=draft.digest,
        steps=tuple(steps),
        findings=tuple(draft.findings),
        blocked=tuple(draft.blocked),
        unmanaged=(*_unmanaged_policies(live, desired), *_unmanaged_quotas(others, owned)),
        adopted=tuple(draft.adopted),
        unchanged=draft.unchanged,
        removed_teams=removed,
        held=tuple(dict.fromkeys(step.held for step in steps if step.held)),
        world=_world(live),
        excess=tuple((dimension, str(value)) for dimension, value in sorted(excess.items())),
    )


def _plan_removals(draft: Draft, owned: list[Quota], *, held: bool) -> None:
    """Deletes what the last applied policy owned and this one does not declare."""
    for quota in sorted(owned, key=lambda quota: quota.name):
        reason = f"removes team {quota.team}" if held and quota.status != "Deleting" else ""
        delete_quota(draft, quota, "no longer in the policy", reason)


def _in_order(draft: Draft, before: Amounts, capacity: Amounts) -> list[Step]:
    live = draft.live
    policy_steps = [step for step in draft.steps if step.resource == "cluster policy"]
    quota_steps = [step for step in draft.steps if step.resource == "compute quota"]

    def lower(step: Step) -> Step | None:
        quota = next((quota for quota in live.quotas if quota.id == step.id), None)
        request = step.request
        if quota is None or not isinstance(request, QuotaRequest):
            return None
        entries = smaller_entries(quota.entries, request.entries, live.instances)
        if entries is None:
            return None
        smaller = msgspec.structs.replace(request, entries=entries)
        words = {"guaranteed": quota_words(quota, live.instances)["guaranteed"]}
        after = {"guaranteed": quota_words(smaller, live.instances)["guaranteed"]}
        return msgspec.structs.replace(
            step,
            key=f"{step.key}/shrink",
            request=smaller,
            changes=changed(words, after),
            reason="first the part that gives back, so that nobody is promised it twice",
            amounts_after=draft.amounts(entries),
        )

    return policy_steps + ordered(quota_steps, before, capacity, lower)


def _unmanaged_quotas(others: tuple[Quota, ...], owned: list[Quota]) -> tuple[Unmanaged, ...]:
    ours = {quota.id for quota in owned}
    return tuple(
        Unmanaged("compute quota", quota.name, quota.team, quota.status)
        for quota in sorted(others, key=lambda quota: quota.name)
        if quota.id not in ours
    )


def _unmanaged_policies(live: Live, desired: Desired) -> tuple[Unmanaged, ...]:
    if desired.cluster_policy is not None:
        return ()
    return tuple(Unmanaged("cluster policy", policy.name, "", policy.status) for policy in live.cluster_policies)


def _world(live: Live) -> str:
    """A digest of the cluster's governance and size: any change to them makes an approval void."""
    content = msgspec.json.encode(
        [
            sorted((quota.id, quota.version, quota.name) for quota in live.quotas),
            sorted((policy.id, policy.version, policy.name) for policy in live.cluster_policies),
            sorted(
                (group.name, group.instance_type, group.count) for group in live.cluster.groups if group.kind == "fixed"
            ),
        ]
    )
    return hashlib.sha256(content).hexdigest()
