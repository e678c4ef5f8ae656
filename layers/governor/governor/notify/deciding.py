"""What a change of an alarm's state comes to, by what was told before and what is on record: told, or why not."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from governor.notify.evidence import Evidence
from governor.notify.transition import Transition
from governor.records.usages import Incident

Outcome = Literal["told", "repeated", "late", "muted", "quiet", "unseen", "open", "nobodys"]
"""``repeated``: told before, or muted as the same event. ``late``: a later state is known. ``muted``: somebody said not
to tell. ``quiet``: it is over, and nobody was told that it began. ``unseen``: the alarm is quiet, and nobody can see
whether it is over. ``open``: the alarm is quiet, and by the record it is so all the same. ``nobodys``: no governed
cluster of this name."""

AGAIN = timedelta(minutes=10)
"""After its end, within which an incident that begins is told as one that begins again."""
HOUR = timedelta(hours=1)
LOST = timedelta(hours=1)
"""After which an incident whose end nobody saw is not thought to go on: it is told anew when the alarm rings."""
MOST_KEPT = 20
"""Beginnings of the last hour that are counted."""


def outcome_of(transition: Transition, before: Incident | None, evidence: Evidence, *, muted: bool) -> Outcome:
    """``muted`` is for the policy to say, and only of what begins; CloudWatch says it in the transition."""
    if before is not None and transition.at < before.at:
        return "late"
    if transition.state == "ALARM":
        return _ringing(transition, before, muted=muted or transition.muted)
    return _quiet(transition, before, evidence)


def _ringing(transition: Transition, before: Incident | None, *, muted: bool) -> Outcome:
    if before is not None and before.state == "ALARM":
        if before.told and not is_lost(before, transition):
            return "repeated"
        if not before.told and before.at == transition.at:
            return "repeated"
    return "muted" if muted else "told"


def _quiet(transition: Transition, before: Incident | None, evidence: Evidence) -> Outcome:
    if before is None or not before.is_open:
        return "repeated" if before is not None and before.told else "quiet"
    match evidence.says:
        case "blind":
            return "unseen"
        case "so":
            return "open"
        case _:
            return "muted" if transition.muted else "told"


def is_lost(before: Incident, transition: Transition) -> bool:
    """Whether it was quiet for so long, with nobody to see why, that what rings now is news."""
    return before.unseen is not None and transition.at - before.unseen > LOST


def times_within_the_hour(transition: Transition, before: Incident | None) -> int:
    """Which time within the hour it begins, when it begins again soon after its end; 0 otherwise."""
    if transition.state == "OK" or before is None or before.state == "ALARM" or transition.at - before.at > AGAIN:
        return 0
    count = len(_recent(before, transition.at))
    return count + 1 if count else 0


def incident_after(
    transition: Transition, before: Incident | None, outcome: Outcome, began: datetime
) -> Incident | None:
    """What is to be remembered; None for nothing new."""
    match outcome:
        case "late" | "nobodys":
            return None
        case "repeated":
            assert before is not None
            unseen = None if transition.state == "ALARM" else before.unseen
            if (before.at, before.unseen) == (transition.at, unseen):
                return None
            return msgspec.structs.replace(before, at=transition.at, unseen=unseen)
        case "unseen" | "open":
            assert before is not None
            return msgspec.structs.replace(before, at=transition.at, unseen=before.unseen or transition.at)
    told = outcome == "told"
    rang = _recent(before, transition.at)
    if told and transition.state == "ALARM":
        rang = (*rang, transition.at)[-MOST_KEPT:]
    return Incident(
        kind=transition.kind,
        team=transition.team,
        state=transition.state,
        at=transition.at,
        began=began,
        told=told,
        rang=rang,
    )


def _recent(before: Incident | None, at: datetime) -> tuple[datetime, ...]:
    return () if before is None else tuple(each for each in before.rang if at - each <= HOUR)
