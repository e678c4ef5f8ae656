"""Kueue as it is installed in a cluster, read from the cluster's own Kubernetes API."""

from collections.abc import Callable

from governor.addon.preflight import NAMESPACE
from governor.addon.seen import Controller, Crd, Node
from governor.aws.kubernetes import Clusters, Kubernetes
from governor.aws.kubernetes import resources as kinds
from governor.errors import NotFoundError, NotInstalledError

CONTROLLER = "kueue-controller-manager"
WEBHOOK = "kueue-webhook-service"
CLUSTER_NAME = "sagemaker.amazonaws.com/cluster-name"
"""The label of nodes that are instances of a HyperPod cluster (facts 3)."""
DEFINITIONS_AT_ONCE = 25
"""A definition with its schema may have a megabyte, and several clusters are looked at side by side."""
MOST_NODES, MOST_DEFINITIONS, MOST_DEPLOYMENTS, MOST_SLICES = 20_000, 5_000, 1_000, 1_000
"""More than a cluster has: what is beyond is no answer of a real one."""


class Installation:
    """Kueue in one cluster. ``connect`` is called with the first read."""

    def __init__(self, connect: Callable[[], Kubernetes]) -> None:
        self._connect = connect

    def controllers(self) -> tuple[Controller, ...]:
        """The deployments ``kueue-controller-manager`` of all namespaces."""
        found = self._connect().pages(kinds.DEPLOYMENTS, fields=f"metadata.name={CONTROLLER}", at_most=MOST_DEPLOYMENTS)
        return tuple(_controller(each) for each in found if each.metadata.name == CONTROLLER)

    def controller(self) -> Controller | None:
        """The one in ``kueue-system``."""
        kubernetes = self._connect()  # an EKS cluster that is gone is something else than a controller that is
        try:
            return _controller(kubernetes.get(kinds.DEPLOYMENTS, CONTROLLER, NAMESPACE))
        except NotInstalledError:
            raise
        except NotFoundError:
            return None

    def webhook(self) -> int:
        """How many endpoints of ``kueue-webhook-service`` are ready."""
        slices = self._connect().pages(
            kinds.ENDPOINT_SLICES, NAMESPACE, f"kubernetes.io/service-name={WEBHOOK}", at_most=MOST_SLICES
        )
        return sum(endpoint.is_ready for each in slices for endpoint in each.endpoints)

    def crds(self) -> tuple[Crd, ...]:
        """The definitions of group ``kueue.x-k8s.io``."""
        found = self._connect().pages(
            kinds.CUSTOM_RESOURCE_DEFINITIONS, at_most=MOST_DEFINITIONS, limit=DEFINITIONS_AT_ONCE
        )
        return tuple(
            Crd(each.metadata.name, each.status.stored_versions) for each in found if each.spec.group == kinds.KUEUE
        )

    def nodes(self) -> tuple[Node, ...]:
        """All nodes."""
        return tuple(_node(each) for each in self._connect().pages(kinds.NODES, at_most=MOST_NODES))


class Installations:
    """Kueue in the clusters of an account and Region."""

    def __init__(self, clusters: Callable[[], Clusters]) -> None:
        self._clusters = clusters

    def of(self, eks_cluster: str) -> Installation:
        """That of one cluster; nothing is connected before it is used."""
        return Installation(lambda: self._clusters().connect(eks_cluster))


def _controller(found: kinds.Deployment) -> Controller:
    status, wanted = found.status, found.spec.replicas
    available = kinds.condition(status.conditions, "Available")
    current = status.observed_generation >= found.metadata.generation
    # As 'kubectl rollout status' sees it: the newest form of the deployment is out, and as many as wanted are there.
    ready = (
        current
        and wanted > 0
        and status.updated_replicas >= wanted
        and status.available_replicas >= wanted
        and (available is None or available.status == "True")
    )
    reason = ""
    if not ready and available is not None and available.status != "True":
        reason = ": ".join(part for part in (available.reason, available.message) if part)
    elif not ready:
        reason = "scaled to 0" if wanted == 0 else "its newest form is not out yet"
    return Controller(
        found.metadata.namespace, ready, wanted, status.available_replicas, ", ".join(found.images), reason
    )


def is_ready(node: kinds.Node) -> bool:
    """Whether its kubelet says that it takes pods."""
    ready = kinds.condition(node.status.conditions, "Ready")
    return ready is not None and ready.status == "True"


def is_hyperpod(node: kinds.Node) -> bool:
    """Whether it is an instance of a HyperPod cluster."""
    return CLUSTER_NAME in node.metadata.labels


def _node(found: kinds.Node) -> Node:
    ready = kinds.condition(found.status.conditions, "Ready")
    return Node(
        name=found.metadata.name,
        ready=is_ready(found),
        hyperpod=is_hyperpod(found),
        reason="" if is_ready(found) else "not yet heard of" if ready is None else ready.reason,
    )
