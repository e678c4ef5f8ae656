"""Lists: pages, tokens, filters, order, and how far they lag behind."""

import base64
from typing import Any

import pytest

from local.hyperpod.client import ControlPlane
from local.hyperpod.direct import Direct
from local.hyperpod.errors import ApiError


def _names(direct: Direct, **asked: Any) -> list[str]:
    return [each["Name"] for each in direct.call("ListComputeQuotas", **asked)["ComputeQuotaSummaries"]]


def _all_names(direct: Direct, **asked: Any) -> list[str]:
    names: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = direct.call("ListComputeQuotas", **asked, **token)
        names += [each["Name"] for each in answer["ComputeQuotaSummaries"]]
        if "NextToken" not in answer:
            return names
        token = {"NextToken": answer["NextToken"]}


@pytest.fixture
def arn(direct: Direct) -> str:
    """A cluster with quotas made one second apart."""
    arn = direct.add_cluster()
    for team in ("vision", "speech", "robots", "search"):
        direct.create_quota(arn, team)
        direct.advance(1)
    return arn


def test_boto3_pages_through_250_quotas(plane: ControlPlane) -> None:
    arn = plane.add_cluster("ml-research")
    client = plane.boto3_client()
    expected = [f"quota-{number:03}" for number in range(250)]
    for number, name in enumerate(expected):
        client.create_compute_quota(
            Name=name,
            ClusterArn=arn,
            ComputeQuotaConfig={},
            ComputeQuotaTarget={"TeamName": f"team-{number}"},
        )
    plane.forget_calls()
    pages = list(
        client.get_paginator("list_compute_quotas").paginate(SortOrder="Ascending", PaginationConfig={"PageSize": 100})
    )
    assert [len(page["ComputeQuotaSummaries"]) for page in pages] == [100, 100, 50]
    assert [quota["Name"] for page in pages for quota in page["ComputeQuotaSummaries"]] == expected
    assert plane.admin("GET", "calls")["reads"] == 3
    newest = client.list_compute_quotas()["ComputeQuotaSummaries"]
    assert [quota["Name"] for quota in newest] == expected[:-11:-1], "ten on a page, newest first, by default"


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
@pytest.mark.parametrize("key", ["Name", "CreationTime", "Status", "ClusterArn"])
@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_pages_make_up_the_whole(direct: Direct, arn: str, key: str, order: str, size: int) -> None:
    whole = _names(direct, SortBy=key, SortOrder=order)
    assert len(whole) == 4
    assert _all_names(direct, SortBy=key, SortOrder=order, MaxResults=size) == whole


def test_order(direct: Direct, arn: str) -> None:
    by_age = ["vision", "speech", "robots", "search"]
    quotas = [f"{team}-quota" for team in by_age]
    assert _names(direct) == quotas[::-1]
    assert _names(direct, SortOrder="Ascending") == quotas
    assert _names(direct, SortBy="Name", SortOrder="Ascending") == sorted(quotas)
    assert _names(direct, SortBy="Name") == sorted(quotas, reverse=True)
    direct.force_status(_id_of(direct, "robots-quota"), "CreateFailed")
    assert _names(direct, SortBy="Status", SortOrder="Ascending")[0] == "robots-quota"


def _id_of(direct: Direct, name: str) -> str:
    (found,) = direct.call("ListComputeQuotas", NameContains=name)["ComputeQuotaSummaries"]
    return str(found["ComputeQuotaId"])


def test_filters(direct: Direct, arn: str) -> None:
    other = direct.add_cluster("ml-other")
    direct.create_quota(other, "vision")
    assert len(_names(direct, NameContains="vision")) == 2
    assert _names(direct, NameContains="vision", ClusterArn=other) == ["vision-quota"]
    assert _names(direct, NameContains="nobody") == []
    assert len(_names(direct, ClusterArn=arn)) == 4
    # Four seconds in, only the oldest has been there for four.
    direct.advance(6)
    assert _names(direct, Status="Created") == ["vision-quota"]
    assert len(_names(direct, Status="Creating")) == 4
    assert _names(direct, Status="Updated") == []


def test_filters_by_time_exclude_their_bounds(direct: Direct, arn: str) -> None:
    made = direct.call("ListComputeQuotas", NameContains="speech")["ComputeQuotaSummaries"][0]["CreationTime"]
    assert _names(direct, CreatedAfter=made) == ["search-quota", "robots-quota"]
    assert _names(direct, CreatedBefore=made) == ["vision-quota"]
    assert _names(direct, CreatedAfter=made - 1, CreatedBefore=made + 1) == ["speech-quota"]


def test_a_token_continues_though_items_come_and_go(direct: Direct, arn: str) -> None:
    direct.create_quota(direct.add_cluster("ml-other"), "gone")
    direct.create_quota(arn, "newest")
    first = direct.call("ListComputeQuotas", MaxResults=2)
    assert {each["Name"] for each in first["ComputeQuotaSummaries"]} == {"newest-quota", "gone-quota"}
    direct.service.state.remove_cluster("us-west-2", "ml-other")
    direct.create_quota(arn, "late")
    rest = direct.call("ListComputeQuotas", MaxResults=3, NextToken=first["NextToken"])
    names = [each["Name"] for each in rest["ComputeQuotaSummaries"]]
    assert names == ["search-quota", "robots-quota", "speech-quota"]


@pytest.mark.parametrize(
    "token",
    ["", "no token", "ä", base64.b64encode(b"7").decode(), base64.b64encode(b'["x", 1, 2]').decode()],
)
def test_invalid_tokens(direct: Direct, arn: str, token: str) -> None:
    with pytest.raises(ApiError, match=r"ValidationException: .*NextToken"):
        direct.call("ListComputeQuotas", NextToken=token)


def test_a_token_answers_no_other_question(direct: Direct, arn: str) -> None:
    token = direct.call("ListComputeQuotas", MaxResults=1)["NextToken"]
    assert direct.call("ListComputeQuotas", MaxResults=3, NextToken=token)["ComputeQuotaSummaries"]
    for other in ({"NameContains": "vision"}, {"SortBy": "Name"}, {"SortOrder": "Ascending"}):
        with pytest.raises(ApiError, match="NextToken belongs to a request with other parameters"):
            direct.call("ListComputeQuotas", NextToken=token, **other)


def test_policies_are_listed_without_their_config(direct: Direct, arn: str) -> None:
    policy_id = direct.create_policy(arn)
    (summary,) = direct.call("ListClusterSchedulerConfigs", ClusterArn=arn)["ClusterSchedulerConfigSummaries"]
    assert summary["ClusterSchedulerConfigId"] == policy_id
    assert summary["ClusterSchedulerConfigVersion"] == 1
    assert "SchedulerConfig" not in summary
    for sort_by in ("Name", "CreationTime", "Status"):
        assert direct.call("ListClusterSchedulerConfigs", SortBy=sort_by)["ClusterSchedulerConfigSummaries"]


def test_a_list_shows_the_past(direct: Direct) -> None:
    direct.settings(list_lag_seconds=5)
    quota_id = direct.create_quota(direct.add_cluster())
    direct.advance(4.9)
    assert _names(direct) == []
    direct.advance(0.1)
    assert _names(direct) == ["vision-quota"]
    direct.advance(5)
    (summary,) = direct.call("ListComputeQuotas")["ComputeQuotaSummaries"]
    described = direct.call("DescribeComputeQuota", ComputeQuotaId=quota_id)
    assert (summary["Status"], described["Status"]) == ("Creating", "Created")
    direct.call("UpdateComputeQuota", ComputeQuotaId=quota_id, TargetVersion=1, ActivationState="Disabled")
    (summary,) = direct.call("ListComputeQuotas")["ComputeQuotaSummaries"]
    assert (summary["ComputeQuotaVersion"], summary["ActivationState"]) == (1, "Enabled")
    direct.advance(5)
    (summary,) = direct.call("ListComputeQuotas")["ComputeQuotaSummaries"]
    assert (summary["ComputeQuotaVersion"], summary["ActivationState"]) == (2, "Disabled")


def test_describe_does_not_know_a_fresh_resource_yet(direct: Direct) -> None:
    direct.settings(describe_lag_seconds=5)
    arn = direct.add_cluster()
    quota_id, policy_id = direct.create_quota(arn), direct.create_policy(arn)
    for _ in range(2):
        with pytest.raises(ApiError, match="ResourceNotFound"):
            direct.call("DescribeComputeQuota", ComputeQuotaId=quota_id)
        with pytest.raises(ApiError, match="ResourceNotFound"):
            direct.call("DescribeClusterSchedulerConfig", ClusterSchedulerConfigId=policy_id)
        direct.advance(2.4)
    assert _names(direct) == ["vision-quota"], "Describe alone lags"
    direct.advance(0.2)
    assert direct.call("DescribeComputeQuota", ComputeQuotaId=quota_id)["Status"] == "Creating"


def test_deleted_quotas_linger_in_lists(direct: Direct) -> None:
    direct.settings(deleted_linger_seconds=30)
    quota_id = direct.create_quota(direct.add_cluster())
    direct.advance(10)
    direct.call("DeleteComputeQuota", ComputeQuotaId=quota_id)
    direct.advance(10 + 29)
    assert _names(direct, Status="Deleted") == ["vision-quota"]
    direct.advance(1)
    assert _names(direct) == []
