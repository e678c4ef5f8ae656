"""Workloads to explain: as they were recorded, and as a test makes them."""

import json
from collections.abc import Mapping
from typing import Any

from governor.kueue import reading
from governor.kueue.explaining import Brief, Explanation, Queues, Subject, brief, explain
from governor.kueue.objects import (
    Admission,
    Amounts,
    ClusterQueue,
    Condition,
    FlavorQuotas,
    FlavorUsage,
    LocalQueue,
    PodSet,
    PodSetAssignment,
    Preemption,
    QueueStatus,
    Quota,
    ResourceGroup,
    Workload,
)
from tests.unit.kueue.recordings import DATA

GPU, FLAVOR = "nvidia.com/gpu", "ml.g5.8xlarge"
CREATED = 1_795_492_000
VERSIONS = {"0.12.10": "v1beta1", "0.19.2": "v1beta2"}


class Recorded:
    """The workloads and queues of a cluster in one recorded state."""

    def __init__(self, release: str, state: str) -> None:
        self._base = f"{release}/{state}.{VERSIONS[release]}"
        self.subjects = [
            Subject(reading.workload(each), "Job" if each["metadata"].get("ownerReferences") else "")
            for each in self._items("workloads")
        ]
        self.others = [brief(each) for each in self.subjects]
        local = [reading.local_queue(each) for each in self._items("localqueues")]
        cluster = [reading.cluster_queue(each) for each in self._items("clusterqueues")]
        self.queues = Queues(
            {(each.namespace, each.name): each for each in local}, {each.name: each for each in cluster}
        )

    def _items(self, plural: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((DATA / f"{self._base}.{plural}.list.json").read_bytes())["items"]
        return found

    def why(self, job: str) -> Explanation:
        """What is said of a job."""
        subject = next(each for each in self.subjects if job in (each.workload.owner, each.workload.name))
        return explain(subject, self.others, self.queues)


def condition(kind: str, status: str, reason: str, message: str = "", at: int = CREATED) -> Condition:
    return Condition(kind, status, reason, message, at)


def workload(
    name: str,
    *conditions: Condition,
    team: str = "a",
    gpus: int = 1,
    pods: int = 1,
    priority: int = 0,
    created: int = CREATED,
    active: bool = True,
    holds: Amounts | None = None,
    selects: Mapping[str, str] | None = None,
) -> Workload:
    """Of a job of the same name; ``holds`` is the quota that it has."""
    queue = f"hyperpod-ns-{team}"
    assigned = PodSetAssignment("main", pods, dict.fromkeys(holds or {}, FLAVOR), holds or {})
    return Workload(
        namespace=queue,
        name=f"job-{name}-1",
        uid=f"uid-{name}",
        queue=f"{queue}-localqueue",
        pod_sets=(PodSet("main", pods, {GPU: gpus}, node_selector=selects or {}),),
        priority=priority,
        created=created,
        active=active,
        owner=name,
        owner_uid=f"job-uid-{name}",
        admission=None if holds is None else Admission(f"{queue}-clusterqueue", (assigned,)),
        conditions={each.type: each for each in conditions},
    )


def waiting(name: str, message: str, **members: Any) -> Workload:
    """One that waits, and why."""
    return workload(name, condition("QuotaReserved", "False", "Pending", message), **members)


def held_by(name: str, gpus: int, **members: Any) -> Brief:
    """One that holds quota."""
    return brief(Subject(workload(name, holds={GPU: gpus}, **members), "Job"))


def queue(
    team: str = "a",
    nominal: int = 4,
    borrowing: int | None = 2,
    used: int = 0,
    cohort: str = "hyperpod",
    **members: Any,
) -> ClusterQueue:
    quota = FlavorQuotas(FLAVOR, {GPU: Quota(nominal, borrowing)})
    taken = {FLAVOR: {GPU: FlavorUsage(used, max(0, used - nominal))}}
    return ClusterQueue(
        f"hyperpod-ns-{team}-clusterqueue",
        cohort,
        (ResourceGroup((GPU,), (quota,)),),
        **{
            "preemption": Preemption("LowerPriority", "Any"),
            "status": QueueStatus(reserved=taken),
            **members,
        },
    )


def queues(*cluster: ClusterQueue) -> Queues:
    """ClusterQueues, each with the LocalQueue of its team."""
    local = {}
    for each in cluster:
        namespace = each.name.removesuffix("-clusterqueue")
        local[namespace, f"{namespace}-localqueue"] = LocalQueue(namespace, f"{namespace}-localqueue", each.name)
    return Queues(local, {each.name: each for each in cluster})


def short(amount: int, flavor: str = FLAVOR) -> str:
    """What Kueue says when quota is taken."""
    return (
        f"couldn't assign flavors to pod set main: insufficient unused quota for {GPU} in flavor {flavor}, "
        f"{amount} more needed"
    )


def why(found: Workload, *others: Brief, given: Queues | None = None, **members: Any) -> Explanation:
    """What is said of a workload among others; ``members`` are those of its Subject."""
    return explain(Subject(found, "Job", **members), others, given or Queues())


def evicted(reason: str, message: str, **members: Any) -> Workload:
    """One that was evicted, and waits again without another word."""
    told = condition("QuotaReserved", "False", "Pending", message, CREATED + 9)
    preempted = (
        [condition("Preempted", "True", "InClusterQueue", message, CREATED + 9)] if reason == "Preempted" else []
    )
    return workload("x", told, condition("Evicted", "True", reason, message, CREATED + 9), *preempted, **members)


QUOTA = condition("QuotaReserved", "True", "QuotaReserved", "", CREATED + 5)
ADMITTED = condition("Admitted", "True", "Admitted", "", CREATED + 6)
