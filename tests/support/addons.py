"""An EKS and a Kubernetes in memory: what tests of the add-on begin with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from governor.addon.ports import ResolveConflicts
from governor.addon.seen import Addon, Controller, Crd, EksCluster, Issue, Node, Offered
from governor.errors import ConflictError, GovernorError, NotFoundError

NEWEST, DEFAULT, OLD, OLDEST = "v1.6.1-eksbuild.2", "v1.6.1-eksbuild.1", "v1.5.0-eksbuild.1", "v1.3.2-eksbuild.1"
VERSIONS = (NEWEST, DEFAULT, "v1.6.0-eksbuild.1", OLD, "v1.4.0-eksbuild.1", OLDEST)
READY = Controller("kueue-system", ready=True, desired=1, available=1, image="kueue:v0.19.2")
STARTING = Controller("kueue-system", ready=False, desired=1, available=0, image="kueue:v0.19.2", reason="starting")


INSTALLED = Addon(DEFAULT, "ACTIVE")


def crds(*stored: str) -> tuple[Crd, ...]:
    """Two definitions of Kueue, stored in these versions."""
    return tuple(Crd(f"{name}.kueue.x-k8s.io", stored) for name in ("clusterqueues", "cohorts"))


STORED_NOW = crds("v1beta2")


@dataclass
class FakeKubernetes:
    """A cluster's own API. A member that is an error is raised by every read of it."""

    controllers_: tuple[Controller, ...] | GovernorError = (READY,)
    webhook_: int | GovernorError = 1
    crds_: tuple[Crd, ...] | GovernorError = STORED_NOW
    nodes_: tuple[Node, ...] | GovernorError = (Node("n1", ready=True, hyperpod=True),)
    starting: int = 0
    """How often a controller that is there is seen before it is ready."""
    asked: list[str] = field(default_factory=list)

    def controllers(self) -> tuple[Controller, ...]:
        self.asked.append("controllers")
        if isinstance(self.controllers_, GovernorError):
            raise self.controllers_
        if self.controllers_ == (READY,) and self.starting:
            self.starting -= 1
            return (STARTING,)
        return self.controllers_

    def controller(self) -> Controller | None:
        return next((each for each in self.controllers() if each.namespace == "kueue-system"), None)

    def webhook(self) -> int:
        self.asked.append("webhook")
        if isinstance(self.webhook_, GovernorError):
            raise self.webhook_
        return self.webhook_

    def crds(self) -> tuple[Crd, ...]:
        self.asked.append("crds")
        if isinstance(self.crds_, GovernorError):
            raise self.crds_
        return self.crds_

    def nodes(self) -> tuple[Node, ...]:
        self.asked.append("nodes")
        if isinstance(self.nodes_, GovernorError):
            raise self.nodes_
        return self.nodes_

    def of(self, eks_cluster: str) -> "FakeKubernetes":
        return self

    def fail(self, error: GovernorError) -> None:
        """Every read ends so."""
        self.controllers_ = self.webhook_ = self.crds_ = self.nodes_ = error

    def without_kueue(self) -> None:
        """A fresh cluster."""
        self.controllers_, self.webhook_, self.crds_ = (), 0, ()


@dataclass
class FakeEks:
    """EKS with one cluster, which is there whatever its name.

    ``looks`` more looks, and an installation or an update that goes on ends in ``ends_in``.
    """

    kubernetes: FakeKubernetes = field(default_factory=FakeKubernetes)
    installed: Addon | None = INSTALLED
    status: str = "ACTIVE"
    version: str = "1.33"
    mode: str = "API_AND_CONFIG_MAP"
    versions: tuple[Offered, ...] | GovernorError = tuple(Offered(each, each == DEFAULT) for each in VERSIONS)
    looks: int = 1
    ends_in: str = "ACTIVE"
    issues: tuple[Issue, ...] = ()
    exists: bool = True
    error: GovernorError | None = None
    refusal: GovernorError | None = None
    writes: list[tuple[str, ...]] = field(default_factory=list)
    tags: Mapping[str, str] = field(default_factory=dict)
    left: int = 0

    def cluster(self, name: str) -> EksCluster:
        if not self.exists:
            raise NotFoundError(f"no EKS cluster {name}")
        return EksCluster(name, f"arn:aws:eks:us-west-2:1:cluster/{name}", self.status, self.version, self.mode)

    def addon(self, cluster: str) -> Addon | None:
        if self.error is not None:
            raise self.error
        if self.installed is not None and self.installed.status in ("CREATING", "UPDATING"):
            if self.left:
                self.left -= 1
            else:
                self._end(self.installed)
        return self.installed

    def _end(self, addon: Addon) -> None:
        self.installed = Addon(addon.version, self.ends_in, self.issues)
        if self.ends_in == "ACTIVE":
            self.kubernetes.controllers_, self.kubernetes.webhook_ = (READY,), 1
            self.kubernetes.crds_ = STORED_NOW

    def offered(self, kubernetes_version: str) -> tuple[Offered, ...]:
        if isinstance(self.versions, GovernorError):
            raise self.versions
        return self.versions

    def create(self, cluster: str, version: str, resolve: ResolveConflicts, tags: Mapping[str, str]) -> None:
        self._write("create", cluster, version, resolve)
        if self.installed is not None:
            raise ConflictError("it is there")
        self.tags = tags
        self.installed, self.left = Addon(version, "CREATING"), self.looks

    def update(self, cluster: str, version: str, resolve: ResolveConflicts) -> None:
        self._write("update", cluster, version, resolve)
        self.installed, self.left = Addon(version, "UPDATING"), self.looks

    def _write(self, *what: str) -> None:
        self.writes.append(what)
        if self.refusal is not None:
            raise self.refusal
