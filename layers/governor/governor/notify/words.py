"""What people are told of an incident: which team, how much, as of when, since when, what to do, where to look."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from governor.notify.bodies import body_of, is_over
from governor.notify.evidence import Evidence, Known
from governor.notify.phrases import clock, length, listed, moment, ordinal, subject
from governor.notify.transition import Transition
from governor.policy.wording import counted, printable
from governor.records.usages import Incident

MOST_NAMED = 200
"""Incidents in the message that tells of many."""


class Told(msgspec.Struct, frozen=True):
    """A message; the subject is a line of at most 100 ASCII characters."""

    subject: str
    text: str


class Place(msgspec.Struct, frozen=True):
    """Where to look and what to change: the policy's file, the record of usage, the dashboard."""

    file: str
    record: str
    dashboard: str = ""


class View(msgspec.Struct, frozen=True):
    """What is known of the cluster ``now``, and where to look."""

    known: Known
    place: Place
    now: datetime

    @property
    def as_of(self) -> str:
        """When the figures on record were read; "" without any."""
        usage = self.known.usage
        return "" if usage is None else f"as of {clock(datetime.fromtimestamp(usage.at, UTC), self.now)}"


def begins(transition: Transition, began: datetime, evidence: Evidence, view: View, more: "More") -> Told:
    """An alarm rings. ``evidence`` is of now: where it is not so any more, the alarm was heard of late."""
    body = body_of(transition, view.known, view.place.file, more.meanwhile)
    headline = body.headline
    if evidence.says in ("not", "gone"):
        headline = f"No longer so: {headline}"
        lines = [
            f"The alarm rang at {moment(transition.at)}, but {view.as_of or 'by now'} it is not so any more: "
            f"{_why_over(transition, evidence, view, '')}",
            "This was told late, or it has just ended. Once the alarm is quiet as well, that is told.",
            "",
            f"It began {moment(began)}.",
        ]
    else:
        lines = [*body.lines, *_age(evidence, view, figures=body.figures), "", f"What to do: {body.action}", ""]
        lines.append(f"Since {moment(began)}.")
    if more.times:
        lines.append(f"It begins again, for the {ordinal(more.times)} time within the hour.")
    if more.lost is not None:
        lines.append(f"It rang before; whether it was over since {moment(more.lost)} was not seen.")
    return _message(headline, lines, transition.cluster, view.place)


class More(msgspec.Struct, frozen=True):
    """``times``: which time within the hour it begins, 0 where that is no matter. ``lost``: since when an incident of
    the same was out of sight. ``meanwhile``: how many incidents of the cluster are open."""

    times: int = 0
    lost: datetime | None = None
    meanwhile: int = 0


def ends(transition: Transition, began: datetime, evidence: Evidence, view: View) -> Told:
    """An alarm is quiet, and it is seen that it is over."""
    took = length((transition.at - began).total_seconds())
    lasted = f"It lasted from {moment(began)} to {moment(transition.at)}{took}."
    return _over(transition, evidence, view, lasted)


def ended_unseen(transition: Transition, incident: Incident, evidence: Evidence, view: View) -> Told:
    """The alarm has been quiet for a while, and by now it is seen that it is over, as of ``transition``."""
    return _over(
        transition,
        evidence,
        view,
        f"It began {moment(incident.began)}. Its alarm has been quiet since "
        f"{moment(incident.unseen or incident.at)}, when nobody could see why; it was over by {moment(transition.at)}.",
    )


def many_ended(cluster: str, incidents: Iterable[Incident], view: View) -> Told:
    """The same of many at once, in one message."""
    names = [f"{_SHORT[each.kind]}: {each.team or cluster}, since {moment(each.began)}" for each in incidents]
    title = f"The usage of cluster {cluster} can be read again. These are over as well, or their alarm is gone"
    lines = listed(title, names, MOST_NAMED)
    return _message(f"Over: {counted(len(names), 'more incident')} on {cluster}", lines, cluster, view.place)


_SHORT = {
    "OverBorrowing": "lives on borrowed compute",
    "Starved": "waits while others borrow",
    "QuotaAboveCapacity": "quotas promise more than there is",
    "CouldNotRead": "usage cannot be read",
}


def _over(transition: Transition, evidence: Evidence, view: View, lasted: str) -> Told:
    headline = f"Over: {body_of(transition, view.known, view.place.file).headline}"
    why = _why_over(transition, evidence, view, f", {view.as_of}")
    return _message(headline, [f"This is over: {why}", lasted], transition.cluster, view.place)


def _why_over(transition: Transition, evidence: Evidence, view: View, as_of: str) -> str:
    if evidence.says == "gone":
        return f"{evidence.because}. Whether it would still be so is not judged."
    return is_over(transition, view.known, as_of)


def _age(evidence: Evidence, view: View, *, figures: bool) -> Iterator[str]:
    if figures and evidence.says == "blind":
        yield f"These figures are old, {view.as_of}: {evidence.because}."
    elif figures:
        yield f"Figures {view.as_of}."


def _message(headline: str, lines: Iterable[str], cluster: str, place: Place) -> Told:
    """Names come from clusters and files; no line of the message is theirs to begin."""
    whole = [headline, "", *lines, "", *_where(cluster, place)]
    return Told(subject(headline), "\n".join(map(printable, whole)) + "\n")


def _where(cluster: str, place: Place) -> Iterator[str]:
    yield f"Where to look: governor usage {cluster}"
    yield f"  record: {place.record}"
    if place.dashboard:
        yield f"  dashboard: {place.dashboard}"
