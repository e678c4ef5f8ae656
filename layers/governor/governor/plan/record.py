"""What the last applied policy was, and what it owns: the third leg of the three-way comparison."""

import hashlib
from typing import Final, Literal

import msgspec

from governor.policy import ClusterPolicy, Policy, Team

FORMAT = 1


ABSENT: Final = "Absent"
"""Said of a cluster policy that is to be deleted, if it is ours."""


class Desired(msgspec.Struct, frozen=True):
    """What should be. ``cluster_policy`` None means that it is nobody's business here."""

    teams: tuple[Team, ...]
    cluster_policy: ClusterPolicy | Literal["Absent"] | None = None

    @property
    def digest(self) -> str:
        """The version of the policy: the same for the same content in any order."""
        teams = sorted(self.teams, key=lambda team: team.name)
        content = msgspec.json.encode([[_sorted(team) for team in teams], self.cluster_policy])
        return hashlib.sha256(content).hexdigest()


def _sorted(team: Team) -> Team:
    return msgspec.structs.replace(team, quota=tuple(sorted(team.quota, key=lambda entry: entry.key)))


def desired_by(policy: Policy) -> Desired:
    """What a policy file wants."""
    return Desired(policy.teams, policy.cluster_policy)


NOTHING_DESIRED = Desired((), ABSENT)
"""What a removed policy wants: everything it owns gone, and nothing else touched."""


class Owned(msgspec.Struct, frozen=True, omit_defaults=True):
    """A resource of ours. ``id`` is None between the decision to create it and the answer."""

    name: str
    team: str = ""
    id: str | None = None


class Approved(msgspec.Struct, frozen=True):
    """An approval that is being carried out: for one version of the policy, and exactly these targets."""

    digest: str
    targets: tuple[str, ...]


class Record(msgspec.Struct, frozen=True):
    """Kept per cluster ARN. Written before the first change of a run and after the last.

    ``recreated`` maps the name of a resource to the version of the policy for which it was deleted and
    created again. ``begun`` is the version of the policy whose application has begun and not ended: it was
    let in, so what is half done is no reason to refuse the other half.
    """

    cluster_arn: str
    cluster_name: str
    format: int = FORMAT
    desired: Desired | None = None
    quotas: tuple[Owned, ...] = ()
    cluster_policy: Owned | None = None
    recreated: dict[str, str] = {}
    approved: Approved | None = None
    begun: str | None = None


class Ownership:
    """Answers what is ours by a record, quickly also for thousands of teams."""

    def __init__(self, record: Record) -> None:
        self._quotas = {owned.name: owned for owned in record.quotas}
        self._cluster_policy = record.cluster_policy
        self._teams = {team.name: team for team in record.desired.teams} if record.desired else {}

    def owns_quota(self, name: str, team: str, quota_id: str) -> bool:
        """True when this quota, and not one that somebody made under the same name later, is ours."""
        owned = self._quotas.get(name)
        return owned is not None and owned.team == team and owned.id in (None, quota_id)

    def owns_cluster_policy(self, name: str, policy_id: str) -> bool:
        """True when this cluster policy is ours."""
        owned = self._cluster_policy
        return owned is not None and owned.name == name and owned.id in (None, policy_id)

    def last_team(self, name: str) -> Team | None:
        """What the last applied policy declared for a team."""
        return self._teams.get(name)
