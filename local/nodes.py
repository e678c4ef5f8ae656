"""HyperPod's instances as nodes of Kubernetes, with what they have and the labels that HyperPod gives them.

Documented are the labels for the cluster's name and a node's health, and the instance type. `ASSUMED_LABELS` are not,
and neither is what a node keeps for itself: cores as EKS's own images reserve them, which is what was seen of one real
cluster, and as much memory as those reserve for the most pods that a node takes.
"""

from collections.abc import Mapping
from typing import Any

from governor.aws.kueue import CLUSTER_NAME
from local.hyperpod.hardware import hardware

INSTANCE_TYPE = "node.kubernetes.io/instance-type"
HEALTH = "sagemaker.amazonaws.com/node-health-status"
DEEP_HEALTH = "sagemaker.amazonaws.com/deep-health-check-status"
GROUP = "sagemaker.amazonaws.com/instance-group-name"
ASSUMED_LABELS: Mapping[str, str] = {"sagemaker.amazonaws.com/compute-type": "hyperpod"}
"""Besides that of the instance group."""
MOST_PODS = 110
_RESERVED_MEMORY_MIB = 255 + 11 * MOST_PODS + 100


def nodes_of(cluster: str, groups: Mapping[str, int]) -> list[dict[str, Any]]:
    """The instances of a HyperPod cluster that has one instance group for each type."""
    return [
        node(
            f"hyperpod-{cluster}-{instance_type.removeprefix('ml.').replace('.', '-')}-{number}",
            cluster,
            instance_type,
            group=f"group-{place}",
        )
        for place, (instance_type, count) in enumerate(groups.items(), start=1)
        for number in range(1, count + 1)
    ]


def node(name: str, cluster: str, instance_type: str, *, group: str = "group-1", ready: bool = True) -> dict[str, Any]:
    """One that takes pods, unless it is not `ready`. A type whose size is not known has no capacity."""
    labels = {
        CLUSTER_NAME: cluster,
        INSTANCE_TYPE: instance_type,
        HEALTH: "Schedulable",
        DEEP_HEALTH: "Passed",
        GROUP: group,
        **ASSUMED_LABELS,
    }
    condition = {"type": "Ready", "status": "True" if ready else "False", "reason": "KubeletReady" if ready else "Lost"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"conditions": [condition], **_resources(instance_type)},
    }


def _resources(instance_type: str) -> dict[str, dict[str, str]]:
    known = hardware()
    instance = known.instances.get(instance_type)
    if instance is None:
        return {}
    counted = {"pods": str(MOST_PODS)}
    if instance.accelerators:
        counted[instance.accelerator_kind] = str(instance.accelerators)
    interfaces = known.efa_interfaces.get(instance_type, 0)
    if interfaces:
        counted["vpc.amazonaws.com/efa"] = str(interfaces)
    memory = int(instance.memory_gib * 1024)
    return {
        "capacity": {"cpu": str(instance.vcpus), "memory": f"{memory}Mi", **counted},
        "allocatable": {
            "cpu": f"{instance.vcpus * 1000 - _reserved_cpu(instance.vcpus)}m",
            "memory": f"{memory - _RESERVED_MEMORY_MIB}Mi",
            **counted,
        },
    }


def _reserved_cpu(cores: int) -> int:
    """In thousandths: 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of all others."""
    return sum(60 if core == 0 else 10 if core == 1 else 5 for core in range(min(cores, 4))) + (
        max(0, cores - 4) * 5 // 2
    )
