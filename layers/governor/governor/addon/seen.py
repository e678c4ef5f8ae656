"""What was seen of a cluster and its add-on; what could not be seen says why."""

import msgspec

from governor.quota import Cluster


class Unknown(msgspec.Struct, frozen=True):
    """Could not look: why, and what would let us."""

    reason: str
    remedy: str = ""


class Missing(msgspec.Struct, frozen=True):
    """Looked, and it is not there."""

    reason: str


class EksCluster(msgspec.Struct, frozen=True):
    """An EKS cluster. ``version`` is that of Kubernetes, "1.33"."""

    name: str
    arn: str
    status: str
    version: str
    authentication_mode: str


class Issue(msgspec.Struct, frozen=True, omit_defaults=True):
    """A health issue of the add-on, or an error of its last update."""

    code: str
    message: str
    resources: tuple[str, ...] = ()


class Addon(msgspec.Struct, frozen=True):
    """The add-on as EKS knows it. ``errors`` are those of the last update, where that failed."""

    version: str
    status: str
    issues: tuple[Issue, ...] = ()
    errors: tuple[Issue, ...] = ()


class Offered(msgspec.Struct, frozen=True):
    """A version that EKS offers for a Kubernetes version."""

    version: str
    default: bool = False


class Controller(msgspec.Struct, frozen=True):
    """A deployment ``kueue-controller-manager``. ``ready``: available as the deployment was last changed."""

    namespace: str
    ready: bool
    desired: int
    available: int
    image: str = ""
    reason: str = ""


class Crd(msgspec.Struct, frozen=True):
    """A custom resource definition of Kueue, and the versions that its objects may be stored in."""

    name: str
    stored: tuple[str, ...]


class Node(msgspec.Struct, frozen=True):
    """A node of Kubernetes. ``hyperpod``: an instance of the HyperPod cluster."""

    name: str
    ready: bool
    hyperpod: bool
    reason: str = ""


class Kubernetes(msgspec.Struct, frozen=True):
    """What its own API says. ``webhook`` counts the endpoints that answer for Kueue's webhooks."""

    controllers: tuple[Controller, ...] | Unknown
    webhook: int | Unknown
    crds: tuple[Crd, ...] | Unknown
    nodes: tuple[Node, ...] | Unknown


class Seen(msgspec.Struct, frozen=True):
    """One look. ``eks`` and what follows are Unknown where there is no EKS cluster to ask about."""

    cluster: Cluster | Missing | Unknown
    eks: EksCluster | Missing | Unknown
    addon: Addon | Missing | Unknown
    offered: tuple[Offered, ...] | Unknown
    kubernetes: Kubernetes

    @property
    def default_version(self) -> str:
        """The version that EKS installs by default on this Kubernetes version; "" where that is not known."""
        offered = () if isinstance(self.offered, Unknown) else self.offered
        return next((each.version for each in offered if each.default), "")
