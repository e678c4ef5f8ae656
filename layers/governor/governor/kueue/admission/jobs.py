"""Workloads at work: those that hold quota, and those that wait."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from governor.kueue.objects import Admission, Workload, WorkloadKey

Shape = tuple[object, ...]
"""What decides whether a workload can be admitted; workloads of a queue that are alike in it are tried once."""


@dataclass(slots=True, eq=False)
class Holding:
    """A workload that holds quota of a queue since ``reserved``; ``leaving`` when it is being evicted."""

    key: WorkloadKey
    uid: str
    queue: str
    priority: int
    created: int
    reserved: int
    needs: Mapping[tuple[str, str], int]
    leaving: bool = False

    def order(self) -> tuple[bool, int, int, str]:
        """Who goes first: who is leaving anyway, the lowest priority, the most recently admitted, the lowest UID."""
        return not self.leaving, self.priority, -self.reserved, self.uid


@dataclass(slots=True)
class Scan:
    """How far the flavors were tried: the last one by pod set and resource, -1 all of them."""

    cycle: int
    freed: int
    tried: list[dict[str, int]]

    @property
    def is_pending(self) -> bool:
        """Whether there are flavors that were not tried yet."""
        return any(index != -1 for each in self.tried for index in each.values())


@dataclass(slots=True, eq=False)
class Waiting:
    """A workload that waits in a queue."""

    workload: Workload
    shape: Shape
    scan: Scan | None = field(default=None)

    @property
    def key(self) -> WorkloadKey:
        return self.workload.key

    @property
    def order(self) -> tuple[int, int, str, WorkloadKey]:
        """Who is tried first: by priority, by age, by UID (Kueue's documentation, "Queueing strategy")."""
        workload = self.workload
        return -workload.priority, workload.created, workload.uid, workload.key


def shape_of(workload: Workload) -> Shape:
    """The shape of a workload."""
    return (
        workload.priority,
        *(
            (
                each.name,
                each.count,
                tuple(sorted(each.requests.items())),
                tuple(sorted(each.node_selector.items())),
                each.affinity,
                each.tolerations,
                each.min_count,
                each.topology,
            )
            for each in workload.pod_sets
        ),
    )


def needs_of(admission: Admission) -> dict[tuple[str, str], int]:
    """What an admitted workload uses, by flavor and resource."""
    needs: dict[tuple[str, str], int] = {}
    for pod_set in admission.pod_sets:
        for resource, flavor in pod_set.flavors.items():
            place = flavor, resource
            needs[place] = needs.get(place, 0) + pod_set.usage.get(resource, 0)
    return needs
