"""Every fault on demand, and how rules count, match and give way."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from local.hyperpod.client import ControlPlane
from local.hyperpod.direct import Direct
from local.hyperpod.errors import ApiError


@pytest.fixture
def arn(direct: Direct) -> str:
    return direct.add_cluster()


def _describe(direct: Direct, quota_id: str) -> dict[str, Any]:
    return direct.call("DescribeComputeQuota", ComputeQuotaId=quota_id)


def test_throttle_through_boto3(plane: ControlPlane) -> None:
    plane.fault("ListComputeQuotas", "throttle")
    client = plane.boto3_client()
    with pytest.raises(ClientError) as raised:
        client.list_compute_quotas()
    assert raised.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert client.list_compute_quotas()["ComputeQuotaSummaries"] == []


def test_a_client_that_retries_gets_over_a_throttle(plane: ControlPlane) -> None:
    plane.fault("ListComputeQuotas", "throttle")
    assert plane.boto3_client(max_attempts=2).list_compute_quotas()["ComputeQuotaSummaries"] == []
    assert [call["error_code"] for call in plane.calls()] == ["ThrottlingException", None]


@pytest.mark.parametrize(
    ("code", "status"), [("InternalFailure", 500), ("ServiceUnavailable", 503), ("AccessDeniedException", 400)]
)
def test_any_error(direct: Direct, arn: str, code: str, status: int) -> None:
    direct.fault("CreateComputeQuota", "error", code=code, http_status=status, message="no luck")
    with pytest.raises(ApiError, match=f"{code}: no luck") as raised:
        direct.create_quota(arn)
    assert raised.value.http_status == status
    assert direct.call("ListComputeQuotas")["ComputeQuotaSummaries"] == []


def test_conflict(direct: Direct, arn: str) -> None:
    direct.fault("CreateComputeQuota", "conflict")
    with pytest.raises(ApiError, match="ConflictException"):
        direct.create_quota(arn)
    direct.create_quota(arn)


def test_somebody_else_updates_the_quota_first(direct: Direct, arn: str) -> None:
    quota_id = direct.create_quota(arn, Description="mine")
    direct.advance(10)
    direct.fault("UpdateComputeQuota", "bump_version", changes={"ComputeQuotaTarget": {"FairShareWeight": 7}})
    with pytest.raises(ApiError, match=r"ConflictException: .* has version 2, the request targets 1"):
        direct.call("UpdateComputeQuota", ComputeQuotaId=quota_id, TargetVersion=1, Description="changed")
    shown = _describe(direct, quota_id)
    assert (shown["ComputeQuotaVersion"], shown["Status"]) == (2, "Updating")
    assert shown["ComputeQuotaTarget"] == {"TeamName": "vision", "FairShareWeight": 7}
    assert shown["ComputeQuotaConfig"]["ComputeQuotaResources"][0]["Count"] == 2
    assert shown["Description"] == "mine"
    assert shown["LastModifiedBy"]["IamIdentity"]["Arn"].endswith(":user/somebody-else")
    direct.advance(10)
    direct.call("UpdateComputeQuota", ComputeQuotaId=quota_id, TargetVersion=2, Description="changed")
    assert _describe(direct, quota_id)["Description"] == "changed"


def test_somebody_else_updates_the_policy_first(direct: Direct, arn: str) -> None:
    policy_id = direct.create_policy(arn)
    direct.advance(10)
    direct.fault("UpdateClusterSchedulerConfig", "bump_version", changes={"SchedulerConfig": {"FairShare": "Disabled"}})
    with pytest.raises(ApiError, match="ConflictException"):
        direct.call("UpdateClusterSchedulerConfig", ClusterSchedulerConfigId=policy_id, TargetVersion=1)
    shown = direct.call("DescribeClusterSchedulerConfig", ClusterSchedulerConfigId=policy_id)
    assert shown["SchedulerConfig"]["FairShare"] == "Disabled"
    assert shown["SchedulerConfig"]["PriorityClasses"] == [{"Name": "training", "Weight": 75}]


def test_nobody_updates_what_is_being_deleted(direct: Direct, arn: str) -> None:
    quota_id = direct.create_quota(arn)
    direct.advance(10)
    direct.call("DeleteComputeQuota", ComputeQuotaId=quota_id)
    direct.fault("UpdateComputeQuota", "bump_version")
    with pytest.raises(ApiError, match="ConflictException"):
        direct.call("UpdateComputeQuota", ComputeQuotaId=quota_id, TargetVersion=1)
    direct.advance(10)
    assert _describe(direct, quota_id)["Status"] == "Deleted"


@pytest.mark.parametrize(
    ("operation", "status"), [("Create", "Creating"), ("Update", "Updating"), ("Delete", "Deleting")]
)
def test_stuck_until_forced(direct: Direct, arn: str, operation: str, status: str) -> None:
    direct.fault(f"{operation}ComputeQuota", "stuck")
    quota_id = direct.create_quota(arn)
    direct.advance(10)
    if operation == "Update":
        direct.call("UpdateComputeQuota", ComputeQuotaId=quota_id, TargetVersion=1)
    if operation == "Delete":
        direct.call("DeleteComputeQuota", ComputeQuotaId=quota_id)
    direct.advance(1_000_000)
    assert _describe(direct, quota_id)["Status"] == status
    direct.force_status(quota_id, "Created")
    assert _describe(direct, quota_id)["Status"] == "Created"


def test_a_forced_status_ends_the_transition_for_good(direct: Direct, arn: str) -> None:
    quota_id = direct.create_quota(arn)
    direct.force_status(quota_id, "CreateFailed")
    direct.advance(1_000)
    assert _describe(direct, quota_id)["Status"] == "CreateFailed"


@pytest.mark.parametrize("status", ["CreateFailed", "CreateRollbackFailed"])
def test_creation_fails(direct: Direct, arn: str, status: str) -> None:
    direct.fault("CreateClusterSchedulerConfig", "fail", status=status, reason="the add-on is not there")
    policy_id = direct.create_policy(arn)
    shown = direct.call("DescribeClusterSchedulerConfig", ClusterSchedulerConfigId=policy_id)
    assert (shown["Status"], shown.get("FailureReason")) == ("Creating", None)
    direct.advance(10)
    shown = direct.call("DescribeClusterSchedulerConfig", ClusterSchedulerConfigId=policy_id)
    assert (shown["Status"], shown["FailureReason"]) == (status, "the add-on is not there")
    assert set(shown["StatusDetails"].values()) == {status}


@pytest.mark.parametrize("status", ["UpdateFailed", "UpdateRollbackFailed"])
def test_update_fails(direct: Direct, arn: str, status: str) -> None:
    quota_id = direct.create_quota(arn)
    direct.advance(10)
    direct.fault("UpdateComputeQuota", "fail", status=status)
    direct.call("UpdateComputeQuota", ComputeQuotaId=quota_id, TargetVersion=1)
    direct.advance(10)
    shown = _describe(direct, quota_id)
    assert (shown["Status"], shown["ComputeQuotaVersion"]) == (status, 2)
    assert shown["FailureReason"]


@pytest.mark.parametrize("status", ["DeleteFailed", "DeleteRollbackFailed"])
def test_delete_fails_and_is_tried_again(direct: Direct, arn: str, status: str) -> None:
    quota_id = direct.create_quota(arn)
    direct.advance(10)
    direct.fault("DeleteComputeQuota", "fail", status=status)
    for expected in (status, "Deleted"):
        direct.call("DeleteComputeQuota", ComputeQuotaId=quota_id)
        direct.advance(10)
        assert _describe(direct, quota_id)["Status"] == expected


def test_slow_and_latency(plane: ControlPlane) -> None:
    client = plane.boto3_client()
    client.list_clusters()
    plane.fault("ListClusters", "slow", seconds=0.2)
    plane.settings(latency_seconds=0.1)
    took = []
    for _ in range(2):
        before = time.perf_counter()
        client.list_clusters()
        took.append(time.perf_counter() - before)
    assert took[0] >= 0.3
    assert 0.1 <= took[1] < 0.3


@pytest.mark.parametrize(("when", "created"), [("before", 0), ("after", 1)])
def test_the_connection_drops(plane: ControlPlane, when: str, created: int) -> None:
    arn = plane.add_cluster("ml-research")
    client = plane.boto3_client()
    plane.fault("CreateComputeQuota", "drop_connection", when=when)
    with pytest.raises(ConnectionClosedError):
        client.create_compute_quota(
            Name="q", ClusterArn=arn, ComputeQuotaConfig={}, ComputeQuotaTarget={"TeamName": "vision"}
        )
    assert len(client.list_compute_quotas()["ComputeQuotaSummaries"]) == created


def test_breaking_an_answer_reaches_into_lists(direct: Direct, arn: str) -> None:
    direct.create_quota(arn)
    direct.fault("ListComputeQuotas", "drop_member", member="ComputeQuotaSummaries.0.ComputeQuotaVersion")
    direct.fault("ListComputeQuotas", "add_member", member="ComputeQuotaSummaries.0.Status", value="Updated")
    direct.fault("ListComputeQuotas", "drop_member", member="ComputeQuotaSummaries.7.Status")
    direct.fault("ListComputeQuotas", "drop_member", member="Nowhere.Status")
    # What is broken within the contract goes out.
    (summary,) = direct.call("ListComputeQuotas")["ComputeQuotaSummaries"]
    assert "ComputeQuotaVersion" not in summary
    assert summary["Status"] == "Updated"
    (summary,) = direct.call("ListComputeQuotas")["ComputeQuotaSummaries"]
    assert (summary["ComputeQuotaVersion"], summary["Status"]) == (1, "Creating")


def _codes(direct: Direct, times: int) -> list[str]:
    codes = []
    for _ in range(times):
        try:
            direct.call("ListComputeQuotas")
            codes.append("ok")
        except ApiError as error:
            codes.append(error.code)
    return codes


def test_times_and_after(direct: Direct) -> None:
    direct.fault("ListComputeQuotas", "error", code="E", after=1, times=2)
    assert _codes(direct, 5) == ["ok", "E", "E", "ok", "ok"]
    assert direct.service.faults.listed() == []


def test_always(direct: Direct) -> None:
    direct.fault("*", "error", code="E", times=None)
    assert _codes(direct, 5) == ["E"] * 5


def test_a_rule_that_answers_lets_those_behind_it_keep_their_turns(direct: Direct) -> None:
    direct.fault("*", "error", code="First")
    direct.fault("*", "error", code="Second")
    assert _codes(direct, 3) == ["First", "Second", "ok"]


@pytest.mark.parametrize("match", [{"name": "ion-quo"}, {"team": "vis"}, {"name": "vision", "team": "vision"}])
def test_matching_by_name_and_team(direct: Direct, arn: str, match: dict[str, str]) -> None:
    direct.fault("CreateComputeQuota", "conflict", match=match, times=None)
    direct.create_quota(arn, "speech")
    with pytest.raises(ApiError, match="ConflictException"):
        direct.create_quota(arn, "vision")


def test_matching_by_what_an_id_stands_for(direct: Direct, arn: str) -> None:
    vision, speech = direct.create_quota(arn, "vision"), direct.create_quota(arn, "speech")
    policy = direct.create_policy(arn)
    direct.fault("DescribeComputeQuota", "throttle", match={"team": "vision"}, times=None)
    direct.fault("DescribeClusterSchedulerConfig", "throttle", match={"id": policy[:6], "name": "policy"})
    _describe(direct, speech)
    with pytest.raises(ApiError, match="ThrottlingException"):
        _describe(direct, vision)
    with pytest.raises(ApiError, match="ThrottlingException"):
        direct.call("DescribeClusterSchedulerConfig", ClusterSchedulerConfigId=policy)


def test_a_rule_is_not_spent_on_operations_it_means_nothing_to(direct: Direct, arn: str) -> None:
    direct.fault("*", "fail", status="CreateFailed")
    direct.fault("*", "bump_version")
    direct.call("ListComputeQuotas")
    quota_id = direct.create_quota(arn)
    direct.advance(10)
    assert _describe(direct, quota_id)["Status"] == "CreateFailed"
    assert [each["rule"]["action"] for each in direct.service.faults.listed()] == ["bump_version"]


def test_faults_come_and_go_by_the_admin_endpoint(plane: ControlPlane) -> None:
    plane.fault("ListClusters", "throttle", times=None, match={"name": "x"})
    (standing,) = plane.faults()
    assert standing["met"] == 0
    assert standing["rule"]["action"] == "throttle"
    plane.clear_faults()
    assert plane.faults() == []
    with pytest.raises(ValueError, match="explode"):
        plane.fault("ListClusters", "explode")
    with pytest.raises(ValueError, match="Perfect"):
        plane.fault("CreateComputeQuota", "fail", status="Perfect")
