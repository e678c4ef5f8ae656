"""Reading of Workload. Pods that Kueue lists as reclaimable are counted as the others."""

from typing import Annotated, Any

import msgspec

from governor.kueue.objects import Admission, PodSet, PodSetAssignment, Workload
from governor.kueue.reading.flavors import tolerations
from governor.kueue.reading.pods import PodShape, affinity, requests
from governor.kueue.reading.statuses import ConditionShape, conditions
from governor.kueue.reading.wire import (
    Count,
    InNamespace,
    Int32,
    Manifest,
    Measures,
    Metadata,
    Owner,
    Shape,
    Source,
    decoded,
)


class _Template(Shape, frozen=True):
    spec: PodShape | None = None


class _TopologyRequest(Shape, frozen=True):
    required: str | None = None
    preferred: str | None = None
    unconstrained: bool | None = None
    pod_set_slice_required_topology: str | None = None
    podset_slice_required_topology_constraints: list[Any] | None = None


class _PodSet(Shape, frozen=True):
    name: str | None = None
    count: Count | None = None
    min_count: Annotated[int, msgspec.Meta(ge=1, lt=2**31)] | None = None
    template: _Template | None = None
    topology_request: _TopologyRequest | None = None


class _PriorityClassRef(Shape, frozen=True):
    name: str


class _Spec(Shape, frozen=True):
    """``priority_class_name`` and ``priority_class_source`` are v1beta1's, and the name is nothing without a source."""

    pod_sets: list[_PodSet] | None = None
    queue_name: str | None = None
    priority: Int32 | None = None
    priority_class_ref: _PriorityClassRef | None = None
    priority_class_name: str | None = None
    priority_class_source: str | None = None
    active: bool | None = None


class _Assignment(Shape, frozen=True):
    name: str | None = None
    count: Count | None = None
    flavors: dict[str, str] | None = None
    resource_usage: Measures | None = None


class _Admission(Shape, frozen=True):
    cluster_queue: str
    pod_set_assignments: list[_Assignment] | None = None


class _Status(Shape, frozen=True):
    conditions: list[ConditionShape] | None = None
    admission: _Admission | None = None


class _Workload(Manifest, frozen=True, kw_only=True):
    metadata: InNamespace
    spec: _Spec | None = None
    status: _Status | None = None


def workload(source: Source) -> Workload:
    """A Workload of v1beta1 or v1beta2. Raises ReadingError."""
    found = decoded(source, "Workload", _Workload)
    metadata, spec, status = found.metadata, found.spec or _Spec(), found.status or _Status()
    owner = _owner(metadata)
    pod_sets = tuple(_pod_set(each) for each in spec.pod_sets or ())
    return Workload(
        namespace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid or "",
        queue=spec.queue_name or "",
        pod_sets=pod_sets,
        priority=spec.priority or 0,
        priority_class=_priority_class(spec),
        created=metadata.creation_timestamp.seconds if metadata.creation_timestamp else 0,
        active=spec.active is not False,
        owner=owner.name if owner else "",
        owner_uid=owner.uid if owner else "",
        admission=_admission(status.admission, pod_sets),
        conditions={each.type: each for each in conditions(status.conditions)},
    )


def _owner(metadata: Metadata) -> Owner | None:
    """The job that controls the workload."""
    return next((each for each in metadata.owner_references or () if each.controller), None)


def _priority_class(spec: _Spec) -> str:
    if spec.priority_class_ref is not None:
        return spec.priority_class_ref.name
    return (spec.priority_class_name or "") if spec.priority_class_source else ""


def _pod_set(shape: _PodSet) -> PodSet:
    pod = (shape.template or _Template()).spec or PodShape()
    return PodSet(
        name=shape.name or "main",
        count=1 if shape.count is None else shape.count,
        requests=requests(pod),
        node_selector=pod.node_selector or {},
        affinity=affinity(pod),
        tolerations=tolerations(pod.tolerations),
        min_count=shape.min_count,
        topology=shape.topology_request is not None and _asks_for_topology(shape.topology_request),
    )


def _asks_for_topology(request: _TopologyRequest) -> bool:
    """Kueue notes the label of a pod's index for every Job: that alone asks for nothing."""
    return bool(
        request.required
        or request.preferred
        or request.unconstrained
        or request.pod_set_slice_required_topology
        or request.podset_slice_required_topology_constraints
    )


def _admission(shape: _Admission | None, pod_sets: tuple[PodSet, ...]) -> Admission | None:
    if shape is None:
        return None
    counts = {each.name: each.count for each in pod_sets}
    return Admission(shape.cluster_queue, tuple(_assignment(each, counts) for each in shape.pod_set_assignments or ()))


def _assignment(shape: _Assignment, counts: dict[str, int]) -> PodSetAssignment:
    name = shape.name or "main"
    return PodSetAssignment(
        name=name,
        count=counts.get(name, 0) if shape.count is None else shape.count,
        flavors=shape.flavors or {},
        usage={resource: measure.of(resource) for resource, measure in (shape.resource_usage or {}).items()},
    )
