"""Clusters: what the admin endpoint makes of them and what the three operations show."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.hyperpod.client import ControlPlane
from local.hyperpod.direct import Direct
from local.hyperpod.errors import ApiError


def test_a_cluster_as_boto3_sees_it(plane: ControlPlane) -> None:
    arn = plane.add_cluster(
        "ml-research",
        instanceGroups=[
            {
                "name": "gpu",
                "instanceType": "ml.g5.8xlarge",
                "count": 4,
                "currentCount": 3,
                "threadsPerCore": 1,
                "minCount": 2,
            }
        ],
        eksClusterName="eks-research",
        nodeProvisioningMode="Continuous",
    )
    client = plane.boto3_client()
    shown = client.describe_cluster(ClusterName="ml-research")
    assert shown["ClusterArn"] == client.describe_cluster(ClusterName=arn)["ClusterArn"] == arn
    assert shown["Orchestrator"]["Eks"]["ClusterArn"] == "arn:aws:eks:us-west-2:123456789012:cluster/eks-research"
    assert shown["NodeProvisioningMode"] == "Continuous"
    (group,) = shown["InstanceGroups"]
    assert (group["TargetCount"], group["CurrentCount"], group["MinCount"]) == (4, 3, 2)
    assert (group["InstanceType"], group["ThreadsPerCore"]) == ("ml.g5.8xlarge", 1)
    assert len(client.list_cluster_nodes(ClusterName="ml-research")["ClusterNodeSummaries"]) == 3


def test_a_flexible_group(direct: Direct) -> None:
    types = ["ml.g5.8xlarge", "ml.g6.8xlarge"]
    group = {"name": "mixed", "count": 5, "instanceTypes": types}
    direct.add_cluster("first-type", instanceGroups=[group])
    direct.add_cluster("told", instanceGroups=[{**group, "currentCounts": {types[0]: 2, types[1]: 1}}])
    for name, counts in (("first-type", [5, 0]), ("told", [2, 1])):
        (shown,) = direct.call("DescribeCluster", ClusterName=name)["InstanceGroups"]
        assert "InstanceType" not in shown
        assert shown["InstanceRequirements"] == {"CurrentInstanceTypes": types, "DesiredInstanceTypes": types}
        details = [(each["InstanceType"], each["CurrentCount"]) for each in shown["InstanceTypeDetails"]]
        assert details == list(zip(types, counts, strict=True))
        assert (shown["TargetCount"], shown["CurrentCount"]) == (5, sum(counts))
        nodes = direct.call("ListClusterNodes", ClusterName=name)["ClusterNodeSummaries"]
        assert [node["InstanceType"] for node in nodes].count(types[1]) == counts[1]


def test_restricted_groups_and_autoscaling(direct: Direct) -> None:
    group = {"name": "restricted", "instanceType": "ml.p5.48xlarge", "count": 2}
    direct.add_cluster(restrictedInstanceGroups=[group], autoscaling=True)
    shown = direct.call("DescribeCluster", ClusterName="ml-research")
    assert shown["InstanceGroups"] == []
    (restricted,) = shown["RestrictedInstanceGroups"]
    assert (restricted["InstanceType"], restricted["CurrentCount"]) == ("ml.p5.48xlarge", 2)
    assert shown["AutoScaling"]["Mode"] == "Enable"
    direct.add_cluster("fixed")
    plain = direct.call("DescribeCluster", ClusterName="fixed")
    assert not plain.keys() & {"RestrictedInstanceGroups", "AutoScaling", "NodeProvisioningMode"}
    assert len(direct.call("ListClusterNodes", ClusterName="ml-research")["ClusterNodeSummaries"]) == 2


def test_a_slurm_cluster_has_no_eks(direct: Direct) -> None:
    direct.add_cluster(orchestrator="slurm")
    assert list(direct.call("DescribeCluster", ClusterName="ml-research")["Orchestrator"]) == ["Slurm"]


def test_nodes_in_pages(direct: Direct) -> None:
    direct.add_cluster(
        instanceGroups=[
            {"name": "workers", "instanceType": "ml.g5.8xlarge", "count": 12},
            {"name": "login", "instanceType": "ml.m5.xlarge", "count": 1},
        ]
    )
    ids: list[str] = []
    token: dict[str, str] = {}
    for size in (5, 5, 3):
        answer = direct.call("ListClusterNodes", ClusterName="ml-research", MaxResults=5, **token)
        assert len(answer["ClusterNodeSummaries"]) == size
        ids += [node["InstanceId"] for node in answer["ClusterNodeSummaries"]]
        token = {"NextToken": answer.get("NextToken", "")}
    assert token == {"NextToken": ""}
    assert len(set(ids)) == 13
    assert all(len(each) == 19 and each.startswith("i-") for each in ids)
    by_name = direct.call("ListClusterNodes", ClusterName="ml-research", SortBy="NAME", IncludeNodeLogicalIds=True)
    assert by_name["ClusterNodeSummaries"][0]["InstanceGroupName"] == "login"
    assert by_name["ClusterNodeSummaries"][0]["NodeLogicalId"]
    kept = direct.call("ListClusterNodes", ClusterName="ml-research", InstanceGroupNameContains="log")
    assert len(kept["ClusterNodeSummaries"]) == 1


def test_counts_change(plane: ControlPlane) -> None:
    plane.add_cluster("ml-research", {"ml.g5.8xlarge": 4, "ml.m5.xlarge": 1})
    client = plane.boto3_client()

    def counts() -> list[tuple[int, int]]:
        groups = client.describe_cluster(ClusterName="ml-research")["InstanceGroups"]
        return [(group["TargetCount"], group["CurrentCount"]) for group in groups]

    plane.change_cluster("ml-research", instanceGroups=[{"name": "group-1", "count": 6}])
    assert counts() == [(6, 6), (1, 1)]
    plane.change_cluster("ml-research", instanceGroups=[{"name": "group-1", "currentCount": 2}], status="Updating")
    assert counts() == [(6, 2), (1, 1)]
    assert client.describe_cluster(ClusterName="ml-research")["ClusterStatus"] == "Updating"
    with pytest.raises(ValueError, match="no instance group gpu"):
        plane.change_cluster("ml-research", instanceGroups=[{"name": "gpu", "count": 1}])
    with pytest.raises(ValueError, match="Cluster nowhere does not exist"):
        plane.change_cluster("nowhere", status="Updating")


def test_a_cluster_made_again_is_another_one(plane: ControlPlane) -> None:
    arn = plane.add_cluster("ml-research", {"ml.g5.8xlarge": 4})
    client = plane.boto3_client()
    client.create_compute_quota(
        Name="q", ClusterArn=arn, ComputeQuotaConfig={}, ComputeQuotaTarget={"TeamName": "vision"}
    )
    with pytest.raises(ValueError, match="There is a cluster ml-research"):
        plane.add_cluster("ml-research")
    plane.remove_cluster("ml-research")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        client.describe_cluster(ClusterName="ml-research")
    again = plane.add_cluster("ml-research", {"ml.g5.8xlarge": 4})
    assert again != arn
    assert client.list_compute_quotas()["ComputeQuotaSummaries"] == []
    with pytest.raises(ClientError, match="ResourceNotFound"):
        client.describe_cluster(ClusterName=arn)


def test_listing_clusters(direct: Direct) -> None:
    for name in ("b-one", "a-two", "c-one"):
        direct.add_cluster(name)
        direct.advance(1)
    direct.add_cluster("far", region="eu-west-1")

    def names(**asked: Any) -> list[str]:
        return [each["ClusterName"] for each in direct.call("ListClusters", **asked)["ClusterSummaries"]]

    assert names() == ["b-one", "a-two", "c-one"]
    assert names(SortBy="NAME", SortOrder="Descending") == ["c-one", "b-one", "a-two"]
    assert names(NameContains="one") == ["b-one", "c-one"]
    made = direct.call("DescribeCluster", ClusterName="a-two")["CreationTime"]
    assert names(CreationTimeAfter=made) == ["c-one"]
    assert names(CreationTimeBefore=made) == ["b-one"]
    plan = "arn:aws:sagemaker:us-west-2:123456789012:training-plan/a-plan"
    assert names(TrainingPlanArn=plan) == []
    assert names(region="eu-west-1") == ["far"]
    page = direct.call("ListClusters", MaxResults=2)
    assert names(NextToken=page["NextToken"]) == ["c-one"]


def test_a_cluster_of_another_region(direct: Direct) -> None:
    arn = direct.add_cluster(region="eu-west-1")
    with pytest.raises(ApiError, match="ResourceNotFound: Cluster ml-research does not exist"):
        direct.call("DescribeCluster", ClusterName="ml-research")
    with pytest.raises(ApiError, match="ValidationException"):
        direct.call("DescribeCluster", ClusterName=arn)
    shown = direct.call("DescribeCluster", ClusterName="ml-research", region="eu-west-1")
    assert ":eks:eu-west-1:" in shown["Orchestrator"]["Eks"]["ClusterArn"]


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"instanceGroups": [{"name": "a", "count": 1, "instanceType": "ml.imaginary"}]}, "ml.imaginary"),
        ({"instanceGroups": [{"name": "a", "count": -1}]}, ">= 0"),
        ({"instanceGroups": [{"count": 1}]}, "name"),
        ({"colour": "green"}, "colour"),
        ({"orchestrator": "nomad"}, "nomad"),
    ],
)
def test_a_cluster_that_cannot_be(plane: ControlPlane, spec: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        plane.add_cluster("ml-research", **spec)
    assert plane.boto3_client().list_clusters()["ClusterSummaries"] == []
