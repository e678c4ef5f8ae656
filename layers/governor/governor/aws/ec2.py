"""Instance types that the bundled table lacks, asked of EC2."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from governor.aws.failures import mapped
from governor.errors import GovernorError
from governor.quota import Instance

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

BATCH = 100
"""The most instance types that one DescribeInstanceTypes call takes by name."""


class InstanceTypes:
    """What EC2 knows of instance types."""

    def __init__(self, client: Callable[[], "EC2Client"]) -> None:
        self._client = client  # made only if there is something to ask

    def describe(self, types: Iterable[str]) -> dict[str, Instance]:
        """The types that EC2 answers for, by HyperPod's name (``ml.…``); the others are left out.

        A type that EC2 does not offer makes the whole call fail, so each is then asked alone. Not being
        allowed to ask is no error: the caller says that the types cannot be checked.
        """
        wanted = sorted(set(types))
        found: dict[str, Instance] = {}
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            try:
                found.update(self._ask(batch))
            except GovernorError:
                for each in batch if len(batch) > 1 else ():
                    try:
                        found.update(self._ask([each]))
                    except GovernorError:
                        continue
        return found

    def _ask(self, types: list[str]) -> dict[str, Instance]:
        with mapped("DescribeInstanceTypes"):
            answer = self._client().describe_instance_types(
                InstanceTypes=[each.removeprefix("ml.") for each in types]  # type: ignore[misc]
            )
        return {instance.instance_type: instance for instance in map(_instance, answer["InstanceTypes"])}


def _instance(item: Mapping[str, Any]) -> Instance:
    gpus = sum(gpu.get("Count", 0) for gpu in item.get("GpuInfo", {}).get("Gpus", ()))
    neurons = sum(device.get("Count", 0) for device in item.get("NeuronInfo", {}).get("NeuronDevices", ()))
    kind = "nvidia.com/gpu" if gpus else "aws.amazon.com/neurondevice" if neurons else ""
    vcpus = item["VCpuInfo"]
    return Instance(
        instance_type=f"ml.{item['InstanceType']}",
        accelerator_kind=kind,
        accelerators=gpus or neurons,
        vcpus=vcpus["DefaultVCpus"],
        memory_gib=item["MemoryInfo"]["SizeInMiB"] / 1024,
        threads_per_core=vcpus.get("DefaultThreadsPerCore", 2),
    )
