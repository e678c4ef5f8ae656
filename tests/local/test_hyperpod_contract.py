"""Every operation, its contract broken on purpose: 500, and the breach is on record."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, StructureShape

from local.hyperpod.client import ControlPlane
from local.hyperpod.contract import operation_model
from local.hyperpod.state import State

OPERATIONS = sorted(State().operations)
SUMMARIES = {
    "ListClusters": "ClusterSummaries",
    "ListClusterNodes": "ClusterNodeSummaries",
    "ListComputeQuotas": "ComputeQuotaSummaries",
    "ListClusterSchedulerConfigs": "ClusterSchedulerConfigSummaries",
}


def _required_of_requests() -> list[tuple[str, str]]:
    return [
        (operation, member) for operation in OPERATIONS for member in _required(operation_model(operation).input_shape)
    ]


def _required_of_answers() -> list[tuple[str, str]]:
    """Required members of every answer, and of the summaries within the answers of lists."""
    found = []
    for operation in OPERATIONS:
        shape = operation_model(operation).output_shape
        found += [(operation, member) for member in _required(shape)]
        if operation in SUMMARIES and shape is not None:
            items = shape.members[SUMMARIES[operation]]
            assert isinstance(items, ListShape)
            assert isinstance(items.member, StructureShape)
            found += [(operation, f"{SUMMARIES[operation]}.0.{name}") for name in _required(items.member)]
    return found


def _required(shape: StructureShape | None) -> list[str]:
    return list(shape.required_members) if shape is not None else []


@pytest.fixture
def requests(plane: ControlPlane) -> dict[str, dict[str, Any]]:
    """A request of each operation that succeeds."""
    arn = plane.add_cluster("ml-research", {"ml.g5.8xlarge": 1})
    other = plane.add_cluster("ml-other", {"ml.g5.8xlarge": 1})
    config = {"ComputeQuotaResources": [{"InstanceType": "ml.g5.8xlarge", "Count": 1}]}
    quota = {
        "Name": "vision-quota",
        "ClusterArn": arn,
        "ComputeQuotaConfig": config,
        "ComputeQuotaTarget": {"TeamName": "vision"},
    }
    policy = {"Name": "policy", "ClusterArn": arn, "SchedulerConfig": {"FairShare": "Enabled"}}
    made_quota = plane.raw("CreateComputeQuota", quota)[1]
    made_policy = plane.raw("CreateClusterSchedulerConfig", policy)[1]
    quota_id = {"ComputeQuotaId": made_quota["ComputeQuotaId"]}
    policy_id = {"ClusterSchedulerConfigId": made_policy["ClusterSchedulerConfigId"]}
    return {
        "ListClusters": {},
        "DescribeCluster": {"ClusterName": "ml-research"},
        "ListClusterNodes": {"ClusterName": "ml-research"},
        "CreateComputeQuota": {**quota, "ClusterArn": other},
        "UpdateComputeQuota": {**quota_id, "TargetVersion": 1, "ComputeQuotaConfig": config},
        "DescribeComputeQuota": quota_id,
        "ListComputeQuotas": {},
        "DeleteComputeQuota": quota_id,
        "CreateClusterSchedulerConfig": {**policy, "ClusterArn": other},
        "UpdateClusterSchedulerConfig": {**policy_id, "TargetVersion": 1},
        "DescribeClusterSchedulerConfig": policy_id,
        "ListClusterSchedulerConfigs": {},
        "DeleteClusterSchedulerConfig": policy_id,
        "AddTags": {"ResourceArn": made_quota["ComputeQuotaArn"], "Tags": [{"Key": "a", "Value": "b"}]},
        "ListTags": {"ResourceArn": made_quota["ComputeQuotaArn"]},
        "DeleteTags": {"ResourceArn": made_quota["ComputeQuotaArn"], "TagKeys": ["a"]},
    }


def _assert_breach(plane: ControlPlane, status: int, answer: dict[str, Any], operation: str, member: str) -> None:
    """The answer is a ContractViolation that names operation and member, and is the one breach on record."""
    (violation,) = plane.take_violations()
    assert (status, answer["__type"]) == (500, "ContractViolation")
    assert answer["Message"].startswith(operation)
    assert member in answer["Message"]
    assert violation["operation"] == operation
    assert member in violation["message"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_unbroken_request_is_answered(
    plane: ControlPlane, requests: dict[str, dict[str, Any]], operation: str
) -> None:
    status, answer = plane.raw(operation, requests[operation])
    assert (status, answer.get("__type")) == (200, None)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_unknown_member_in_a_request(
    plane: ControlPlane, requests: dict[str, dict[str, Any]], operation: str
) -> None:
    status, answer = plane.raw(operation, {**requests[operation], "Colour": "green"})
    _assert_breach(plane, status, answer, operation, "Colour")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_member_of_a_wrong_type_in_a_request(
    plane: ControlPlane, requests: dict[str, dict[str, Any]], operation: str
) -> None:
    shape = operation_model(operation).input_shape
    assert shape is not None
    member = next(iter(shape.members))
    status, answer = plane.raw(operation, {**requests[operation], member: [["a list of lists"]]})
    _assert_breach(plane, status, answer, operation, member)


@pytest.mark.parametrize(("operation", "member"), _required_of_requests())
def test_a_required_member_missing_in_a_request(
    plane: ControlPlane, requests: dict[str, dict[str, Any]], operation: str, member: str
) -> None:
    body = {name: value for name, value in requests[operation].items() if name != member}
    status, answer = plane.raw(operation, body)
    _assert_breach(plane, status, answer, operation, member)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_unknown_member_added_to_an_answer(
    plane: ControlPlane, requests: dict[str, dict[str, Any]], operation: str
) -> None:
    plane.fault(operation, "add_member", member="Colour")
    status, answer = plane.raw(operation, requests[operation])
    _assert_breach(plane, status, answer, operation, "Colour")


@pytest.mark.parametrize(("operation", "path"), _required_of_answers())
def test_a_required_member_dropped_from_an_answer(
    plane: ControlPlane, requests: dict[str, dict[str, Any]], operation: str, path: str
) -> None:
    plane.fault(operation, "drop_member", member=path)
    status, answer = plane.raw(operation, requests[operation])
    _assert_breach(plane, status, answer, operation, path.rpartition(".")[2])


@pytest.mark.parametrize(
    ("operation", "path", "value"),
    [
        ("DescribeComputeQuota", "Status", "Perfect"),
        ("DescribeComputeQuota", "ComputeQuotaId", "UPPER-CASE"),
        ("DescribeComputeQuota", "CreationTime", "2026-11-24T06:00:00Z"),
        ("DescribeComputeQuota", "ComputeQuotaVersion", True),
        ("ListComputeQuotas", "ComputeQuotaSummaries.0.ComputeQuotaTarget.FairShareWeight", 101),
        ("ListClusterNodes", "ClusterNodeSummaries.0.InstanceType", "ml.imaginary.xlarge"),
    ],
)
def test_a_value_in_an_answer_that_the_model_does_not_allow(
    plane: ControlPlane, requests: dict[str, dict[str, Any]], operation: str, path: str, value: Any
) -> None:
    plane.fault(operation, "add_member", member=path, value=value)
    status, answer = plane.raw(operation, requests[operation])
    assert (status, answer["__type"]) == (500, "ContractViolation")
    assert str(value) in plane.take_violations()[0]["message"]


def test_a_page_longer_than_the_model_allows(plane: ControlPlane) -> None:
    arn = plane.add_cluster("ml-research")
    plane.settings(default_page_size=1000)
    for number in range(101):
        target = {"TeamName": f"team-{number}"}
        body = {"Name": f"q{number}", "ClusterArn": arn, "ComputeQuotaConfig": {}, "ComputeQuotaTarget": target}
        assert plane.raw("CreateComputeQuota", body)[0] == 200
    status, answer = plane.raw("ListComputeQuotas", {})
    assert (status, answer["__type"]) == (500, "ContractViolation")
    assert "length less than or equal to 100" in plane.take_violations()[0]["message"]


def test_the_message_of_an_error_is_judged(plane: ControlPlane) -> None:
    plane.fault("ListComputeQuotas", "error", code="ConflictException", message="x" * 1025)
    status, answer = plane.raw("ListComputeQuotas", {})
    assert (status, answer["__type"]) == (500, "ContractViolation")
    (violation,) = plane.take_violations()
    assert (violation["operation"], violation["side"]) == ("ListComputeQuotas", "error")
    assert "less than or equal to 1024" in violation["message"]


def test_boto3_sees_a_breach_as_an_error(plane: ControlPlane) -> None:
    plane.fault("ListClusters", "drop_member", member="ClusterSummaries")
    with pytest.raises(ClientError, match="ContractViolation"):
        plane.boto3_client().list_clusters()
    with pytest.raises(AssertionError, match=r"ListClusters answer: .*ClusterSummaries"):
        plane.assert_no_violations()
    plane.take_violations()
    plane.assert_no_violations()


def test_a_body_that_is_no_structure(plane: ControlPlane) -> None:
    status, answer = plane.raw("ListComputeQuotas", ["not", "a", "structure"])
    assert (status, answer["__type"]) == (500, "ContractViolation")
    assert len(plane.take_violations()) == 1
