"""Steps for the teams' compute quotas, by their life cycle (facts 0.8 and 1e)."""

from governor.plan.compare import quota_differs, quota_request, same_entries
from governor.plan.draft import Draft
from governor.plan.matching import Match, match_teams
from governor.plan.plan import Step
from governor.plan.state import BEYOND_REPAIR, IN_FLIGHT, NEVER_CREATED, Quota
from governor.plan.words import changed, quota_words
from governor.policy import Team
from governor.quota import QuotaEntry


def plan_teams(draft: Draft, teams: tuple[Team, ...]) -> tuple[Quota, ...]:
    """Steps for the declared teams; returns the quotas that belong to none of them."""
    matches = match_teams(teams, draft.live.quotas, draft.ownership)
    draft.findings.extend(matches.findings)
    for match in sorted(matches.matched, key=lambda match: match.team.name):
        _plan_team(draft, match)
    return matches.others


def _plan_team(draft: Draft, match: Match) -> None:
    team, live = match.team, match.live
    if live is None:
        needs = tuple(
            delete_quota(
                draft,
                quota,
                f"replaced by '{team.effective_quota_name}' of team {team.name}",
                "" if quota.status == "Deleting" else f"replaces the quota '{quota.name}' of team {quota.team}",
            )
            for quota in match.replaces
        )
        had = draft.ownership.had_quota(team.effective_quota_name, team.name)
        gone = had and not needs and draft.can_tell_drift
        _create_quota(draft, team, needs, "somebody deleted it" if gone else "new", drifted=gone)
    elif live.status in NEVER_CREATED:
        if draft.may_recreate(f"team {team.name}", live):
            ours = draft.ownership.owns_quota(live.name, live.team, live.id)
            held = "" if ours else f"replaces the quota '{live.name}' of team {team.name}, which is {live.status}"
            key = delete_quota(draft, live, f"{live.status}: {live.failure_reason or 'no reason given'}", held)
            _create_quota(draft, team, (key,), "deleted and created again", recreates=live.id)
    elif live.status in BEYOND_REPAIR:
        held = f"replaces the quota '{live.name}' of team {team.name} ({live.status})"
        key = delete_quota(draft, live, f"{live.status}: can only be deleted", held)
        _create_quota(draft, team, (key,), "deleted and created again")
    elif live.status == "Deleting":
        key = delete_quota(draft, live, "somebody is deleting it", "")
        _create_quota(draft, team, (key,), "created again")
    else:
        _update_quota(draft, team, live)


def _create_quota(
    draft: Draft, team: Team, needs: tuple[str, ...], reason: str, *, recreates: str = "", drifted: bool = False
) -> None:
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
            drifted=drifted,
            amounts_after=draft.amounts(team.quota),
        )
    )


def delete_quota(draft: Draft, quota: Quota, reason: str, held: str) -> str:
    """A step that deletes the quota, once even if it is in the way of two teams; the step's key."""
    key = f"team {quota.team}/{quota.name}/delete"
    if quota.id in draft.deleted:
        return key
    draft.deleted.add(quota.id)
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


def _update_quota(draft: Draft, team: Team, live: Quota) -> None:
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
    before = quota_words(live, instances)
    if team.description is None:
        before.pop("description", None)  # not declared: not sent, and so not changed
    changes = changed(before, quota_words(request, instances)) if differs else ()
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
            drifted=(
                differs and draft.can_tell_drift and last is not None and quota_differs(last, live, last, instances)
            ),
            settle_first=live.status if live.status in IN_FLIGHT else "",
            unsure=failed,
            amounts_before=draft.amounts(live.entries),
            amounts_after=draft.amounts(_effective(draft, team, live, last)),
        )
    )


def _update_reason(live: Quota, *, changes: bool, differs: bool) -> str:
    if live.status == "UpdateFailed":
        return f"UpdateFailed ({live.failure_reason or 'no reason given'}): tried again"
    return "amounts that the policy no longer gives are left to the service" if differs and not changes else ""


def _effective(draft: Draft, team: Team, live: Quota, last: Team | None) -> list[QuotaEntry]:
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
