"""How a record changes in the course of a run: before the first write, after each round, at the end."""

from collections.abc import Iterable

import msgspec

from governor.plan.plan import Plan, Resource, Step
from governor.plan.record import ABSENT, Approved, Begun, Desired, Owned, Record
from governor.plan.state import Live
from governor.policy import DEFAULT_CLUSTER_POLICY_NAME

_Claims = dict[tuple[Resource, str], Owned]


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
    claims = _claims(record)
    claims.update({(step.resource, step.name): Owned(step.name, step.team) for step in creates})
    recreated = {name: mark for name, mark in record.recreated.items() if mark.startswith(plan.digest)}
    recreated.update({step.name: recreation_mark(plan.digest, step.recreates) for step in creates if step.recreates})
    approved = record.approved if record.approved and record.approved.digest == plan.digest else None
    return _with(
        msgspec.structs.replace(
            record,
            recreated=recreated,
            approved=Approved(plan.digest, plan.held_targets) if plan.held else approved,
            begun=Begun(plan.digest, plan.excess),
        ),
        claims,
    )


def recreation_mark(digest: str, failed_id: str) -> str:
    """What is remembered of a repair: for which version of the policy, and which failed resource it replaces."""
    return f"{digest} {failed_id}"


def learned(
    earlier: Record,
    record: Record,
    created: Iterable[tuple[Step, str]],
    deleted: Iterable[Step],
    never_created: Iterable[Step],
) -> Record:
    """The record after a round: ids of what was created, without what was deleted.

    ``earlier`` is the record before ``intended``: a creation that was not tried, or was refused, leaves the
    name to whom it belonged then.
    """
    claims, before = _claims(record), _claims(earlier)
    for step in never_created:
        key = (step.resource, step.name)
        claims.pop(key, None)
        if key in before:
            claims[key] = before[key]
    for step in deleted:
        key = (step.resource, step.name)
        if key in claims and claims[key].id in (None, step.id):
            del claims[key]
    claims.update({(step.resource, step.name): Owned(step.name, step.team, made) for step, made in created})
    return _with(record, claims)


def applied(record: Record, desired: Desired, live: Live, created: Iterable[tuple[Step, str]]) -> Record:
    """The record after everything is as desired: every declared resource is ours, adopted ones too.

    ``live`` was read before the last round, ``created`` is what that round made.
    """
    ids: dict[tuple[Resource, str], str] = {("compute quota", quota.name): quota.id for quota in live.quotas}
    ids.update({("cluster policy", policy.name): policy.id for policy in live.cluster_policies})
    ids.update({(step.resource, step.name): made for step, made in created})
    claims: _Claims = {
        ("compute quota", name): Owned(name, team.name, ids.get(("compute quota", name)))
        for team in desired.teams
        for name in [team.effective_quota_name]
    }
    policy = desired.cluster_policy
    if policy is not None and policy != ABSENT:
        name = policy.name or DEFAULT_CLUSTER_POLICY_NAME
        claims["cluster policy", name] = Owned(name, id=ids.get(("cluster policy", name)))
    done = msgspec.structs.replace(record, desired=desired, approved=None, begun=None, recreated={})
    return _with(done, claims)


def _claims(record: Record) -> _Claims:
    claims: _Claims = {("compute quota", owned.name): owned for owned in record.quotas}
    claims.update({("cluster policy", owned.name): owned for owned in record.cluster_policies})
    return claims


def _with(record: Record, claims: _Claims) -> Record:
    def of(wanted: Resource) -> tuple[Owned, ...]:
        return tuple(claims[key] for key in sorted(claims) if key[0] == wanted)

    return msgspec.structs.replace(record, quotas=of("compute quota"), cluster_policies=of("cluster policy"))
