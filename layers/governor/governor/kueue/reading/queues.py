"""Reading of ClusterQueue, LocalQueue and Cohort."""

from dataclasses import replace

from governor.kueue.objects import (
    ClusterQueue,
    Cohort,
    FlavorFungibility,
    FlavorQuotas,
    LocalQueue,
    Preemption,
    Quota,
    ResourceGroup,
)
from governor.kueue.reading.selectors import LabelSelector, selector
from governor.kueue.reading.statuses import FairSharingStatus, QueueStatusShape, queue_status
from governor.kueue.reading.wire import Allowance, InNamespace, Int32, Manifest, Shape, Source, decoded


class _Quota(Shape, frozen=True):
    name: str
    nominal_quota: Allowance
    borrowing_limit: Allowance | None = None
    lending_limit: Allowance | None = None


class _Flavor(Shape, frozen=True):
    name: str
    resources: list[_Quota] | None = None


class _ResourceGroup(Shape, frozen=True):
    covered_resources: list[str] | None = None
    flavors: list[_Flavor] | None = None


class _FairSharing(Shape, frozen=True):
    weight: Allowance | None = None


class _BorrowWithinCohort(Shape, frozen=True):
    policy: str | None = None
    max_priority_threshold: Int32 | None = None


class _Preemption(Shape, frozen=True):
    within_cluster_queue: str | None = None
    reclaim_within_cohort: str | None = None
    borrow_within_cohort: _BorrowWithinCohort | None = None


class _FlavorFungibility(Shape, frozen=True):
    when_can_borrow: str | None = None
    when_can_preempt: str | None = None
    preference: str | None = None


class _AdmissionCheck(Shape, frozen=True):
    name: str


class _AdmissionChecksStrategy(Shape, frozen=True):
    admission_checks: list[_AdmissionCheck] | None = None


class _ClusterQueueSpec(Shape, frozen=True):
    """``cohort`` and ``admission_checks`` are v1beta1's."""

    cohort: str | None = None
    cohort_name: str | None = None
    resource_groups: list[_ResourceGroup] | None = None
    fair_sharing: _FairSharing | None = None
    preemption: _Preemption | None = None
    flavor_fungibility: _FlavorFungibility | None = None
    queueing_strategy: str | None = None
    stop_policy: str | None = None
    namespace_selector: LabelSelector | None = None
    admission_checks: list[str] | None = None
    admission_checks_strategy: _AdmissionChecksStrategy | None = None


class _ClusterQueue(Manifest, frozen=True, kw_only=True):
    spec: _ClusterQueueSpec | None = None
    status: QueueStatusShape | None = None


class _LocalQueueSpec(Shape, frozen=True):
    cluster_queue: str | None = None
    stop_policy: str | None = None


class _LocalQueue(Manifest, frozen=True, kw_only=True):
    metadata: InNamespace
    spec: _LocalQueueSpec | None = None
    status: QueueStatusShape | None = None


class _CohortSpec(Shape, frozen=True):
    """``parent`` is v1alpha1's."""

    parent: str | None = None
    parent_name: str | None = None
    resource_groups: list[_ResourceGroup] | None = None
    fair_sharing: _FairSharing | None = None


class _CohortStatus(Shape, frozen=True):
    fair_sharing: FairSharingStatus | None = None


class _Cohort(Manifest, frozen=True, kw_only=True):
    spec: _CohortSpec | None = None
    status: _CohortStatus | None = None


def cluster_queue(source: Source) -> ClusterQueue:
    """A ClusterQueue of v1beta1 or v1beta2. Raises ReadingError."""
    found = decoded(source, "ClusterQueue", _ClusterQueue)
    spec = found.spec or _ClusterQueueSpec()
    share = found.status.fair_sharing if found.status else None
    return ClusterQueue(
        name=found.metadata.name,
        cohort=spec.cohort_name or spec.cohort or "",
        resource_groups=_resource_groups(spec.resource_groups),
        weight=_weight(spec.fair_sharing),
        preemption=_preemption(spec.preemption or _Preemption()),
        fungibility=_fungibility(spec.flavor_fungibility or _FlavorFungibility()),
        queueing_strategy=spec.queueing_strategy or "BestEffortFIFO",
        stop_policy=spec.stop_policy or "None",
        namespaces=None if spec.namespace_selector is None else selector(spec.namespace_selector),
        admission_checks=_admission_checks(spec),
        status=replace(queue_status(found.status), weighted_share=share.weighted_share if share else None),
    )


def local_queue(source: Source) -> LocalQueue:
    """A LocalQueue of v1beta1 or v1beta2. Raises ReadingError."""
    found = decoded(source, "LocalQueue", _LocalQueue)
    spec = found.spec or _LocalQueueSpec()
    return LocalQueue(
        namespace=found.metadata.namespace,
        name=found.metadata.name,
        cluster_queue=spec.cluster_queue or "",
        stop_policy=spec.stop_policy or "None",
        status=queue_status(found.status),
    )


def cohort(source: Source) -> Cohort:
    """A Cohort of v1alpha1, v1beta1 or v1beta2. Raises ReadingError."""
    found = decoded(source, "Cohort", _Cohort)
    spec = found.spec or _CohortSpec()
    share = found.status.fair_sharing if found.status else None
    return Cohort(
        name=found.metadata.name,
        parent=spec.parent_name or spec.parent or "",
        resource_groups=_resource_groups(spec.resource_groups),
        weight=_weight(spec.fair_sharing),
        weighted_share=share.weighted_share if share else None,
    )


def _resource_groups(groups: list[_ResourceGroup] | None) -> tuple[ResourceGroup, ...]:
    return tuple(
        ResourceGroup(
            covered=tuple(group.covered_resources or ()),
            flavors=tuple(
                FlavorQuotas(flavor.name, {each.name: _quota(each) for each in flavor.resources or ()})
                for flavor in group.flavors or ()
            ),
        )
        for group in groups or ()
    )


def _quota(shape: _Quota) -> Quota:
    borrowing, lending = shape.borrowing_limit, shape.lending_limit
    return Quota(
        nominal=shape.nominal_quota.of(shape.name),
        borrowing_limit=None if borrowing is None else borrowing.of(shape.name),
        lending_limit=None if lending is None else lending.of(shape.name),
    )


def _weight(shape: _FairSharing | None) -> int:
    """In thousandths; 1 where none is said."""
    return 1000 if shape is None or shape.weight is None else shape.weight.quantity.whole(1000)


def _preemption(shape: _Preemption) -> Preemption:
    borrow = shape.borrow_within_cohort or _BorrowWithinCohort()
    return Preemption(
        within_cluster_queue=shape.within_cluster_queue or "Never",
        reclaim_within_cohort=shape.reclaim_within_cohort or "Never",
        borrow_within_cohort=borrow.policy or "Never",
        max_priority_threshold=borrow.max_priority_threshold,
    )


def _fungibility(shape: _FlavorFungibility) -> FlavorFungibility:
    borrow, preempt = shape.when_can_borrow, shape.when_can_preempt
    return FlavorFungibility(
        when_can_borrow="MayStopSearch" if borrow in ("Borrow", None, "") else borrow,
        when_can_preempt="MayStopSearch" if preempt == "Preempt" else preempt or "TryNextFlavor",
        preference=shape.preference or "",
    )


def _admission_checks(spec: _ClusterQueueSpec) -> tuple[str, ...]:
    """However they are named: for all flavors, or with flavors."""
    strategy = spec.admission_checks_strategy or _AdmissionChecksStrategy()
    return (*(spec.admission_checks or ()), *(each.name for each in strategy.admission_checks or ()))
