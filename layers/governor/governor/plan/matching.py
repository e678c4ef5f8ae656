"""Which live quota belongs to which declared team, and which names are in the way."""

from collections import defaultdict

import msgspec

from governor.plan.record import Ownership
from governor.plan.state import LiveClusterPolicy, Quota
from governor.policy import DEFAULT_CLUSTER_POLICY_NAME, ClusterPolicy, Finding, Team


class Match(msgspec.Struct, frozen=True):
    """A declared team with its live quota, or with the ones that must go first because they replace it."""

    team: Team
    live: Quota | None = None
    replaces: tuple[Quota, ...] = ()


class Matches(msgspec.Struct, frozen=True):
    """All declared teams, what cannot be matched and why, and the quotas that nobody declared."""

    matched: tuple[Match, ...]
    findings: tuple[Finding, ...]
    others: tuple[Quota, ...]


def match_teams(teams: tuple[Team, ...], quotas: tuple[Quota, ...], ownership: Ownership) -> Matches:
    """By the quota's name; a team that has a quota under another name is never given a second one."""
    by_name = {quota.name: quota for quota in quotas}
    by_team: dict[str, list[Quota]] = defaultdict(list)
    for quota in quotas:
        by_team[quota.team].append(quota)
    matched: list[Match] = []
    findings: list[Finding] = []
    used: set[str] = set()
    for index, team in enumerate(teams):
        name = team.effective_quota_name
        live = by_name.get(name)
        if live is not None and live.team == team.name:
            matched.append(Match(team, live))
            used.add(live.id)
            continue
        in_the_way = [*([live] if live is not None else []), *by_team.get(team.name, [])]
        foreign = [quota for quota in in_the_way if not _may_replace(quota, team, ownership)]
        if foreign:
            used.update(quota.id for quota in in_the_way)
            findings.append(_name_in_the_way(team, index, foreign[0]))
            continue
        used.update(quota.id for quota in in_the_way)
        matched.append(Match(team, None, tuple(in_the_way)))
    others = tuple(quota for quota in quotas if quota.id not in used)
    return Matches(tuple(matched), tuple(findings), others)


def _may_replace(quota: Quota, team: Team, ownership: Ownership) -> bool:
    """Ours, and the file says by an explicit name that it is to be another one; or on its way out already."""
    if quota.status == "Deleting":
        return True
    return ownership.owns_quota(quota.name, quota.team, quota.id) and team.quota_name is not None


def _name_in_the_way(team: Team, index: int, quota: Quota) -> Finding:
    if quota.team == team.name:
        return Finding(
            "error",
            "quota-under-another-name",
            ("teams", index, "name"),
            f"team '{team.name}' already has the quota '{quota.name}', and a second one would count twice; "
            f"add 'quotaName: {quota.name}' to this team to adopt it",
        )
    return Finding(
        "error",
        "quota-name-taken",
        ("teams", index, "quotaName" if team.quota_name else "name"),
        f"the quota name '{quota.name}' that team '{team.name}' would get belongs to team '{quota.team}' already; "
        f"add 'quotaName: <another name>' to team '{team.name}'",
    )


class PolicyMatch(msgspec.Struct, frozen=True):
    """The declared cluster policy with the live one, or with one of ours that it replaces."""

    name: str
    live: LiveClusterPolicy | None = None
    replaces: tuple[LiveClusterPolicy, ...] = ()
    finding: Finding | None = None


def match_cluster_policy(
    declared: ClusterPolicy, policies: tuple[LiveClusterPolicy, ...], ownership: Ownership
) -> PolicyMatch:
    """By name; a cluster that has a policy under another name is never given a second one."""
    name = declared.name or DEFAULT_CLUSTER_POLICY_NAME
    live = next((policy for policy in policies if policy.name == name), None)
    if live is not None:
        return PolicyMatch(name, live)
    foreign = [
        policy
        for policy in policies
        if policy.status != "Deleting"
        and not (ownership.owns_cluster_policy(policy.name, policy.id) and declared.name is not None)
    ]
    if foreign:
        return PolicyMatch(
            name,
            finding=Finding(
                "error",
                "cluster-policy-under-another-name",
                ("clusterPolicy",),
                f"the cluster already has the cluster policy '{foreign[0].name}', and it can have only one; "
                f"add 'name: {foreign[0].name}' to clusterPolicy to adopt it",
            ),
        )
    return PolicyMatch(name, None, policies)
