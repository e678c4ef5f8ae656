"""HyperPod clusters: what the admin endpoint makes, and what the three cluster operations show of it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from local.hyperpod.cluster_spec import ClusterChange, ClusterSpec, GroupChange, GroupSpec, changed, counts_of
from local.hyperpod.errors import conflict, not_found, validation
from local.hyperpod.paging import Position, page
from local.hyperpod.request import ACCOUNT, JsonObject, Request
from local.hyperpod.store import new_id, to_milliseconds

__all__ = ["Cluster", "ClusterChange", "ClusterSpec", "Clusters", "GroupChange", "GroupSpec", "described"]

ASCENDING = "Ascending"


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
            instance_groups=[changed(each, changes) for each in cluster.spec.instance_groups],
            restricted_instance_groups=[changed(each, changes) for each in cluster.spec.restricted_instance_groups],
            status=change.status or cluster.spec.status,
        )
        cluster = replace(cluster, spec=spec)
        self._by_name[region, name] = cluster
        return cluster

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

    def spec_of(self, arn: str) -> ClusterSpec | None:
        return next((cluster.spec for cluster in self._by_name.values() if cluster.arn == arn), None)

    def above(self, eks_name: str) -> list[str]:
        """The ARNs of the clusters on the EKS cluster of this name."""
        return [
            cluster.arn
            for cluster in self._by_name.values()
            if cluster.spec.eks_arn is not None and cluster.spec.eks_arn.endswith(f"/{eks_name}")
        ]

    def ids(self) -> set[str]:
        return {cluster.id for cluster in self._by_name.values()}

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
        counts = counts_of(group)
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
        "CurrentCount": sum(counts_of(group).values()),
        "TargetCount": group.count,
        "ExecutionRole": f"arn:aws:iam::{ACCOUNT}:role/hyperpod-instances",
        "Status": "InService",
    }
    if group.instance_type is not None:
        shown["InstanceType"] = group.instance_type
    if group.threads_per_core is not None:
        shown["ThreadsPerCore"] = group.threads_per_core
    return shown


def _nodes(cluster: Cluster) -> Iterator[Node]:
    serial = 0
    for group in cluster.groups:
        for instance_type, count in counts_of(group).items():
            for number in range(count):
                digest = hashlib.sha256(f"{cluster.id}/{group.name}/{instance_type}/{number}".encode())
                yield Node(serial, group.name, instance_type, f"i-{digest.hexdigest()[:17]}")
                serial += 1


def _summary(cluster: Cluster) -> JsonObject:
    return {
        "ClusterArn": cluster.arn,
        "ClusterName": cluster.spec.name,
        "CreationTime": cluster.created_at,
        "ClusterStatus": cluster.spec.status,
    }


def _with_token(member: str, summaries: list[JsonObject], token: str | None) -> JsonObject:
    return {member: summaries} if token is None else {member: summaries, "NextToken": token}
