"""What the admission model hears of a cluster: its objects as a state, and their changes as events.

An object that cannot be read is as good as none.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from governor.kueue import reading
from governor.kueue.admission import State, events
from governor.kueue.admission.events import Event
from governor.kueue.objects import ClusterQueue, Cohort, LocalQueue, QueueStatus, Workload, WorkloadKey
from local.kubernetes.errors import GroupResource, JsonObject
from local.kubernetes.store import key_of
from local.kueue.names import CLUSTER_QUEUES, COHORTS, FLAVORS, LOCAL_QUEUES, NAMESPACES, WORKLOADS
from local.kueue.shelf import Shelf

STRUCTURE = frozenset({CLUSTER_QUEUES, LOCAL_QUEUES, COHORTS, FLAVORS, NAMESPACES})
"""What workloads are admitted to; a change to it may change the status of every queue."""
_Object = TypeVar("_Object")


def workload_key(key: str) -> WorkloadKey:
    """The model's name for a workload, by its key in the store."""
    namespace, _, name = key.partition("/")
    return namespace, name


def store_key(key: WorkloadKey) -> str:
    """And the other way round."""
    return key_of(*key)


class Observer:
    """Callers hold the store's lock."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def state(self, strategies: tuple[str, ...]) -> State:
        """Everything that is there; workloads keep the admission that they have."""
        flavors = self._all(FLAVORS, reading.resource_flavor)
        cohorts = self._all(COHORTS, _cohort)
        queues = self._all(CLUSTER_QUEUES, _cluster_queue)
        local_queues = self._all(LOCAL_QUEUES, _local_queue)
        return State(
            strategies=strategies,
            flavors=flavors,
            cohorts=cohorts,
            cluster_queues=queues,
            local_queues={(each.namespace, each.name): each for each in local_queues.values()},
            namespaces={name: _labels(obj) for name, obj in self._shelf.all(NAMESPACES)},
            workloads={each.key: each for each in self._all(WORKLOADS, _workload).values()},
        )

    def events(self, state: State, resource: GroupResource, key: str) -> Iterator[Event]:
        """What has become of an object, compared with what the model knows of it."""
        obj = self._shelf.get(resource, key)
        if resource == WORKLOADS:
            yield from _workload_events(
                state.workloads.get(workload_key(key)), workload_key(key), _read(_workload, obj)
            )
        elif resource == CLUSTER_QUEUES:
            queue = _read(_cluster_queue, obj)
            if queue != state.cluster_queues.get(key):
                yield events.SetClusterQueue(queue) if queue else events.RemoveClusterQueue(key)
        elif resource == LOCAL_QUEUES:
            place = workload_key(key)
            local_queue = _read(_local_queue, obj)
            if local_queue != state.local_queues.get(place):
                yield events.SetLocalQueue(local_queue) if local_queue else events.RemoveLocalQueue(*place)
        elif resource == COHORTS:
            cohort = _read(_cohort, obj)
            if cohort != state.cohorts.get(key):
                yield events.SetCohort(cohort) if cohort else events.RemoveCohort(key)
        elif resource == FLAVORS:
            flavor = _read(reading.resource_flavor, obj)
            if flavor != state.flavors.get(key):
                yield events.SetFlavor(flavor) if flavor else events.RemoveFlavor(key)
        elif resource == NAMESPACES:
            labels = _labels(obj) if obj else None
            if labels != state.namespaces.get(key):
                yield events.RemoveNamespace(key) if labels is None else events.SetNamespace(key, labels)

    def _all(self, resource: GroupResource, read: Callable[[JsonObject], _Object | None]) -> dict[str, _Object]:
        if not self._shelf.serves(resource):
            return {}
        found = ((key, _read(read, obj)) for key, obj in self._shelf.all(resource))
        return {key: each for key, each in found if each is not None}


def _workload_events(known: Workload | None, key: WorkloadKey, now: Workload | None) -> Iterator[Event]:
    if known is not None and (now is None or now.uid != known.uid):
        yield events.Delete(key)
        known = None
    if now is None:
        return
    if known is None:
        yield events.Submit(now)
        return
    if now.is_("Finished") and not known.is_("Finished"):
        finished = now.conditions["Finished"]
        yield events.Finish(key, finished.message, finished.reason != "Failed")
        return
    if now.pod_sets != known.pod_sets and known.admission is None:
        yield events.Delete(key)
        yield events.Submit(replace(now, admission=None, conditions=known.conditions))
        return
    if (now.priority, now.priority_class) != (known.priority, known.priority_class):
        yield events.SetPriority(key, now.priority, now.priority_class)
    if now.queue != known.queue:
        yield events.SetQueue(key, now.queue)
    if now.active is not known.active:
        yield events.SetActive(key, now.active)


def _read(read: Callable[[JsonObject], _Object | None], obj: JsonObject | None) -> _Object | None:
    if obj is None:
        return None
    try:
        return read(obj)
    except reading.ReadingError:
        return None


def _cluster_queue(obj: JsonObject) -> ClusterQueue:
    """Without its status; one that is being deleted admits nobody any more."""
    queue = replace(reading.cluster_queue(_without_status(obj)), status=QueueStatus())
    ending = "deletionTimestamp" in obj["metadata"] and queue.stop_policy == "None"
    return replace(queue, stop_policy="Hold") if ending else queue


def _local_queue(obj: JsonObject) -> LocalQueue:
    return replace(reading.local_queue(_without_status(obj)), status=QueueStatus())


def _cohort(obj: JsonObject) -> Cohort:
    return replace(reading.cohort(_without_status(obj)), weighted_share=None)


def _workload(obj: JsonObject) -> Workload | None:
    """None for one that is being deleted: it is gone as soon as Kueue has seen that.

    One whose status cannot be read has none: anybody may have written it.
    """
    if "deletionTimestamp" in obj["metadata"]:
        return None
    try:
        return reading.workload(obj)
    except reading.ReadingError:
        return reading.workload(_without_status(obj))


def _without_status(obj: JsonObject) -> JsonObject:
    return {name: value for name, value in obj.items() if name != "status"}


def _labels(namespace: JsonObject) -> Mapping[str, str]:
    return dict(namespace["metadata"].get("labels") or {})
