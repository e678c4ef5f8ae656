"""Which resources are accelerators, and by which one a team is measured.

Resource names: facts 1f for NVIDIA, Neuron and MIG; ``neuroncore`` is another count of the same devices, and is left
out where devices are counted.
"""

from collections.abc import Iterable
from typing import Literal

from governor.usage.model import QueueUsage, ResourceUsage

Measure = Literal["Accelerators", "AcceleratorPartitions", "VCpus"]
DEVICES = frozenset({"nvidia.com/gpu", "amd.com/gpu", "aws.amazon.com/neurondevice", "aws.amazon.com/neuron"})
CORES = "aws.amazon.com/neuroncore"
MIG = "nvidia.com/mig-"
PER_VCPU = 1000


def measure_of(resource: str) -> Measure | None:
    """What a resource is counted under; None for memory, network interfaces, and what is counted already."""
    if resource in DEVICES:
        return "Accelerators"
    if resource.startswith(MIG):
        return "AcceleratorPartitions"
    return "VCpus" if resource == "cpu" else None


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
    found: dict[Measure, Sum] = {
        "Accelerators": Sum("Accelerators"),
        "AcceleratorPartitions": Sum("AcceleratorPartitions"),
        "VCpus": Sum("VCpus"),
    }
    cores = Sum("Accelerators")
    devices = False
    for each in resources:
        measure = measure_of(each.resource)
        if measure is not None:
            found[measure].add(each)
            devices = devices or each.resource.startswith("aws.amazon.com/")
        elif each.resource == CORES:
            cores.add(each)
    if not devices and not cores.is_nothing:
        return {**found, "Accelerators": _added(found["Accelerators"], cores)}
    return found


def governing(queue: QueueUsage) -> Sum:
    """What a team is measured by: its accelerators, else its partitions of them, else its vCPU.

    That of the first that it is guaranteed; of nothing guaranteed, of the first that it uses.
    """
    found = sums(queue.resources)
    for each in found.values():
        if each.guaranteed:
            return each
    return next((each for each in found.values() if each.used), found["VCpus"])


def _added(one: Sum, other: Sum) -> Sum:
    total = Sum(one.measure)
    for name in ("guaranteed", "used", "borrowed", "over_quota", "lent", "headroom", "idle"):
        setattr(total, name, getattr(one, name) + getattr(other, name))
    return total
