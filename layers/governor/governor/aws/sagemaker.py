"""SageMaker HyperPod governance as typed calls: clusters, compute quotas, cluster policies."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from governor.aws.failures import mapped
from governor.errors import GovernorError, NotFoundError
from governor.plan import ClusterPolicyRequest, LiveClusterPolicy, Quota, QuotaRequest
from governor.policy import PriorityClass, Sharing
from governor.policy.names import is_cluster_arn
from governor.policy.wording import nearest
from governor.quota import Cluster, InstanceGroup, Partition, QuotaEntry

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

PAGE = 100
"""The most that a List call answers (API reference)."""


class Clusters:
    """HyperPod clusters."""

    def __init__(self, client: "SageMakerClient") -> None:
        self._client = client

    def describe(self, name: str) -> Cluster:
        """A cluster by name or ARN; NotFoundError names the nearest cluster that exists."""
        try:
            with mapped(f"DescribeCluster '{name}'"):
                answer: Mapping[str, Any] = self._client.describe_cluster(ClusterName=name)
        except NotFoundError as error:
            near = None if is_cluster_arn(name) else nearest(name, self._names_if_allowed())
            hint = f"; did you mean '{near}'?" if near else "; 'aws sagemaker list-clusters' shows those that exist"
            raise NotFoundError(
                f"cluster '{name}' does not exist in Region {self._client.meta.region_name}{hint}"
            ) from error
        return _cluster(answer)

    def _names_if_allowed(self) -> list[str]:
        try:
            return self.names()
        except GovernorError:
            return []  # a suggestion is not worth another error

    def names(self) -> list[str]:
        """The names of the clusters of the account and Region."""
        with mapped("ListClusters"):
            pages = self._client.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": PAGE})
            return [cluster["ClusterName"] for page in pages for cluster in page["ClusterSummaries"]]


class Quotas:
    """Compute quotas."""

    def __init__(self, client: "SageMakerClient") -> None:
        self._client = client

    def list(self, cluster_arn: str) -> tuple[Quota, ...]:
        """All quotas of a cluster but the deleted ones, whose summaries linger (facts 1e)."""
        return tuple(quota for quota in self._pages(cluster_arn) if quota.status != "Deleted")

    def _pages(self, cluster_arn: str) -> Iterator[Quota]:
        with mapped("ListComputeQuotas"):
            pages = self._client.get_paginator("list_compute_quotas").paginate(
                ClusterArn=cluster_arn,
                SortBy="CreationTime",
                SortOrder="Ascending",
                PaginationConfig={"PageSize": PAGE},
            )
            for page in pages:
                for summary in page.get("ComputeQuotaSummaries", ()):
                    yield _quota(summary)

    def describe(self, quota_id: str) -> Quota:
        """One quota with description, failure reason and who changed it last."""
        with mapped(f"DescribeComputeQuota {quota_id}"):
            answer: Mapping[str, Any] = self._client.describe_compute_quota(ComputeQuotaId=quota_id)
        return _quota(answer)

    def create(self, cluster_arn: str, request: QuotaRequest) -> str:
        """Returns the new quota's id; the quota is Creating then."""
        with mapped(f"CreateComputeQuota '{request.name}'"):
            answer = self._client.create_compute_quota(
                Name=request.name, ClusterArn=cluster_arn, **_quota_content(request)
            )
        return answer["ComputeQuotaId"]

    def update(self, quota_id: str, version: int, request: QuotaRequest) -> int:
        """Returns the new version; ConflictError when ``version`` is no longer the current one."""
        with mapped(f"UpdateComputeQuota '{request.name}'"):
            answer = self._client.update_compute_quota(
                ComputeQuotaId=quota_id, TargetVersion=version, **_quota_content(request)
            )
        return answer["ComputeQuotaVersion"]

    def delete(self, quota_id: str) -> None:
        """Starts the deletion."""
        with mapped(f"DeleteComputeQuota {quota_id}"):
            self._client.delete_compute_quota(ComputeQuotaId=quota_id)


class ClusterPolicies:
    """Cluster policies, which the API calls cluster scheduler configs."""

    def __init__(self, client: "SageMakerClient") -> None:
        self._client = client

    def list(self, cluster_arn: str) -> tuple[LiveClusterPolicy, ...]:
        """The cluster policies of a cluster but the deleted ones, without their content."""
        with mapped("ListClusterSchedulerConfigs"):
            pages = self._client.get_paginator("list_cluster_scheduler_configs").paginate(
                ClusterArn=cluster_arn, PaginationConfig={"PageSize": PAGE}
            )
            summaries = [item for page in pages for item in page.get("ClusterSchedulerConfigSummaries", ())]
        return tuple(_cluster_policy(item) for item in summaries if item["Status"] != "Deleted")

    def describe(self, policy_id: str) -> LiveClusterPolicy:
        """One cluster policy with its content."""
        with mapped(f"DescribeClusterSchedulerConfig {policy_id}"):
            answer: Mapping[str, Any] = self._client.describe_cluster_scheduler_config(
                ClusterSchedulerConfigId=policy_id
            )
        return _cluster_policy(answer)

    def create(self, cluster_arn: str, request: ClusterPolicyRequest) -> str:
        """Returns the new cluster policy's id; it is Creating then."""
        with mapped(f"CreateClusterSchedulerConfig '{request.name}'"):
            answer = self._client.create_cluster_scheduler_config(
                Name=request.name, ClusterArn=cluster_arn, SchedulerConfig=_scheduler_config(request)
            )
        return answer["ClusterSchedulerConfigId"]

    def update(self, policy_id: str, version: int, request: ClusterPolicyRequest) -> int:
        """Returns the new version; ConflictError when ``version`` is no longer the current one."""
        with mapped(f"UpdateClusterSchedulerConfig '{request.name}'"):
            answer = self._client.update_cluster_scheduler_config(
                ClusterSchedulerConfigId=policy_id, TargetVersion=version, SchedulerConfig=_scheduler_config(request)
            )
        return answer["ClusterSchedulerConfigVersion"]

    def delete(self, policy_id: str) -> None:
        """Starts the deletion."""
        with mapped(f"DeleteClusterSchedulerConfig {policy_id}"):
            self._client.delete_cluster_scheduler_config(ClusterSchedulerConfigId=policy_id)


class Governance:
    """Everything about the governance of HyperPod clusters, through one SageMaker client."""

    def __init__(self, client: "SageMakerClient") -> None:
        self.clusters = Clusters(client)
        self.quotas = Quotas(client)
        self.cluster_policies = ClusterPolicies(client)


def _cluster(answer: Mapping[str, Any]) -> Cluster:
    arn = answer["ClusterArn"]
    orchestrator = answer.get("Orchestrator", {})
    scales = answer.get("AutoScaling", {}).get("Mode") == "Enable"
    groups = [
        *(_group for item in answer.get("InstanceGroups", ()) for _group in _groups(item, scales=scales)),
        *(_restricted_group(item) for item in answer.get("RestrictedInstanceGroups", ())),
    ]
    return Cluster(
        arn=arn,
        name=answer.get("ClusterName") or arn.rpartition("/")[2],
        status=answer["ClusterStatus"],
        orchestrator="eks" if "Eks" in orchestrator else "slurm",
        groups=tuple(groups),
        running=sum(
            item.get("CurrentCount", 0)
            for kind in ("InstanceGroups", "RestrictedInstanceGroups")
            for item in answer.get(kind, ())
        ),
        eks_arn=orchestrator.get("Eks", {}).get("ClusterArn", ""),
    )


def _groups(item: Mapping[str, Any], *, scales: bool) -> Iterator[InstanceGroup]:
    """A group of one type; a flexible group as one group per type that it may choose."""
    name, threads = item.get("InstanceGroupName", ""), item.get("ThreadsPerCore")
    kind = item.get("InstanceType")
    if kind:
        if scales:
            yield InstanceGroup(name, kind, item.get("CurrentCount", 0), "autoscaled", threads)
        else:
            yield InstanceGroup(name, kind, item.get("TargetCount", 0), "fixed", threads)
        return
    details = {detail.get("InstanceType", ""): detail for detail in item.get("InstanceTypeDetails", ())}
    wanted = item.get("InstanceRequirements", {}).get("DesiredInstanceTypes", ())
    for each in dict.fromkeys([*details, *wanted]):
        detail = details.get(each, {})
        count, own_threads = detail.get("CurrentCount", 0), detail.get("ThreadsPerCore", threads)
        yield InstanceGroup(name, each, count, "flexible", own_threads)


def _restricted_group(item: Mapping[str, Any]) -> InstanceGroup:
    """Whether quotas can use a restricted group is not documented: seen, and counted as elastic."""
    return InstanceGroup(
        item.get("InstanceGroupName", ""),
        item.get("InstanceType", ""),
        item.get("CurrentCount", 0),
        "restricted",
        item.get("ThreadsPerCore"),
    )


def _quota(answer: Mapping[str, Any]) -> Quota:
    config = answer.get("ComputeQuotaConfig", {})
    target = answer["ComputeQuotaTarget"]
    sharing = config.get("ResourceSharingConfig")
    return Quota(
        id=answer["ComputeQuotaId"],
        name=answer["Name"],
        team=target["TeamName"],
        status=answer["Status"],
        version=answer.get("ComputeQuotaVersion", 0),
        entries=tuple(_entry(item) for item in config.get("ComputeQuotaResources", ())),
        sharing=_sharing(sharing) if sharing else None,
        preempt_team_tasks=config.get("PreemptTeamTasks"),
        fair_share_weight=target.get("FairShareWeight"),
        activation=answer.get("ActivationState"),
        description=answer.get("Description"),
        failure_reason=answer.get("FailureReason"),
        modified_by=_modifier(answer),
    )


def _modifier(answer: Mapping[str, Any]) -> str | None:
    context = answer.get("LastModifiedBy") or answer.get("CreatedBy") or {}
    return context.get("IamIdentity", {}).get("Arn") or context.get("UserProfileName")


def _sharing(item: Mapping[str, Any]) -> Sharing:
    limits = item.get("AbsoluteBorrowLimits")
    return Sharing(
        item["Strategy"],
        item.get("BorrowLimit"),
        tuple(_entry(limit) for limit in limits) if limits is not None else None,
    )


def _entry(item: Mapping[str, Any]) -> QuotaEntry:
    partition = item.get("AcceleratorPartition")
    return QuotaEntry(
        instance_type=item["InstanceType"],
        count=item.get("Count"),
        accelerators=item.get("Accelerators"),
        v_cpu=item.get("VCpu"),
        memory_in_gib=item.get("MemoryInGiB"),
        partition=Partition(partition["Type"], partition["Count"]) if partition else None,
    )


def _cluster_policy(answer: Mapping[str, Any]) -> LiveClusterPolicy:
    config = answer.get("SchedulerConfig")
    classes = (config or {}).get("PriorityClasses", ())
    return LiveClusterPolicy(
        id=answer["ClusterSchedulerConfigId"],
        name=answer["Name"],
        status=answer["Status"],
        version=answer.get("ClusterSchedulerConfigVersion", 0),
        priority_classes=(
            None if config is None else tuple(PriorityClass(item["Name"], item["Weight"]) for item in classes)
        ),
        fair_share=(config or {}).get("FairShare"),
        idle_resource_sharing=(config or {}).get("IdleResourceSharing"),
        failure_reason=answer.get("FailureReason"),
        modified_by=_modifier(answer),
    )


def _without_none(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _entry_content(entry: QuotaEntry) -> dict[str, Any]:
    partition = entry.partition
    return _without_none(
        InstanceType=entry.instance_type,
        Count=entry.count,
        Accelerators=entry.accelerators,
        VCpu=entry.v_cpu,
        MemoryInGiB=entry.memory_in_gib,
        AcceleratorPartition={"Type": partition.type, "Count": partition.count} if partition else None,
    )


def _quota_content(request: QuotaRequest) -> dict[str, Any]:
    sharing = request.sharing
    borrows = sharing is not None and sharing.strategy == "LendAndBorrow"
    limits = sharing.absolute_borrow_limits if sharing and borrows else None
    return _without_none(
        ComputeQuotaConfig=_without_none(
            ComputeQuotaResources=[_entry_content(entry) for entry in request.entries],
            ResourceSharingConfig=_without_none(
                Strategy=sharing.strategy,
                BorrowLimit=sharing.borrow_limit if borrows else None,
                AbsoluteBorrowLimits=None if limits is None else [_entry_content(entry) for entry in limits],
            )
            if sharing
            else None,
            PreemptTeamTasks=request.preempt_team_tasks,
        ),
        ComputeQuotaTarget=_without_none(TeamName=request.team, FairShareWeight=request.fair_share_weight),
        ActivationState=request.activation,
        Description=request.description,
    )


def _scheduler_config(request: ClusterPolicyRequest) -> Any:
    return _without_none(
        PriorityClasses=[{"Name": item.name, "Weight": item.weight} for item in request.priority_classes],
        FairShare=request.fair_share,
        IdleResourceSharing=request.idle_resource_sharing,
    )
