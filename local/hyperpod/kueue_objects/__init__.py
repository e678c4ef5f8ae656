"""The Kubernetes objects that follow from the compute quotas and the cluster policy of a HyperPod cluster. Pure."""

from local.hyperpod.kueue_objects.conventions import Apis, Conventions, Hardware
from local.hyperpod.kueue_objects.expected import Expected, Manifest, ObjectKey
from local.hyperpod.kueue_objects.governed import Governed, expected_objects
from local.hyperpod.kueue_objects.names import (
    IDLE_QUEUE,
    cluster_queue_of,
    local_queue_of,
    namespace_of,
    priority_class_of,
)
from local.hyperpod.kueue_objects.queues import NAMESPACE_LABELS

__all__ = [
    "IDLE_QUEUE",
    "NAMESPACE_LABELS",
    "Apis",
    "Conventions",
    "Expected",
    "Governed",
    "Hardware",
    "Manifest",
    "ObjectKey",
    "cluster_queue_of",
    "expected_objects",
    "local_queue_of",
    "namespace_of",
    "priority_class_of",
]
