"""The pass over everything every few minutes: what an event should have done and did not, is done now."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import msgspec

from governor.errors import GovernorError
from governor.receive.receiver import Receiver
from governor.records.documents import Glance, InForce, Run, Standing
from governor.records.names import (
    APPROVALS,
    CLUSTERS,
    POLICIES,
    cluster_id,
    cluster_id_of_in_force,
    in_force_key,
    is_approval,
    is_policy,
    run_key,
)
from governor.records.parallel import side_by_side
from governor.records.ports import Listed
from governor.records.queue import RESYNC, enqueue

UNHEARD = timedelta(minutes=15)
"""A run that was not heard of for so long is lost: longer than a slice and the queue's visibility timeout."""
ON_ITS_WAY = timedelta(minutes=2)
"""A message that was sent so short a time ago may still be in the queue."""


class Log(Protocol):
    """Where what went wrong with one file is said, so that the others get their turn."""

    def warning(self, message: str, /, *args: object) -> None:
        """One line."""
        ...

    def exception(self, message: str, /, *args: object) -> None:
        """With where it happened."""
        ...


class Resynced(msgspec.Struct, frozen=True):
    """What a pass did. ``left`` is what it had no time for."""

    files: int
    clusters: int
    received: tuple[str, ...] = ()
    enqueued: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    left: int = 0


class Resync:
    """``time_left`` tells the seconds that the pass may still take."""

    def __init__(self, receiver: Receiver, log: Log, time_left: Callable[[], float]) -> None:
        self._receiver, self._log, self._time_left = receiver, log, time_left
        self._received: list[str] = []
        self._enqueued: list[str] = []
        self._released: list[str] = []
        self._failed: list[str] = []
        self._left = 0

    def run(self) -> Resynced:
        """One pass: clusters first, because a cluster costs little and many files may wait for long; then approvals,
        then files, those that were never looked at before those that wait."""
        files = {item.key: item for item in self._receiver.policies.listed(POLICIES) if is_policy(item.key)}
        known = [key for key in self._receiver.statuses.known() if is_policy(key)]
        glances = dict(self._receiver.statuses.glances(sorted({*files, *known})))
        standings = [each for _, each in side_by_side(self._clusters(), self._standing) if each is not None]
        for standing in standings:
            self._do(standing.cluster_name, partial(self._cluster, standing, files, glances))
        for item in self._receiver.policies.listed(APPROVALS):
            if is_approval(item.key):
                self._do(item.key, partial(self._receiver.approve, item.key))
        todo = {key for key, glance in glances.items() if _needs_a_look(files.get(key), glance)}
        for key, glance in glances.items():
            if glance is not None and key not in todo and glance.announced != glance.verdict_id:
                self._do(key, partial(self._receiver.statuses.mend, key))
        for key in _in_turn(todo, glances, self._receiver.now()):
            self._do(key, partial(self._receive, key))
        if self._left:
            self._log.warning("resync: no time for %s; the next pass begins elsewhere", self._left)
        return Resynced(
            len(files),
            len(standings),
            tuple(self._received),
            tuple(self._enqueued),
            tuple(self._released),
            tuple(self._failed),
            self._left,
        )

    def _receive(self, key: str) -> None:
        self._receiver.receive(key)
        self._received.append(key)

    def _do(self, what: str, action: Callable[[], object]) -> None:
        """One item; what goes wrong with it is no reason to leave the others."""
        if self._time_left() <= 0:
            self._left += 1
            return
        try:
            action()
        except GovernorError as error:
            self._failed.append(what)
            self._log.warning("resync: %s: %s", what, error)
        except Exception:  # noqa: BLE001 - the others get their turn
            self._failed.append(what)
            self._log.exception("resync: %s: an error of this program", what)

    def _clusters(self) -> Iterator[str]:
        for listed in self._receiver.documents.objects.listed(CLUSTERS):
            identity = cluster_id_of_in_force(listed.key)
            if identity is not None:
                yield identity

    def _standing(self, identity: str) -> Standing | None:
        try:
            kept = self._receiver.documents.load(in_force_key(identity), Standing)
        except GovernorError as error:
            self._log.warning("resync: %s: %s", identity, error)
            return None
        return kept.document if kept else None

    def _cluster(self, force: Standing, files: dict[str, Listed], glances: dict[str, Glance | None]) -> None:
        receiver = self._receiver
        key = force.origin.key
        if force.state == "InForce" and self._has_left(force, files):
            if receiver.leave(force.cluster_arn, key) is not None:
                receiver.receive(key)
            return
        if force.state == "InForce" and _is_another(glances.get(key), force):
            receiver.receive(key)  # an earlier version of the document was put back
        elif force.state == "Leaving":
            self._release_when_due(force)
        elif force.state != "Released" and self._is_forgotten(force):
            enqueue(receiver.queue, force, RESYNC, receiver.now())
            self._enqueued.append(force.cluster_name)
            if force.state == "InForce" and self._has_no_cluster(force):
                receiver.receive(key, again=True)  # there may be another one by that name

    def _has_left(self, force: Standing, files: dict[str, Listed]) -> bool:
        """True when the file that governs a cluster is gone, or names another cluster by now."""
        if force.origin.key not in files:
            return self._receiver.policies.head(force.origin.key) is None
        status = self._receiver.statuses.load(force.origin.key)
        return status is not None and status.cluster_arn not in ("", force.cluster_arn)

    def _release_when_due(self, force: Standing) -> None:
        receiver, key = self._receiver, force.origin.key
        now = receiver.now()
        if force.leaving_since is not None and now < force.leaving_since + receiver.rules.grace:
            return
        status = receiver.statuses.load(key)
        here = status is None or status.cluster_arn == force.cluster_arn
        if here and receiver.policies.head(key) is not None:
            receiver.receive(key)  # it is back, and the event about it got lost
            return

        def change(there: InForce | None) -> InForce | None:
            if there is None or there.state != "Leaving" or there.generation != force.generation:
                return None
            return there.changed_to(
                now,
                state="Releasing",
                generation=receiver.next_generation(there.cluster_arn, there),
                approve="",
                approved_by=None,
            )

        changed = receiver.documents.update(in_force_key(cluster_id(force.cluster_arn)), InForce, change)
        if changed is not None and changed.state == "Releasing":
            receiver.statuses.changed(changed)
            enqueue(receiver.queue, changed, "the file was deleted")
            self._released.append(force.cluster_name)

    def _has_no_cluster(self, force: Standing) -> bool:
        kept = self._receiver.documents.load(run_key(cluster_id(force.cluster_arn)), Run)
        return kept is not None and kept.document.verdict == "Waiting"

    def _is_forgotten(self, force: Standing) -> bool:
        """True when nothing is on its way that would bring this generation to a verdict."""
        now = self._receiver.now()
        kept = self._receiver.documents.load(run_key(cluster_id(force.cluster_arn)), Run)
        if kept is None or kept.document.generation < force.generation:
            return now - force.changed > ON_ITS_WAY
        run = kept.document
        if run.settled or run.generation > force.generation:
            return False
        if run.retry_at is not None:
            return run.resting or now > run.retry_at + ON_ITS_WAY
        return run.resting or now - run.updated > UNHEARD


def _needs_a_look(listed: Listed | None, glance: Glance | None) -> bool:
    if glance is None:
        return True
    newest = glance.newest
    if listed is None:
        return newest.answer != "Deleted" or glance.state in ("InForce", "Leaving", "Releasing")
    if newest.answer == "Waiting" or newest.owner:
        return True
    return newest.origin.etag != listed.etag or not _same_second(newest.origin.modified, listed.modified)


def _same_second(one: datetime | None, other: datetime) -> bool:
    """S3 tells whole seconds of an object, and may tell more in a list."""
    return one is not None and one.replace(microsecond=0) == other.replace(microsecond=0)


def _is_another(glance: Glance | None, force: Standing) -> bool:
    """True when the file says that another version of it is in force."""
    if glance is None or glance.newest.answer != "Accepted":
        return False
    mine, its = glance.newest.origin, force.origin
    return (mine.version, mine.etag, mine.modified) != (its.version, its.etag, its.modified)


def _in_turn(todo: set[str], glances: dict[str, Glance | None], now: datetime) -> list[str]:
    """New versions first; those that wait after them, every pass beginning with another one."""
    waiting = sorted(key for key in todo if _waits(glances.get(key)))
    fresh = sorted(todo - set(waiting))
    start = int(now.timestamp()) // 300 * 37 % len(waiting) if waiting else 0
    return [*fresh, *waiting[start:], *waiting[:start]]


def _waits(glance: Glance | None) -> bool:
    return glance is not None and (glance.newest.answer == "Waiting" or bool(glance.newest.owner))
