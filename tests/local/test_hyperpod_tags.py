"""Tags of clusters, compute quotas and cluster policies."""

from typing import Any

import pytest

from local.hyperpod.client import ControlPlane
from local.hyperpod.direct import Direct
from local.hyperpod.errors import ApiError


def _tag(key: str, value: str = "v") -> dict[str, str]:
    return {"Key": key, "Value": value}


def _keys(direct: Direct, arn: str) -> list[str]:
    return [tag["Key"] for tag in direct.call("ListTags", ResourceArn=arn)["Tags"]]


def test_tags_through_boto3(plane: ControlPlane) -> None:
    cluster_arn = plane.add_cluster("ml-research")
    client = plane.boto3_client()
    made = client.create_compute_quota(
        Name="q",
        ClusterArn=cluster_arn,
        ComputeQuotaConfig={},
        ComputeQuotaTarget={"TeamName": "vision"},
        Tags=[{"Key": "owner", "Value": "vision"}],
    )
    arn = made["ComputeQuotaArn"]
    added = client.add_tags(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "ops"}, {"Key": "cost", "Value": ""}])
    assert added["Tags"] == [{"Key": "owner", "Value": "ops"}, {"Key": "cost", "Value": ""}]
    client.delete_tags(ResourceArn=arn, TagKeys=["owner", "never-there"])
    pages = client.get_paginator("list_tags").paginate(ResourceArn=arn)
    assert [tag for page in pages for tag in page["Tags"]] == [{"Key": "cost", "Value": ""}]


def test_every_kind_of_resource_has_tags(direct: Direct) -> None:
    cluster_arn = direct.add_cluster()
    direct.create_policy(cluster_arn, Tags=[_tag("from-the-start")])
    (policy,) = direct.call("ListClusterSchedulerConfigs")["ClusterSchedulerConfigSummaries"]
    assert _keys(direct, policy["ClusterSchedulerConfigArn"]) == ["from-the-start"]
    assert _keys(direct, cluster_arn) == []
    direct.call("AddTags", ResourceArn=cluster_arn, Tags=[_tag("a")])
    assert _keys(direct, cluster_arn) == ["a"]


def test_tags_end_with_their_resource(direct: Direct) -> None:
    quota_id = direct.create_quota(direct.add_cluster(), Tags=[_tag("a")])
    arn = direct.call("DescribeComputeQuota", ComputeQuotaId=quota_id)["ComputeQuotaArn"]
    direct.advance(10)
    direct.call("DeleteComputeQuota", ComputeQuotaId=quota_id)
    assert _keys(direct, arn) == ["a"]
    direct.advance(10)
    for operation, more in (
        ("ListTags", {}),
        ("AddTags", {"Tags": [_tag("b")]}),
        ("DeleteTags", {"TagKeys": ["a"]}),
    ):
        with pytest.raises(ApiError, match="ResourceNotFound"):
            direct.call(operation, ResourceArn=arn, **more)


@pytest.mark.parametrize(
    ("tags", "complaint"),
    [
        ([_tag("a"), _tag("a", "w")], "Duplicate tag key: a"),
        ([_tag("aws:owner")], "reserved"),
        ([_tag("k" * 129)], "length less than or equal to 128"),
        ([_tag("a", "v" * 257)], "length less than or equal to 256"),
        ([_tag(f"key-{number}") for number in range(51)], "length less than or equal to 50"),
    ],
)
def test_tags_that_are_refused(direct: Direct, tags: list[dict[str, Any]], complaint: str) -> None:
    arn = direct.add_cluster()
    with pytest.raises(ApiError, match=f"ValidationException: .*{complaint}"):
        direct.call("AddTags", ResourceArn=arn, Tags=tags)
    with pytest.raises(ApiError, match=f"ValidationException: .*{complaint}"):
        direct.create_quota(arn, Tags=tags)
    assert direct.call("ListComputeQuotas")["ComputeQuotaSummaries"] == []


def test_fifty_tags_at_most(direct: Direct) -> None:
    arn = direct.add_cluster()
    direct.call("AddTags", ResourceArn=arn, Tags=[_tag(f"key-{number}") for number in range(50)])
    direct.call("AddTags", ResourceArn=arn, Tags=[_tag("key-0", "again")])
    with pytest.raises(ApiError, match="at most 50 tags"):
        direct.call("AddTags", ResourceArn=arn, Tags=[_tag("one-more")])
    assert len(_keys(direct, arn)) == 50


def test_a_token_nobody_gave(direct: Direct) -> None:
    with pytest.raises(ApiError, match="Invalid NextToken"):
        direct.call("ListTags", ResourceArn=direct.add_cluster(), NextToken="x")
