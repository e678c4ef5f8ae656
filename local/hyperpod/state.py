"""Everything the account holds, and which operation is answered by what."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from local.hyperpod.clusters import Clusters
from local.hyperpod.lifecycle import Phase
from local.hyperpod.quotas import Allocation, ComputeQuotas
from local.hyperpod.request import ACCOUNT, Begun, Caller, JsonObject, Request
from local.hyperpod.scheduler_configs import ClusterSchedulerConfigs, Policy
from local.hyperpod.store import Store
from local.hyperpod.tags import Tags

Handler = Callable[[Request], JsonObject]


class State:
    def __init__(self) -> None:
        self.clusters = Clusters()
        self.tags = Tags(self._exists)
        self.quotas = ComputeQuotas(self.clusters, self.tags)
        self.scheduler_configs = ClusterSchedulerConfigs(self.clusters, self.tags)
        self.operations: Mapping[str, Handler] = {
            "ListClusters": self.clusters.list_clusters,
            "DescribeCluster": self.clusters.describe_cluster,
            "ListClusterNodes": self.clusters.list_cluster_nodes,
            "CreateComputeQuota": self.quotas.create,
            "UpdateComputeQuota": self.quotas.update,
            "DescribeComputeQuota": self.quotas.describe,
            "ListComputeQuotas": self.quotas.list,
            "DeleteComputeQuota": self.quotas.delete,
            "CreateClusterSchedulerConfig": self.scheduler_configs.create,
            "UpdateClusterSchedulerConfig": self.scheduler_configs.update,
            "DescribeClusterSchedulerConfig": self.scheduler_configs.describe,
            "ListClusterSchedulerConfigs": self.scheduler_configs.list,
            "DeleteClusterSchedulerConfig": self.scheduler_configs.delete,
            "AddTags": self.tags.add_tags,
            "ListTags": self.tags.list_tags,
            "DeleteTags": self.tags.delete_tags,
        }

    def update_unasked(self, request: Request, caller: Caller, changes: Mapping[str, Any]) -> None:
        """Another user's update of what an Update request is about."""
        foreign = replace(request, caller=caller, ending=None)
        if "ComputeQuotaId" in request.body:
            self.quotas.update_unasked(foreign, changes)
        else:
            self.scheduler_configs.update_unasked(foreign, changes)

    def remove_cluster(self, region: str, name: str) -> str:
        """Forget the cluster and everything that belongs to it; its ARN."""
        cluster = self.clusters.remove(region, name)
        for store in self._stores():
            store.drop_cluster(cluster.arn)
        return cluster.arn

    def cluster_arn(self, region: str, name: str) -> str:
        """The ARN of the cluster that a request names or gives the ARN of, whether there is one or not."""
        if name.startswith("arn:"):
            return name
        return self.clusters.arn_of(region, name) or f"arn:aws:sagemaker:{region}:{ACCOUNT}:cluster/{name}"

    def eks_cluster_arn(self, body: Mapping[str, Any]) -> str | None:
        """The ARN of the EKS cluster below the one that a quota or a cluster policy is of, or is to be made for."""
        resource_id = str(body.get("ComputeQuotaId") or body.get("ClusterSchedulerConfigId") or "")
        held = self.quotas.store.get(resource_id) or self.scheduler_configs.store.get(resource_id)
        return self.clusters.eks_arn_of(held.cluster_arn if held else str(body.get("ClusterArn", "")))

    def force_status(self, resource_id: str, phase: Phase) -> bool:
        """Give a compute quota or a cluster policy another status; False when the id is unknown."""
        for store in self._stores():
            if store.get(resource_id) is not None:
                store.force(resource_id, phase)
                return True
        return False

    def runs(self, begun: Begun) -> bool:
        """Whether a transition is still what its resource is in."""
        held = self.quotas.store.get(begun.resource_id) or self.scheduler_configs.store.get(begun.resource_id)
        return held is not None and held.phases[-1] == Phase(begun.since, begun.running)

    def subject(self, body: Mapping[str, Any]) -> Mapping[str, str]:
        """Name, team and id of what a request is about, as far as it says or the account knows."""
        resource_id = str(body.get("ComputeQuotaId") or body.get("ClusterSchedulerConfigId") or "")
        target = body.get("ComputeQuotaTarget")
        found = {"id": resource_id, "name": str(body.get("Name") or body.get("ClusterName") or "")}
        if isinstance(target, dict):
            found["team"] = str(target.get("TeamName", ""))
        quota = self.quotas.store.get(resource_id)
        if quota is not None:
            return found | {"name": quota.name, "team": str(quota.content.target["TeamName"])}
        policy = self.scheduler_configs.store.get(resource_id)
        return found | {"name": policy.name} if policy is not None else found

    def _exists(self, arn: str, now: float) -> bool:
        return self.clusters.exists(arn) or any(store.living(arn, now) for store in self._stores())

    def _stores(self) -> tuple[Store[Allocation], Store[Policy]]:
        return self.quotas.store, self.scheduler_configs.store
