"""Kueue's objects as this project uses them: one type each, whichever API version they were read from.

Amounts are whole numbers, in the unit that Kueue counts a resource in: thousandths of a core for ``cpu``, bytes for
``memory``, devices for accelerators (see ``quantities``). A limit of None is no limit. Times are whole seconds since
1970. Enumerations keep the API's own words. Sources: Kueue's API reference v1beta2, and v1beta1 where it differs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Amounts = Mapping[str, int]
"""By resource."""
WorkloadKey = tuple[str, str]
"""Namespace and name."""

_NOTHING: Mapping[Any, Any] = MappingProxyType({})


def _nothing() -> Mapping[Any, Any]:
    return _NOTHING


UNLIMITED_SHARE = 2**63 - 1
"""The weighted share of a queue of weight 0 that borrows."""


@dataclass(frozen=True, slots=True)
class Condition:
    """``status`` is True, False or Unknown, as text; ``at`` is when it last changed."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Quota:
    """What a queue has of one resource in one flavor. None: borrows, or lends, without limit."""

    nominal: int
    borrowing_limit: int | None = None
    lending_limit: int | None = None


@dataclass(frozen=True, slots=True)
class FlavorQuotas:
    """The quotas of one flavor, by resource."""

    name: str
    resources: Mapping[str, Quota]


@dataclass(frozen=True, slots=True)
class ResourceGroup:
    """Resources that a pod set gets from one and the same flavor; flavors are tried in this order."""

    covered: tuple[str, ...]
    flavors: tuple[FlavorQuotas, ...]


@dataclass(frozen=True, slots=True)
class Preemption:
    """Whom a workload of a queue may preempt: Never, LowerPriority, LowerOrNewerEqualPriority or Any.

    ``max_priority_threshold`` bounds the priority of those that may be preempted while the queue borrows.
    """

    within_cluster_queue: str = "Never"
    reclaim_within_cohort: str = "Never"
    borrow_within_cohort: str = "Never"
    max_priority_threshold: int | None = None


@dataclass(frozen=True, slots=True)
class FlavorFungibility:
    """Whether to look at the next flavor before borrowing, and before preempting: MayStopSearch or TryNextFlavor.

    v1beta1 calls MayStopSearch Borrow in the first and Preempt in the second.
    """

    when_can_borrow: str = "MayStopSearch"
    when_can_preempt: str = "TryNextFlavor"
    preference: str = ""


@dataclass(frozen=True, slots=True)
class FlavorUsage:
    """What is used of a resource in a flavor, and how much of it is above the nominal quota."""

    total: int
    borrowed: int = 0


Usage = Mapping[str, Mapping[str, FlavorUsage]]
"""By flavor, then by resource."""


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """What Kueue says of a ClusterQueue or LocalQueue. ``reserved`` counts quota reserved, ``used`` admitted workloads.

    ``weighted_share`` is None where Kueue shares by no weights; a LocalQueue has none.
    """

    pending: int = 0
    reserving: int = 0
    admitted: int = 0
    reserved: Usage = field(default_factory=_nothing)
    used: Usage = field(default_factory=_nothing)
    weighted_share: int | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirement:
    """One expression of a selector: In, NotIn, Exists or DoesNotExist, and Gt and Lt in a node affinity."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selector:
    """A label selector; one without requirements selects everything."""

    requirements: tuple[Requirement, ...] = ()

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether all requirements hold for the labels."""
        return all(_holds(each, labels) for each in self.requirements)


def _holds(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    match requirement.operator:
        case "In":
            return labels.get(requirement.key) in requirement.values
        case "NotIn":
            return labels.get(requirement.key) not in requirement.values
        case "Exists":
            return requirement.key in labels
        case "DoesNotExist":
            return requirement.key not in labels
        case "Gt" | "Lt":
            return _compares(requirement, labels.get(requirement.key, ""))
    return False


def _compares(requirement: Requirement, label: str) -> bool:
    """Whether a label is above, or below, the one value; what is no whole number is neither."""
    try:
        (bound,) = (int(each) for each in requirement.values)
        number = int(label)
    except ValueError:
        return False
    return number > bound if requirement.operator == "Gt" else number < bound


@dataclass(frozen=True, slots=True)
class ClusterQueue:
    """A pool of quota. ``weight`` is its fair-share weight in thousandths, ``cohort`` is "" outside any.

    ``namespaces`` is who may use it: None nobody. ``admission_checks`` names checks that the model does not follow.
    """

    name: str
    cohort: str = ""
    resource_groups: tuple[ResourceGroup, ...] = ()
    weight: int = 1000
    preemption: Preemption = Preemption()
    fungibility: FlavorFungibility = FlavorFungibility()
    queueing_strategy: str = "BestEffortFIFO"
    stop_policy: str = "None"
    namespaces: Selector | None = Selector()
    admission_checks: tuple[str, ...] = ()
    status: QueueStatus = QueueStatus()


@dataclass(frozen=True, slots=True)
class LocalQueue:
    """The door of a namespace to a ClusterQueue."""

    namespace: str
    name: str
    cluster_queue: str
    stop_policy: str = "None"
    status: QueueStatus = QueueStatus()


@dataclass(frozen=True, slots=True)
class Cohort:
    """Queues that lend to each other; it may have quota of its own and a parent."""

    name: str
    parent: str = ""
    resource_groups: tuple[ResourceGroup, ...] = ()
    weight: int = 1000
    weighted_share: int | None = None


@dataclass(frozen=True, slots=True)
class Taint:
    """What keeps pods off the nodes of a flavor."""

    key: str
    effect: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Toleration:
    """Which taints do not keep a pod off. No key: all of them; no effect: every effect."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""


@dataclass(frozen=True, slots=True)
class ResourceFlavor:
    """A kind of nodes. ``topology`` names a topology, which the model does not follow."""

    name: str
    node_labels: Mapping[str, str] = field(default_factory=_nothing)
    taints: tuple[Taint, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    topology: str = ""


@dataclass(frozen=True, slots=True)
class WorkloadPriorityClass:
    """A priority by name."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class PodSet:
    """Equal pods of a workload. ``requests`` are those of one pod.

    ``affinity`` holds the alternatives of the required node affinity, of which one must hold; () is none required.
    ``min_count`` (partial admission) and ``topology`` are what the model does not follow.
    """

    name: str
    count: int
    requests: Amounts
    node_selector: Mapping[str, str] = field(default_factory=_nothing)
    affinity: tuple[Selector, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    min_count: int | None = None
    topology: bool = False


@dataclass(frozen=True, slots=True)
class PodSetAssignment:
    """Where a pod set has its quota: by resource, the flavor, and how much of it in all its pods."""

    name: str
    count: int
    flavors: Mapping[str, str]
    usage: Amounts


@dataclass(frozen=True, slots=True)
class Admission:
    """The quota that a workload holds."""

    cluster_queue: str
    pod_sets: tuple[PodSetAssignment, ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """A job as Kueue sees it. ``queue`` is the name of a LocalQueue in its namespace.

    ``owner`` and ``owner_uid`` are the job's. Of two that are equal in all else the lower ``uid`` comes first.
    """

    namespace: str
    name: str
    uid: str
    queue: str
    pod_sets: tuple[PodSet, ...]
    priority: int = 0
    priority_class: str = ""
    created: int = 0
    active: bool = True
    owner: str = ""
    owner_uid: str = ""
    admission: Admission | None = None
    conditions: Mapping[str, Condition] = field(default_factory=_nothing)

    @property
    def key(self) -> WorkloadKey:
        """Namespace and name."""
        return self.namespace, self.name

    def is_(self, condition: str) -> bool:
        """Whether the condition of this type is there and true."""
        found = self.conditions.get(condition)
        return found is not None and found.status == "True"
