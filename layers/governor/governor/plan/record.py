"""What the last applied policy was, and what it owns: the third leg of the three-way comparison."""

import hashlib
from fractions import Fraction
from typing import Final, Literal

import msgspec

from governor.policy import ClusterPolicy, Policy, Team
from governor.quota import Dimension

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
        teams = sorted((_in_order(team) for team in self.teams), key=lambda team: team.name)
        policy = self.cluster_policy
        if policy is not None and policy != ABSENT:
            classes = tuple(sorted(policy.priority_classes, key=lambda item: item.name))
            policy = msgspec.structs.replace(policy, priority_classes=classes)
        return hashlib.sha256(msgspec.json.encode([teams, policy])).hexdigest()


def _in_order(team: Team) -> Team:
    sharing = team.sharing
    if sharing is not None and sharing.absolute_borrow_limits:
        limits = tuple(sorted(sharing.absolute_borrow_limits, key=lambda entry: entry.key))
        sharing = msgspec.structs.replace(sharing, absolute_borrow_limits=limits)
    quota = tuple(sorted(team.quota, key=lambda entry: entry.key))
    return msgspec.structs.replace(team, quota=quota, sharing=sharing)


def desired_by(policy: Policy) -> Desired:
    """What a policy file wants of SageMaker, which knows nothing of alarms: they change no plan and no record."""
    return Desired(tuple(_without_alarms(team) for team in policy.teams), policy.cluster_policy)


def _without_alarms(team: Team) -> Team:
    return team if team.alarms is msgspec.UNSET else msgspec.structs.replace(team, alarms=msgspec.UNSET)


NOTHING_DESIRED = Desired((), ABSENT)
"""What a removed policy wants: everything it owns gone, and nothing else touched."""


class Owned(msgspec.Struct, frozen=True, omit_defaults=True):
    """A resource of ours. ``id`` is None between the decision to create it and the answer, ``team`` is empty for a
    cluster policy."""

    name: str
    team: str = ""
    id: str | None = None


class Approved(msgspec.Struct, frozen=True):
    """An approval that is being carried out: for one version of the policy, and exactly these targets."""

    digest: str
    targets: tuple[str, ...]


class Begun(msgspec.Struct, frozen=True):
    """A policy whose application has begun and not ended: it was let in, with so much more promised than there is.

    What is half done is then no reason to refuse the other half. ``excess`` holds exact numbers in text.
    """

    digest: str
    excess: tuple[tuple[Dimension, str], ...] = ()

    def __post_init__(self) -> None:
        """A damaged record is noticed when it is loaded: msgspec makes a decoding error of the ValueError."""
        try:
            _ = self.let_in
        except ZeroDivisionError as error:
            raise ValueError(str(error)) from error

    @property
    def let_in(self) -> dict[Dimension, Fraction]:
        """The excess as numbers."""
        return {dimension: Fraction(value) for dimension, value in self.excess}


class Record(msgspec.Struct, frozen=True):
    """Kept per cluster ARN. Written before the first change of a run and after the last.

    ``recreated`` maps the name of a resource that was found failed to the version of the policy and the id of
    the failed one: it is deleted and created again once.
    """

    cluster_arn: str
    cluster_name: str
    format: int = FORMAT
    desired: Desired | None = None
    quotas: tuple[Owned, ...] = ()
    cluster_policies: tuple[Owned, ...] = ()
    recreated: dict[str, str] = {}
    approved: Approved | None = None
    begun: Begun | None = None


class Ownership:
    """Answers what is ours by a record, quickly also for thousands of teams."""

    def __init__(self, record: Record) -> None:
        self._quotas = {owned.name: owned for owned in record.quotas}
        self._cluster_policies = {owned.name: owned for owned in record.cluster_policies}
        self._last = record.desired
        self._teams = {team.name: team for team in record.desired.teams} if record.desired else {}

    def owns_quota(self, name: str, team: str, quota_id: str) -> bool:
        """True when this quota, and not one that somebody made under the same name later, is ours."""
        owned = self._quotas.get(name)
        return owned is not None and owned.team == team and owned.id in (None, quota_id)

    def had_quota(self, name: str, team: str) -> bool:
        """True when the last applied policy had this quota made, whatever became of it."""
        owned = self._quotas.get(name)
        return owned is not None and owned.team == team and owned.id is not None and team in self._teams

    def owns_cluster_policy(self, name: str, policy_id: str) -> bool:
        """True when this cluster policy is ours."""
        owned = self._cluster_policies.get(name)
        return owned is not None and owned.id in (None, policy_id)

    def last_cluster_policy(self) -> ClusterPolicy | None:
        """What the last applied policy declared for the cluster policy."""
        policy = self._last.cluster_policy if self._last else None
        return None if policy is None or policy == ABSENT else policy

    def last_team(self, name: str) -> Team | None:
        """What the last applied policy declared for a team."""
        return self._teams.get(name)
