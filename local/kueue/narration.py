"""Kueue's events about what was decided: which object, what reason, in which words. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from governor.kueue.admission import Decision, Kind, State
from governor.kueue.objects import Workload, WorkloadKey

ADMISSION = "kueue-admission"
JOBS = "batch/job-kueue-controller"
LOCAL = "kueue-local-model"
"""Who tells that the model does not know: no component of Kueue."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event about a workload, or about the job that it belongs to."""

    workload: WorkloadKey
    reason: str
    message: str
    type: str = "Normal"
    of_job: bool = False
    component: str = ADMISSION


def told(decision: Decision, state: State, before: Mapping[WorkloadKey, Workload], at: int) -> Iterator[Told]:
    """What Kueue says of one decision. `before` are the workloads as they were, `state` is as everything is now."""
    key, message = decision.workload, decision.message
    workload = state.workloads.get(key) or before.get(key)
    if workload is None:
        return
    match decision.kind:
        case Kind.RESERVED:
            waited = max(0, at - _queued(before.get(key) or workload))
            yield Told(key, "QuotaReserved", f"{message}, wait time since queued was {waited}s")
        case Kind.ADMITTED:
            queue = workload.admission.cluster_queue if workload.admission else ""
            yield Told(key, "Admitted", f"Admitted by ClusterQueue {queue}, wait time since reservation was 0s")
            yield Told(key, "Started", f"Admitted by clusterQueue {queue}", of_job=True, component=JOBS)
        case Kind.PENDING:
            if decision.reason == "Pending":
                yield Told(key, "Pending", message, type="Warning")
        case Kind.PREEMPTED:
            yield from _preempted(decision, workload, state, before)
        case Kind.EVICTED:
            yield Told(key, f"EvictedDueTo{decision.reason}", message)
            yield Told(key, "Stopped", message, of_job=True, component=JOBS)
        case Kind.FINISHED:
            text = f"Workload '{key[0]}/{key[1]}' is declared finished"
            yield Told(key, "FinishedWorkload", text, of_job=True, component=JOBS)
        case Kind.NOT_FOLLOWED | Kind.UNSETTLED:
            yield Told(key, decision.reason, message, type="Warning", component=LOCAL)


def _preempted(
    decision: Decision, workload: Workload, state: State, before: Mapping[WorkloadKey, Workload]
) -> Iterator[Told]:
    key, message = decision.workload, decision.message
    by = state.workloads.get(decision.by) if decision.by else None
    had = before.get(key)
    admission = had.admission if had else None
    queue = admission.cluster_queue if admission else ""
    priorities = f"preemptor {_priority(by)}; preemptee {_priority(workload)}"
    yield Told(key, "EvictedDueToPreempted", message)
    yield Told(key, "Preempted", f"{message}; {priorities}")
    if decision.by is not None:
        victim = f"{key[0]}/{key[1]} (UID: {workload.uid})"
        yield Told(
            decision.by, "PreemptedWorkload", f"Preempted workload {victim} in ClusterQueue {queue}; {priorities}"
        )
    yield Told(key, "Stopped", message, of_job=True, component=JOBS)


def _priority(workload: Workload | None) -> str:
    priority = workload.priority if workload else 0
    return f"effective priority: {priority} (base: {priority}, boost: 0)"


def _queued(workload: Workload) -> int:
    """Since when a workload waits: its creation, or its last eviction."""
    requeued = workload.conditions.get("Requeued")
    return requeued.at if requeued is not None and requeued.status == "True" else workload.created
