"""Objects of a Kubernetes cluster, read and written with a token: create or change, and delete."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from local.addon.connection import Connection, KubernetesError, trusting
from local.addon.definitions import Manifest

__all__ = ["KubernetesError", "Objects"]


@dataclass(frozen=True, slots=True)
class _Kind:
    group: str
    plural: str
    namespaced: bool = False

    def collection(self, namespace: str) -> str:
        within = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"/{self.group}{within}/{self.plural}"


_RBAC = "apis/rbac.authorization.k8s.io/v1"
_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "Namespace": _Kind("api/v1", "namespaces"),
        "ConfigMap": _Kind("api/v1", "configmaps", namespaced=True),
        "Service": _Kind("api/v1", "services", namespaced=True),
        "Deployment": _Kind("apis/apps/v1", "deployments", namespaced=True),
        "EndpointSlice": _Kind("apis/discovery.k8s.io/v1", "endpointslices", namespaced=True),
        "CustomResourceDefinition": _Kind("apis/apiextensions.k8s.io/v1", "customresourcedefinitions"),
        "ClusterRole": _Kind(_RBAC, "clusterroles"),
        "ClusterRoleBinding": _Kind(_RBAC, "clusterrolebindings"),
        "RoleBinding": _Kind(_RBAC, "rolebindings", namespaced=True),
    }
)


class Objects:
    """The objects of one cluster; safe to use from several threads. Every method raises KubernetesError."""

    def __init__(self, endpoint: str, certificate_authority: str, token: str) -> None:
        """`certificate_authority` is PEM in base64, as DescribeCluster has it."""
        self._connection = Connection(endpoint, trusting(certificate_authority), token)

    def get(self, kind: str, name: str, namespace: str = "") -> Manifest | None:
        """An object; None where there is none."""
        try:
            found: Manifest = self._connection.ask("GET", f"{_KINDS[kind].collection(namespace)}/{name}")
        except KubernetesError as error:
            if error.status == 404:
                return None
            raise
        return found

    def all(self, kind: str, labels: str = "") -> list[Manifest]:
        """Those of a kind in all namespaces, without kind and apiVersion, as lists have them."""
        query = f"?labelSelector={labels}" if labels else ""
        items: list[Manifest] = self._connection.ask("GET", f"{_KINDS[kind].collection('')}{query}")["items"]
        return items

    def put(self, manifest: Manifest) -> None:
        """Make an object or merge into the one that is there."""
        where = _KINDS[manifest["kind"]].collection(manifest["metadata"].get("namespace", ""))
        try:
            self._connection.ask("POST", where, manifest)
        except KubernetesError as error:
            if error.status != 409:
                raise
            self._connection.ask("PATCH", f"{where}/{manifest['metadata']['name']}", manifest)

    def put_status(self, kind: str, name: str, status: Manifest, namespace: str = "") -> None:
        """Merge into the status of an object that is there."""
        self._connection.ask("PATCH", f"{_KINDS[kind].collection(namespace)}/{name}/status", {"status": status})

    def delete(self, kind: str, name: str, namespace: str = "") -> None:
        """Delete an object, if it is there."""
        try:
            self._connection.ask("DELETE", f"{_KINDS[kind].collection(namespace)}/{name}")
        except KubernetesError as error:
            if error.status != 404:
                raise

    def close(self) -> None:
        self._connection.close()
