"""The service's fill-in: the values it adds to a quota entry that did not give them all."""

import math

import msgspec

from governor.quota.entry import QuotaEntry
from governor.quota.instances import Instance

SLICES_PER_GPU = 7


def fill_in(entry: QuotaEntry, instance: Instance) -> QuotaEntry:
    """The entry with vCPU, memory and accelerators as the service completes them.

    Rules (AWS, "Create policies", compute allocations; facts 1d): instances count as a whole; accelerators
    or MIG partitions alone bring vCPU and memory in proportion; vCPU alone brings memory and no
    accelerator; memory alone brings vCPU and no accelerator. A value that was given is kept. Where a MIG
    ratio gives no whole number it is rounded down, as AWS's HyperPod command line does; combinations the
    documentation leaves open follow the first rule that applies, in the order above.
    """
    vcpus, memory = entry.v_cpu, entry.memory_in_gib
    if entry.count is not None:
        default_vcpus = float(entry.count * instance.vcpus)
        default_memory = entry.count * instance.memory_gib
        accelerators = entry.count * instance.accelerators
    elif entry.partition is not None:
        gpus = instance.accelerators * SLICES_PER_GPU
        share = entry.partition.count * entry.partition.slices / gpus if gpus else 0.0
        if entry.accelerators and instance.accelerators:
            share += entry.accelerators / instance.accelerators
        default_vcpus = float(math.floor(share * instance.vcpus))
        default_memory = float(math.floor(share * instance.memory_gib))
        accelerators = 0
    elif entry.accelerators:
        share = entry.accelerators / instance.accelerators if instance.accelerators else 0.0
        default_vcpus, default_memory = share * instance.vcpus, share * instance.memory_gib
        accelerators = 0
    else:
        default_vcpus = (memory or 0) / instance.memory_gib * instance.vcpus
        default_memory = (vcpus or 0) / instance.vcpus * instance.memory_gib
        accelerators = 0
    return msgspec.structs.replace(
        entry,
        v_cpu=default_vcpus if vcpus is None else vcpus,
        memory_in_gib=default_memory if memory is None else memory,
        accelerators=accelerators if entry.accelerators is None else entry.accelerators,
    )
