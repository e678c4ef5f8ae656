"""Exact amounts per instance type and resource, so that sums over teams can be compared without rounding."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Literal

from governor.quota.entry import QuotaEntry
from governor.quota.fill_in import SLICES_PER_GPU, fill_in
from governor.quota.instances import Instance

Resource = Literal["accelerators", "vCPU", "memoryInGiB", "instances"]
Dimension = tuple[str, Resource]
Amounts = Mapping[Dimension, Fraction]


def exact(value: float) -> Fraction:
    """The decimal number a person wrote or an API sent, not its binary neighbour."""
    return Fraction(int(value)) if value == int(value) else Fraction(repr(value))


def amounts_of(entry: QuotaEntry, instance: Instance | None) -> Amounts:
    """What an entry amounts to, by (instance type, resource).

    MIG partitions count as the share of a GPU that their slices take. When nobody knows the instance type
    (``instance`` is None) only what the entry itself says is counted, whole instances as such.
    """
    if instance is None:
        known: dict[Resource, Fraction | None] = {
            "instances": None if entry.count is None else Fraction(entry.count),
            "accelerators": None if entry.accelerators is None else Fraction(entry.accelerators),
            "vCPU": None if entry.v_cpu is None else exact(entry.v_cpu),
            "memoryInGiB": None if entry.memory_in_gib is None else exact(entry.memory_in_gib),
        }
    else:
        filled = fill_in(entry, instance)
        known = {
            "accelerators": Fraction(filled.accelerators or 0) + _gpus_of_partition(entry),
            "vCPU": exact(filled.v_cpu or 0),
            "memoryInGiB": exact(filled.memory_in_gib or 0),
        }
    return {(entry.instance_type, resource): value for resource, value in known.items() if value}


def _gpus_of_partition(entry: QuotaEntry) -> Fraction:
    if entry.partition is None:
        return Fraction(0)
    return Fraction(entry.partition.count * entry.partition.slices, SLICES_PER_GPU)


def add(left: Amounts, right: Amounts, sign: int = 1) -> dict[Dimension, Fraction]:
    """left + sign × right, without the dimensions that come out as nothing."""
    sums = dict(left)
    for dimension, value in right.items():
        sums[dimension] = sums.get(dimension, Fraction(0)) + sign * value
    return {dimension: value for dimension, value in sums.items() if value}


def total(parts: Iterable[Amounts]) -> dict[Dimension, Fraction]:
    """The sum of many amounts."""
    sums: dict[Dimension, Fraction] = {}
    for part in parts:
        for dimension, value in part.items():
            sums[dimension] = sums.get(dimension, Fraction(0)) + value
    return sums
