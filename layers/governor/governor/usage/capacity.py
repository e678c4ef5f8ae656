"""What quotas promise against what nodes have."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from governor.usage.measures import CORES, DEVICES, MIG
from governor.usage.model import Capacity, QueueUsage
from governor.usage.seen import Kind, Machine

_Where = tuple[str, str]


def capacities(
    machines: Iterable[Machine], kinds: Sequence[Kind], queues: Iterable[QueueUsage], pool: Iterable[QueueUsage]
) -> tuple[Capacity, ...]:
    """Of every flavor and resource that a quota is about, in their order by name.

    A node counts for the flavors whose labels it carries. The pool of idle compute promises nothing: it is what quotas
    leave over.
    """
    promised: defaultdict[_Where, int] = defaultdict(int)
    used: defaultdict[_Where, int] = defaultdict(int)
    for queue in queues:
        for each in queue.resources:
            promised[each.flavor, each.resource] += each.guaranteed
            used[each.flavor, each.resource] += each.used
    for queue in pool:
        for each in queue.resources:
            promised[each.flavor, each.resource] += 0
            used[each.flavor, each.resource] += each.used
    present: defaultdict[_Where, int] = defaultdict(int)
    usable: defaultdict[_Where, int] = defaultdict(int)
    allocatable: defaultdict[_Where, int] = defaultdict(int)
    for machine in machines:
        for kind in kinds:
            if not _is_of(machine, kind):
                continue
            _add(present, kind.name, machine.capacity)
            if machine.usable:
                _add(usable, kind.name, machine.capacity)
                _add(allocatable, kind.name, machine.allocatable)
    return tuple(
        Capacity(
            flavor=where[0],
            resource=where[1],
            promised=promised[where],
            present=present[where],
            allocatable=allocatable[where],
            idle=max(0, allocatable[where] - used[where]),
            above=max(0, promised[where] - _counting(where[1], usable[where], allocatable[where], promised[where])),
        )
        for where in sorted(promised)
    )


def _is_of(machine: Machine, kind: Kind) -> bool:
    return all(machine.labels.get(key) == value for key, value in kind.labels.items())


def _add(sums: defaultdict[_Where, int], flavor: str, amounts: Mapping[str, int]) -> None:
    for resource, amount in amounts.items():
        sums[flavor, resource] += amount


def _counting(resource: str, usable: int, allocatable: int, promised: int) -> int:
    """What a promise is compared with; see Capacity."""
    if resource in DEVICES or resource == CORES or resource.startswith(MIG):
        return allocatable
    return usable if resource == "cpu" else promised
