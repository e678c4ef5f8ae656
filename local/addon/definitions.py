"""Kueue's eleven custom resource definitions, as a release of Kueue has them."""

from dataclasses import dataclass
from typing import Any

from local.addon.releases import Kueue

GROUP = "kueue.x-k8s.io"
Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of Kueue. Short names are those of 0.19.2."""

    plural: str
    kind: str
    namespaced: bool = False
    status: bool = False
    short: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What its definition is called."""
        return f"{self.plural}.{GROUP}"


RESOURCES = (
    Resource("admissionchecks", "AdmissionCheck", status=True, short=("ac",)),
    Resource("clusterqueues", "ClusterQueue", status=True, short=("cq",)),
    Resource("cohorts", "Cohort", status=True, short=("co",)),
    Resource("localqueues", "LocalQueue", namespaced=True, status=True, short=("queue", "queues", "lq")),
    Resource("multikueueclusters", "MultiKueueCluster", status=True, short=("mkc",)),
    Resource("multikueueconfigs", "MultiKueueConfig", short=("mkconf",)),
    Resource("provisioningrequestconfigs", "ProvisioningRequestConfig", short=("prc",)),
    Resource("resourceflavors", "ResourceFlavor", short=("flavor", "flavors", "rf")),
    Resource("topologies", "Topology", short=("topo",)),
    Resource("workloadpriorityclasses", "WorkloadPriorityClass", short=("wpc",)),
    Resource("workloads", "Workload", namespaced=True, status=True, short=("kwl", "kueueworkload", "kueueworkloads")),
)
NAMES = tuple(resource.name for resource in RESOURCES)


def definition(resource: Resource, kueue: Kueue) -> Manifest:
    """The definition of a resource without its status; schemas take everything."""
    apis = kueue.apis_of(resource.plural)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": resource.name, "labels": {"app.kubernetes.io/name": "kueue"}},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.kind.lower(),
                "shortNames": list(resource.short),
            },
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "versions": [_version(resource, api, stored=api == apis[-1]) for api in apis],
        },
    }


def _version(resource: Resource, api: str, stored: bool) -> Manifest:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "name": api,
        "served": True,
        "storage": stored,
        "schema": {"openAPIV3Schema": schema},
        **({"subresources": {"status": {}}} if resource.status else {}),
    }
