"""What the service adds to a compute quota that did not say everything, and in which order it answers lists."""

import hashlib
from collections.abc import Sequence
from typing import Any, TypeVar

from governor.quota import Partition, QuotaEntry, fill_in
from local.hyperpod.hardware import hardware
from local.hyperpod.request import JsonObject

T = TypeVar("T")


def with_defaults(config: JsonObject) -> JsonObject:
    """A ComputeQuotaConfig as Describe shows it: defaults in place, every entry completed by its ratios."""
    sharing = config.get("ResourceSharingConfig", {"Strategy": "LendAndBorrow"})
    if sharing["Strategy"] == "LendAndBorrow":
        sharing = {"BorrowLimit": 50, **sharing}
    if "AbsoluteBorrowLimits" in sharing:
        sharing = {**sharing, "AbsoluteBorrowLimits": _completed(sharing["AbsoluteBorrowLimits"])}
    filled = {"PreemptTeamTasks": "LowerPriority", **config, "ResourceSharingConfig": sharing}
    if "ComputeQuotaResources" in config:
        filled["ComputeQuotaResources"] = _completed(config["ComputeQuotaResources"])
    return filled


def reordered(items: Sequence[T], seed: str) -> list[T]:
    """The items in an order that depends on the seed alone and is never the one given, where there are two."""

    def rank(number: int) -> bytes:
        return hashlib.sha256(f"{seed}/{number}".encode()).digest()

    ranks = sorted(range(len(items)), key=rank)
    if ranks == list(range(len(items))):
        ranks = ranks[1:] + ranks[:1]
    return [items[number] for number in ranks]


def _completed(entries: list[JsonObject]) -> list[JsonObject]:
    return [_complete(entry) for entry in entries]


def _complete(entry: JsonObject) -> JsonObject:
    """One entry with its ratio-based values; as it was for a type whose size is not known here."""
    instance = hardware().instances.get(entry["InstanceType"])
    if instance is None:
        return entry
    partition = entry.get("AcceleratorPartition")
    filled = fill_in(
        QuotaEntry(
            instance_type=entry["InstanceType"],
            count=entry.get("Count"),
            accelerators=entry.get("Accelerators"),
            v_cpu=entry.get("VCpu"),
            memory_in_gib=entry.get("MemoryInGiB"),
            partition=Partition(partition["Type"], partition["Count"]) if partition else None,
        ),
        instance,
    )
    values: dict[str, Any] = {
        "Accelerators": filled.accelerators,
        "VCpu": filled.v_cpu,
        "MemoryInGiB": filled.memory_in_gib,
    }
    return {**entry, **{name: value for name, value in values.items() if value is not None}}
