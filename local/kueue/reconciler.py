"""One round of Kueue's controller: what has changed is told to the admission model, what it decides is written."""

from collections.abc import Collection, Iterable, Iterator

from governor.kueue import admission
from governor.kueue.admission import Outcome, State, events
from governor.kueue.objects import Workload, WorkloadKey
from local.hyperpod.clock import Clock
from local.kubernetes.errors import GroupResource, JsonObject
from local.kubernetes.objects import Objects
from local.kueue import outcomes, statuses
from local.kueue.jobs import JobKeeper
from local.kueue.names import (
    CLUSTER_QUEUES,
    COHORTS,
    FLAVORS,
    IN_USE,
    JOBS,
    LOCAL_QUEUES,
    PRIORITY_CLASSES,
    WORKLOADS,
)
from local.kueue.narration import told
from local.kueue.observing import STRUCTURE, Observer, store_key, workload_key
from local.kueue.presence import SOURCES, is_ending, presence
from local.kueue.recorder import Recorder
from local.kueue.shelf import Shelf
from local.kueue.statuses import Evictions
from local.kueue.troubles import Troubles

Changed = tuple[GroupResource, str]
"""A resource, and the key of an object that has come, changed or gone."""
INTERESTS = STRUCTURE | SOURCES | {WORKLOADS, JOBS, PRIORITY_CLASSES}
"""What the controller looks at."""


class Reconciler:
    """One thread uses it. It takes the store's lock to read and to write, not to decide."""

    def __init__(self, objects: Objects, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock
        self._shelf = Shelf(objects)
        self._observer = Observer(self._shelf)
        self._recorder = Recorder(objects, clock)
        self._troubles = Troubles(objects.store, self._recorder)
        self._jobs = self._new_keeper()
        self._state: State | None = None

    def reconcile(self, changed: Collection[Changed]) -> None:
        """Follow what has changed. Where Kueue is not at work nothing happens, and when it comes all is read anew."""
        with self._objects.store.lock:
            found = presence(self._objects.store)
            if not found.works:
                self._state = None
                if not found.installed:
                    self._abandon()
                return
            began = self._state is None
            # Jobs that it knew may be gone since, and nothing else tells of them.
            known = self._jobs.all_jobs() if began else ()
            state = self._begin(found.strategies) if self._state is None else self._state
            heard = self._hear(state, self._everything(known) if began else changed)
            if state.strategies != found.strategies:
                heard.append(events.SetFairSharing(found.strategies))
        at = int(self._clock.now())
        outcome = admission.after(state, heard, at, retry_seconds=0) if began or heard else Outcome(state, (), at)
        self._state = outcome.state
        with self._objects.store.lock:
            if presence(self._objects.store).works:
                self._show(state, outcome, heard, changed, everything=began)
            else:
                # What was decided is not written anywhere.
                self._state = None

    def forget(self) -> None:
        """Read everything anew the next time."""
        self._state = None

    def _abandon(self) -> None:
        """Let go of everything whose definition is being deleted when there is no controller any more.

        Assumed: a real Kueue that is gone first leaves its finalizers behind, which somebody has to take off by hand;
        the add-on is not known to be stuck when it is deleted.
        """
        for resource in (WORKLOADS, CLUSTER_QUEUES, FLAVORS):
            if is_ending(self._objects.store, resource):
                for _, obj in list(self._shelf.all(resource)):
                    self._shelf.release(resource, obj)

    def _begin(self, strategies: tuple[str, ...]) -> State:
        self._jobs = self._new_keeper()
        state = self._observer.state(strategies)
        for key, _ in self._shelf.all(WORKLOADS):
            self._jobs.note(workload_key(key))
        return state

    def _new_keeper(self) -> JobKeeper:
        return JobKeeper(self._shelf, self._recorder, self._troubles, self._clock)

    def _everything(self, jobs_before: Iterable[str]) -> Iterable[Changed]:
        """All jobs and workloads, and jobs that there were."""
        jobs = dict.fromkeys([*(key for key, _ in self._shelf.all(JOBS)), *jobs_before])
        return [*((JOBS, key) for key in jobs), *((WORKLOADS, key) for key, _ in self._shelf.all(WORKLOADS))]

    def _hear(self, state: State, changed: Iterable[Changed]) -> list[events.Event]:
        """What the model has to hear. Workloads of jobs are made here: they are changes of the next round."""
        heard: list[events.Event] = []
        for resource, key in changed:
            with self._troubles.of(resource, key):
                for event in self._look(state, resource, key):
                    heard.append(event)  # noqa: PERF402 - what was told before something fails has happened
        return heard

    def _look(self, state: State, resource: GroupResource, key: str) -> Iterator[events.Event]:
        if resource == JOBS:
            yield from self._jobs.look(key)
        elif resource == PRIORITY_CLASSES:
            yield from self._jobs.look_at_class(key)
        elif resource == WORKLOADS:
            self._release_ending(key)
            job = self._jobs.note(workload_key(key))
            yield from self._observer.events(state, resource, key)
            if job and self._shelf.get(WORKLOADS, key) is None:
                yield from self._jobs.look(job)
        else:
            yield from self._observer.events(state, resource, key)

    def _release_ending(self, key: str) -> None:
        """Kueue has nothing to hold a workload back for."""
        workload = self._shelf.get(WORKLOADS, key)
        if workload is not None and "deletionTimestamp" in workload["metadata"]:
            self._shelf.release(WORKLOADS, workload)

    # What is written

    def _show(
        self,
        before: State,
        outcome: Outcome,
        heard: Collection[events.Event],
        changed: Collection[Changed],
        *,
        everything: bool,
    ) -> None:
        state = outcome.state
        evictions = outcomes.evictions(outcome, before)
        touched = dict.fromkeys(state.workloads if everything else outcomes.touched(outcome.decisions, heard))
        # Somebody may have written over the status of a workload.
        rewritten = (workload_key(key) for resource, key in changed if resource == WORKLOADS)
        for key in dict.fromkeys([*touched, *rewritten]):
            with self._troubles.of(WORKLOADS, store_key(key)):
                self._show_workload(key, state.workloads.get(key), evictions.get(key, Evictions()))
        followed = dict.fromkeys([*touched, *self._of_changed(changed)])
        for key in followed:
            with self._troubles.of(WORKLOADS, store_key(key)):
                self._jobs.follow(key, state.workloads.get(key))
        self._tell(outcome, before)
        if everything or any(not isinstance(each, outcomes.OF_WORKLOADS) for each in heard):
            self._show_queues(state, state.cluster_queues, state.local_queues)
            self._show_cohorts(state)
        else:
            queues, local_queues = outcomes.queues_of(touched, before, state)
            self._show_queues(state, queues, local_queues)
        self._release(state)

    def _of_changed(self, changed: Collection[Changed]) -> Iterable[WorkloadKey]:
        """The workloads of the jobs that have changed: somebody may have started what may not run."""
        for resource, key in changed:
            if resource == JOBS:
                yield from self._jobs.workloads_of(key)

    def _show_workload(self, key: WorkloadKey, workload: Workload | None, evictions: Evictions) -> None:
        obj = self._shelf.get(WORKLOADS, store_key(key))
        if obj is None or workload is None or obj["metadata"]["uid"] != workload.uid:
            return
        status = statuses.workload_status(obj, workload, evictions, int(self._clock.now()))
        if status != obj.get("status"):
            obj = self._shelf.replace_status(WORKLOADS, {**obj, "status": status})
        if workload.is_("Finished"):
            self._shelf.release(WORKLOADS, obj)

    def _show_queues(self, state: State, queues: Iterable[str], local_queues: Iterable[tuple[str, str]]) -> None:
        at = int(self._clock.now())
        for name in queues:
            obj = self._shelf.get(CLUSTER_QUEUES, name)
            if obj is not None and name in state.cluster_queues:
                with self._troubles.of(CLUSTER_QUEUES, name):
                    figures = admission.cluster_queue_status(state, name)
                    self._write_status(CLUSTER_QUEUES, obj, statuses.cluster_queue_status(obj, figures, at))
        for place in local_queues:
            obj = self._shelf.get(LOCAL_QUEUES, store_key(place))
            if obj is not None and place in state.local_queues:
                with self._troubles.of(LOCAL_QUEUES, store_key(place)):
                    figures = admission.local_queue_status(state, *place)
                    self._write_status(LOCAL_QUEUES, obj, statuses.local_queue_status(obj, figures, at))

    def _show_cohorts(self, state: State) -> None:
        for name in state.cohorts:
            obj, share = self._shelf.get(COHORTS, name), admission.cohort_share(state, name)
            if obj is not None and share is not None:
                with self._troubles.of(COHORTS, name):
                    self._write_status(COHORTS, obj, {"fairSharing": {"weightedShare": share}})

    def _write_status(self, resource: GroupResource, obj: JsonObject, status: JsonObject) -> None:
        if status != obj.get("status"):
            self._shelf.replace_status(resource, {**obj, "status": status})

    def _tell(self, outcome: Outcome, before: State) -> None:
        for decision in outcome.decisions:
            for each in told(decision, outcome.state, before.workloads, outcome.at):
                about = (
                    self._jobs.job_of(each.workload)
                    if each.of_job
                    else self._shelf.get(WORKLOADS, store_key(each.workload))
                )
                if about is not None:
                    self._recorder.record(about, each.reason, each.message, each.component, each.type)

    def _release(self, state: State) -> None:
        """Let go of queues that nobody has quota of and of flavors that no queue names, if they are to go."""
        for name in state.cluster_queues:
            queue = self._shelf.get(CLUSTER_QUEUES, name)
            if queue is not None and _waits(queue) and not admission.cluster_queue_status(state, name).reserving:
                with self._troubles.of(CLUSTER_QUEUES, name):
                    self._shelf.release(CLUSTER_QUEUES, queue)
        for name in state.flavors:
            flavor = self._shelf.get(FLAVORS, name)
            if flavor is not None and _waits(flavor) and not _is_used(name, state):
                with self._troubles.of(FLAVORS, name):
                    self._shelf.release(FLAVORS, flavor)


def _waits(obj: JsonObject) -> bool:
    """Whether an object is deleted and waits for Kueue."""
    metadata = obj["metadata"]
    return "deletionTimestamp" in metadata and IN_USE in (metadata.get("finalizers") or ())


def _is_used(flavor: str, state: State) -> bool:
    queues = state.cluster_queues.values()
    return any(each.name == flavor for queue in queues for group in queue.resource_groups for each in group.flavors)
