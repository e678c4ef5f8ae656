"""A HyperPod cluster with a Kubernetes below, for tests of what the control plane keeps there."""

import itertools
from typing import Any

from local.addon import writer
from local.addon.objects import Objects
from local.addon.releases import kueue_of
from local.aws.launcher import wait_for
from local.hyperpod.client import ControlPlane
from local.kubernetes.cluster import Cluster
from local.kubernetes.server import KubernetesServer
from local.nodes import nodes_of

TYPE = "ml.g5.8xlarge"
NEWEST, OLD, OLDEST = "v1.6.1-eksbuild.1", "v1.4.0-eksbuild.1", "v1.3.2-eksbuild.1"
"""Of the add-on."""
KUEUE = "/apis/kueue.x-k8s.io"
QUEUE = "hyperpod-ns-vision-clusterqueue"
_numbers = itertools.count(1)


class World:
    """A HyperPod cluster on a Kubernetes of its own."""

    def __init__(self, server: KubernetesServer, plane: ControlPlane, nodes: int = 4) -> None:
        self.name = f"research-{next(_numbers)}"
        self.plane = plane
        self.kubernetes: Cluster = server.add_cluster(self.name)
        self.kubernetes.load(nodes_of(self.name, {TYPE: nodes}))
        self.arn = plane.add_cluster(self.name, {TYPE: nodes})
        self.sagemaker: Any = plane.boto3_client()

    def install(self, version: str = NEWEST, *, healthy: bool = True) -> None:
        """The add-on, as EKS does it."""
        cluster = self.kubernetes
        objects = Objects(cluster.endpoint, cluster.certificate_authority, cluster.admin_token)
        writer.apply(objects, kueue_of(version), overwrite=False, healthy=healthy)
        objects.close()

    def create(self, team: str = "vision", count: int = 2, **members: Any) -> str:
        quota_id: str = self.sagemaker.create_compute_quota(
            Name=f"{team}-quota",
            ClusterArn=self.arn,
            ComputeQuotaConfig={"ComputeQuotaResources": [{"InstanceType": TYPE, "Count": count}]},
            ComputeQuotaTarget={"TeamName": team, "FairShareWeight": 10},
            **members,
        )["ComputeQuotaId"]
        return quota_id

    def update(self, quota_id: str, **members: Any) -> None:
        version = self.sagemaker.describe_compute_quota(ComputeQuotaId=quota_id)["ComputeQuotaVersion"]
        self.sagemaker.update_compute_quota(ComputeQuotaId=quota_id, TargetVersion=version, **members)

    def create_policy(self, **config: Any) -> str:
        classes = [{"Name": "training", "Weight": 75}, {"Name": "inference", "Weight": 90}]
        policy_id: str = self.sagemaker.create_cluster_scheduler_config(
            Name="policy", ClusterArn=self.arn, SchedulerConfig={"PriorityClasses": classes, **config}
        )["ClusterSchedulerConfigId"]
        return policy_id

    def settled(self, resource_id: str) -> tuple[str, str]:
        """Status and reason once nothing is on its way."""
        wait_for(lambda: self.arn not in self.plane.waiting())
        held = self.described(resource_id)
        return held["Status"], held.get("FailureReason", "")

    def described(self, resource_id: str) -> Any:
        try:
            return self.sagemaker.describe_compute_quota(ComputeQuotaId=resource_id)
        except self.sagemaker.exceptions.ResourceNotFound:
            return self.sagemaker.describe_cluster_scheduler_config(ClusterSchedulerConfigId=resource_id)

    def get(self, path: str) -> Any:
        return self.kubernetes.call("GET", path).json

    def queue(self, name: str = QUEUE, version: str = "v1beta2") -> Any:
        return self.get(f"{KUEUE}/{version}/clusterqueues/{name}")

    def patch(self, path: str, change: Any) -> None:
        assert self.kubernetes.call("PATCH", path, change).status == 200

    def names(self, plural: str, version: str = "v1beta2") -> list[str]:
        return sorted(each["metadata"]["name"] for each in self.get(f"{KUEUE}/{version}/{plural}")["items"])

    def wait_for_names(self, plural: str, *wanted: str) -> None:
        """Kueue lets go of what is deleted in its own time."""
        wait_for(lambda: self.names(plural) == sorted(wanted))

    def teams(self) -> list[str]:
        """Namespaces that are governed."""
        label = "sagemaker.amazonaws.com/sagemaker-managed-queue=true"
        return [each["metadata"]["name"] for each in self.get(f"/api/v1/namespaces?labelSelector={label}")["items"]]


def amount(queue: Any, resource: str, member: str = "nominalQuota") -> str:
    """What a queue has of a resource in its one flavor."""
    (flavor,) = queue["spec"]["resourceGroups"][0]["flavors"]
    assert flavor["name"] == TYPE
    found: str = next(each[member] for each in flavor["resources"] if each["name"] == resource)
    return found
