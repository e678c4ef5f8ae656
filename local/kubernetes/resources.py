"""What kinds of objects there are: the built-in resources, in one table, and what custom ones have in common."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from local.kubernetes.errors import GroupResource

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
STATUS_VERBS = ("get", "patch", "update")


@dataclass(frozen=True, slots=True)
class GroupVersionResource:
    """A resource in a version of its group, which is how requests and callers name it."""

    group: str
    version: str
    plural: str

    @property
    def api_version(self) -> str:
        return api_version(self.group, self.version)

    @property
    def resource(self) -> GroupResource:
        return GroupResource(self.group, self.plural)


def api_version(group: str, version: str) -> str:
    """`v1` of the core group, `apps/v1` of every other."""
    return f"{group}/{version}" if group else version


@dataclass(frozen=True, slots=True)
class Resource:
    """`versions` are those served, `storage` is the one objects are kept in, `with_status` those with /status."""

    group: str
    plural: str
    kind: str
    singular: str = ""
    namespaced: bool = False
    versions: tuple[str, ...] = ("v1",)
    storage: str = "v1"
    with_status: frozenset[str] = frozenset()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = VERBS
    custom: bool = False
    counts_generation: bool = False
    unconditional_update: bool = True
    """Whether a replacement may come without a resourceVersion."""
    path_names: bool = False
    """Whether names may hold what a path segment may, such as colons."""
    lists_are_whole: bool = False
    """Whether its lists have no keys to merge by, so that a strategic merge patch is a plain one."""
    selectable: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Field selectors beside metadata.name and metadata.namespace: where each points to."""
    status_at_creation: bool = False
    """Whether an object is created together with its status, as kubelets create nodes."""
    stored: bool = True
    """False where an answer is made of the request and nothing is kept."""

    @property
    def key(self) -> GroupResource:
        return GroupResource(self.group, self.plural)

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"

    @property
    def storage_api_version(self) -> str:
        return api_version(self.group, self.storage)


_STATUS = frozenset({"v1"})
_RBAC = "rbac.authorization.k8s.io"
_OF_PODS = {"spec.nodeName": ("spec", "nodeName"), "status.phase": ("status", "phase")}
_OF_EVENTS = {
    **{f"involvedObject.{name}": ("involvedObject", name) for name in ("kind", "namespace", "name", "uid")},
    "reason": ("reason",),
    "type": ("type",),
}

_BUILT_IN = (
    Resource(
        "",
        "namespaces",
        "Namespace",
        with_status=_STATUS,
        short_names=("ns",),
        verbs=tuple(verb for verb in VERBS if verb != "deletecollection"),
        lists_are_whole=True,
    ),
    Resource("", "nodes", "Node", with_status=_STATUS, short_names=("no",), status_at_creation=True),
    Resource(
        "",
        "pods",
        "Pod",
        namespaced=True,
        with_status=_STATUS,
        short_names=("po",),
        categories=("all",),
        selectable=_OF_PODS,
    ),
    Resource(
        "", "services", "Service", namespaced=True, with_status=_STATUS, short_names=("svc",), categories=("all",)
    ),
    Resource("", "events", "Event", namespaced=True, short_names=("ev",), selectable=_OF_EVENTS),
    Resource("", "configmaps", "ConfigMap", namespaced=True, short_names=("cm",), lists_are_whole=True),
    Resource("", "secrets", "Secret", namespaced=True, lists_are_whole=True),
    Resource("", "serviceaccounts", "ServiceAccount", namespaced=True, short_names=("sa",)),
    Resource(
        "apps",
        "deployments",
        "Deployment",
        namespaced=True,
        with_status=_STATUS,
        short_names=("deploy",),
        categories=("all",),
        counts_generation=True,
    ),
    Resource(
        "batch",
        "jobs",
        "Job",
        namespaced=True,
        with_status=_STATUS,
        categories=("all",),
        counts_generation=True,
    ),
    Resource("discovery.k8s.io", "endpointslices", "EndpointSlice", namespaced=True, counts_generation=True),
    Resource("coordination.k8s.io", "leases", "Lease", namespaced=True, unconditional_update=False),
    Resource(_RBAC, "clusterroles", "ClusterRole", path_names=True, lists_are_whole=True),
    Resource(_RBAC, "clusterrolebindings", "ClusterRoleBinding", path_names=True, lists_are_whole=True),
    Resource(_RBAC, "roles", "Role", namespaced=True, path_names=True, lists_are_whole=True),
    Resource(_RBAC, "rolebindings", "RoleBinding", namespaced=True, path_names=True, lists_are_whole=True),
    Resource(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        with_status=_STATUS,
        short_names=("crd", "crds"),
        categories=("api-extensions",),
        counts_generation=True,
        unconditional_update=False,
    ),
    Resource(
        "authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview", verbs=("create",), stored=False
    ),
)

BUILT_IN: Mapping[GroupResource, Resource] = MappingProxyType({resource.key: resource for resource in _BUILT_IN})
BUILT_IN_GROUPS = frozenset(resource.group for resource in _BUILT_IN)

NAMESPACES = BUILT_IN[GroupResource("", "namespaces")]
DEFINITIONS = BUILT_IN[GroupResource("apiextensions.k8s.io", "customresourcedefinitions")]
ACCESS_REVIEWS = GroupResource("authorization.k8s.io", "selfsubjectaccessreviews")
