"""Where a workload stands, since when, and what its conditions say is in its way."""

from governor.kueue.explaining.answer import State
from governor.kueue.explaining.messages import Kind, Obstacle, obstacles
from governor.kueue.explaining.seen import Subject
from governor.kueue.objects import Workload

_STOPPED = (Kind.LOCAL_QUEUE_STOPPED, Kind.CLUSTER_QUEUE_STOPPED)
_MISSING = (Kind.LOCAL_QUEUE_MISSING, Kind.CLUSTER_QUEUE_MISSING)
WORDS = {
    State.WAITING: "waits for quota",
    State.PREEMPTED: "was preempted and waits again",
    State.EVICTED: "was evicted and waits again",
    State.LEAVING: "is being stopped",
    State.STOPPED: "waits: its queue is stopped",
    State.QUEUE_MISSING: "waits: its queue is missing",
    State.DEACTIVATED: "is switched off",
    State.HELD: "has its quota and is held by admission checks",
    State.ADMITTED: "is admitted",
    State.RUNNING: "runs",
    State.FINISHED: "is finished",
}


def state_of(subject: Subject, hindered: tuple[Obstacle, ...]) -> tuple[State, int]:
    """The state, and since when it is so; ``hindered`` is what is in its way."""
    workload = subject.workload
    if workload.is_("Finished"):
        return State.FINISHED, _at(workload, "Finished")
    if workload.is_("Evicted") and workload.admission is not None:
        return State.LEAVING, _at(workload, "Evicted")
    if not workload.active:
        return State.DEACTIVATED, _at(workload, "Evicted") or _at(workload, "QuotaReserved")
    if workload.is_("Admitted"):
        ready = workload.is_("PodsReady")
        return (State.RUNNING, _at(workload, "PodsReady")) if ready else (State.ADMITTED, _at(workload, "Admitted"))
    if workload.is_("QuotaReserved") or workload.admission is not None:
        return State.HELD, _at(workload, "QuotaReserved")
    return _waiting(workload, {each.kind for each in hindered})


def _waiting(workload: Workload, kinds: set[Kind]) -> tuple[State, int]:
    if kinds & {*_STOPPED}:
        return State.STOPPED, _at(workload, "QuotaReserved")
    if kinds & {*_MISSING}:
        return State.QUEUE_MISSING, _at(workload, "QuotaReserved")
    if workload.is_("Evicted"):
        preempted = workload.conditions["Evicted"].reason == "Preempted"
        return (State.PREEMPTED if preempted else State.EVICTED), _at(workload, "Evicted")
    return State.WAITING, workload.created


def hindrances(subject: Subject) -> tuple[Obstacle, ...]:
    """What keeps a workload from running, by its conditions; () for one that runs, or has ended."""
    workload = subject.workload
    if workload.is_("Finished"):
        return ()
    if workload.is_("Evicted") and workload.admission is not None:
        return obstacles(workload.conditions["Evicted"].message)
    if not workload.active:
        return _deactivated(workload)
    if workload.is_("Admitted"):
        ready = workload.conditions.get("PodsReady")
        waits = ready is not None and ready.status == "False"
        return (Obstacle(Kind.PODS_NOT_READY, ready.message),) if ready is not None and waits else ()
    if workload.is_("QuotaReserved") or workload.admission is not None:
        return _checks(subject)
    return _unadmitted(workload)


def _deactivated(workload: Workload) -> tuple[Obstacle, ...]:
    evicted = workload.conditions.get("Evicted")
    told = evicted.message if evicted is not None and evicted.reason.startswith("Deactivated") else ""
    return (Obstacle(Kind.DEACTIVATED, told),)


def _checks(subject: Subject) -> tuple[Obstacle, ...]:
    found = tuple(
        Obstacle(Kind.CHECK_NOT_READY, each.message, name=each.name, amount=each.state)
        for each in subject.checks
        if each.state != "Ready"
    )
    admitted = subject.workload.conditions.get("Admitted")
    return found or (Obstacle(Kind.CHECK_NOT_READY, admitted.message if admitted is not None else ""),)


def _unadmitted(workload: Workload) -> tuple[Obstacle, ...]:
    """What Kueue wrote when it last tried. Right after an eviction that is the eviction's message once more."""
    reserved = workload.conditions.get("QuotaReserved")
    if reserved is None:
        return (Obstacle(Kind.NOT_LOOKED_AT, ""),)
    found = obstacles(reserved.message)
    if not found:
        return (Obstacle(Kind.OTHER, reserved.reason),)
    return tuple(each for each in found if each.kind is not Kind.PREEMPTED) or (Obstacle(Kind.NOT_LOOKED_AT, ""),)


def _at(workload: Workload, condition: str) -> int:
    found = workload.conditions.get(condition)
    return found.at if found is not None else 0
