"""The pass over the usage of all governed clusters: reads, judges, writes down, and publishes."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from governor.errors import GovernorError, PermanentError
from governor.policy.wording import printable
from governor.publish.declared import Declared
from governor.records.documents import InForce, LastApplied
from governor.records.names import CLUSTERS, applied_key, cluster_id, cluster_id_of_in_force, in_force_key, usage_key
from governor.records.parallel import side_by_side
from governor.records.store import Documents
from governor.records.usages import UsageSeen
from governor.usage import ClusterUsage, Seen, usage_of
from governor.usage.alarming import Borrowing, judged
from governor.usage.figures import Batch, Detail, batches, heartbeat, readable
from governor.usage.seen import Waiting

PARALLEL = 12
WRITE_SECONDS = 3.0
"""For the records, when everything else has taken all the time."""
CLUSTER_SECONDS = 25.0
"""After which nothing more is asked of one cluster; what is asked by then has limits of its own."""
CLOCKS_APART = timedelta(minutes=5)
"""A document from further ahead was written by a clock that was wrong."""
MOST_REASON = 1000
"""Characters of a reason in a log line and in the answer."""


class Reading(Protocol):
    """What was read of a cluster."""

    @property
    def seen(self) -> Seen:
        """Queues, namespaces, cohorts, nodes."""
        ...

    @property
    def waiting(self) -> tuple[Waiting, ...] | None:
        """The workloads that wait longest; None where there were too many to list."""
        ...

    @property
    def unread(self) -> str:
        """What was left out, and why."""
        ...


class Clusters(Protocol):
    """Where usage is read."""

    def read(self, cluster_arn: str, time_left: Callable[[], float]) -> Reading:
        """All of a HyperPod cluster's Kueue, or the package's errors; nothing more is asked without time left."""
        ...


class Publishing(Protocol):
    """Where figures go."""

    def publish(self, batch: Batch, reason: str = "") -> None:
        """One line; ``reason`` says why there are no others."""
        ...


class Log(Protocol):
    """Where what went wrong with one cluster is said, so that the others get their turn."""

    def warning(self, message: str, /, *args: object) -> None:
        """One line."""
        ...

    def exception(self, message: str, /, *args: object) -> None:
        """With where it happened."""
        ...


class Published(msgspec.Struct, frozen=True, rename="camel"):
    """What a pass did, by the clusters' names. ``unread`` says why of a cluster nothing was published."""

    clusters: tuple[str, ...] = ()
    teams: int = 0
    unread: Mapping[str, str] = {}


class _Done(msgspec.Struct, frozen=True):
    """One cluster. ``trouble`` is what went wrong beside the figures; a cluster without any says why in it. ``unread``
    is what was left out, and why."""

    force: InForce
    usage: ClusterUsage | None = None
    borrowing: tuple[Borrowing, ...] = ()
    trouble: str = ""
    unread: str = ""


class Publisher:
    """``now`` is the time of the figures; ``time_left`` tells the seconds that the pass may still take."""

    def __init__(
        self,
        documents: Documents,
        clusters: Clusters,
        publishing: Publishing,
        declared: Callable[[InForce], Declared],
        log: Log,
        now: Callable[[], datetime],
        time_left: Callable[[], float],
        detail: Detail = "Team",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._documents, self._clusters, self._publishing = documents, clusters, publishing
        self._declared, self._log, self._now, self._time_left, self._detail = declared, log, now, time_left, detail
        self._clock = clock
        self._began = now()
        self._ended = threading.Event()

    def run(self) -> Published:
        """One pass. Clusters are read side by side, and each is published as soon as it was read, then written down.

        One that takes too long counts as one that could not be read. Nothing is published of what was not read whole.
        """
        self._began, self._ended = self._now(), threading.Event()
        governed, unread = self._governed()
        for identity, trouble in unread.items():
            self._publishing.publish(readable(identity, sound=False), trouble)
        names, teams = list(unread), 0
        pool = ThreadPoolExecutor(PARALLEL)
        try:
            written = []
            for each in self._side_by_side(pool, governed):
                done = self._published(each)
                names.append(done.force.cluster_name)
                if done.trouble:
                    unread[done.force.cluster_name] = done.trouble
                teams += len(done.usage.teams) if done.usage is not None else 0
                written.append(pool.submit(self._write_down, done))
            self._publishing.publish(heartbeat(len(names)))
            wait(written, max(WRITE_SECONDS, self._time_left()))
        finally:
            self._ended.set()
            pool.shutdown(wait=False, cancel_futures=True)
        return Published(tuple(sorted(names)), teams, unread)

    def _governed(self) -> tuple[list[InForce], dict[str, str]]:
        """The policies in force, and by cluster's id why there is none to be read.

        Each pass begins with another one, so that none is always the last. Of several clusters of one name, since one
        was made anew, the one that a policy is in force for.
        """
        listed = (cluster_id_of_in_force(each.key) for each in self._documents.objects.listed(CLUSTERS))
        found: dict[str, InForce] = {}
        unread: dict[str, str] = {}
        identities = [identity for identity in listed if identity is not None]
        for identity, force in side_by_side(identities, self._in_force):
            if isinstance(force, str):
                unread[identity] = force
            elif force is not None:
                other = found.get(force.cluster_name)
                if other is None or _goes_before(force, other):
                    found[force.cluster_name] = force
        forces = list(found.values())
        first = self._began.minute % len(forces) if forces else 0
        return forces[first:] + forces[:first], unread

    def _in_force(self, identity: str) -> InForce | str | None:
        try:
            kept = self._documents.load(in_force_key(identity), InForce)
        except GovernorError as error:
            self._log.warning("publish: %s: its policy in force cannot be read: %s", identity, error)
            return printable(str(error))[:MOST_REASON]
        return None if kept is None or kept.document.state == "Released" else kept.document

    def _side_by_side(self, pool: ThreadPoolExecutor, forces: Iterable[InForce]) -> Iterator[_Done]:
        """As they are done. What is not done in time is given up: its thread ends by its own limits."""
        begun: dict[Future[_Done], InForce] = {pool.submit(self._cluster, force): force for force in forces}
        left = set(begun)
        while left:
            done, left = wait(left, max(0.0, self._time_left()), return_when="FIRST_COMPLETED")
            if not done:
                break
            yield from (each.result() for each in done)
        for each in left:
            each.cancel()
            self._log.warning("publish: %s: given up, it took too long", begun[each].cluster_name)
            yield _Done(begun[each], trouble="it took too long to read")

    def _cluster(self, force: InForce) -> _Done:
        """One cluster; what goes wrong with it is no reason to leave the others."""
        name = force.cluster_name
        try:
            return self._read(force)
        except GovernorError as error:
            self._log.warning("publish: %s: %s", name, error)
            return _Done(force, trouble=printable(str(error))[:MOST_REASON])
        except Exception as error:  # noqa: BLE001 - the others get their turn
            self._log.exception("publish: %s: an error of this program", name)
            return _Done(force, trouble=f"an error of this program: {type(error).__name__}")

    def _read(self, force: InForce) -> _Done:
        ends = self._clock() + CLUSTER_SECONDS

        def time_left() -> float:
            return min(self._time_left(), ends - self._clock())

        identity = cluster_id(force.cluster_arn)
        reading = self._clusters.read(force.cluster_arn, time_left)
        now = self._now()
        at = int(now.timestamp())
        usage = usage_of(reading.seen, force.cluster_name, at, self._names(identity), reading.waiting)
        declared = self._declared(force)
        borrowing = judged(usage.teams, declared.rules, at, self._judged_before(identity, now))
        unread = "; ".join(filter(None, (declared.trouble, reading.unread)))
        return _Done(force, usage, borrowing, declared.trouble, unread)

    def _published(self, done: _Done) -> _Done:
        """What was published: all of the cluster, or, where that goes wrong, that it could not be."""
        try:
            for batch in self._batches(done):
                self._publishing.publish(*batch)
        except Exception as error:  # noqa: BLE001 - the others get their turn
            self._log.exception("publish: %s: an error of this program", done.force.cluster_name)
            trouble = f"an error of this program: {type(error).__name__}"
            with contextlib.suppress(Exception):
                self._publishing.publish(readable(done.force.cluster_name, sound=False), trouble)
            return _Done(done.force, trouble=trouble)
        return done

    def _batches(self, done: _Done) -> list[tuple[Batch, str]]:
        """All of them before the first is published."""
        found = [(readable(done.force.cluster_name, sound=not done.trouble), done.trouble)]
        if done.usage is not None:
            found += [(batch, "") for batch in batches(done.usage, done.borrowing, self._detail)]
        return found

    def _write_down(self, done: _Done) -> None:
        """The newest usage; of a cluster that could not be read why, beside what was last read of it."""
        force, now, ended = done.force, self._now(), self._ended

        def change(there: UsageSeen | None) -> UsageSeen | None:
            if ended.is_set() or (there is not None and self._began < there.at <= now + CLOCKS_APART):
                return None  # another pass looked later
            if done.usage is not None:
                at = datetime.fromtimestamp(done.usage.at, UTC)
                return self._seen(force, at=at, usage=done.usage, borrowing=done.borrowing, unread=done.unread)
            since = there.trouble_since if there is not None and there.trouble else now
            usage, borrowing = (None, ()) if there is None else (there.usage, there.borrowing)
            return self._seen(
                force, at=now, usage=usage, borrowing=borrowing, trouble=done.trouble, trouble_since=since
            )

        try:
            self._documents.update(usage_key(cluster_id(force.cluster_arn)), UsageSeen, change, derived=True)
        except GovernorError as error:  # the figures are published all the same
            self._log.warning("publish: %s: the record could not be written: %s", force.cluster_name, error)

    def _seen(self, force: InForce, **members: Any) -> UsageSeen:
        return UsageSeen(cluster_arn=force.cluster_arn, cluster_name=force.cluster_name, **members)

    def _judged_before(self, identity: str, now: datetime) -> dict[str, Borrowing]:
        """What the pass before said; nothing where its clock was wrong, or the record is damaged."""
        try:
            kept = self._documents.load(usage_key(identity), UsageSeen)
        except PermanentError:
            return {}
        if kept is None or kept.document.at > now + CLOCKS_APART:
            return {}
        return {each.team: each for each in kept.document.borrowing}

    def _names(self, identity: str) -> dict[str, str]:
        """Teams by the id of their quota, as far as they were applied from here."""
        try:
            kept = self._documents.load(applied_key(identity), LastApplied)
        except PermanentError as error:
            self._log.warning("publish: %s: teams are called after their namespaces: %s", identity, error)
            return {}
        if kept is None:
            return {}
        return {each.id: each.team for each in kept.document.record.quotas if each.id and each.team}


def _goes_before(one: InForce, other: InForce) -> bool:
    """Of two clusters of one name: that which a policy is in force for, else the one that was changed later."""
    return (one.state == "InForce", one.changed) > (other.state == "InForce", other.changed)
