"""How a record changes in the course of a run: before the first write, after each round, at the end."""

from collections.abc import Iterable

import msgspec

from governor.plan.plan import Plan, Step
from governor.plan.record import ABSENT, Approved, Desired, Owned, Record
from governor.plan.state import Live
from governor.policy import DEFAULT_CLUSTER_POLICY_NAME


def is_approved(plan: Plan, record: Record, fingerprint: str | None) -> bool:
    """True when nothing is held, this very plan was approved, or it carries on what was approved before."""
    if not plan.held or fingerprint == plan.fingerprint:
        return True
    approved = record.approved
    return approved is not None and approved.digest == plan.digest and set(plan.held_targets) <= set(approved.targets)


def intended(record: Record, plan: Plan) -> Record:
    """The record before the first write of a round.

    What is about to be created counts as ours already, so that a crash between the call and its answer
    leaves nothing without an owner; an approval is kept, so that the next run may carry on; and a repair is
    remembered, because it is tried once per version of the policy.
    """
    creates = [step for step in plan.steps if step.action == "create"]
    quotas = {owned.name: owned for owned in record.quotas}
    for step in creates:
        if step.resource == "compute quota":
            quotas[step.name] = Owned(step.name, step.team)
    policy = record.cluster_policy
    if any(step.resource == "cluster policy" for step in creates):
        policy = next(Owned(step.name) for step in creates if step.resource == "cluster policy")
    recreated = {name: digest for name, digest in record.recreated.items() if digest == plan.digest}
    recreated.update({step.name: plan.digest for step in creates if step.recreates})
    return msgspec.structs.replace(
        record,
        quotas=_sorted(quotas.values()),
        cluster_policy=policy,
        recreated=recreated,
        approved=Approved(plan.digest, plan.held_targets) if plan.held else record.approved,
        begun=plan.digest,
    )


def learned(
    earlier: Record,
    record: Record,
    created: Iterable[tuple[Step, str]],
    deleted: Iterable[Step],
    never_tried: Iterable[Step],
) -> Record:
    """The record after a round: ids of what was created, without what was deleted.

    ``earlier`` is the record before ``intended``: a creation that was never tried leaves the name to whom it
    belonged then.
    """
    quotas = {owned.name: owned for owned in record.quotas}
    before = {owned.name: owned for owned in earlier.quotas}
    policy = record.cluster_policy
    for step in never_tried:
        if step.resource == "cluster policy":
            policy = earlier.cluster_policy
        elif step.name in before:
            quotas[step.name] = before[step.name]
        else:
            quotas.pop(step.name, None)
    for step in deleted:
        if step.resource == "cluster policy":
            if policy is not None and policy.id in (None, step.id):
                policy = None
        elif step.name in quotas and quotas[step.name].id in (None, step.id):
            del quotas[step.name]
    for step, resource_id in created:
        if step.resource == "cluster policy":
            policy = Owned(step.name, id=resource_id)
        else:
            quotas[step.name] = Owned(step.name, step.team, resource_id)
    return msgspec.structs.replace(record, quotas=_sorted(quotas.values()), cluster_policy=policy)


def applied(record: Record, desired: Desired, live: Live) -> Record:
    """The record after everything is as desired: every declared resource is ours, adopted ones too.

    ``live`` was read before the last round; what that round created stands in ``record`` already.
    """
    ids = {(quota.name, quota.team): quota.id for quota in live.quotas}
    ids.update({(owned.name, owned.team): owned.id for owned in record.quotas if owned.id is not None})
    quotas = [
        Owned(team.effective_quota_name, team.name, ids.get((team.effective_quota_name, team.name)))
        for team in desired.teams
    ]
    policy = None
    if desired.cluster_policy is not None and desired.cluster_policy != ABSENT:
        name = desired.cluster_policy.name or DEFAULT_CLUSTER_POLICY_NAME
        there = {item.name: item.id for item in live.cluster_policies}
        known = record.cluster_policy
        policy = Owned(name, id=known.id if known and known.name == name and known.id else there.get(name))
    return msgspec.structs.replace(
        record, desired=desired, quotas=_sorted(quotas), cluster_policy=policy, approved=None, begun=None, recreated={}
    )


def _sorted(quotas: Iterable[Owned]) -> tuple[Owned, ...]:
    return tuple(sorted(quotas, key=lambda owned: owned.name))
