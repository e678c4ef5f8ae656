"""What happens to a cluster, as the admission model hears of it. An object that is set replaces the one of its name."""

from collections.abc import Mapping
from dataclasses import dataclass

from governor.kueue.objects import ClusterQueue, Cohort, LocalQueue, ResourceFlavor, Workload, WorkloadKey

FAIR_SHARING = ("LessThanOrEqualToFinalShare", "LessThanInitialShare")
"""The preemption strategies that the task governance add-on configures (user guide, "Setup for task governance")."""


@dataclass(frozen=True, slots=True)
class Submit:
    """A workload is created, without admission and conditions."""

    workload: Workload


@dataclass(frozen=True, slots=True)
class Finish:
    """An admitted job ends."""

    key: WorkloadKey
    message: str = "Job finished successfully"
    succeeded: bool = True


@dataclass(frozen=True, slots=True)
class Delete:
    """A workload is deleted."""

    key: WorkloadKey


@dataclass(frozen=True, slots=True)
class SetPriority:
    """A workload's priority changes."""

    key: WorkloadKey
    priority: int
    priority_class: str = ""


@dataclass(frozen=True, slots=True)
class SetActive:
    """A workload is deactivated, which evicts it, or activated again."""

    key: WorkloadKey
    active: bool


@dataclass(frozen=True, slots=True)
class SetQueue:
    """A workload that waits moves to another LocalQueue of its namespace."""

    key: WorkloadKey
    queue: str


@dataclass(frozen=True, slots=True)
class SetClusterQueue:
    """A ClusterQueue is created or changed: its quota, limits, weight, preemption, stop policy."""

    queue: ClusterQueue


@dataclass(frozen=True, slots=True)
class RemoveClusterQueue:
    """A ClusterQueue is gone."""

    name: str


@dataclass(frozen=True, slots=True)
class SetLocalQueue:
    """A LocalQueue is created or changed."""

    queue: LocalQueue


@dataclass(frozen=True, slots=True)
class RemoveLocalQueue:
    """A LocalQueue is gone."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class SetCohort:
    """A Cohort is created or changed."""

    cohort: Cohort


@dataclass(frozen=True, slots=True)
class RemoveCohort:
    """A Cohort object is gone; queues that name it still belong together."""

    name: str


@dataclass(frozen=True, slots=True)
class SetFlavor:
    """A ResourceFlavor is created or changed."""

    flavor: ResourceFlavor


@dataclass(frozen=True, slots=True)
class RemoveFlavor:
    """A ResourceFlavor is gone."""

    name: str


@dataclass(frozen=True, slots=True)
class SetNamespace:
    """A namespace is created or its labels change."""

    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RemoveNamespace:
    """A namespace is gone."""

    name: str


@dataclass(frozen=True, slots=True)
class SetFairSharing:
    """The strategies of fair sharing change, in the order they are tried; () is classical preemption."""

    strategies: tuple[str, ...]


Event = (
    Submit
    | Finish
    | Delete
    | SetPriority
    | SetActive
    | SetQueue
    | SetClusterQueue
    | RemoveClusterQueue
    | SetLocalQueue
    | RemoveLocalQueue
    | SetCohort
    | RemoveCohort
    | SetFlavor
    | RemoveFlavor
    | SetNamespace
    | RemoveNamespace
    | SetFairSharing
)
