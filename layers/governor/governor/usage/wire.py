"""What usage reads of Kueue's objects: few members, decoded without a detour, since all of it is read each minute.

``governor.kueue.reading`` reads all that scheduling depends on, at four times the price. Members are optional as in the
API; v1beta1 and v1beta2 (and v1alpha1 for a Cohort) differ in the cohort's name only, and both names are declared.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from governor.kueue import times
from governor.kueue.quantities import QuantityError, amount
from governor.kueue.reading import ReadingError
from governor.usage.seen import Doors, Fund, Lender, Queue, Selector, Waiting

MANAGED = "sagemaker.amazonaws.com/sagemaker-managed-queue"
QUOTA_ID = "sagemaker.amazonaws.com/quota-allocation-id"
"""Labels of a namespace that belongs to a compute allocation (facts 1f)."""
IDLE_QUEUES = "hyperpod-ns-idle-resource-sharing"
"""What the names of queues begin with that hold compute of no team (facts 1c)."""

Amount = str | int


class _Part(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Members are named as in Python, and read as Kubernetes writes them; what is not named here is skipped.

    Nothing that is decoded refers back to what holds it: looked at by the garbage collector, so many objects would have
    it go through all that the process has.
    """


class _Metadata(_Part, frozen=True):
    name: str
    namespace: str = ""
    labels: Mapping[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None


class _Condition(_Part, frozen=True):
    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


class _Quota(_Part, frozen=True):
    name: str
    nominal_quota: Amount
    borrowing_limit: Amount | None = None
    lending_limit: Amount | None = None


class _Flavor(_Part, frozen=True):
    name: str
    resources: tuple[_Quota, ...] | None = None


class _Group(_Part, frozen=True):
    flavors: tuple[_Flavor, ...] | None = None


class _FairSharing(_Part, frozen=True):
    weight: Amount | None = None


class _QueueSpec(_Part, frozen=True):
    cohort: str | None = None
    cohort_name: str | None = None
    resource_groups: tuple[_Group, ...] | None = None
    fair_sharing: _FairSharing | None = None
    stop_policy: str | None = None


class _Used(_Part, frozen=True):
    name: str
    total: Amount | None = None


class _FlavorUsed(_Part, frozen=True):
    name: str
    resources: tuple[_Used, ...] | None = None


class _Share(_Part, frozen=True):
    weighted_share: int | None = None


class _QueueStatus(_Part, frozen=True):
    conditions: tuple[_Condition, ...] | None = None
    pending_workloads: int | None = None
    admitted_workloads: int | None = None
    flavors_usage: tuple[_FlavorUsed, ...] | None = None
    flavors_reservation: tuple[_FlavorUsed, ...] | None = None
    fair_sharing: _Share | None = None


class ClusterQueueShape(_Part, frozen=True):
    """kueue.x-k8s.io ClusterQueue."""

    metadata: _Metadata
    spec: _QueueSpec | None = None
    status: _QueueStatus | None = None


class _LocalQueueSpec(_Part, frozen=True):
    cluster_queue: str | None = None


class _LocalQueueStatus(_Part, frozen=True):
    pending_workloads: int | None = None


class LocalQueueShape(_Part, frozen=True):
    """kueue.x-k8s.io LocalQueue."""

    metadata: _Metadata
    spec: _LocalQueueSpec | None = None
    status: _LocalQueueStatus | None = None

    @property
    def cluster_queue(self) -> str:
        """Where it leads; "" for nowhere."""
        return (self.spec.cluster_queue or "") if self.spec is not None else ""

    @property
    def pending(self) -> int:
        """How many workloads wait there."""
        return (self.status.pending_workloads or 0) if self.status is not None else 0


class _CohortSpec(_Part, frozen=True):
    parent: str | None = None
    parent_name: str | None = None
    resource_groups: tuple[_Group, ...] | None = None


class CohortShape(_Part, frozen=True):
    """kueue.x-k8s.io Cohort."""

    metadata: _Metadata
    spec: _CohortSpec | None = None


class NamespaceShape(_Part, frozen=True):
    """core/v1 Namespace."""

    metadata: _Metadata


class _PodSpec(_Part, frozen=True):
    node_selector: Mapping[str, str] | None = None


class _Template(_Part, frozen=True):
    spec: _PodSpec | None = None


class _PodSet(_Part, frozen=True):
    template: _Template | None = None


class _WorkloadSpec(_Part, frozen=True):
    queue_name: str | None = None
    active: bool | None = None
    pod_sets: tuple[_PodSet, ...] | None = None


class _WorkloadStatus(_Part, frozen=True):
    conditions: tuple[_Condition, ...] | None = None


class WorkloadShape(_Part, frozen=True):
    """kueue.x-k8s.io Workload: no more than tells whether it waits, since when, and for which nodes."""

    metadata: _Metadata
    spec: _WorkloadSpec | None = None
    status: _WorkloadStatus | None = None


def queue_of(shape: ClusterQueueShape) -> Queue:
    """A ClusterQueue. Raises ReadingError."""
    spec, status, name = shape.spec or _QueueSpec(), shape.status or _QueueStatus(), shape.metadata.name
    try:
        share = status.fair_sharing
        state, reason = _state(spec, status)
        return Queue(
            name,
            spec.cohort_name or spec.cohort or "",
            _funds(spec.resource_groups, _used(status.flavors_usage), _used(status.flavors_reservation)),
            state,
            reason,
            status.pending_workloads or 0,
            status.admitted_workloads or 0,
            _weight(spec.fair_sharing),
            None if share is None else share.weighted_share or 0,
            shape.metadata.deletion_timestamp is not None,
        )
    except QuantityError as error:
        raise ReadingError(f"ClusterQueue {name} cannot be read: {error}") from None


def lender_of(shape: CohortShape) -> Lender:
    """A Cohort, which may have quota of its own. Raises ReadingError."""
    spec = shape.spec or _CohortSpec()
    try:
        funds = _funds(spec.resource_groups, {}, {})
    except QuantityError as error:
        raise ReadingError(f"Cohort {shape.metadata.name} cannot be read: {error}") from None
    return Lender(shape.metadata.name, spec.parent_name or spec.parent or "", funds)


def doors_of(namespaces: Iterable[NamespaceShape], local_queues: Iterable[LocalQueueShape]) -> Doors:
    """Which namespaces are governed, and which queues they lead to. One that is being deleted leads nowhere."""
    governed = {
        each.metadata.name: (each.metadata.labels or {}).get(QUOTA_ID, "")
        for each in namespaces
        if (each.metadata.labels or {}).get(MANAGED) == "true" and each.metadata.deletion_timestamp is None
    }
    leading = [
        (each.metadata.namespace, each.metadata.name, each.cluster_queue, each.pending)
        for each in local_queues
        if each.metadata.deletion_timestamp is None
    ]
    return Doors(governed, tuple(leading))


def waiting_of(shape: WorkloadShape) -> Waiting | None:
    """A Workload that waits for quota, and since when; None for any other. Raises ReadingError."""
    spec, status = shape.spec or _WorkloadSpec(), shape.status or _WorkloadStatus()
    seen = {each.type: each for each in status.conditions or ()}
    reserved = seen.get("QuotaReserved")
    finished = seen.get("Finished")
    if spec.active is False or shape.metadata.deletion_timestamp is not None:
        return None
    if (finished is not None and finished.status == "True") or (reserved is not None and reserved.status == "True"):
        return None
    since = shape.metadata.creation_timestamp
    if reserved is not None and "Evicted" in seen:
        since = reserved.last_transition_time or since  # it had quota, and lost it then
    try:
        began = times.seconds(since)
    except ValueError as error:
        where = f"{shape.metadata.namespace}/{shape.metadata.name}"
        raise ReadingError(f"Workload {where} cannot be read: {error}") from None
    selectors = frozenset(_selector(each) for each in spec.pod_sets or ()) or frozenset({()})
    return Waiting(shape.metadata.namespace, spec.queue_name or "", began, selectors)


def _selector(pods: _PodSet) -> Selector:
    found = pods.template.spec.node_selector if pods.template is not None and pods.template.spec is not None else None
    return tuple(sorted((found or {}).items()))


def _state(spec: _QueueSpec, status: _QueueStatus) -> tuple[str, str]:
    """What Kueue's condition says; the words are for a person."""
    active = next((each for each in status.conditions or () if each.type == "Active"), None)
    if spec.stop_policy not in (None, "", "None"):
        return "stopped", f"stopPolicy {spec.stop_policy}"
    if active is None:
        return "inactive", "Kueue has not looked at it yet"
    if active.status == "True":
        return "active", ""
    return "inactive", ": ".join(part for part in (active.reason, active.message) if part)


def _used(flavors: tuple[_FlavorUsed, ...] | None) -> dict[tuple[str, str], int]:
    return {
        (flavor.name, each.name): 0 if each.total is None else counted(each.name, each.total)
        for flavor in flavors or ()
        for each in flavor.resources or ()
    }


def _funds(
    groups: tuple[_Group, ...] | None, used: dict[tuple[str, str], int], reserved: dict[tuple[str, str], int]
) -> tuple[Fund, ...]:
    """Of every flavor and resource that there is quota of, or that is used without any: a quota that was removed."""
    funds = []
    for group in groups or ():
        for flavor in group.flavors or ():
            for each in flavor.resources or ():
                name, where = each.name, (flavor.name, each.name)
                borrowing, lending = each.borrowing_limit, each.lending_limit
                funds.append(
                    Fund(
                        flavor.name,
                        name,
                        counted(name, each.nominal_quota),
                        used.pop(where, 0),
                        reserved.pop(where, 0),
                        None if borrowing is None else counted(name, borrowing),
                        None if lending is None else counted(name, lending),
                    )
                )
    for flavor_name, name in {**used, **reserved}:
        where = (flavor_name, name)
        if used.get(where) or reserved.get(where):
            funds.append(Fund(flavor_name, name, 0, used.get(where, 0), reserved.get(where, 0), 0, 0))
    return tuple(funds)


def _weight(shape: _FairSharing | None) -> int:
    if shape is None or shape.weight is None:
        return 1000
    return counted("cpu", shape.weight)  # thousandths, as of a core


@lru_cache(maxsize=16384)
def counted(resource: str, text: Amount) -> int:
    """A quantity as Kueue counts the resource. The same texts come again and again. Raises QuantityError."""
    return amount(resource, text)
