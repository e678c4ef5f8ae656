"""Once per incident, and once when it is over: which team, how much, since when, what to do, where to look."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol, TypeVar

import msgspec

from governor.errors import PermanentError
from governor.notify.transition import Transition
from governor.notify.words import Place, words_of
from governor.records.documents import Document, InForce, Standing
from governor.records.names import (
    CLUSTERS,
    cluster_id_of_in_force,
    in_force_key,
    incidents_key,
    usage_key,
)
from governor.records.parallel import side_by_side
from governor.records.store import Documents
from governor.records.usages import Incident, Incidents, UsageSeen
from governor.usage.alarming import Rules

D = TypeVar("D", bound=Document)
FORGOTTEN = timedelta(days=30)
"""After which an incident that is over is not kept any more."""


class People(Protocol):
    """Who is told."""

    def tell(self, subject: str, text: str) -> None:
        """One message; TransientError."""
        ...


class Notified(msgspec.Struct, frozen=True):
    """What came of one event: told, repeated (told before), late (a later state is known), muted, quiet (it is over,
    and nobody was told that it began) or nobodys (no governed cluster of this name)."""

    outcome: Literal["told", "repeated", "late", "muted", "quiet", "nobodys"]
    subject: str = ""


class Notifier:
    """``rules`` gives what the policy in force says of alarms."""

    def __init__(
        self,
        documents: Documents,
        people: People,
        rules: Callable[[InForce], Rules],
        now: Callable[[], datetime],
        bucket: str,
        dashboard: str = "",
    ) -> None:
        self._documents, self._people, self._rules, self._now = documents, people, rules, now
        self._bucket, self._dashboard = bucket, dashboard

    def handle(self, transition: Transition) -> Notified:
        """Tell what has to be told. The message goes out before it is written down that it did: it may come twice, it
        does not get lost."""
        identity = self._identity(transition.cluster)
        if identity is None:
            return Notified("nobodys")
        kept = self._documents.load(in_force_key(identity), InForce)
        if kept is None:
            return Notified("nobodys")
        force = kept.document
        before = self._last(identity, transition)
        outcome = self._outcome(transition, before, muted=self._is_muted(force, transition))
        usage = self._loaded(usage_key(identity), UsageSeen)
        began = _began(transition, before, usage)
        subject = ""
        if outcome == "told":
            told = words_of(transition, began, usage, self._place(force, identity))
            self._people.tell(told.subject, told.text)
            subject = told.subject
        if outcome not in ("repeated", "late"):
            incident = Incident(
                transition.kind, transition.team, transition.state, transition.at, began, told=outcome == "told"
            )
            self._write_down(identity, incident)
        return Notified(outcome, subject)

    def _place(self, force: InForce, identity: str) -> Place:
        return Place(force.origin.key, f"s3://{self._bucket}/{usage_key(identity)}", self._dashboard)

    def _identity(self, name: str) -> str | None:
        """The governed cluster of this name: one that was made anew under it is another one."""
        listed = (cluster_id_of_in_force(each.key) for each in self._documents.objects.listed(CLUSTERS))
        identities: Iterator[str] = (each for each in listed if each is not None)
        found = side_by_side(identities, lambda each: self._documents.load(in_force_key(each), Standing))
        standing = [
            (kept.document.changed, identity)
            for identity, kept in found
            if kept is not None and kept.document.cluster_name == name and kept.document.owner is not None
        ]
        return max(standing)[1] if standing else None

    def _last(self, identity: str, transition: Transition) -> Incident | None:
        kept = self._loaded(incidents_key(identity), Incidents)
        return None if kept is None else _of(kept, transition.kind, transition.team)

    def _loaded(self, key: str, kind: type[D]) -> D | None:
        """A document that is made again by itself; a damaged one is as good as none."""
        try:
            kept = self._documents.load(key, kind)
        except PermanentError:
            return None
        return None if kept is None else kept.document

    def _outcome(
        self, transition: Transition, before: Incident | None, *, muted: bool
    ) -> Literal["told", "repeated", "late", "muted", "quiet"]:
        if before is not None and transition.at < before.at:
            return "late"
        if before is not None and transition.state == before.state and (before.told or transition.at == before.at):
            return "repeated"
        if muted:
            return "muted"
        if transition.state == "OK" and (before is None or before.state == "OK" or not before.told):
            return "quiet"
        return "told"

    def _is_muted(self, force: InForce, transition: Transition) -> bool:
        if transition.muted:
            return True
        alarm = self._rules(force).of(transition.team) if transition.kind == "OverBorrowing" else None
        return alarm is not None and alarm.mute_until is not None and self._now().timestamp() < alarm.mute_until

    def _write_down(self, identity: str, incident: Incident) -> None:
        oldest = self._now() - FORGOTTEN

        def change(there: Incidents | None) -> Incidents | None:
            all_of_them = () if there is None else there.incidents
            found = _of(there, incident.kind, incident.team) if there is not None else None
            if found is not None and found.at > incident.at:
                return None
            others = (each for each in all_of_them if (each.kind, each.team) != (incident.kind, incident.team))
            kept = (each for each in others if each.state == "ALARM" or each.at > oldest)
            return Incidents(incidents=(*kept, incident))

        self._documents.update(incidents_key(identity), Incidents, change, derived=True)


def _of(incidents: Incidents, kind: str, team: str) -> Incident | None:
    return next((each for each in incidents.incidents if (each.kind, each.team) == (kind, team)), None)


def _began(transition: Transition, before: Incident | None, usage: UsageSeen | None) -> datetime:
    """When it began, as far as that is known: an alarm needs some minutes to be sure."""
    if transition.state == "OK":
        return before.began if before is not None else transition.at
    if transition.kind == "OverBorrowing" and usage is not None:
        since = next((each.since for each in usage.borrowing if each.team == transition.team and each.over), 0)
        if since:
            return min(datetime.fromtimestamp(since, UTC), transition.at)
    if transition.kind == "CouldNotRead" and usage is not None and usage.trouble_since is not None:
        return min(usage.trouble_since, transition.at)
    return transition.at
