"""Every instance type whose size is known here: the bundled table's, and those of the local EC2."""

import csv
import functools
from importlib import resources
from types import MappingProxyType

from governor import quota
from governor.quota import Instance, bundled_instances
from local.hyperpod.ec2 import EC2_ONLY
from local.hyperpod.kueue_objects import Hardware


@functools.cache
def hardware() -> Hardware:
    """Sizes and EFA interfaces, read once."""
    instances = {**bundled_instances(), **_of_ec2()}
    text = resources.files(quota).joinpath("instance_types.csv").read_text("utf-8")
    interfaces = {row["instance_type"]: int(row["efa_interfaces"] or 0) for row in csv.DictReader(text.splitlines())}
    return Hardware(MappingProxyType(instances), MappingProxyType(interfaces))


def _of_ec2() -> dict[str, Instance]:
    return {
        f"ml.{name}": Instance(
            instance_type=f"ml.{name}",
            accelerator_kind="nvidia.com/gpu" if size.gpus else "",
            accelerators=size.gpus,
            vcpus=size.vcpus,
            memory_gib=size.memory_gib,
        )
        for name, size in EC2_ONLY.items()
    }
