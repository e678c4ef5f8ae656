"""Who borrows more than the policy lets pass: judged here, so that one alarm serves all teams and all their limits."""

from collections.abc import Iterable, Mapping

import msgspec

from governor.policy import BorrowingAlarm
from governor.usage.measures import Measure, borrowing
from governor.usage.model import Part, TeamUsage, declared_name


class Rules(msgspec.Struct, frozen=True):
    """``by_team`` holds what a policy says of its teams, None for one without an alarm; ``otherwise`` of all others."""

    by_team: Mapping[str, BorrowingAlarm | None] = {}
    otherwise: BorrowingAlarm | None = None

    def of(self, team: str) -> BorrowingAlarm | None:
        """The alarm of a team, by the name that the policy has for it; None for none."""
        return self.by_team.get(declared_name(team), self.otherwise)


class Borrowing(Part, frozen=True):
    """How much of its guarantee a team borrows, and from which percentage on that is too much.

    ``since`` is when it began to be too much without a break, in seconds since 1970; 0 while it is not. Amounts are in
    devices, partitions, or thousandths of a vCPU. A ``muted`` alarm judges nothing.
    """

    team: str
    measure: Measure
    borrowed: int
    guaranteed: int
    percent: float
    limit: int
    over: bool
    muted: bool = False
    since: int = 0


def judged(
    teams: Iterable[TeamUsage], rules: Rules, now: int, before: Mapping[str, Borrowing]
) -> tuple[Borrowing, ...]:
    """Every team that has an alarm. ``before`` is what the run before said: what was too much then began then.

    Percent is what is borrowed of what is guaranteed, of the accelerators, of partitions of them if that is more, or of
    the vCPU of a team without either; it is too much from the limit on. Where nothing is guaranteed, anything borrowed
    is 100 percent.
    """
    return tuple(
        _judged(team, alarm, now, before.get(team.name)) for team in teams if (alarm := rules.of(team.name)) is not None
    )


def _judged(team: TeamUsage, alarm: BorrowingAlarm, now: int, before: Borrowing | None) -> Borrowing:
    found = borrowing(team)
    muted = alarm.mute_until is not None and now < alarm.mute_until
    over = not muted and found.borrows_at_least(alarm.percent)
    since = 0
    if over:
        since = before.since if before is not None and before.over and 0 < before.since <= now else now
    return Borrowing(
        team.name,
        found.measure,
        found.borrowed,
        found.guaranteed,
        round(found.borrows_percent(), 1),
        alarm.percent,
        over,
        muted,
        since,
    )
