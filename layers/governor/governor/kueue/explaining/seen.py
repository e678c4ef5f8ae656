"""What an explanation is made from: one workload in full, and of all others as much as a line takes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from governor.kueue.objects import Amounts, ClusterQueue, LocalQueue, Workload

TEAMS = "hyperpod-ns-"
"""What the namespace of a team begins with (facts 1f)."""


class Phase(Enum):
    """How far a workload is, as far as others care: whether it waits with them, or holds what they wait for."""

    WAITING = "waiting"
    HOLDING = "holding"
    INACTIVE = "inactive"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Check:
    """An admission check of a workload."""

    name: str
    state: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """A workload, with what scheduling does not need of it.

    ``kind`` is its job's; ``retry_at`` is when it is tried again after its pods were not ready in time, 0 for none;
    ``preemptions`` is how often it was preempted so far.
    """

    workload: Workload
    kind: str = ""
    checks: tuple[Check, ...] = ()
    retry_at: int = 0
    preemptions: int = 0


@dataclass(frozen=True, slots=True)
class Brief:
    """As much of a workload as is kept of all of a cluster. ``holds`` is by flavor and resource."""

    namespace: str
    name: str
    uid: str
    kind: str
    job: str
    job_uid: str
    queue: str
    cluster_queue: str
    priority: int
    since: int
    phase: Phase
    holds: Mapping[str, Amounts]

    @property
    def order(self) -> tuple[int, int, str]:
        """Who is tried first: by priority, by age, by UID (Kueue's documentation, "Queueing strategy")."""
        return -self.priority, self.since, self.uid


@dataclass(frozen=True, slots=True)
class Queues:
    """LocalQueues by namespace and name, ClusterQueues by name; empty where they could not be read."""

    local: Mapping[tuple[str, str], LocalQueue] = field(default_factory=lambda: MappingProxyType({}))
    cluster: Mapping[str, ClusterQueue] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Event:
    """An event of Kubernetes. ``at`` is when it was seen last, ``about`` is the kind of its object; of one second, the
    lower ``mark`` comes first."""

    at: int
    reason: str
    message: str
    about: str = "Workload"
    type: str = "Normal"
    count: int = 1
    mark: str = ""


def brief(subject: Subject) -> Brief:
    """What is kept of a workload."""
    workload = subject.workload
    return Brief(
        namespace=workload.namespace,
        name=workload.name,
        uid=workload.uid,
        kind=subject.kind,
        job=workload.owner,
        job_uid=workload.owner_uid,
        queue=workload.queue,
        cluster_queue=workload.admission.cluster_queue if workload.admission else "",
        priority=workload.priority,
        since=_queued(workload),
        phase=_phase(workload),
        holds=held(workload),
    )


def held(workload: Workload) -> Mapping[str, Amounts]:
    """The quota that a workload has, by flavor and resource."""
    found: dict[str, dict[str, int]] = {}
    for each in workload.admission.pod_sets if workload.admission else ():
        for resource, amount in each.usage.items():
            flavor = found.setdefault(each.flavors.get(resource, ""), {})
            flavor[resource] = flavor.get(resource, 0) + amount
    return found


def requested(workload: Workload) -> Iterator[tuple[str, Amounts]]:
    """By pod set, what all its pods ask for together."""
    for each in workload.pod_sets:
        yield each.name, {resource: amount * each.count for resource, amount in each.requests.items()}


def team_of(namespace: str) -> str:
    """The team whose namespace this is; "" for any other."""
    return namespace.removeprefix(TEAMS) if namespace.startswith(TEAMS) else ""


def _phase(workload: Workload) -> Phase:
    if workload.is_("Finished"):
        return Phase.ENDED
    if workload.admission is not None:
        return Phase.HOLDING
    return Phase.WAITING if workload.active else Phase.INACTIVE


def _queued(workload: Workload) -> int:
    """Since when it stands in line: its creation, unless its pods were not ready in time; then it goes to the end."""
    evicted = workload.conditions.get("Evicted")
    late = evicted is not None and evicted.status == "True" and evicted.reason == "PodsReadyTimeout"
    return evicted.at if evicted is not None and late else workload.created
