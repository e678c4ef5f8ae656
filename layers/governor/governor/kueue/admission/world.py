"""The cluster at work: the queues with their holdings and lines, kept in step with the objects of a state."""

from collections import defaultdict
from collections.abc import Iterator

from governor.kueue.admission import words
from governor.kueue.admission.decisions import Decision, Kind
from governor.kueue.admission.fair import CONFIGURABLE
from governor.kueue.admission.jobs import Holding, Waiting, needs_of, shape_of
from governor.kueue.admission.lines import Line
from governor.kueue.admission.state import State
from governor.kueue.admission.supplies import Supplies
from governor.kueue.admission.supply import Queue
from governor.kueue.objects import Admission, ClusterQueue, LocalQueue, Workload, WorkloadKey

INADMISSIBLE = "Inadmissible"


class World(Supplies):
    """What is there, and what is done to single workloads. ``now`` is the time of what is being done.

    ``aside`` are workloads that wait and cannot be in a line, with the name of their ClusterQueue.
    """

    def __init__(self, state: State, now: int) -> None:
        super().__init__()
        self.now = now
        self.cycle = 0
        self.strategies: tuple[str, ...] = ()
        self.flavors.update(state.flavors)
        self.cohorts.update(state.cohorts)
        self.local_queues: dict[tuple[str, str], LocalQueue] = dict(state.local_queues)
        self.namespaces = dict(state.namespaces)
        self.workloads: dict[WorkloadKey, Workload] = {}
        self.lines: defaultdict[str, Line] = defaultdict(Line)
        self.aside: dict[WorkloadKey, str] = {}
        self.leaving: list[Holding] = []
        self.not_followed: dict[WorkloadKey, str] = dict(state.not_followed)
        self.decisions: list[Decision] = []
        self.share_by(state.strategies)
        self._build(state)

    def share_by(self, strategies: tuple[str, ...]) -> None:
        """Have these strategies of fair sharing. Raises ValueError for those that Kueue does not take."""
        if strategies not in CONFIGURABLE:
            known = "; ".join(", ".join(each) for each in CONFIGURABLE if each)
            raise ValueError(
                f"{', '.join(strategies)}: no strategies of fair sharing that Kueue takes, which are {known}"
            )
        self.strategies = strategies

    def _build(self, state: State) -> None:
        for spec in state.cluster_queues.values():
            self.set_cluster_queue(spec)
        for workload in state.workloads.values():
            self.put(workload)
        for name, shapes in state.parked.items():
            self.lines[name].parked |= shapes
        for name, key in state.first.items():
            self.lines[name].first = key
        self.retry.clear()

    def picture(self, *, keep: bool) -> State:
        """The state of now, and this world with it if it is to be kept for who goes on from here."""
        lines = self.lines.items()
        return State(
            self.strategies,
            dict(self.flavors),
            dict(self.cohorts),
            dict(self.specs),
            dict(self.local_queues),
            dict(self.namespaces),
            dict(self.workloads),
            self.now,
            dict(self.not_followed),
            {name: frozenset(line.parked) for name, line in lines if line.parked},
            {name: line.first for name, line in lines if line.first is not None},
            [self] if keep else [],
        )

    # Workloads

    def put(self, workload: Workload) -> None:
        """A workload as it is: finished, with quota, or waiting."""
        self.workloads[workload.key] = workload
        if workload.is_(words.FINISHED):
            return
        if workload.admission is not None:
            self._hold(workload, workload.admission)
        else:
            self.enqueue(workload.key)

    def enqueue(self, key: WorkloadKey) -> None:
        """Have a workload wait: in the line of its queue, or aside with the reason."""
        workload = self.workloads[key]
        queue, obstacle = self._way(workload)
        if obstacle:
            self.aside[key] = queue
            self.refuse(key, "Pending" if obstacle == words.NOT_SELECTED else INADMISSIBLE, obstacle)
        elif not workload.active:
            self.aside[key] = queue
        elif unknown := self._unknown(workload, self.queues[queue]):
            self.aside[key] = queue
            self.say_unknown(key, unknown)
        else:
            self.not_followed.pop(key, None)
            workload = self.workloads[key] = words.with_restart(workload, self.now)
            self.lines[queue].add(Waiting(workload, shape_of(workload)))

    def leave(self, key: WorkloadKey) -> None:
        """Take a workload out of wherever it is: its queue, its quota."""
        self.aside.pop(key, None)
        workload = self.workloads[key]
        name = self.queue_name(workload)
        if name in self.lines:
            self.lines[name].remove(key)
        if workload.admission is not None:
            self._release(workload.admission.cluster_queue, key)

    def refuse(self, key: WorkloadKey, reason: str, message: str) -> None:
        """Write down why a workload waits, if that is news."""
        workload = self.workloads[key]
        before = workload.conditions.get(words.QUOTA_RESERVED)
        if before is None or (before.status, before.reason, before.message) != ("False", reason, message):
            self.workloads[key] = words.with_waiting(workload, reason, message, self.now)
            self.decide(Kind.PENDING, key, reason, message)

    def admit(self, key: WorkloadKey, admission: Admission) -> None:
        """Give a workload its quota."""
        self.lines[admission.cluster_queue].remove(key)
        workload = words.with_admission(self.workloads[key], admission, self.now)
        self.workloads[key] = workload
        self._hold(workload, admission)
        reserved = workload.conditions[words.QUOTA_RESERVED]
        self.decide(Kind.RESERVED, key, reserved.reason, reserved.message)
        accepted = workload.conditions[words.ADMITTED]
        self.decide(Kind.ADMITTED, key, accepted.reason, accepted.message)
        names = {flavor for each in admission.pod_sets for flavor in each.flavors.values()}
        for name in sorted(names):
            if name in self.flavors and self.flavors[name].topology:
                told = f"flavor {name} has a topology: whether its nodes have room for the pods is not followed"
                self.say_unknown(key, told)

    def preempt(self, holding: Holding, reason: str, by: Waiting, queue: Queue) -> None:
        """Have a workload go for another one; one that is going already is left alone."""
        if holding.leaving:
            return
        message = words.preempted_message(by.workload, reason, queue, self.queues[holding.queue])
        self.workloads[holding.key] = words.with_preemption(self.workloads[holding.key], reason, message, self.now)
        self.decide(Kind.PREEMPTED, holding.key, reason, message, by.key)
        self._let_go(holding)

    def evict(self, holding: Holding, reason: str, message: str) -> None:
        """Have a workload go for another reason."""
        if holding.leaving:
            return
        self.workloads[holding.key] = words.with_eviction(self.workloads[holding.key], reason, message, self.now)
        self.decide(Kind.EVICTED, holding.key, reason, message)
        self._let_go(holding)

    def finish_evictions(self) -> None:
        """The jobs have stopped: their quota is free, and they wait again."""
        leaving, self.leaving = self.leaving, []
        for holding in leaving:
            self._release(holding.queue, holding.key)
            workload = words.without_admission(self.workloads[holding.key], self.now)
            self.workloads[holding.key] = workload
            requeued = workload.conditions[words.REQUEUED]
            self.decide(Kind.REQUEUED, holding.key, requeued.reason, requeued.message)
        for holding in leaving:
            self.enqueue(holding.key)

    def say_unknown(self, key: WorkloadKey, told: str) -> None:
        """Say what is not known of a workload, if that is news."""
        if self.not_followed.get(key) != told:
            self.not_followed[key] = told
            self.decide(Kind.NOT_FOLLOWED, key, "NotFollowed", told)

    def decide(self, kind: Kind, key: WorkloadKey, reason: str, message: str, by: WorkloadKey | None = None) -> None:
        """Write a decision down."""
        self.decisions.append(Decision(kind, key, reason, message, by))

    def _let_go(self, holding: Holding) -> None:
        holding.leaving = True
        self.queues[holding.queue].reorder()
        self.leaving.append(holding)

    def _hold(self, workload: Workload, admission: Admission) -> None:
        queue = self.queues.get(admission.cluster_queue)
        if queue is None:
            return
        reserved = workload.conditions.get(words.QUOTA_RESERVED)
        holding = Holding(
            workload.key,
            workload.uid,
            queue.name,
            workload.priority,
            workload.created,
            reserved.at if reserved else self.now,
            needs_of(admission),
        )
        queue.hold(holding)
        if workload.is_(words.EVICTED):
            self._let_go(holding)
        elif not workload.active:
            self.evict(holding, "Deactivated", "The workload is deactivated")
        elif queue.spec.stop_policy == "HoldAndDrain":
            self.evict(holding, "ClusterQueueStopped", "The ClusterQueue is stopped")
        elif self._stop_policy(workload) == "HoldAndDrain":
            self.evict(holding, "LocalQueueStopped", "The LocalQueue is stopped")

    def _release(self, name: str, key: WorkloadKey) -> None:
        queue = self.queues.get(name)
        if queue is not None and queue.drop(key) is not None:
            self.retry[queue.pool] = None

    # Queues

    def set_cluster_queue(self, spec: ClusterQueue) -> None:
        """Have a queue as it is specified now; one that comes back finds its workloads again."""
        came = spec.name not in self.queues
        queue = self.put_queue(spec)
        if came:
            for workload in self.workloads.values():
                admission = workload.admission
                if admission is not None and admission.cluster_queue == spec.name and not workload.is_(words.FINISHED):
                    self._hold(workload, admission)
        self.look_at(queue)

    def look_at(self, queue: Queue) -> None:
        """Find out anew whether a queue is active, and drain it if that is asked for."""
        spec = queue.spec
        queue.active = spec.stop_policy == "None" and not self.missing_flavors(spec)
        self.lines[queue.name].is_strict = spec.queueing_strategy == "StrictFIFO"
        if spec.stop_policy == "HoldAndDrain":
            for holding in queue.ordered():
                self.evict(holding, "ClusterQueueStopped", "The ClusterQueue is stopped")

    def drain_local_queue(self, local: LocalQueue) -> None:
        """Have the workloads of a LocalQueue go, if that is asked for."""
        queue = self.queues.get(local.cluster_queue)
        if local.stop_policy == "HoldAndDrain" and queue is not None:
            for holding in queue.ordered():
                workload = self.workloads[holding.key]
                if (workload.namespace, workload.queue) == (local.namespace, local.name):
                    self.evict(holding, "LocalQueueStopped", "The LocalQueue is stopped")

    def _stop_policy(self, workload: Workload) -> str:
        local = self.local_queues.get((workload.namespace, workload.queue))
        return local.stop_policy if local else "None"

    def queue_name(self, workload: Workload) -> str:
        """The ClusterQueue that a workload's queue leads to; "" if it leads nowhere."""
        local = self.local_queues.get((workload.namespace, workload.queue))
        return local.cluster_queue if local else ""

    def waiting_in(self, name: str) -> Iterator[Workload]:
        """What Kueue has waiting in a ClusterQueue; not what is deactivated, or in a LocalQueue that takes nothing."""
        if name in self.lines:
            yield from (self.workloads[each.key] for each in self.lines[name])
        for key, queue in self.aside.items():
            workload = self.workloads[key]
            if queue == name and workload.active and self._stop_policy(workload) == "None":
                yield workload

    def look_again(self) -> None:
        """Find out anew where workloads may wait, after something about their way has changed."""
        for key in sorted(self.aside):
            del self.aside[key]
            self.enqueue(key)
        for name, line in sorted(self.lines.items()):
            for waiting in sorted(line, key=lambda each: each.order):
                queue, obstacle = self._way(waiting.workload)
                if obstacle or queue != name or self._unknown(waiting.workload, self.queues[queue]):
                    line.remove(waiting.key)
                    self.enqueue(waiting.key)

    def _way(self, workload: Workload) -> tuple[str, str]:
        """The ClusterQueue for a workload, and what is in the way, in Kueue's words."""
        local = self.local_queues.get((workload.namespace, workload.queue))
        if local is None:
            return "", f"LocalQueue {workload.queue} doesn't exist"
        name = local.cluster_queue
        if local.stop_policy != "None":
            return name, f"LocalQueue {workload.queue} is inactive"
        queue = self.queues.get(name)
        if queue is None:
            return name, f"ClusterQueue {name} doesn't exist"
        if not queue.active:
            return name, f"ClusterQueue {name} is inactive"
        labels = self.namespaces.get(workload.namespace, {"kubernetes.io/metadata.name": workload.namespace})
        selector = queue.spec.namespaces
        return name, "" if selector is not None and selector.selects(labels) else words.NOT_SELECTED

    @staticmethod
    def _unknown(workload: Workload, queue: Queue) -> str:
        """Why the model does not know what Kueue would do with a workload; "" if it does."""
        if queue.spec.admission_checks:
            return f"ClusterQueue {queue.name} has admission checks, which the model does not follow"
        if queue.pool.parent:
            return f"cohort {queue.pool.cohort} has a parent, which the model does not follow"
        for pod_set in workload.pod_sets:
            if pod_set.min_count is not None:
                return f"pod set {pod_set.name} may be admitted in part, which the model does not follow"
            if pod_set.topology:
                return f"pod set {pod_set.name} asks for a topology, which the model does not follow"
        return ""
