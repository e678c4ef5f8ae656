"""What is on record of an incident: that it is so, that it is not, that its alarm is gone, or nothing that counts."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

import msgspec

from governor.notify.phrases import moment
from governor.records.usages import Kind, UsageSeen
from governor.usage import ClusterUsage
from governor.usage.alarming import Rules
from governor.usage.capacity import promises_too_much
from governor.usage.model import Capacity

STALE = timedelta(minutes=5)
"""After which usage that was read says nothing of now."""


class Alarms(Protocol):
    """What the policy in force says of alarms; ``trouble`` says why not all is known of them."""

    @property
    def rules(self) -> Rules:
        """The alarms by team."""
        ...

    @property
    def trouble(self) -> str:
        """Why not all is known of them."""
        ...


class Known(msgspec.Struct, frozen=True):
    """Of one cluster: its newest usage, and its alarms; None where there are none to be read."""

    seen: UsageSeen | None
    alarms: Alarms | None

    @property
    def usage(self) -> ClusterUsage | None:
        """Be it new or old."""
        return None if self.seen is None else self.seen.usage


class Evidence(msgspec.Struct, frozen=True):
    """``because`` says why nothing counts (blind), or why there is no alarm any more (gone)."""

    says: Literal["so", "not", "gone", "blind"]
    because: str = ""


def evidence_of(kind: Kind, team: str, known: Known, at: datetime, now: datetime) -> Evidence:
    """Whether it is so, by a record that was not old ``at`` that time; ``now`` is what a muting is compared with."""
    seen = known.seen
    if seen is None:
        return Evidence("blind", "nothing is on record of its usage")
    if at - seen.at > STALE:
        return Evidence("blind", "no usage of it has been read for some minutes")
    if kind == "CouldNotRead":
        unread = seen.trouble or known.alarms is None or known.alarms.trouble
        return Evidence("so" if unread else "not")
    if seen.trouble or seen.usage is None:
        return Evidence("blind", seen.trouble or "nothing is on record of its usage")
    if kind == "QuotaAboveCapacity":
        rows = seen.usage.capacity
        if rows is None:
            return Evidence("blind", seen.unread or "its nodes cannot be read")
        return Evidence("so" if promises_too_much(rows) else "not")
    if not any(each.name == team for each in seen.usage.teams):
        return Evidence("gone", f"team {team} has no queue in the cluster any more: it was removed or renamed")
    if kind == "Starved":
        return Evidence("so" if seen.usage.starved(team) else "not")
    return _borrowing(team, seen, known.alarms, now)


def _borrowing(team: str, seen: UsageSeen, alarms: Alarms | None, now: datetime) -> Evidence:
    if alarms is None or alarms.trouble:
        return Evidence("blind", "" if alarms is None else alarms.trouble)
    alarm = alarms.rules.of(team)
    if alarm is None:
        return Evidence("gone", f"the policy has no alarm about borrowing for team {team} any more")
    if alarm.mute_until is not None and now.timestamp() < alarm.mute_until:
        until = moment(datetime.fromtimestamp(alarm.mute_until, UTC))
        return Evidence("gone", f"the alarm about team {team} is muted until {until}")
    found = next((each for each in seen.borrowing if each.team == team), None)
    if found is None or found.muted:
        return Evidence("blind", "the record is older than its alarm")
    return Evidence("so" if found.over else "not")


def rows_above(rows: Iterable[Capacity]) -> list[Capacity]:
    """Those of which too much is promised, as the alarm sees it."""
    listed = tuple(rows)
    return [each for each in listed if promises_too_much(_alone(each, listed))]


def _alone(row: Capacity, rows: Iterable[Capacity]) -> Iterable[Capacity]:
    """All rows, with too much in this one at most."""
    return (each if each is row else msgspec.structs.replace(each, above=0) for each in rows)
