"""Kueue as a cluster serves it: is it there, does it answer, and in which versions."""

from typing import Any

from local.addon.connection import KubernetesError
from local.hyperpod.kubernetes import Reached
from local.hyperpod.kueue_objects import Apis

_GROUP = "/apis/kueue.x-k8s.io"
_DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clusterqueues.kueue.x-k8s.io"
_WEBHOOK = (
    "/apis/discovery.k8s.io/v1/namespaces/kueue-system/endpointslices"
    "?labelSelector=kubernetes.io/service-name=kueue-webhook-service"
)
_NODES = "/api/v1/nodes?labelSelector=sagemaker.amazonaws.com/cluster-name="


class NotReadyError(Exception):
    """The add-on is not there, or not all of it."""


def served(reached: Reached) -> Apis:
    """The versions to write in. Raises NotReadyError and KubernetesError."""
    if not _is_defined(reached):
        raise NotReadyError("The task governance add-on is not installed: Kueue's definitions are not there.")
    versions = [each["version"] for each in reached.connection.ask("GET", _GROUP)["versions"]]
    version = next((each for each in ("v1beta2", "v1beta1") if each in versions), None)
    if version is None:
        raise NotReadyError(f"The add-on serves Kueue as {', '.join(versions)} alone.")
    if reached.is_local and not _webhook_is_ready(reached):
        raise NotReadyError("The task governance add-on is not completely installed: Kueue's webhook is not ready.")
    alpha = "v1alpha1" in versions and "cohorts" not in _resources(reached, version)
    return Apis(version, "v1alpha1" if alpha else version)


def _is_defined(reached: Reached) -> bool:
    try:
        reached.connection.ask("GET", _DEFINITION)
    except KubernetesError as error:
        if error.status != 404:
            raise
        # A server that answers nothing but 404 says nothing about the add-on.
        reached.connection.ask("GET", "/api/v1/namespaces/kube-system")
        return False
    return True


def nodes(reached: Reached, cluster: str) -> dict[str, int] | None:
    """The nodes of a HyperPod cluster that take pods, by instance type; None where none is there at all."""
    found = reached.connection.ask("GET", f"{_NODES}{cluster}")["items"]
    if not found:
        return None
    counts: dict[str, int] = {}
    for node in found:
        instance_type = node["metadata"]["labels"].get("node.kubernetes.io/instance-type", "")
        counts[instance_type] = counts.get(instance_type, 0) + _takes_pods(node)
    return counts


def _takes_pods(node: dict[str, Any]) -> bool:
    health = node["metadata"]["labels"].get("sagemaker.amazonaws.com/node-health-status", "Schedulable")
    conditions = node.get("status", {}).get("conditions", ())
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not node.get("spec", {}).get("unschedulable") and health == "Schedulable"


def _webhook_is_ready(reached: Reached) -> bool:
    slices = reached.connection.ask("GET", _WEBHOOK)["items"]
    return any(endpoint["conditions"].get("ready") for each in slices for endpoint in each.get("endpoints") or ())


def _resources(reached: Reached, version: str) -> set[str]:
    return {each["name"] for each in reached.connection.ask("GET", f"{_GROUP}/{version}")["resources"]}
