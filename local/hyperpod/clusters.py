"""HyperPod clusters: what the admin endpoint makes, and what the three cluster operations show of it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import msgspec

from local.hyperpod.errors import conflict, not_found, validation
from local.hyperpod.paging import Position, page
from local.hyperpod.request import ACCOUNT, JsonObject, Request
from local.hyperpod.store import new_id, to_milliseconds

ASCENDING = "Ascending"

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


@dataclass(frozen=True, slots=True)
class Cluster:
    spec: ClusterSpec
    id: str
    serial: int
    created_at: float

    @property
    def arn(self) -> str:
        return f"arn:aws:sagemaker:{self.spec.region}:{ACCOUNT}:cluster/{self.id}"

    @property
    def groups(self) -> list[GroupSpec]:
        return [*self.spec.instance_groups, *self.spec.restricted_instance_groups]


@dataclass(frozen=True, slots=True)
class Node:
    serial: int
    group: str
    instance_type: str
    instance_id: str


class Clusters:
    """The clusters of the account, by Region and name."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, str], Cluster] = {}
        self._made = 0

    def add(self, spec: ClusterSpec, now: float) -> Cluster:
        """A new cluster, with an ARN no cluster had before."""
        if (spec.region, spec.name) in self._by_name:
            raise conflict(f"There is a cluster {spec.name} in {spec.region} already.")
        self._made += 1
        cluster = Cluster(spec, id=new_id(), serial=self._made, created_at=to_milliseconds(now))
        self._by_name[spec.region, spec.name] = cluster
        return cluster

    def change(self, region: str, name: str, change: ClusterChange) -> Cluster:
        cluster = self._named(region, name)
        changes = {each.name: each for each in change.instance_groups}
        unknown = changes.keys() - {group.name for group in cluster.groups}
        if unknown:
            raise not_found(f"Cluster {name} has no instance group {', '.join(sorted(unknown))}.")
        spec = msgspec.structs.replace(
            cluster.spec,
            instance_groups=[_changed(each, changes) for each in cluster.spec.instance_groups],
            restricted_instance_groups=[_changed(each, changes) for each in cluster.spec.restricted_instance_groups],
            status=change.status or cluster.spec.status,
        )
        changed = replace(cluster, spec=spec)
        self._by_name[region, name] = changed
        return changed

    def remove(self, region: str, name: str) -> Cluster:
        cluster = self._named(region, name)
        del self._by_name[region, name]
        return cluster

    def of_arn(self, arn: str, request: Request) -> Cluster:
        """The cluster of the ARN that a request carries."""
        if arn.split(":")[3] != request.caller.region:
            raise validation(f"The cluster is not in Region {request.caller.region}: {arn}")
        for cluster in self._by_name.values():
            if cluster.arn == arn:
                return cluster
        raise not_found(f"Cluster with ARN {arn} does not exist.")

    def arn_of(self, region: str, name: str) -> str | None:
        cluster = self._by_name.get((region, name))
        return cluster.arn if cluster else None

    def eks_arn_of(self, arn: str) -> str | None:
        """The ARN of the EKS cluster below the cluster with this ARN; None where there is none."""
        return next((cluster.spec.eks_arn for cluster in self._by_name.values() if cluster.arn == arn), None)

    def exists(self, arn: str) -> bool:
        return any(cluster.arn == arn for cluster in self._by_name.values())

    def list_clusters(self, request: Request) -> JsonObject:
        body = request.body
        by_name = body.get("SortBy", "CREATION_TIME") == "NAME"

        def position(cluster: Cluster) -> Position:
            return cluster.spec.name if by_name else cluster.created_at, cluster.serial

        kept = [
            cluster
            for cluster in self._by_name.values()
            if cluster.spec.region == request.caller.region
            and body.get("NameContains", "") in cluster.spec.name
            and cluster.created_at > body.get("CreationTimeAfter", float("-inf"))
            and cluster.created_at < body.get("CreationTimeBefore", float("inf"))
            and "TrainingPlanArn" not in body
        ]
        shown, token = page(kept, position, body.get("SortOrder", ASCENDING), request)
        return _with_token("ClusterSummaries", [_summary(cluster) for cluster in shown], token)

    def describe_cluster(self, request: Request) -> JsonObject:
        return described(self._asked(request))

    def list_cluster_nodes(self, request: Request) -> JsonObject:
        cluster, body = self._asked(request), request.body
        by_name = body.get("SortBy", "CREATION_TIME") == "NAME"

        def position(node: Node) -> Position:
            return node.group if by_name else cluster.created_at, node.serial

        launched = (
            body.get("CreationTimeAfter", float("-inf"))
            < cluster.created_at
            < body.get("CreationTimeBefore", float("inf"))
        )
        kept = [
            node for node in _nodes(cluster) if launched and body.get("InstanceGroupNameContains", "") in node.group
        ]
        shown, token = page(kept, position, body.get("SortOrder", ASCENDING), request)
        summaries: list[JsonObject] = [
            {
                "InstanceGroupName": node.group,
                "InstanceId": node.instance_id,
                "InstanceType": node.instance_type,
                "LaunchTime": cluster.created_at,
                "InstanceStatus": {"Status": "Running"},
            }
            | ({"NodeLogicalId": node.instance_id} if body.get("IncludeNodeLogicalIds") else {})
            for node in shown
        ]
        return _with_token("ClusterNodeSummaries", summaries, token)

    def _asked(self, request: Request) -> Cluster:
        name = request.body["ClusterName"]
        if name.startswith("arn:"):
            return self.of_arn(name, request)
        return self._named(request.caller.region, name)

    def _named(self, region: str, name: str) -> Cluster:
        try:
            return self._by_name[region, name]
        except KeyError:
            raise not_found(f"Cluster {name} does not exist.") from None


def described(cluster: Cluster) -> JsonObject:
    """The DescribeCluster answer."""
    spec = cluster.spec
    answer: JsonObject = {
        "ClusterArn": cluster.arn,
        "ClusterName": spec.name,
        "ClusterStatus": spec.status,
        "CreationTime": cluster.created_at,
        "InstanceGroups": [_group(group) for group in spec.instance_groups],
        "Orchestrator": _orchestrator(spec),
        "NodeRecovery": "Automatic",
    }
    if spec.restricted_instance_groups:
        answer["RestrictedInstanceGroups"] = [_restricted_group(group) for group in spec.restricted_instance_groups]
    if spec.node_provisioning_mode:
        answer["NodeProvisioningMode"] = spec.node_provisioning_mode
    if spec.autoscaling:
        answer["AutoScaling"] = {"Mode": "Enable", "AutoScalerType": "Karpenter", "Status": "InService"}
    return answer


def _orchestrator(spec: ClusterSpec) -> JsonObject:
    if spec.eks_arn is None:
        return {"Slurm": {"SlurmConfigStrategy": "Managed"}}
    return {"Eks": {"ClusterArn": spec.eks_arn}}


def _group(group: GroupSpec) -> JsonObject:
    shown = _restricted_group(group) | {
        "LifeCycleConfig": {"SourceS3Uri": "s3://lifecycle-scripts/", "OnCreate": "on_create.sh"}
    }
    if group.min_count is not None:
        shown["MinCount"] = group.min_count
    if group.instance_types:
        threads: JsonObject = {"ThreadsPerCore": group.threads_per_core} if group.threads_per_core else {}
        counts = _counts(group)
        shown["InstanceRequirements"] = {
            "CurrentInstanceTypes": group.instance_types,
            "DesiredInstanceTypes": group.instance_types,
        }
        shown["InstanceTypeDetails"] = [
            {"InstanceType": name, "CurrentCount": counts.get(name, 0), **threads} for name in group.instance_types
        ]
    return shown


def _restricted_group(group: GroupSpec) -> JsonObject:
    shown: JsonObject = {
        "InstanceGroupName": group.name,
        "CurrentCount": sum(_counts(group).values()),
        "TargetCount": group.count,
        "ExecutionRole": f"arn:aws:iam::{ACCOUNT}:role/hyperpod-instances",
        "Status": "InService",
    }
    if group.instance_type is not None:
        shown["InstanceType"] = group.instance_type
    if group.threads_per_core is not None:
        shown["ThreadsPerCore"] = group.threads_per_core
    return shown


def _counts(group: GroupSpec) -> dict[str, int]:
    """Running nodes by instance type. A flexible group has them all of its first type unless told otherwise."""
    if group.current_counts:
        return group.current_counts
    first = group.instance_types[0] if group.instance_types else group.instance_type or ""
    return {first: group.count if group.current_count is None else group.current_count}


def _nodes(cluster: Cluster) -> Iterator[Node]:
    serial = 0
    for group in cluster.groups:
        for instance_type, count in _counts(group).items():
            for number in range(count):
                digest = hashlib.sha256(f"{cluster.id}/{group.name}/{instance_type}/{number}".encode())
                yield Node(serial, group.name, instance_type, f"i-{digest.hexdigest()[:17]}")
                serial += 1


def _changed(group: GroupSpec, changes: dict[str, GroupChange]) -> GroupSpec:
    change = changes.get(group.name)
    if change is None:
        return group
    return msgspec.structs.replace(
        group,
        count=group.count if change.count is None else change.count,
        current_count=change.current_count,
        current_counts=change.current_counts,
    )


def _summary(cluster: Cluster) -> JsonObject:
    return {
        "ClusterArn": cluster.arn,
        "ClusterName": cluster.spec.name,
        "CreationTime": cluster.created_at,
        "ClusterStatus": cluster.spec.status,
    }


def _with_token(member: str, summaries: list[JsonObject], token: str | None) -> JsonObject:
    return {member: summaries} if token is None else {member: summaries, "NextToken": token}
