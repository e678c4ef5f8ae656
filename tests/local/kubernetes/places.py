"""Resources that tests write to, and the short way of making and naming objects."""

from typing import Any

from local.kubernetes.listing import EVERYTHING, ListOptions
from local.kubernetes.objects import Objects
from local.kubernetes.resources import GroupVersionResource

QUEUES = GroupVersionResource("kueue.x-k8s.io", "v1beta2", "clusterqueues")
OLD_QUEUES = GroupVersionResource("kueue.x-k8s.io", "v1beta1", "clusterqueues")
LOCAL_QUEUES = GroupVersionResource("kueue.x-k8s.io", "v1beta2", "localqueues")
CRDS = GroupVersionResource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
NAMESPACES = GroupVersionResource("", "v1", "namespaces")
CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
NODES = GroupVersionResource("", "v1", "nodes")
PODS = GroupVersionResource("", "v1", "pods")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")
HELD = "example.com/held"
"""A finalizer."""


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, **more}


def names(objects: Objects, place: GroupVersionResource, options: ListOptions = EVERYTHING) -> list[str]:
    return [item["metadata"]["name"] for item in objects.list(place, options).items]
