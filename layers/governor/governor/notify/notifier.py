"""Once per incident, and once when it is seen to be over: which team, how much, since when, what to do."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from governor.notify.deciding import Outcome, incident_after, is_lost, outcome_of, times_within_the_hour
from governor.notify.evidence import Alarms, Evidence, Known, evidence_of
from governor.notify.records import Governed, Log, Records
from governor.notify.transition import Transition
from governor.notify.words import More, Place, Told, View, begins, ended_unseen, ends, many_ended
from governor.records.documents import InForce
from governor.records.names import in_force_key, usage_key
from governor.records.store import Documents
from governor.records.usages import Incident

MOST_SETTLED = 20
"""Messages about incidents of a cluster that can be read again; what is beyond is told in one."""


class People(Protocol):
    """Who is told."""

    def tell(self, subject: str, text: str) -> None:
        """One message; TransientError."""
        ...


class Notified(msgspec.Struct, frozen=True):
    """What came of one event. ``settled`` counts the other incidents of the cluster that were told as over with it."""

    outcome: Outcome
    subject: str = ""
    settled: int = 0


class Notifier:
    """``alarms`` gives what the policy in force says of alarms. A message goes out before it is written down that it
    did: it may come twice, it does not get lost."""

    def __init__(
        self,
        documents: Documents,
        people: People,
        alarms: Callable[[InForce], Alarms],
        now: Callable[[], datetime],
        log: Log,
        bucket: str,
        dashboard: str = "",
    ) -> None:
        self._records = Records(documents, log)
        self._people, self._alarms, self._now, self._log = people, alarms, now, log
        self._bucket, self._dashboard = bucket, dashboard

    def handle(self, transition: Transition) -> Notified:
        """Tell what has to be told."""
        cluster = self._records.governed(transition.cluster)
        if cluster is None:
            return Notified("nobodys")
        view = self._view(cluster)
        before = self._records.incident(cluster.identity, transition.kind, transition.team)
        evidence = evidence_of(transition.kind, transition.team, view.known, transition.at, view.now)
        outcome = outcome_of(transition, before, evidence, muted=_is_muted(transition, view))
        settled = 0
        if (transition.kind, transition.state) == ("CouldNotRead", "OK") and outcome != "late":
            settled = self._settle(cluster.identity, transition, view)
        began = _began(transition, before, view.known, evidence)
        subject = ""
        if outcome == "told":
            subject = self._tell(self._told(cluster.identity, transition, before, began, evidence, view))
        incident = incident_after(transition, before, outcome, began)
        if incident is not None:
            self._records.write(cluster.identity, incident)
        return Notified(outcome, subject, settled)

    def _view(self, cluster: Governed) -> View:
        force = cluster.force
        known = Known(self._records.seen(cluster.identity), None if force is None else self._alarms(force))
        if force is None:
            known = _without_policy(known, cluster.trouble)
        file = in_force_key(cluster.identity) if force is None else force.origin.key
        place = Place(file, f"s3://{self._bucket}/{usage_key(cluster.identity)}", self._dashboard)
        return View(known, place, self._now())

    def _told(
        self,
        identity: str,
        transition: Transition,
        before: Incident | None,
        began: datetime,
        evidence: Evidence,
        view: View,
    ) -> Told:
        if transition.state == "OK":
            return ends(transition, began, evidence, view)
        more = More(
            times_within_the_hour(transition, before),
            before.unseen if before is not None and is_lost(before, transition) else None,
            len(self._records.open_incidents(identity)) if transition.kind == "CouldNotRead" else 0,
        )
        present = evidence_of(transition.kind, transition.team, view.known, max(transition.at, view.now), view.now)
        return begins(transition, began, present, view, more)

    def _tell(self, told: Told) -> str:
        self._people.tell(told.subject, told.text)
        return told.subject

    def _settle(self, identity: str, readable: Transition, view: View) -> int:
        """Tell which incidents ended while the cluster could not be read; those of which that is not seen stay open."""
        found: list[tuple[Transition, Incident, Evidence]] = []
        for incident in self._records.open_incidents(identity):
            at = max(readable.at, incident.at)
            evidence = evidence_of(incident.kind, incident.team, view.known, at, view.now)
            if incident.unseen is not None and evidence.says in ("not", "gone"):
                quiet = Transition(incident.kind, readable.cluster, incident.team, "OK", at)
                found.append((quiet, incident, evidence))
        for quiet, incident, evidence in found[:MOST_SETTLED]:
            self._tell(ended_unseen(quiet, incident, evidence, view))
            self._close(identity, quiet, incident)
        rest = found[MOST_SETTLED:]
        if rest:
            self._tell(many_ended(readable.cluster, [incident for _, incident, _ in rest], view))
        for quiet, incident, _ in rest:
            self._close(identity, quiet, incident)
        return len(found)

    def _close(self, identity: str, quiet: Transition, incident: Incident) -> None:
        closed = incident_after(quiet, incident, "told", incident.began)
        assert closed is not None
        self._records.write(identity, closed)
        self._log.info("notify: %s of %s %s is over: told with the cluster", quiet.kind, quiet.cluster, quiet.team)


def _without_policy(known: Known, trouble: str) -> Known:
    """A cluster whose policy in force cannot be read is not read either; its record is from before, and may be new."""
    if known.seen is None:
        return known
    return Known(msgspec.structs.replace(known.seen, trouble=known.seen.trouble or trouble), None)


def _is_muted(transition: Transition, view: View) -> bool:
    """By the policy, which says it of borrowing alone."""
    alarms = view.known.alarms
    if transition.kind != "OverBorrowing" or alarms is None:
        return False
    alarm = alarms.rules.of(transition.team)
    return alarm is not None and alarm.mute_until is not None and view.now.timestamp() < alarm.mute_until


def _began(transition: Transition, before: Incident | None, known: Known, evidence: Evidence) -> datetime:
    """When it began, as far as that is known: an alarm needs some minutes to be sure."""
    if transition.state == "OK":
        return before.began if before is not None else transition.at
    seen = known.seen
    if evidence.says != "so" or seen is None:
        return transition.at
    if transition.kind == "OverBorrowing":
        since = next((each.since for each in seen.borrowing if each.team == transition.team and each.over), 0)
        if since:
            return min(datetime.fromtimestamp(since, UTC), transition.at)
    if transition.kind == "CouldNotRead" and seen.trouble_since is not None:
        return min(seen.trouble_since, transition.at)
    return transition.at
