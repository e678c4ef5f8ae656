"""What is read of a Kubernetes API: the resources, and of their objects the members that somebody uses."""

from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec

from governor.usage.wire import (
    MANAGED,
    ClusterQueueShape,
    CohortShape,
    LocalQueueShape,
    NamespaceShape,
    WorkloadShape,
)

T = TypeVar("T")


class Resource(msgspec.Struct, Generic[T], frozen=True):
    """A resource. ``versions`` are those that ``kind`` can be read from, the one to prefer first."""

    group: str
    plural: str
    kind: type[T]
    versions: tuple[str, ...] = ("v1",)
    namespaced: bool = False


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """Members are named as in Python, and read as Kubernetes writes them; what is not named here is skipped."""


class Metadata(_Part, frozen=True):
    """What all objects have."""

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    creation_timestamp: str = ""
    deletion_timestamp: str = ""


class Condition(_Part, frozen=True):
    """One condition; ``status`` is True, False or Unknown, as text."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


def condition(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """The condition of a type, if there is one."""
    return next((each for each in conditions if each.type == kind), None)


class Container(_Part, frozen=True):
    """A container of a pod."""

    name: str = ""
    image: str = ""


class PodSpec(_Part, frozen=True):
    """What a pod consists of."""

    containers: tuple[Container, ...] = ()


class PodTemplate(_Part, frozen=True):
    """What pods are made from."""

    spec: PodSpec = PodSpec()


class DeploymentSpec(_Part, frozen=True):
    """What a deployment should be; without ``replicas`` it is one."""

    replicas: int = 1
    template: PodTemplate = PodTemplate()


class DeploymentStatus(_Part, frozen=True):
    """What a deployment is, as of ``observed_generation`` of it."""

    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    updated_replicas: int = 0
    conditions: tuple[Condition, ...] = ()


class Deployment(_Part, frozen=True):
    """apps/v1 Deployment."""

    metadata: Metadata
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()

    @property
    def images(self) -> tuple[str, ...]:
        """The images of its containers."""
        return tuple(container.image for container in self.spec.template.spec.containers)


class EndpointConditions(_Part, frozen=True):
    """What is known of an endpoint; an unknown ``ready`` is to be taken for a true one (discovery/v1)."""

    ready: bool | None = None


class Endpoint(_Part, frozen=True):
    """One endpoint of a service."""

    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()

    @property
    def is_ready(self) -> bool:
        """True unless it is known not to be."""
        return self.conditions.ready is not False


class EndpointSlice(_Part, frozen=True):
    """discovery.k8s.io/v1 EndpointSlice. The server writes null for a slice without endpoints."""

    metadata: Metadata
    written: tuple[Endpoint, ...] | None = msgspec.field(name="endpoints", default=None)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All of them, ready or not."""
        return self.written or ()


class Taint(_Part, frozen=True):
    """What keeps pods off a node."""

    key: str
    effect: str
    value: str = ""


class NodeSpec(_Part, frozen=True):
    """``unschedulable`` is a node that was cordoned."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class NodeStatus(_Part, frozen=True):
    """Quantities as Kubernetes writes them, e.g. 7910m or 30Gi."""

    capacity: Mapping[str, str] = {}
    allocatable: Mapping[str, str] = {}
    conditions: tuple[Condition, ...] = ()


class Node(_Part, frozen=True):
    """core/v1 Node."""

    metadata: Metadata
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class DefinedVersion(_Part, frozen=True):
    """A version of a custom resource."""

    name: str
    served: bool = False
    storage: bool = False


class DefinedNames(_Part, frozen=True):
    """What a custom resource is called."""

    plural: str = ""
    kind: str = ""


class DefinitionSpec(_Part, frozen=True):
    """What a custom resource definition defines."""

    group: str
    names: DefinedNames = DefinedNames()
    scope: str = ""
    versions: tuple[DefinedVersion, ...] = ()


class DefinitionStatus(_Part, frozen=True):
    """The versions that objects may be stored in, and whether the definition is accepted."""

    written: tuple[str, ...] | None = msgspec.field(name="storedVersions", default=None)
    accepted: tuple[Condition, ...] | None = msgspec.field(name="conditions", default=None)

    @property
    def stored_versions(self) -> tuple[str, ...]:
        """Null is written before there are any."""
        return self.written or ()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Null is written before there are any."""
        return self.accepted or ()


class CustomResourceDefinition(_Part, frozen=True):
    """apiextensions.k8s.io/v1 CustomResourceDefinition."""

    metadata: Metadata
    spec: DefinitionSpec
    status: DefinitionStatus = DefinitionStatus()


DEPLOYMENTS = Resource("apps", "deployments", Deployment, namespaced=True)
ENDPOINT_SLICES = Resource("discovery.k8s.io", "endpointslices", EndpointSlice, namespaced=True)
NODES = Resource("", "nodes", Node)
CUSTOM_RESOURCE_DEFINITIONS = Resource("apiextensions.k8s.io", "customresourcedefinitions", CustomResourceDefinition)
KUEUE = "kueue.x-k8s.io"
KUEUE_VERSIONS = ("v1beta2", "v1beta1")
"""Add-ons up to v1.4 serve only the second; in it, some members of the first have other names."""
NAMESPACES = Resource("", "namespaces", NamespaceShape)
GOVERNED = f"{MANAGED}=true"
"""Selects the namespaces of compute allocations."""
CLUSTER_QUEUES = Resource(KUEUE, "clusterqueues", ClusterQueueShape, KUEUE_VERSIONS)
LOCAL_QUEUES = Resource(KUEUE, "localqueues", LocalQueueShape, KUEUE_VERSIONS, namespaced=True)
COHORTS = Resource(KUEUE, "cohorts", CohortShape, KUEUE_VERSIONS)
ALPHA_COHORTS = Resource(KUEUE, "cohorts", CohortShape, ("v1alpha1",))
"""Where Kueue up to 0.13 has them."""
FLAVORS = Resource(KUEUE, "resourceflavors", msgspec.Raw, KUEUE_VERSIONS)
WAITING_WORKLOADS = Resource(KUEUE, "workloads", WorkloadShape, KUEUE_VERSIONS, namespaced=True)


class EventSource(_Part, frozen=True):
    """Which component has written an event, in the older form."""

    component: str = ""


class EventSeries(_Part, frozen=True):
    """How often an event has come again, in the newer form."""

    count: int = 0
    last_observed_time: str | None = None


class EventObject(_Part, frozen=True):
    """What an event is about."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class Event(_Part, frozen=True):
    """core/v1 Event: written as such (``count``, ``last_timestamp``), or as events.k8s.io/v1 (``series``)."""

    metadata: Metadata
    involved_object: EventObject = EventObject()
    reason: str = ""
    message: str = ""
    type: str = ""
    source: EventSource = EventSource()
    reporting_component: str = ""
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    count: int | None = None
    series: EventSeries | None = None


EVENTS = Resource("", "events", Event, namespaced=True)
WORKLOADS = Resource(KUEUE, "workloads", msgspec.Raw, KUEUE_VERSIONS, namespaced=True)
"""All of each: for who reads them with ``governor.kueue.reading``."""
