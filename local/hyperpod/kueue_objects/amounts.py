"""What quota entries come to in Kueue's resources, by flavor: in thousandths of a core, bytes and devices."""

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction

from governor.quota import QuotaEntry, exact, fill_in
from local.hyperpod.kueue_objects.conventions import Hardware

CPU, MEMORY, GPU = "cpu", "memory", "nvidia.com/gpu"
EFA = "vpc.amazonaws.com/efa"
_GIB = 2**30

Amounts = Mapping[str, int]
"""By resource."""


def by_flavor(entries: Iterable[QuotaEntry], hardware: Hardware) -> dict[str, dict[str, int]]:
    """The sum of the entries of each instance type, in the order in which the types come first."""
    sums: dict[str, dict[str, int]] = {}
    for entry in entries:
        flavor = sums.setdefault(entry.instance_type, {})
        for resource, amount in amounts_of(entry, hardware).items():
            flavor[resource] = flavor.get(resource, 0) + amount
    return sums


def amounts_of(entry: QuotaEntry, hardware: Hardware) -> Amounts:
    """One entry, completed as the service completes it where the instance type is known.

    MIG partitions are `nvidia.com/mig-<profile>`. EFA interfaces come in proportion, rounded down (assumed).
    """
    instance = hardware.instances.get(entry.instance_type)
    filled = entry if instance is None else fill_in(entry, instance)
    amounts = {
        CPU: math.ceil(exact(filled.v_cpu or 0) * 1000),
        MEMORY: math.ceil(exact(filled.memory_in_gib or 0) * _GIB),
    }
    if filled.accelerators:
        amounts[instance.accelerator_kind if instance and instance.accelerator_kind else GPU] = filled.accelerators
    if entry.partition is not None:
        amounts[f"nvidia.com/{entry.partition.type}"] = entry.partition.count
    interfaces = hardware.efa_interfaces.get(entry.instance_type, 0)
    if interfaces and instance is not None:
        share = exact(filled.v_cpu or 0) / instance.vcpus
        if entry.count is not None:
            share = Fraction(entry.count)
        elif filled.accelerators and instance.accelerators:
            share = Fraction(filled.accelerators, instance.accelerators)
        amounts[EFA] = math.floor(share * interfaces)
    return amounts
