"""The workloads of one cluster with their queues and events, as whoever's credentials these are may see them."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import msgspec

from governor.aws.kubernetes import Kubernetes
from governor.aws.kubernetes import resources as kinds
from governor.aws.kubernetes.resources import KUEUE, KUEUE_VERSIONS, Resource
from governor.errors import ForbiddenError, GovernorError, NotInstalledError
from governor.kueue import reading, times
from governor.kueue.explaining import Brief, Check, Event, Queues, Subject, Wanted, brief
from governor.kueue.objects import ClusterQueue, LocalQueue
from governor.kueue.reading import ReadingError
from governor.policy.wording import counted
from governor.usage.wire import doors_of

MOST_WORKLOADS, MOST_QUEUES, MOST_EVENTS, MOST_NAMESPACES = 50_000, 10_000, 2_000, 20_000
"""More than a cluster has, and than Kubernetes keeps of one object's events."""
WORKLOADS_AT_ONCE = 100
"""A workload has its pods' templates in it, of ten kilobytes and more."""
MOST_MEANT = 20
"""Workloads of one name that are kept, to be told apart by whoever asks."""
_CLUSTER_QUEUES = Resource(KUEUE, "clusterqueues", msgspec.Raw, KUEUE_VERSIONS)
_LOCAL_QUEUES = Resource(KUEUE, "localqueues", msgspec.Raw, KUEUE_VERSIONS, namespaced=True)

T = TypeVar("T")


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """What ``governor.kueue.reading`` leaves out, since scheduling does not depend on it."""


class _Owner(_Part, frozen=True):
    kind: str = ""
    controller: bool | None = None


class _Metadata(_Part, frozen=True):
    owner_references: list[_Owner] | None = None


class _Check(_Part, frozen=True):
    name: str
    state: str = ""
    message: str = ""


class _Requeue(_Part, frozen=True):
    requeue_at: str | None = None


class _Eviction(_Part, frozen=True):
    reason: str = ""
    count: int = 0


class _Stats(_Part, frozen=True):
    evictions: list[_Eviction] | None = None


class _Status(_Part, frozen=True):
    admission_checks: list[_Check] | None = None
    requeue_state: _Requeue | None = None
    scheduling_stats: _Stats | None = None


class _More(_Part, frozen=True):
    metadata: _Metadata = _Metadata()
    status: _Status = _Status()


_MORE = msgspec.json.Decoder(_More)


class Surveyed(msgspec.Struct, frozen=True):
    """All workloads in brief, and in full those that are meant: ``MOST_MEANT`` of them, of ``number`` in all.

    ``namespace`` is the only one that was looked at, "" for all; ``unseen`` is what could not be looked at, and why.
    """

    meant: tuple[Subject, ...]
    number: int
    others: tuple[Brief, ...]
    queues: Queues
    namespace: str = ""
    unseen: tuple[str, ...] = ()


class Workloads:
    """Those of one cluster. ``connect`` is called with the first read."""

    def __init__(self, connect: Callable[[], Kubernetes]) -> None:
        self._connect = connect

    def survey(self, wanted: Wanted) -> Surveyed:
        """Every workload, once. Whoever may not list those of all namespaces sees the one that is wanted alone.

        NotInstalledError where Kueue is not, ForbiddenError where not even that is allowed.
        """
        namespace, unseen = "", list[str]()
        try:
            meant, number, others = self._workloads(wanted, "", unseen)
        except ForbiddenError as error:
            if not wanted.namespace:
                told = f"{error}. Who may read one namespace only says which: --team or --namespace"
                raise ForbiddenError(told, error.verb, error.resource, error.group) from error
            namespace, unseen = wanted.namespace, [f"workloads of other namespaces: {error}"]
            meant, number, others = self._workloads(wanted, namespace, unseen)
        return Surveyed(tuple(meant), number, tuple(others), self._queues(namespace, unseen), namespace, tuple(unseen))

    def events(self, subject: Subject) -> tuple[tuple[Event, ...], str]:
        """What Kueue has told of a workload and of its job; and why it could not be looked at, "" if it could."""
        workload = subject.workload
        found, unseen = list[Event](), ""
        for uid in filter(None, (workload.uid, workload.owner_uid)):
            try:
                pages = self._connect().pages(
                    kinds.EVENTS, workload.namespace, fields=f"involvedObject.uid={uid}", at_most=MOST_EVENTS
                )
                found += [_event(each) for each in pages if each.involved_object.uid == uid and _is_of_kueue(each)]
            except GovernorError as error:
                unseen = f"events: {error}"
        return tuple(found), unseen

    def governed(self) -> Mapping[str, str]:
        """The namespaces that are labelled as those of teams, each with the id of its compute quota, "" for none.

        ForbiddenError where namespaces may not be listed.
        """
        pages = self._connect().pages(kinds.NAMESPACES, labels=kinds.GOVERNED, at_most=MOST_NAMESPACES)
        return doors_of(pages, ()).governed

    def _workloads(self, wanted: Wanted, namespace: str, unseen: list[str]) -> tuple[list[Subject], int, list[Brief]]:
        meant, number, others, odd = list[Subject](), 0, list[Brief](), list[str]()
        pages = self._connect().pages(kinds.WORKLOADS, namespace, at_most=MOST_WORKLOADS, limit=WORKLOADS_AT_ONCE)
        for raw in pages:
            try:
                subject = _subject(raw)
            except ReadingError as error:
                odd.append(str(error))
                continue
            short = brief(subject)
            others.append(short)
            if wanted.means(short):
                number += 1
                if number <= MOST_MEANT:
                    meant.append(subject)
        if odd:
            unseen.append(f"{counted(len(odd), 'workload')}: {odd[0]}")
        return meant, number, others

    def _queues(self, namespace: str, unseen: list[str]) -> Queues:
        """Queues say a lot, and the answer stands without them."""
        local = _told(lambda: self._local_queues(namespace), "LocalQueues", unseen)
        cluster = _told(self._cluster_queues, "ClusterQueues, and so who else is in the cohort", unseen)
        return Queues(local or {}, cluster or {})

    def _local_queues(self, namespace: str) -> dict[tuple[str, str], LocalQueue]:
        pages = self._connect().pages(_LOCAL_QUEUES, namespace, at_most=MOST_QUEUES)
        return {(each.namespace, each.name): each for each in _read(pages, reading.local_queue)}

    def _cluster_queues(self) -> dict[str, ClusterQueue]:
        pages = self._connect().pages(_CLUSTER_QUEUES, at_most=MOST_QUEUES)
        return {each.name: each for each in _read(pages, reading.cluster_queue)}


def _told(read: Callable[[], T], what: str, unseen: list[str]) -> T | None:
    try:
        return read()
    except NotInstalledError:
        raise
    except GovernorError as error:
        unseen.append(f"{what}: {error}")
        return None


def _read(pages: Iterator[msgspec.Raw], read: Callable[[msgspec.Raw], T]) -> Iterator[T]:
    for raw in pages:
        yield read(raw)


def _subject(raw: msgspec.Raw) -> Subject:
    """ReadingError for what is no Workload."""
    workload = reading.workload(raw)
    try:
        more = _MORE.decode(raw)
        retry = more.status.requeue_state.requeue_at if more.status.requeue_state else None
        retry_at = times.seconds(retry) if retry else 0
    except (msgspec.DecodeError, ValueError):
        return Subject(workload)  # what is odd about it is nothing that decides
    stats = more.status.scheduling_stats or _Stats()
    return Subject(
        workload,
        kind=next((each.kind for each in more.metadata.owner_references or () if each.controller), ""),
        checks=tuple(Check(each.name, each.state, each.message) for each in more.status.admission_checks or ()),
        retry_at=retry_at,
        preemptions=sum(each.count for each in stats.evictions or () if each.reason == "Preempted"),
    )


def _is_of_kueue(event: kinds.Event) -> bool:
    return "kueue" in (event.reporting_component or event.source.component)


def _event(found: kinds.Event) -> Event:
    series = found.series or kinds.EventSeries()
    at = series.last_observed_time or found.last_timestamp or found.event_time or found.metadata.creation_timestamp
    return Event(
        at=_seconds(at),
        reason=found.reason,
        message=found.message,
        about=found.involved_object.kind,
        type=found.type,
        count=max(1, found.count or series.count),
        mark=found.metadata.name.rpartition(".")[2],  # the time in which it was made, in nanoseconds
    )


def _seconds(at: str) -> int:
    try:
        return times.seconds(at)
    except ValueError:
        return 0
