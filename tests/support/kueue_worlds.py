"""Clusters for tests of the admission model, in whole numbers, and strategies that make any of them."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from hypothesis import strategies as st

from governor.kueue.admission import Outcome, State, after
from governor.kueue.admission.events import FAIR_SHARING, Delete, Event, Finish, SetClusterQueue, SetPriority, Submit
from governor.kueue.objects import (
    ClusterQueue,
    FlavorQuotas,
    LocalQueue,
    PodSet,
    Preemption,
    Quota,
    ResourceFlavor,
    ResourceGroup,
    Workload,
    WorkloadKey,
)

GPU = "nvidia.com/gpu"
RESOURCES = ("cpu", GPU)


HYPERPOD = Preemption("LowerPriority", "Any", "Never")


def flavor_quotas(name: str, **resources: Quota) -> FlavorQuotas:
    """``flavor_quotas("small", cpu=Quota(4))``; ``gpu`` is short for the resource of that."""
    return FlavorQuotas(name, {GPU if each == "gpu" else each: quota for each, quota in resources.items()})


def cluster_queue(
    name: str,
    *flavors: FlavorQuotas,
    cohort: str = "all",
    weight: int = 1000,
    preemption: Preemption = HYPERPOD,
    stop_policy: str = "None",
    **more: Any,
) -> ClusterQueue:
    """A queue of one resource group; ``more`` are members of ClusterQueue."""
    covered = tuple(dict.fromkeys(resource for flavor in flavors for resource in flavor.resources))
    groups = (ResourceGroup(covered, flavors),)
    return ClusterQueue(name, cohort, groups, weight, preemption, stop_policy=stop_policy, **more)


def cluster(*queues: ClusterQueue, strategies: tuple[str, ...] = FAIR_SHARING) -> State:
    """The queues, each with a namespace and a LocalQueue of its name, and all their flavors."""
    names = {flavor.name for queue in queues for group in queue.resource_groups for flavor in group.flavors}
    return State(
        strategies=strategies,
        flavors={name: ResourceFlavor(name, {"kind": name}) for name in sorted(names)},
        cluster_queues={queue.name: queue for queue in queues},
        local_queues={(queue.name, queue.name): LocalQueue(queue.name, queue.name, queue.name) for queue in queues},
    )


def workload(
    queue: str, name: str, *, pods: int = 1, priority: int = 0, created: int = 0, kind: str = "", **requests: int
) -> Workload:
    """A workload of one pod set; its UID is its name."""
    asked = {GPU if each == "gpu" else each: amount for each, amount in requests.items()}
    pod_set = PodSet("main", pods, asked, {"kind": kind} if kind else {})
    return Workload(queue, name, f"uid-{name}", queue, (pod_set,), priority=priority, created=created)


def used(state: State) -> Mapping[str, Mapping[tuple[str, str], int]]:
    """What the workloads with quota use, by queue, then by flavor and resource; counted from the workloads."""
    sums: dict[str, dict[tuple[str, str], int]] = {name: {} for name in state.cluster_queues}
    for each in state.workloads.values():
        if each.admission is not None and not each.is_("Finished"):
            queue = sums[each.admission.cluster_queue]
            for pod_set in each.admission.pod_sets:
                for resource, flavor in pod_set.flavors.items():
                    queue[flavor, resource] = queue.get((flavor, resource), 0) + pod_set.usage[resource]
    return sums


def forgetful(state: State, **changes: Any) -> State:
    """An equal state, but for changes, that knows nothing of how it came about."""
    members = {each.name: getattr(state, each.name) for each in fields(State) if each.name != "_world"}
    return State(**{**members, **changes})


def play(state: State, events: list[Event], at: int = 0) -> Iterator[Outcome]:
    """The outcomes of events, one after the other, ten seconds apart."""
    for event in events:
        outcome = after(state, [event], at)
        yield outcome
        state, at = outcome.state, outcome.at + 10


def then(state: State, *events: Event, at: int = 0) -> Outcome:
    """What comes of the events together, at a time."""
    return after(state, events, at)


def in_turn(state: State, *workloads: Workload, at: int = 0) -> State:
    """The workloads submitted one after the other, ten seconds apart."""
    for outcome in play(state, [Submit(each) for each in workloads], at):
        state = outcome.state
    return state


def admitted(state: State) -> set[str]:
    """The names of the workloads with quota."""
    return {each.name for each in state.workloads.values() if each.admission is not None and not each.is_("Finished")}


def flavors_of(state: State, key: WorkloadKey) -> dict[str, str]:
    """The flavors that a workload has, by resource; nothing where it waits."""
    admission = state.workloads[key].admission
    return dict(flavor for each in admission.pod_sets for flavor in each.flavors.items()) if admission else {}


def told(state: State, key: WorkloadKey, condition: str = "QuotaReserved") -> tuple[str, str, str]:
    """Status, reason and message of a workload's condition."""
    found = state.workloads[key].conditions[condition]
    return found.status, found.reason, found.message


def decided(outcome: Outcome) -> list[tuple[str, str]]:
    """Kind and workload of the decisions, in order."""
    return [(each.kind.value, each.workload[1]) for each in outcome.decisions]


_amounts = st.integers(0, 8)
_limits = st.none() | st.integers(0, 8)


@st.composite
def _quota(draw: st.DrawFn, *, lending: bool) -> Quota:
    return Quota(draw(_amounts), draw(_limits), draw(_limits) if lending else None)


@st.composite
def _queue(draw: st.DrawFn, name: str, flavors: int, weights: st.SearchStrategy[int]) -> ClusterQueue:
    quotas = [
        FlavorQuotas(f"f{number}", {resource: draw(_quota(lending=True)) for resource in RESOURCES})
        for number in range(flavors)
    ]
    within = draw(st.sampled_from(["LowerPriority", "Never"]))
    return cluster_queue(name, *quotas, weight=draw(weights), preemption=Preemption(within, "Any", "Never"))


@st.composite
def clusters(draw: st.DrawFn, *, weights: st.SearchStrategy[int], fair: bool | None = None) -> State:
    """A cohort of up to four queues with up to two flavors."""
    count, flavors = draw(st.integers(1, 4)), draw(st.integers(1, 2))
    queues = [draw(_queue(f"q{number}", flavors, weights)) for number in range(count)]
    sharing = draw(st.booleans()) if fair is None else fair
    return cluster(*queues, strategies=FAIR_SHARING if sharing else ())


@st.composite
def histories(draw: st.DrawFn, state: State, *, changes: bool) -> list[Event]:
    """Up to fourteen events that make sense in a cluster; ``changes`` are those of quotas, weights and priorities."""
    events: list[Event] = []
    alive: list[tuple[str, str]] = []
    queues = dict(state.cluster_queues)
    kinds = ["submit"] * 5 + ["finish", "delete"] + (["quota", "weight", "priority"] if changes else [])
    for number in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from(kinds))
        name = draw(st.sampled_from(sorted(queues)))
        if kind == "submit" or (kind in ("finish", "delete", "priority") and not alive):
            new = workload(
                name,
                f"w{number}",
                pods=draw(st.integers(1, 3)),
                priority=draw(st.sampled_from([0, 50, 100])),
                created=number,
                kind=draw(st.sampled_from(["", "", *state.flavors])),
                cpu=draw(st.integers(0, 4)),
                gpu=draw(st.integers(0, 4)),
            )
            alive.append(new.key)
            events.append(Submit(new))
        elif kind in ("finish", "delete"):
            key = draw(st.sampled_from(alive))
            alive.remove(key)
            events.append(Finish(key) if kind == "finish" else Delete(key))
        elif kind == "priority":
            events.append(SetPriority(draw(st.sampled_from(alive)), draw(st.sampled_from([0, 50, 100]))))
        else:
            flavors = len(queues[name].resource_groups[0].flavors)
            weights = st.just(queues[name].weight) if kind == "quota" else st.sampled_from([0, 500, 1000, 3000])
            drawn = draw(_queue(name, flavors, weights))
            old = queues[name]
            groups = drawn.resource_groups if kind == "quota" else old.resource_groups
            queues[name] = ClusterQueue(name, old.cohort, groups, drawn.weight, old.preemption)
            events.append(SetClusterQueue(queues[name]))
    return events
