"""The conditions of a workload in Kueue's words, as the recorded answers have them."""

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from governor.kueue.admission.flavors import Assignment
from governor.kueue.admission.supply import Queue
from governor.kueue.objects import Admission, Condition, PodSetAssignment, Workload

QUOTA_RESERVED = "QuotaReserved"
ADMITTED = "Admitted"
EVICTED = "Evicted"
PREEMPTED = "Preempted"
REQUEUED = "Requeued"
FINISHED = "Finished"

NOT_SELECTED = "Workload namespace doesn't match ClusterQueue selector"
_DUE_TO = {
    "InClusterQueue": "prioritization in the ClusterQueue",
    "InCohortReclamation": "reclamation within the cohort",
    "InCohortFairSharing": "Fair Sharing within the cohort",
    "InCohortReclaimWhileBorrowing": "reclamation within the cohort while borrowing",
}


def preempted_message(preemptor: Workload, reason: str, preemptor_queue: Queue, queue: Queue) -> str:
    """Why a workload was preempted, and by whom."""
    return (
        f"Preempted to accommodate a workload (UID: {preemptor.uid or 'UNKNOWN'}, "
        f"JobUID: {preemptor.owner_uid or 'UNKNOWN'}) due to {_DUE_TO[reason]}; "
        f"preemptor path: {_path(preemptor_queue)}; preemptee path: {_path(queue)}"
    )


def _path(queue: Queue) -> str:
    return "/".join(("", queue.spec.cohort, queue.name)) if queue.spec.cohort else f"/{queue.name}"


def admission_of(assignment: Assignment, queue: Queue) -> Admission:
    """What a workload is given."""
    return Admission(
        queue.name,
        tuple(
            PodSetAssignment(
                each.pod_set.name,
                each.pod_set.count,
                {resource: flavor for resource, (flavor, _) in each.flavors.items()},
                {resource: each.requests[resource] for resource in each.flavors},
            )
            for each in assignment.pod_sets
        ),
    )


def with_admission(workload: Workload, admission: Admission, at: int) -> Workload:
    """As it is once it is admitted; an earlier eviction is told as one of the past."""
    told = f"Quota reserved in ClusterQueue {admission.cluster_queue}"
    news = [
        Condition(QUOTA_RESERVED, "True", "QuotaReserved", told, at),
        Condition(ADMITTED, "True", "Admitted", "The workload is admitted", at),
    ]
    past = [workload.conditions[kind] for kind in (EVICTED, PREEMPTED) if workload.is_(kind)]
    news += [Condition(each.type, "False", "QuotaReserved", f"Previously: {each.message}", at) for each in past]
    return _with(replace(workload, admission=admission), news)


def with_waiting(workload: Workload, reason: str, message: str, at: int) -> Workload:
    """As it is while it waits, and why."""
    return _with(workload, [Condition(QUOTA_RESERVED, "False", reason, message, at)])


def with_eviction(workload: Workload, reason: str, message: str, at: int) -> Workload:
    """As it is when it must go, with its quota still."""
    return _with(workload, [Condition(EVICTED, "True", reason, message, at)])


def with_preemption(workload: Workload, reason: str, message: str, at: int) -> Workload:
    """As it is when it is preempted, with its quota still."""
    evicted = with_eviction(workload, "Preempted", message, at)
    return _with(evicted, [Condition(PREEMPTED, "True", reason, message, at)])


def without_admission(workload: Workload, at: int) -> Workload:
    """As it is once its job has stopped: it waits again, or it is not active."""
    evicted = workload.conditions[EVICTED]
    requeued = evicted.reason not in ("Deactivated", "ClusterQueueStopped", "LocalQueueStopped")
    return _with(
        replace(workload, admission=None),
        [
            Condition(QUOTA_RESERVED, "False", "Pending", evicted.message, at),
            Condition(ADMITTED, "False", "NoReservation", "The workload has no reservation", at),
            Condition(REQUEUED, "True" if requeued else "False", evicted.reason, evicted.message, at),
        ],
    )


def with_restart(workload: Workload, at: int) -> Workload:
    """As it is when the queue that was stopped takes it again."""
    requeued = workload.conditions.get(REQUEUED)
    stopped = requeued.reason.removesuffix("Stopped") if requeued is not None and requeued.status == "False" else ""
    if stopped not in ("ClusterQueue", "LocalQueue"):
        return workload
    told = f"The {stopped} was restarted after being stopped"
    return _with(workload, [Condition(REQUEUED, "True", f"{stopped}Restarted", told, at)])


def with_deactivation(workload: Workload, at: int) -> Workload:
    """As it is when it waits and is deactivated; one that was evicted before says so still."""
    if workload.is_(EVICTED):
        return workload
    return with_eviction(workload, "Deactivated", "The workload is deactivated", at)


def with_reactivation(workload: Workload, at: int) -> Workload:
    """As it is when it is active again; one that was not evicted for it has nothing to say."""
    requeued = workload.conditions.get(REQUEUED)
    if requeued is None or (requeued.status, requeued.reason) != ("False", "Deactivated"):
        return workload
    return _with(workload, [Condition(REQUEUED, "True", "Reactivated", "The workload was reactivated", at)])


def with_end(workload: Workload, reason: str, message: str, at: int) -> Workload:
    """As it is when its job has ended."""
    return _with(workload, [Condition(FINISHED, "True", reason, message, at)])


def _with(workload: Workload, news: Iterable[Condition]) -> Workload:
    """The time of a condition is that of its last change of status."""
    conditions = dict(workload.conditions)
    for each in news:
        before = conditions.get(each.type)
        unchanged = before is not None and before.status == each.status
        conditions[each.type] = replace(each, at=before.at) if before is not None and unchanged else each
    return replace(workload, conditions=MappingProxyType(conditions))
