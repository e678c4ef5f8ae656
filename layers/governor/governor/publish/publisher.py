"""The pass over the usage of all governed clusters: reads, judges, writes down, and publishes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from governor.errors import GovernorError, PermanentError
from governor.policy.wording import printable
from governor.publish.declared import Declared
from governor.records.documents import InForce, LastApplied
from governor.records.names import CLUSTERS, applied_key, cluster_id_of_in_force, in_force_key, usage_key
from governor.records.store import Documents
from governor.records.usages import UsageSeen
from governor.usage import ClusterUsage, Seen, usage_of
from governor.usage.alarming import Borrowing, judged
from governor.usage.figures import Batch, Detail, batches, heartbeat, readable
from governor.usage.seen import Waiting

PARALLEL = 8
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
    """One cluster. ``trouble`` is what went wrong beside the figures; a cluster without any says why in it."""

    name: str
    usage: ClusterUsage | None = None
    borrowing: tuple[Borrowing, ...] = ()
    trouble: str = ""


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
    ) -> None:
        self._documents, self._clusters, self._publishing = documents, clusters, publishing
        self._declared, self._log, self._now, self._time_left, self._detail = declared, log, now, time_left, detail
        self._governing: dict[str, InForce] = {}

    def run(self) -> Published:
        """One pass. Clusters are read side by side, and each is published as soon as it was read; one that takes too
        long counts as one that could not be read. Nothing is published of what was not read whole."""
        names: list[str] = []
        teams, unread = 0, {}
        for done in self._side_by_side(self._governed()):
            names.append(done.name)
            self._publishing.publish(readable(done.name, sound=not done.trouble), done.trouble)
            if done.trouble:
                unread[done.name] = done.trouble
            if done.usage is not None:
                teams += len(done.usage.teams)
                for batch in batches(done.usage, done.borrowing, self._detail):
                    self._publishing.publish(batch)
        self._publishing.publish(heartbeat(len(names)))
        return Published(tuple(sorted(names)), teams, unread)

    def _governed(self) -> Iterator[str]:
        for listed in self._documents.objects.listed(CLUSTERS):
            identity = cluster_id_of_in_force(listed.key)
            if identity is not None:
                yield identity

    def _side_by_side(self, identities: Iterable[str]) -> Iterator[_Done]:
        """As they are done. What is not done in time is given up: its thread ends by its own limits."""
        pool = ThreadPoolExecutor(PARALLEL)
        begun: dict[Future[_Done | None], str] = {
            pool.submit(self._cluster, identity): identity for identity in identities
        }
        left = set(begun)
        try:
            while left:
                done, left = wait(left, max(0.0, self._time_left()), return_when="FIRST_COMPLETED")
                if not done:
                    break
                yield from (found for each in done if (found := each.result()) is not None)
            for each in left:
                yield self._given_up(begun[each])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _cluster(self, identity: str) -> _Done | None:
        """One cluster; what goes wrong with it is no reason to leave the others."""
        try:
            kept = self._documents.load(in_force_key(identity), InForce)
            if kept is None or kept.document.state == "Released":
                return None
            self._governing[identity] = kept.document
            return self._read(identity, kept.document)
        except GovernorError as error:
            self._log.warning("publish: %s: %s", self._called(identity), error)
            trouble = printable(str(error))[:MOST_REASON]
        except Exception as error:  # noqa: BLE001 - the others get their turn
            self._log.exception("publish: %s: an error of this program", self._called(identity))
            trouble = f"an error of this program: {type(error).__name__}"
        return self._remembered(identity, trouble)

    def _given_up(self, identity: str) -> _Done:
        self._log.warning("publish: %s: given up, it took too long", self._called(identity))
        return self._remembered(identity, "it took too long to read")

    def _called(self, identity: str) -> str:
        """A cluster by its name, as soon as that is known."""
        force = self._governing.get(identity)
        return identity if force is None else force.cluster_name

    def _remembered(self, identity: str, trouble: str) -> _Done:
        """Why a cluster could not be read, written down beside what was last read of it."""
        force = self._governing.get(identity)
        if force is not None:
            self._remember(identity, force, trouble)
        return _Done(self._called(identity), trouble=trouble)

    def _remember(self, identity: str, force: InForce, trouble: str) -> None:
        now = self._now()

        def change(there: UsageSeen | None) -> UsageSeen | None:
            if there is not None and now < there.at <= now + CLOCKS_APART:
                return None
            since = there.trouble_since if there is not None and there.trouble else now
            return UsageSeen(
                at=now,
                cluster_arn=force.cluster_arn,
                cluster_name=force.cluster_name,
                usage=None if there is None else there.usage,
                borrowing=() if there is None else there.borrowing,
                trouble=trouble,
                trouble_since=since,
            )

        try:
            self._documents.update(usage_key(identity), UsageSeen, change, derived=True)
        except GovernorError as error:
            self._log.warning("publish: %s: the record could not be written: %s", force.cluster_name, error)

    def _read(self, identity: str, force: InForce) -> _Done:
        reading = self._clusters.read(force.cluster_arn, self._time_left)
        now = self._now()
        usage = usage_of(reading.seen, force.cluster_name, int(now.timestamp()), self._names(identity), reading.waiting)
        declared = self._declared(force)
        borrowing: tuple[Borrowing, ...] = ()

        def change(there: UsageSeen | None) -> UsageSeen | None:
            nonlocal borrowing
            known = there is not None and there.at <= now + CLOCKS_APART
            before = {each.team: each for each in there.borrowing} if there is not None and known else {}
            borrowing = judged(usage.teams, declared.rules, usage.at, before)
            if there is not None and now < there.at <= now + CLOCKS_APART:
                return None  # another pass looked later
            return UsageSeen(
                at=now,
                cluster_arn=force.cluster_arn,
                cluster_name=force.cluster_name,
                usage=usage,
                borrowing=borrowing,
                unread="; ".join(filter(None, (declared.trouble, reading.unread))),
            )

        trouble = declared.trouble
        try:
            self._documents.update(usage_key(identity), UsageSeen, change, derived=True)
        except GovernorError as error:  # the figures are known all the same
            self._log.warning("publish: %s: the record could not be written: %s", force.cluster_name, error)
            borrowing = borrowing or judged(usage.teams, declared.rules, usage.at, {})
        return _Done(force.cluster_name, usage, borrowing, trouble)

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
