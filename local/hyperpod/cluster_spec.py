"""What a HyperPod cluster is made of, and how that is changed."""

from typing import Annotated, Literal

import msgspec

from local.hyperpod.request import ACCOUNT

Count = Annotated[int, msgspec.Meta(ge=0, le=6758)]
Status = Literal["Creating", "Deleting", "Failed", "InService", "RollingBack", "SystemUpdating", "Updating"]


class GroupSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """An instance group. `instance_types` makes it a flexible one; `current_counts` says how many of each run."""

    name: str
    count: Count
    instance_type: str | None = None
    current_count: Count | None = None
    min_count: Count | None = None
    threads_per_core: int | None = None
    instance_types: list[str] = []
    current_counts: dict[str, Count] = {}


class ClusterSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    name: str
    instance_groups: list[GroupSpec] = []
    restricted_instance_groups: list[GroupSpec] = []
    autoscaling: bool = False
    orchestrator: Literal["eks", "slurm"] = "eks"
    eks_cluster_name: str | None = None
    node_provisioning_mode: Literal["Continuous"] | None = None
    status: Status = "InService"
    region: str = "us-west-2"

    @property
    def eks_arn(self) -> str | None:
        """Of the EKS cluster below; None for Slurm."""
        if self.orchestrator == "slurm":
            return None
        return f"arn:aws:eks:{self.region}:{ACCOUNT}:cluster/{self.eks_cluster_name or self.name}"


class GroupChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """New counts of one group; what is left out stays, except that nodes follow a changed count."""

    name: str
    count: Count | None = None
    current_count: Count | None = None
    current_counts: dict[str, Count] = {}


class ClusterChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True):
    instance_groups: list[GroupChange] = []
    status: Status | None = None


def counts_of(group: GroupSpec) -> dict[str, int]:
    """Running nodes by instance type. A flexible group has them all of its first type unless told otherwise."""
    if group.current_counts:
        return group.current_counts
    first = group.instance_types[0] if group.instance_types else group.instance_type or ""
    return {first: group.count if group.current_count is None else group.current_count}


def instances(spec: ClusterSpec) -> dict[str, int]:
    """Running instances by type."""
    counts: dict[str, int] = {}
    for group in (*spec.instance_groups, *spec.restricted_instance_groups):
        for instance_type, count in counts_of(group).items():
            counts[instance_type] = counts.get(instance_type, 0) + count
    return counts


def changed(group: GroupSpec, changes: dict[str, GroupChange]) -> GroupSpec:
    change = changes.get(group.name)
    if change is None:
        return group
    return msgspec.structs.replace(
        group,
        count=group.count if change.count is None else change.count,
        current_count=change.current_count,
        current_counts=change.current_counts,
    )
