"""plan(): desired, live, last applied and capacity in; ordered steps out. Pure: no call, no clock."""

import hashlib
from collections.abc import Iterable
from typing import Literal

import msgspec

from governor.checks import check_capacity, check_cluster
from governor.plan.capacity import guaranteed, guaranteed_after
from governor.plan.compare import (
    QuotaRequest,
    cluster_policy_differs,
    cluster_policy_request,
    quota_differs,
    quota_request,
    same_entries,
)
from governor.plan.matching import Match, match_cluster_policy, match_teams
from governor.plan.order import ordered, smaller_entries
from governor.plan.plan import Blocked, Plan, Step, Unmanaged
from governor.plan.record import ABSENT, Desired, Ownership, Record
from governor.plan.state import (
    BEYOND_REPAIR,
    IN_FLIGHT,
    NEVER_CREATED,
    Live,
    LiveClusterPolicy,
    Quota,
)
from governor.plan.words import changed, cluster_policy_words, quota_words
from governor.policy import ClusterPolicy, Finding, Severity, Team
from governor.quota import Amounts, QuotaEntry, amounts_of, capacity_of, total


class _Draft:
    """What the planner has found so far."""

    def __init__(self, live: Live, record: Record, digest: str) -> None:
        self.live, self.record, self.digest = live, record, digest
        self.ownership = Ownership(record)
        self.steps: list[Step] = []
        self.findings: list[Finding] = []
        self.blocked: list[Blocked] = []
        self.adopted: list[str] = []
        self.unchanged = 0

    def amounts(self, entries: Iterable[QuotaEntry]) -> Amounts:
        instances = self.live.instances
        return total(amounts_of(entry, instances.get(entry.instance_type)) for entry in entries)

    def may_recreate(self, title: str, resource: Quota | LiveClusterPolicy) -> bool:
        """Once per version of the policy; after that a person has to look."""
        if self.record.recreated.get(resource.name) != self.digest:
            return True
        self.blocked.append(
            Blocked(
                title,
                f"'{resource.name}' is {resource.status} again after being deleted and created anew for this version "
                f"of the policy: {resource.failure_reason or 'the service gives no reason'}; "
                "remove the cause and change the policy file, or delete the quota by hand",
            )
        )
        return False


class Rules(msgspec.Struct, frozen=True):
    """The owner's guard rails."""

    max_teams_removed: int = 0
    overcommit: Severity = "error"


def plan(desired: Desired, live: Live, record: Record | None, rules: Rules | None = None) -> Plan:
    """What it takes to bring a cluster from its live state to the desired one.

    Three-way: only what ``record`` says is ours is ever deleted. Without a record nothing is.
    """
    rules = rules or Rules()
    record = record or Record(live.cluster.arn, live.cluster.name)
    draft = _Draft(live, record, desired.digest)
    _plan_cluster_policy(draft, desired.cluster_policy)
    others = _plan_teams(draft, desired.teams)
    owned = [quota for quota in others if draft.ownership.owns_quota(quota.name, quota.team, quota.id)]
    removed = tuple(sorted(quota.team for quota in owned if quota.status != "Deleting"))
    _plan_removals(draft, owned, held=len(removed) > rules.max_teams_removed or not desired.teams)
    before = guaranteed(live)
    capacity = capacity_of(live.cluster.groups, live.instances)
    steps = _in_order(draft, before, capacity.amounts)
    draft.findings += check_cluster(live.cluster)
    overcommit: Severity = "warning" if record.begun == draft.digest else rules.overcommit
    draft.findings += check_capacity(
        desired.teams, live.cluster, live.instances, before, guaranteed_after(before, steps), overcommit
    )
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
    )


def _plan_cluster_policy(draft: _Draft, wanted: ClusterPolicy | Literal["Absent"] | None) -> None:
    policies = draft.live.cluster_policies
    if wanted is None:
        return
    if wanted == ABSENT:
        for policy in policies:
            if draft.ownership.owns_cluster_policy(policy.name, policy.id):
                _delete_policy(draft, policy, "the policy that declared it was removed", "deletes the cluster policy")
        return
    match = match_cluster_policy(wanted, policies, draft.ownership)
    if match.finding is not None:
        draft.findings.append(match.finding)
        return
    live = match.live
    needs = tuple(
        _delete_policy(draft, policy, f"replaced by '{match.name}'", "replaces the cluster policy")
        for policy in match.replaces
    )
    if live is None:
        _create_policy(draft, wanted, match.name, needs, "new")
        return
    if live.status in NEVER_CREATED:
        if draft.may_recreate("cluster policy", live):
            key = _delete_policy(draft, live, f"{live.status}: {live.failure_reason or 'no reason given'}", "")
            _create_policy(draft, wanted, match.name, (key,), "deleted and created again", recreates=True)
        return
    if live.status in BEYOND_REPAIR or live.status == "Deleting":
        held = "replaces the cluster policy" if live.status in BEYOND_REPAIR else ""
        key = _delete_policy(draft, live, f"{live.status}: can only be deleted", held)
        _create_policy(draft, wanted, match.name, (key,), "deleted and created again")
        return
    if not draft.ownership.owns_cluster_policy(live.name, live.id):
        draft.adopted.append("cluster policy")
    request = cluster_policy_request(wanted, match.name, live)
    differs = cluster_policy_differs(wanted, live)
    if not differs and live.status != "UpdateFailed" and live.status not in IN_FLIGHT:
        draft.unchanged += 1
        return
    draft.steps.append(
        Step(
            "cluster policy",
            "update" if differs or live.status == "UpdateFailed" else "wait",
            "cluster policy",
            live.name,
            id=live.id,
            version=live.version,
            request=request,
            changes=changed(cluster_policy_words(live), cluster_policy_words(request)),
            reason="UpdateFailed: tried again" if live.status == "UpdateFailed" else "",
            settle_first=live.status if live.status in IN_FLIGHT else "",
        )
    )


def _delete_policy(draft: _Draft, policy: LiveClusterPolicy, reason: str, held: str) -> str:
    key = f"cluster policy/{policy.name}/delete"
    draft.steps.append(
        Step(
            key,
            "wait" if policy.status == "Deleting" else "delete",
            "cluster policy",
            policy.name,
            id=policy.id,
            version=policy.version,
            changes=changed(cluster_policy_words(policy), {}),
            reason=reason,
            settle_first=policy.status if policy.status in IN_FLIGHT else "",
            held=held,
        )
    )
    return key


def _create_policy(
    draft: _Draft, wanted: ClusterPolicy, name: str, needs: tuple[str, ...], reason: str, *, recreates: bool = False
) -> None:
    request = cluster_policy_request(wanted, name, None)
    draft.steps.append(
        Step(
            "cluster policy",
            "create",
            "cluster policy",
            name,
            request=request,
            changes=changed({}, cluster_policy_words(request)),
            reason=reason,
            needs=needs,
            recreates=recreates,
        )
    )


def _plan_teams(draft: _Draft, teams: tuple[Team, ...]) -> tuple[Quota, ...]:
    """Steps for the declared teams; returns the quotas that belong to none of them."""
    matches = match_teams(teams, draft.live.quotas, draft.ownership)
    draft.findings.extend(matches.findings)
    for match in sorted(matches.matched, key=lambda match: match.team.name):
        _plan_team(draft, match)
    return matches.others


def _plan_team(draft: _Draft, match: Match) -> None:
    team, live = match.team, match.live
    if live is None:
        needs = tuple(
            _delete_quota(
                draft,
                quota,
                f"replaced by '{team.effective_quota_name}' of team {team.name}",
                "" if quota.status == "Deleting" else f"replaces the quota '{quota.name}' of team {quota.team}",
            )
            for quota in match.replaces
        )
        _create_quota(draft, team, needs, "new")
    elif live.status in NEVER_CREATED:
        if draft.may_recreate(f"team {team.name}", live):
            key = _delete_quota(draft, live, f"{live.status}: {live.failure_reason or 'no reason given'}", "")
            _create_quota(draft, team, (key,), "deleted and created again", recreates=True)
    elif live.status in BEYOND_REPAIR:
        held = f"replaces the quota '{live.name}' of team {team.name} ({live.status})"
        key = _delete_quota(draft, live, f"{live.status}: can only be deleted", held)
        _create_quota(draft, team, (key,), "deleted and created again")
    elif live.status == "Deleting":
        key = _delete_quota(draft, live, "somebody is deleting it", "")
        _create_quota(draft, team, (key,), "created again")
    else:
        _update_quota(draft, team, live)


def _create_quota(draft: _Draft, team: Team, needs: tuple[str, ...], reason: str, *, recreates: bool = False) -> None:
    request = quota_request(team, None)
    draft.steps.append(
        Step(
            f"team {team.name}",
            "create",
            "compute quota",
            request.name,
            team=team.name,
            request=request,
            changes=changed({}, quota_words(request, draft.live.instances)),
            reason=reason,
            needs=needs,
            recreates=recreates,
            amounts_after=draft.amounts(team.quota),
        )
    )


def _delete_quota(draft: _Draft, quota: Quota, reason: str, held: str) -> str:
    key = f"team {quota.team}/{quota.name}/delete"
    if any(step.key == key for step in draft.steps):
        return key  # in the way of two teams: deleted once
    draft.steps.append(
        Step(
            key,
            "wait" if quota.status == "Deleting" else "delete",
            "compute quota",
            quota.name,
            team=quota.team,
            id=quota.id,
            version=quota.version,
            changes=changed(quota_words(quota, draft.live.instances), {}),
            reason=reason,
            settle_first=quota.status if quota.status in IN_FLIGHT else "",
            held=held,
            amounts_before=draft.amounts(quota.entries),
        )
    )
    return key


def _update_quota(draft: _Draft, team: Team, live: Quota) -> None:
    if not draft.ownership.owns_quota(live.name, live.team, live.id):
        draft.adopted.append(f"team {team.name}")
    instances = draft.live.instances
    last = draft.ownership.last_team(team.name)
    differs = quota_differs(team, live, last, instances)
    failed = live.status == "UpdateFailed"
    if not differs and not failed and live.status not in IN_FLIGHT:
        draft.unchanged += 1
        return
    request = quota_request(team, live)
    changes = changed(quota_words(live, instances), quota_words(request, instances)) if differs else ()
    draft.steps.append(
        Step(
            f"team {team.name}",
            "update" if differs or failed else "wait",
            "compute quota",
            live.name,
            team=team.name,
            id=live.id,
            version=live.version,
            request=request,
            changes=changes,
            reason=_update_reason(live, changes=bool(changes), differs=differs),
            drifted=differs and last is not None and quota_differs(last, live, last, instances),
            settle_first=live.status if live.status in IN_FLIGHT else "",
            amounts_before=draft.amounts(live.entries),
            amounts_after=draft.amounts(_effective(draft, team, live, last)),
        )
    )


def _update_reason(live: Quota, *, changes: bool, differs: bool) -> str:
    if live.status == "UpdateFailed":
        return f"UpdateFailed ({live.failure_reason or 'no reason given'}): tried again"
    return "amounts that the policy no longer gives are left to the service" if differs and not changes else ""


def _effective(draft: _Draft, team: Team, live: Quota, last: Team | None) -> list[QuotaEntry]:
    """The declared entries; where one is as declared already, the live one with the service's own fill-ins."""
    there = {entry.key: entry for entry in live.entries}
    before = {entry.key: entry for entry in last.quota} if last else {}
    return [
        there[entry.key]
        if entry.key in there
        and same_entries(
            (entry,),
            (there[entry.key],),
            (before[entry.key],) if entry.key in before else (),
            draft.live.instances,
        )
        else entry
        for entry in team.quota
    ]


def _plan_removals(draft: _Draft, owned: list[Quota], *, held: bool) -> None:
    """Deletes what the last applied policy owned and this one does not declare."""
    for quota in sorted(owned, key=lambda quota: quota.name):
        reason = f"removes team {quota.team}" if held and quota.status != "Deleting" else ""
        _delete_quota(draft, quota, "no longer in the policy", reason)


def _in_order(draft: _Draft, before: Amounts, capacity: Amounts) -> list[Step]:
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
    return tuple(
        Unmanaged("compute quota", quota.name, quota.team, quota.status)
        for quota in sorted(others, key=lambda quota: quota.name)
        if quota not in owned
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
