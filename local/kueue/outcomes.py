"""What the outcome of a round is about: workloads, evictions and queues. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from governor.kueue.admission import Decision, Kind, Outcome, State, events
from governor.kueue.objects import Workload, WorkloadKey
from local.kueue.statuses import Evictions

OF_WORKLOADS = (
    events.Submit,
    events.Finish,
    events.Delete,
    events.SetPriority,
    events.SetActive,
    events.SetQueue,
)
"""Events that change nothing but workloads."""


def touched(decisions: Iterable[Decision], heard: Iterable[events.Event]) -> Iterable[WorkloadKey]:
    """The workloads that something was heard of or decided about."""
    for event in heard:
        if isinstance(event, events.Submit):
            yield event.workload.key
        elif isinstance(event, OF_WORKLOADS):
            yield event.key
    for decision in decisions:
        yield decision.workload


def evictions(outcome: Outcome, before: State) -> dict[WorkloadKey, Evictions]:
    """Who was evicted, and for which reasons."""
    reasons: defaultdict[WorkloadKey, list[str]] = defaultdict(list)
    for each in outcome.decisions:
        if each.kind in (Kind.PREEMPTED, Kind.EVICTED):
            reasons[each.workload].append("Preempted" if each.kind is Kind.PREEMPTED else each.reason)
    return {
        key: Evictions(tuple(all_of_them), _executed(before.workloads.get(key), outcome.state.workloads.get(key)))
        for key, all_of_them in reasons.items()
    }


def _executed(before: Workload | None, now: Workload | None) -> int:
    """For how many seconds a workload was admitted until it was evicted."""
    admitted = before.conditions.get("Admitted") if before else None
    evicted = now.conditions.get("Evicted") if now else None
    if admitted is None or admitted.status != "True" or evicted is None:
        return 0
    return max(0, evicted.at - admitted.at)


def queues_of(
    keys: Iterable[WorkloadKey], before: State, state: State
) -> tuple[Iterable[str], Iterable[tuple[str, str]]]:
    """The queues in which something changed with these workloads."""
    local_queues: dict[tuple[str, str], None] = {}
    queues: dict[str, None] = {}
    for key in keys:
        for workload in (before.workloads.get(key), state.workloads.get(key)):
            if workload is None:
                continue
            place = workload.namespace, workload.queue
            local_queues[place] = None
            if place in state.local_queues:
                queues[state.local_queues[place].cluster_queue] = None
            if workload.admission is not None:
                queues[workload.admission.cluster_queue] = None
    return queues, local_queues
