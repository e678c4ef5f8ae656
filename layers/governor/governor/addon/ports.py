"""What looking at an add-on, and changing it, needs from the world."""

from collections.abc import Mapping
from typing import Literal, Protocol

from governor.addon.seen import Addon, Controller, Crd, EksCluster, Node, Offered

ResolveConflicts = Literal["NONE", "OVERWRITE", "PRESERVE"]


class Eks(Protocol):
    """EKS. All methods raise the package's errors."""

    def cluster(self, name: str) -> EksCluster:
        """A cluster; NotFoundError."""
        ...

    def addon(self, cluster: str) -> Addon | None:
        """The task governance add-on; None where it is not installed."""
        ...

    def offered(self, kubernetes_version: str) -> tuple[Offered, ...]:
        """The versions of the add-on for a Kubernetes version, the newest first."""
        ...

    def create(self, cluster: str, version: str, resolve: ResolveConflicts, tags: Mapping[str, str]) -> None:
        """Start the installation; ConflictError where it is installed already."""
        ...

    def update(self, cluster: str, version: str, resolve: ResolveConflicts) -> None:
        """Start an update; ConflictError where another change is under way."""
        ...


class KueueInstallation(Protocol):
    """A cluster's own Kubernetes API. All methods raise the package's errors."""

    def controllers(self) -> tuple[Controller, ...]:
        """The deployments ``kueue-controller-manager`` of all namespaces."""
        ...

    def controller(self) -> Controller | None:
        """The one in ``kueue-system``."""
        ...

    def webhook(self) -> int:
        """How many endpoints of ``kueue-webhook-service`` are ready."""
        ...

    def crds(self) -> tuple[Crd, ...]:
        """The definitions of group ``kueue.x-k8s.io``."""
        ...

    def nodes(self) -> tuple[Node, ...]:
        """All nodes."""
        ...


class KubernetesApis(Protocol):
    """The Kubernetes APIs of EKS clusters."""

    def of(self, eks_cluster: str) -> KueueInstallation:
        """That of one; nothing is connected before it is used."""
        ...
