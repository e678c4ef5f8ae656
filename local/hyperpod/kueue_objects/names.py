"""What the service calls its Kubernetes objects (user guide, "HyperPod CLI"; facts 1f)."""

from governor.policy.names import NAMESPACE_PREFIX

IDLE_QUEUE = f"{NAMESPACE_PREFIX}idle-resource-sharing-cq"
"""ClusterQueues of the unallocated compute are called this, `-` and a number from 1 (user guide, "Policies")."""


def namespace_of(team: str) -> str:
    return f"{NAMESPACE_PREFIX}{team}"


def local_queue_of(team: str) -> str:
    return f"{namespace_of(team)}-localqueue"


def cluster_queue_of(team: str) -> str:
    return f"{namespace_of(team)}-clusterqueue"


def priority_class_of(name: str) -> str:
    """The WorkloadPriorityClass of a priority class of the cluster policy."""
    return f"{name}-priority"
