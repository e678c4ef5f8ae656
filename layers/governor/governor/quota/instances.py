"""What one instance of a type has: accelerators, vCPUs, memory.

The bundled table covers the types that AWS's own HyperPod command line knows; AWS publishes no other. For
every other type somebody has to ask EC2, and where EC2 does not answer the type cannot be checked.
"""

import csv
import functools
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

import msgspec

Catalogue = Mapping[str, "Instance"]

_SINGLE_THREADED = frozenset({"ml.p6e-gb200.36xlarge"})
"""Types of the table whose processors have one thread per core to begin with (Arm)."""


class Instance(msgspec.Struct, frozen=True):
    """Nominal resources of one instance: memory in GiB, accelerators by their Kubernetes resource name."""

    instance_type: str
    accelerator_kind: str
    accelerators: int
    vcpus: int
    memory_gib: float
    threads_per_core: int = 2


@functools.cache
def bundled_instances() -> Catalogue:
    """The bundled table by instance type, read once."""
    text = resources.files(__package__).joinpath("instance_types.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return MappingProxyType(
        {
            row["instance_type"]: Instance(
                instance_type=row["instance_type"],
                accelerator_kind=row["accelerator_kind"],
                accelerators=int(row["accelerators"] or 0),
                vcpus=int(row["vcpus"]),
                memory_gib=float(row["memory_gib"]),
                threads_per_core=1 if row["instance_type"] in _SINGLE_THREADED else 2,
            )
            for row in rows
        }
    )
