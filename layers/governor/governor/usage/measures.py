"""Which resources are accelerators, and by which of them a team is measured.

Resource names: facts 1f for NVIDIA, Neuron and MIG.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from governor.usage.model import QueueUsage, ResourceUsage

Measure = Literal["Accelerators", "AcceleratorPartitions", "VCpus"]
DEVICES = frozenset({"nvidia.com/gpu", "amd.com/gpu"})
NEURON = ("aws.amazon.com/neurondevice", "aws.amazon.com/neuron", "aws.amazon.com/neuroncore")
"""Three counts of the same devices: the first that there is anything of is the one that counts."""
MIG = "nvidia.com/mig-"
PER_VCPU = 1000


def measure_of(resource: str) -> Measure | None:
    """What a resource is a measure of; None for memory and network interfaces."""
    if resource in DEVICES or resource in NEURON:
        return "Accelerators"
    if resource.startswith(MIG):
        return "AcceleratorPartitions"
    return "VCpus" if resource == "cpu" else None


def is_accelerator(resource: str) -> bool:
    """Whether it is a device, or a part of one."""
    return measure_of(resource) in ("Accelerators", "AcceleratorPartitions")


def counted(resources: Iterable[ResourceUsage]) -> Mapping[str, Measure]:
    """Of each resource what it counts as; those that count as nothing, or are counted already, are not in it."""
    names = {each.resource: False for each in resources}
    for each in resources:
        if each.guaranteed or each.used:
            names[each.resource] = True
    neuron = next((name for name in NEURON if names.get(name)), NEURON[0])
    return {
        name: measure
        for name in names
        if (measure := measure_of(name)) is not None and (name not in NEURON or name == neuron)
    }


class Sum:
    """Of one measure over all flavors: devices, partitions, or thousandths of a vCPU."""

    __slots__ = ("borrowed", "guaranteed", "headroom", "idle", "lent", "measure", "over_quota", "used")

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self.guaranteed = self.used = self.borrowed = self.over_quota = self.lent = self.headroom = self.idle = 0

    def add(self, each: ResourceUsage) -> None:
        """One more flavor or resource."""
        self.guaranteed += each.guaranteed
        self.used += each.used
        self.borrowed += each.borrowed
        self.over_quota += each.over_quota
        self.lent += each.lent
        self.headroom += each.headroom
        self.idle += each.idle

    @property
    def is_nothing(self) -> bool:
        """Nothing guaranteed and nothing used."""
        return not self.guaranteed and not self.used

    def borrows_percent(self) -> float:
        """What is borrowed in percent of what is guaranteed; where nothing is guaranteed, anything borrowed is 100."""
        if not self.borrowed:
            return 0.0
        return 100.0 * self.borrowed / self.guaranteed if self.guaranteed else 100.0

    def borrows_at_least(self, percent: int) -> bool:
        """Exactly, without rounding."""
        if not self.borrowed:
            return False
        return 100 * self.borrowed >= percent * self.guaranteed if self.guaranteed else percent <= 100


def sums(resources: Iterable[ResourceUsage]) -> dict[Measure, Sum]:
    """All three measures, those with nothing as well."""
    listed = tuple(resources)
    kinds = counted(listed)
    found: dict[Measure, Sum] = {each: Sum(each) for each in get_args(Measure)}
    for each in listed:
        measure = kinds.get(each.resource)
        if measure is not None:
            found[measure].add(each)
    return found


def governing(queue: QueueUsage) -> Sum:
    """What a team is shown by: its accelerators, else its partitions of them, else its vCPU.

    That of the first that it is guaranteed; if it is guaranteed none, accelerators where its queue knows any. So it
    changes with the quota, and not with what runs: every change would make metrics under other names.
    """
    found = sums(queue.resources)
    for each in found.values():
        if each.guaranteed:
            return each
    knows_any = any(measure_of(each.resource) == "Accelerators" for each in queue.resources)
    return found["Accelerators" if knows_any else "VCpus"]


def governing_resources(queue: QueueUsage) -> tuple[ResourceUsage, ...]:
    """The resources of which ``governing`` is the sum."""
    kinds, measure = counted(queue.resources), governing(queue).measure
    return tuple(each for each in queue.resources if kinds.get(each.resource) == measure)


def borrowing(queue: QueueUsage) -> Sum:
    """What a team's borrowing is judged by: the accelerators or partitions that it borrows the largest part of.

    vCPU counts for a team that neither has nor uses accelerators or partitions.
    """
    found = sums(queue.resources)
    devices = [found[each] for each in ("Accelerators", "AcceleratorPartitions") if not found[each].is_nothing]
    if not devices:
        return found["VCpus"]
    return max(devices, key=Sum.borrows_percent)
