"""One look at a cluster and its add-on: everything that can be seen, and why the rest cannot."""

from collections.abc import Callable
from typing import Protocol

from governor.addon.asking import Asking, attempt_to_find
from governor.addon.ports import Eks, KubernetesApis, KueueInstallation
from governor.addon.seen import EksCluster, Kubernetes, Missing, Seen, Unknown
from governor.errors import NotFoundError, TransientError
from governor.quota import Cluster

TimeLeft = Callable[[], float]
NO_EKS = Unknown("there is no EKS cluster to ask")


class Clusters(Protocol):
    """HyperPod clusters."""

    def describe(self, name: str) -> Cluster:
        """A cluster by name or ARN; NotFoundError."""
        ...


class Looker:
    """Looks; every error becomes part of what was seen."""

    def __init__(self, clusters: Clusters, eks: Eks, kubernetes: KubernetesApis) -> None:
        self._clusters, self._eks, self._kubernetes = clusters, eks, kubernetes

    def look(self, cluster: str, time_left: TimeLeft | None = None) -> Seen:
        """At a HyperPod cluster by name or ARN. Nothing more is asked once ``time_left`` has no seconds left."""
        return self.look_below(attempt_to_find(lambda: self._clusters.describe(cluster)), time_left)

    def look_below(self, cluster: Cluster | Missing | Unknown, time_left: TimeLeft | None = None) -> Seen:
        """At what is below a HyperPod cluster that was described already."""
        if not isinstance(cluster, Cluster) or not cluster.eks_name:
            nothing = Kubernetes(NO_EKS, NO_EKS, NO_EKS, NO_EKS)
            return Seen(cluster, NO_EKS, NO_EKS, NO_EKS, nothing)
        name = cluster.eks_name
        asking = Asking(time_left, hopeless=(TransientError,))
        eks = asking.ask(lambda: _found(lambda: self._eks.cluster(name)))
        if isinstance(eks, Missing):
            nothing = Kubernetes(NO_EKS, NO_EKS, NO_EKS, NO_EKS)
            return Seen(cluster, eks, NO_EKS, NO_EKS, nothing)
        addon = asking.ask(lambda: self._eks.addon(name))
        seen = Missing(f"the add-on is not installed on {name}") if addon is None else addon
        if isinstance(eks, Unknown):  # only EKS knows where Kubernetes is
            return Seen(cluster, eks, seen, eks, Kubernetes(eks, eks, eks, eks))
        offered = asking.ask(lambda: self._eks.offered(eks.version))
        return Seen(cluster, eks, seen, offered, self._look_inside(name, time_left))

    def inside(self, eks_cluster: str) -> KueueInstallation:
        """The cluster's own Kubernetes API."""
        return self._kubernetes.of(eks_cluster)

    def _look_inside(self, eks_cluster: str, time_left: TimeLeft | None) -> Kubernetes:
        asking = Asking(time_left)
        api = self._kubernetes.of(eks_cluster)
        return Kubernetes(
            controllers=asking.ask(api.controllers),
            webhook=asking.ask(api.webhook),
            crds=asking.ask(api.crds),
            nodes=asking.ask(api.nodes),
        )


def _found(look: Callable[[], EksCluster]) -> EksCluster | Missing:
    try:
        return look()
    except NotFoundError as error:
        return Missing(str(error))
