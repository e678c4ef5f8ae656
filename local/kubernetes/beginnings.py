"""What every cluster has from the start: its namespaces, and the roles that the API server itself makes."""

from collections.abc import Iterator

from local.kubernetes.errors import JsonObject
from local.kubernetes.rbac import GROUP
from local.kubernetes.users import AUTHENTICATED, MASTERS

_API_VERSION = f"{GROUP}/v1"
_HEALTH = ["/healthz", "/livez", "/readyz"]
_VERSION = ["/version", "/version/"]
_DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"]
_REVIEWS = {
    "apiGroups": ["authorization.k8s.io"],
    "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    "verbs": ["create"],
}
_EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


def beginnings() -> Iterator[JsonObject]:
    """Manifests, those first that others need."""
    for name in ("default", "kube-node-lease", "kube-public", "kube-system"):
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    for name, rules, groups in (
        ("cluster-admin", [_EVERYTHING, _paths(["*"], "*")], [MASTERS]),
        ("system:discovery", [_paths([*_DISCOVERY, *_HEALTH, *_VERSION])], [AUTHENTICATED]),
        ("system:public-info-viewer", [_paths([*_HEALTH, *_VERSION])], [AUTHENTICATED, "system:unauthenticated"]),
        ("system:basic-user", [_REVIEWS], [AUTHENTICATED]),
    ):
        metadata = {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}
        yield {"apiVersion": _API_VERSION, "kind": "ClusterRole", "metadata": metadata, "rules": rules}
        yield {
            "apiVersion": _API_VERSION,
            "kind": "ClusterRoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": group} for group in groups],
        }


def _paths(urls: list[str], verb: str = "get") -> JsonObject:
    return {"nonResourceURLs": urls, "verbs": [verb]}
