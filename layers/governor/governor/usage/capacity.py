"""What quotas promise against what nodes have."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from governor.usage.measures import is_accelerator
from governor.usage.model import Capacity, QueueUsage
from governor.usage.seen import Kind, Machine

_Where = tuple[str, str]


def capacities(
    machines: Iterable[Machine],
    kinds: Sequence[Kind],
    teams: Iterable[QueueUsage],
    pool: Iterable[QueueUsage],
    others: Iterable[QueueUsage] = (),
) -> tuple[Capacity, ...]:
    """Of every flavor and resource that a team's quota or the pool is about, in their order by name.

    A node counts for the flavors whose labels it carries. The pool of idle compute promises nothing: it is what quotas
    leave over. Nor do queues of others, which may be about nodes that are none of HyperPod's; what they use is used.
    """
    promised: defaultdict[_Where, int] = defaultdict(int)
    used: defaultdict[_Where, int] = defaultdict(int)
    for queue in teams:
        for each in queue.resources:
            promised[each.flavor, each.resource] += each.guaranteed
            used[each.flavor, each.resource] += each.used
    for queue in pool:
        for each in queue.resources:
            promised[each.flavor, each.resource] += 0
            used[each.flavor, each.resource] += each.used
    for queue in others:
        for each in queue.resources:
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


def promises_too_much(rows: Iterable[Capacity]) -> bool:
    """Whether nodes lack accelerators that quotas promise, or vCPU of a kind of nodes that has no accelerators.

    Of nodes with accelerators vCPU is not judged: with one thread per core they have half of what a quota says.
    """
    listed = tuple(rows)
    with_accelerators = {each.flavor for each in listed if each.promised and is_accelerator(each.resource)}
    return any(
        each.above and (is_accelerator(each.resource) or each.flavor not in with_accelerators) for each in listed
    )


def _is_of(machine: Machine, kind: Kind) -> bool:
    return all(machine.labels.get(key) == value for key, value in kind.labels.items())


def _add(sums: defaultdict[_Where, int], flavor: str, amounts: Mapping[str, int]) -> None:
    for resource, amount in amounts.items():
        sums[flavor, resource] += amount


def _counting(resource: str, usable: int, allocatable: int, promised: int) -> int:
    """What a promise is compared with; see Capacity."""
    if is_accelerator(resource):
        return allocatable
    return usable if resource == "cpu" else promised
