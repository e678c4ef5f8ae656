"""The statuses that Kueue writes, as JSON of v1beta2. Pure.

Who writes a status gives the one before: a condition keeps its time for as long as it keeps its status.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from governor.kueue.objects import Admission, Condition, QueueStatus, Usage, Workload
from governor.kueue.quantities import shown
from local.kubernetes.errors import JsonObject
from local.kubernetes.writing import timestamp
from local.kueue.untrusted import conditions as conditions_in
from local.kueue.untrusted import entries, member

PODS_READY = Condition("PodsReady", "False", "WaitForStart", "Not all pods are ready or succeeded")
"""What Kueue says of every job whose pods are not ready, as imagined ones never are."""
TERMINATING = Condition("Active", "False", "Terminating", "Can't admit new workloads; clusterQueue is terminating")


@dataclass(frozen=True, slots=True)
class Evictions:
    """The reasons for which a workload was evicted in one go, and for how many seconds it had been admitted."""

    reasons: tuple[str, ...] = ()
    executed: int = 0


def workload_status(obj: Mapping[str, Any], workload: Workload, evictions: Evictions, at: int) -> JsonObject:
    """The status of a workload: `obj` is it as it is written, `workload` as it should be."""
    before = member(obj, "status")
    status = {name: value for name, value in before.items() if name not in ("admission", "resourceRequests")}
    conditions = list(workload.conditions.values())
    if workload.owner and PODS_READY.type not in workload.conditions:
        conditions.append(replace(PODS_READY, at=at))
    status["conditions"] = _conditions(obj, conditions, at)
    if workload.admission is not None:
        status["admission"] = _admission(workload.admission)
    elif _was_tried(workload):
        status["resourceRequests"] = _requests(workload)
    if evictions.reasons:
        status["schedulingStats"] = {"evictions": _counted(before, evictions.reasons)}
        passed = before.get("accumulatedPastExecutionTimeSeconds")
        status["accumulatedPastExecutionTimeSeconds"] = (passed if isinstance(passed, int) else 0) + evictions.executed
    return status


def cluster_queue_status(obj: Mapping[str, Any], status: QueueStatus, at: int) -> JsonObject:
    """The status of a ClusterQueue."""
    conditions = (TERMINATING,) if "deletionTimestamp" in obj["metadata"] else status.conditions
    fair = {} if status.weighted_share is None else {"fairSharing": {"weightedShare": status.weighted_share}}
    return {**_queue(obj, replace(status, conditions=conditions), at, _with_borrowed), **fair}


def local_queue_status(obj: Mapping[str, Any], status: QueueStatus, at: int) -> JsonObject:
    """The status of a LocalQueue."""
    return _queue(obj, status, at, _without_borrowed)


def _queue(
    obj: Mapping[str, Any], status: QueueStatus, at: int, usage_of: Callable[[Usage], list[JsonObject]]
) -> JsonObject:
    usages = {"flavorsReservation": usage_of(status.reserved), "flavorsUsage": usage_of(status.used)}
    return {
        "admittedWorkloads": status.admitted,
        "conditions": _conditions(obj, status.conditions, at),
        "pendingWorkloads": status.pending,
        "reservingWorkloads": status.reserving,
        **{name: usage for name, usage in usages.items() if usage},
    }


def _conditions(obj: Mapping[str, Any], conditions: Iterable[Condition], at: int) -> list[JsonObject]:
    """A condition without a time of its own has that of its last change of status."""
    known = {each["type"]: each for each in conditions_in(obj)}
    generation = obj["metadata"].get("generation")
    return [_condition(each, known.get(each.type), generation, at) for each in conditions]


def _condition(condition: Condition, before: Mapping[str, Any] | None, generation: int | None, at: int) -> JsonObject:
    told = {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
    }
    if before is not None and all(before.get(name) == value for name, value in told.items()):
        return dict(before)
    time = timestamp(condition.at or at)
    if before is not None and before.get("status") == condition.status and not condition.at:
        time = before.get("lastTransitionTime", time)
    written: JsonObject = {**told, "lastTransitionTime": time}
    if condition.type != "Preempted" or condition.status != "True":
        # Kueue writes of a preemption alone without the generation of the workload.
        written["observedGeneration"] = generation
    return written


def _admission(admission: Admission) -> JsonObject:
    return {
        "clusterQueue": admission.cluster_queue,
        "podSetAssignments": [
            {
                "count": each.count,
                "flavors": dict(each.flavors),
                "name": each.name,
                "resourceUsage": {resource: shown(resource, amount) for resource, amount in each.usage.items()},
            }
            for each in admission.pod_sets
        ],
    }


def _was_tried(workload: Workload) -> bool:
    reserved = workload.conditions.get("QuotaReserved")
    return reserved is not None and (reserved.status, reserved.reason) == ("False", "Pending")


def _requests(workload: Workload) -> list[JsonObject]:
    return [
        {
            "name": each.name,
            "resources": {resource: shown(resource, amount * each.count) for resource, amount in each.requests.items()},
        }
        for each in workload.pod_sets
    ]


def _counted(before: Mapping[str, Any], reasons: Iterable[str]) -> list[JsonObject]:
    """How often the workload was evicted, by reason."""
    counted: dict[str, int] = {}
    for each in entries(member(before, "schedulingStats"), "evictions"):
        if isinstance(each.get("reason"), str) and isinstance(each.get("count"), int):
            counted[each["reason"]] = each["count"]
    for reason in reasons:
        counted[reason] = counted.get(reason, 0) + 1
    return [{"count": count, "reason": reason, "underlyingCause": ""} for reason, count in counted.items()]


def _with_borrowed(usage: Usage) -> list[JsonObject]:
    return [
        {
            "name": flavor,
            "resources": [
                {"borrowed": shown(name, each.borrowed), "name": name, "total": shown(name, each.total)}
                for name, each in resources.items()
            ],
        }
        for flavor, resources in usage.items()
    ]


def _without_borrowed(usage: Usage) -> list[JsonObject]:
    return [
        {
            "name": flavor,
            "resources": [{"name": name, "total": shown(name, each.total)} for name, each in resources.items()],
        }
        for flavor, resources in usage.items()
    ]
