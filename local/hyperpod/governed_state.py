"""What Kubernetes should follow of the account: a cluster's quotas and policy as far as they are in force."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from governor.plan import LiveClusterPolicy, Quota
from governor.policy import PriorityClass, Sharing
from governor.quota import Partition, QuotaEntry
from local.hyperpod.kueue_objects import Governed
from local.hyperpod.lifecycle import DELETED, Resource, Revision
from local.hyperpod.quotas import Allocation
from local.hyperpod.scheduler_configs import Policy
from local.hyperpod.state import State
from local.hyperpod.store import Store

C = TypeVar("C")


def governed(
    state: State, cluster_arn: str, nodes: Mapping[str, int], now: float, changing: str | None = None
) -> Governed:
    """Of the resource with the id `changing` what it is about to be, of all others what they are.

    Of several cluster policies the oldest is in force.
    """
    quotas = _in_force(state.quotas.store, cluster_arn, now, changing)
    policies = _in_force(state.scheduler_configs.store, cluster_arn, now, changing)
    return Governed(
        quotas=tuple(_quota(*each) for each in quotas),
        policy=next((_policy(*each) for each in policies), None),
        nodes=nodes,
    )


def _in_force(
    store: Store[C], cluster_arn: str, now: float, changing: str | None
) -> Iterator[tuple[Resource[C], Revision[C]]]:
    for resource in store.of_cluster(cluster_arn):
        status = resource.status_at(now)
        if status == DELETED or (resource.id == changing and status == "Deleting"):
            continue
        revision = resource.revisions[-1] if resource.id == changing else resource.settled_at(now)
        if revision is not None:
            yield resource, revision


def _quota(resource: Resource[Allocation], revision: Revision[Allocation]) -> Quota:
    allocation = revision.content
    config = allocation.config
    return Quota(
        id=resource.id,
        name=resource.name,
        team=allocation.target["TeamName"],
        status="",
        version=revision.version,
        entries=_entries(config.get("ComputeQuotaResources", ())),
        sharing=_sharing(config["ResourceSharingConfig"]),
        preempt_team_tasks=config["PreemptTeamTasks"],
        fair_share_weight=allocation.target["FairShareWeight"],
        activation=allocation.activation,
    )


def _sharing(config: Mapping[str, Any]) -> Sharing:
    limits = config.get("AbsoluteBorrowLimits")
    return Sharing(config["Strategy"], config.get("BorrowLimit"), None if limits is None else _entries(limits))


def _entries(items: Any) -> tuple[QuotaEntry, ...]:
    return tuple(
        QuotaEntry(
            instance_type=item["InstanceType"],
            count=item.get("Count"),
            accelerators=item.get("Accelerators"),
            v_cpu=item.get("VCpu"),
            memory_in_gib=item.get("MemoryInGiB"),
            partition=Partition(partition["Type"], partition["Count"]) if partition else None,
        )
        for item in items
        for partition in (item.get("AcceleratorPartition"),)
    )


def _policy(resource: Resource[Policy], revision: Revision[Policy]) -> LiveClusterPolicy:
    config = revision.content.config
    return LiveClusterPolicy(
        id=resource.id,
        name=resource.name,
        status="",
        version=revision.version,
        priority_classes=tuple(PriorityClass(each["Name"], each["Weight"]) for each in config["PriorityClasses"]),
        fair_share=config["FairShare"],
        idle_resource_sharing=config["IdleResourceSharing"],
    )
