"""Statuses, versions and conflicts of compute quotas and cluster policies, on a clock moved by hand."""

from collections.abc import Callable
from typing import Any

import pytest

from local.hyperpod.direct import Direct
from local.hyperpod.errors import ApiError

QUOTA = ("ComputeQuota", "ComputeQuotaId", "ComputeQuotaVersion")
POLICY = ("ClusterSchedulerConfig", "ClusterSchedulerConfigId", "ClusterSchedulerConfigVersion")

both_kinds = pytest.mark.parametrize("kind", [QUOTA, POLICY], ids=["quota", "policy"])
Kind = tuple[str, str, str]


def _create(direct: Direct, kind: Kind, arn: str) -> str:
    make: Callable[[str], str] = direct.create_quota if kind is QUOTA else direct.create_policy
    return make(arn)


def _describe(direct: Direct, kind: Kind, resource_id: str, **more: Any) -> dict[str, Any]:
    return direct.call(f"Describe{kind[0]}", **{kind[1]: resource_id}, **more)


def _update(direct: Direct, kind: Kind, resource_id: str, version: int, **more: Any) -> dict[str, Any]:
    return direct.call(f"Update{kind[0]}", **{kind[1]: resource_id}, TargetVersion=version, **more)


def _delete(direct: Direct, kind: Kind, resource_id: str) -> None:
    direct.call(f"Delete{kind[0]}", **{kind[1]: resource_id})


def _status(direct: Direct, kind: Kind, resource_id: str) -> str:
    return str(_describe(direct, kind, resource_id)["Status"])


def _settled(direct: Direct, kind: Kind) -> str:
    """A resource whose creation has ended."""
    resource_id = _create(direct, kind, direct.add_cluster())
    direct.advance(10)
    return resource_id


def _refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ApiError) as raised:
        call()
    return raised.value.code


@both_kinds
def test_every_transition_takes_its_time(direct: Direct, kind: Kind) -> None:
    resource_id = _create(direct, kind, direct.add_cluster())
    assert _status(direct, kind, resource_id) == "Creating"
    direct.advance(9.9)
    assert _status(direct, kind, resource_id) == "Creating"
    direct.advance(0.1)
    assert _status(direct, kind, resource_id) == "Created"
    _update(direct, kind, resource_id, 1)
    assert _status(direct, kind, resource_id) == "Updating"
    direct.advance(10)
    assert _status(direct, kind, resource_id) == "Updated"
    _delete(direct, kind, resource_id)
    assert _status(direct, kind, resource_id) == "Deleting"
    direct.advance(10)
    assert _status(direct, kind, resource_id) == "Deleted"


@both_kinds
def test_one_operation_can_take_another_time(direct: Direct, kind: Kind) -> None:
    direct.settings(transition_seconds_by_operation={f"Create{kind[0]}": 100})
    resource_id = _create(direct, kind, direct.add_cluster())
    direct.advance(99)
    assert _status(direct, kind, resource_id) == "Creating"
    direct.advance(1)
    _delete(direct, kind, resource_id)
    direct.advance(10)
    assert _status(direct, kind, resource_id) == "Deleted"


@both_kinds
def test_versions_count_accepted_updates(direct: Direct, kind: Kind) -> None:
    resource_id = _settled(direct, kind)
    assert _describe(direct, kind, resource_id)[kind[2]] == 1
    assert _update(direct, kind, resource_id, 1)[kind[2]] == 2
    direct.advance(10)
    assert _refusal(lambda: _update(direct, kind, resource_id, 1)) == "ConflictException"
    assert _refusal(lambda: _update(direct, kind, resource_id, 3)) == "ConflictException"
    assert _describe(direct, kind, resource_id)[kind[2]] == 2
    assert _update(direct, kind, resource_id, 2)[kind[2]] == 3


@both_kinds
def test_nothing_begins_while_a_transition_is_in_flight(direct: Direct, kind: Kind) -> None:
    resource_id = _create(direct, kind, direct.add_cluster())
    for begin in (lambda: _update(direct, kind, resource_id, 1), lambda: _delete(direct, kind, resource_id)):
        assert _refusal(begin) == "ConflictException"
    direct.advance(10)
    _delete(direct, kind, resource_id)
    assert _refusal(lambda: _delete(direct, kind, resource_id)) == "ConflictException"
    assert _refusal(lambda: _update(direct, kind, resource_id, 1)) == "ConflictException"


@both_kinds
@pytest.mark.parametrize(
    ("status", "updatable"),
    [
        ("CreateFailed", False),
        ("CreateRollbackFailed", False),
        ("UpdateRollbackFailed", False),
        ("DeleteFailed", False),
        ("DeleteRollbackFailed", False),
        ("UpdateFailed", True),
        ("Created", True),
        ("Updated", True),
    ],
)
def test_what_a_status_allows(direct: Direct, kind: Kind, status: str, updatable: bool) -> None:
    resource_id = _settled(direct, kind)
    direct.force_status(resource_id, status, "because")
    assert _describe(direct, kind, resource_id)["FailureReason"] == "because"
    if updatable:
        assert _update(direct, kind, resource_id, 1)[kind[2]] == 2
        direct.advance(10)
    else:
        assert _refusal(lambda: _update(direct, kind, resource_id, 1)) == "ConflictException"
    _delete(direct, kind, resource_id)
    direct.advance(10)
    assert _status(direct, kind, resource_id) == "Deleted"


@both_kinds
def test_names_are_unique_in_a_cluster_until_deleted(direct: Direct, kind: Kind) -> None:
    direct.settings(max_scheduler_configs_per_cluster=None)
    arn, elsewhere = direct.add_cluster(), direct.add_cluster("ml-other")
    resource_id = _create(direct, kind, arn)
    assert _refusal(lambda: _create(direct, kind, arn)) == "ConflictException"
    assert _create(direct, kind, elsewhere) != resource_id
    direct.advance(10)
    _delete(direct, kind, resource_id)
    assert _refusal(lambda: _create(direct, kind, arn)) == "ConflictException"
    direct.advance(10)
    assert _create(direct, kind, arn) != resource_id


def test_a_failed_creation_keeps_its_name(direct: Direct) -> None:
    arn = direct.add_cluster()
    direct.fault("CreateComputeQuota", "fail", status="CreateFailed")
    direct.create_quota(arn)
    direct.advance(10)
    assert _refusal(lambda: direct.create_quota(arn)) == "ConflictException"


def test_a_team_has_one_quota_in_a_cluster(direct: Direct) -> None:
    arn = direct.add_cluster()
    direct.create_quota(arn, "vision")
    with pytest.raises(ApiError, match="ConflictException: Team vision has a compute quota"):
        direct.create_quota(arn, "vision", Name="another")


def test_the_limits_of_a_cluster(direct: Direct) -> None:
    arn = direct.add_cluster()
    direct.create_policy(arn)
    assert _refusal(lambda: direct.create_policy(arn, "second")) == "ResourceLimitExceeded"
    direct.settings(max_scheduler_configs_per_cluster=2, max_compute_quotas_per_cluster=1)
    direct.create_policy(arn, "second")
    quota_id = direct.create_quota(arn, "vision")
    assert _refusal(lambda: direct.create_quota(arn, "speech")) == "ResourceLimitExceeded"
    direct.advance(10)
    _delete(direct, QUOTA, quota_id)
    direct.advance(10)
    direct.create_quota(arn, "speech")


@both_kinds
def test_unknown_ids_and_clusters(direct: Direct, kind: Kind) -> None:
    missing = "000000000000"
    for call in (
        lambda: _describe(direct, kind, missing),
        lambda: _update(direct, kind, missing, 1),
        lambda: _delete(direct, kind, missing),
        lambda: _create(direct, kind, f"arn:aws:sagemaker:us-west-2:123456789012:cluster/{missing}"),
    ):
        assert _refusal(call) == "ResourceNotFound"


@both_kinds
def test_a_deleted_resource_is_gone_for_writers_at_once_and_for_readers_later(direct: Direct, kind: Kind) -> None:
    resource_id = _settled(direct, kind)
    _delete(direct, kind, resource_id)
    direct.advance(10)
    assert _refusal(lambda: _delete(direct, kind, resource_id)) == "ResourceNotFound"
    assert _refusal(lambda: _update(direct, kind, resource_id, 1)) == "ResourceNotFound"
    direct.advance(59)
    assert _status(direct, kind, resource_id) == "Deleted"
    direct.advance(1)
    assert _refusal(lambda: _describe(direct, kind, resource_id)) == "ResourceNotFound"


@both_kinds
def test_history_is_readable(direct: Direct, kind: Kind) -> None:
    resource_id = _settled(direct, kind)
    _update(direct, kind, resource_id, 1, Description="second", user="maria")
    direct.advance(10)
    first = _describe(direct, kind, resource_id, **{kind[2]: 1})
    second = _describe(direct, kind, resource_id, **{kind[2]: 2})
    assert "Description" not in first
    assert first["LastModifiedBy"]["IamIdentity"]["Arn"].endswith(":user/admin")
    assert second["Description"] == "second"
    assert second == _describe(direct, kind, resource_id)
    assert _refusal(lambda: _describe(direct, kind, resource_id, **{kind[2]: 3})) == "ResourceNotFound"


@both_kinds
def test_who_created_and_who_changed(direct: Direct, kind: Kind) -> None:
    resource_id = _settled(direct, kind)
    _update(direct, kind, resource_id, 1, user="maria")
    shown = _describe(direct, kind, resource_id)
    assert shown["CreatedBy"]["IamIdentity"]["Arn"] == "arn:aws:iam::123456789012:user/admin"
    assert shown["LastModifiedBy"]["IamIdentity"]["Arn"] == "arn:aws:iam::123456789012:user/maria"
    assert shown["LastModifiedTime"] == shown["CreationTime"] + 10


def test_an_update_of_a_quota_leaves_what_it_does_not_mention(direct: Direct) -> None:
    quota_id = direct.create_quota(
        direct.add_cluster(),
        Description="first",
        ActivationState="Disabled",
        ComputeQuotaTarget={"TeamName": "vision", "FairShareWeight": 60},
    )
    direct.advance(10)
    before = _describe(direct, QUOTA, quota_id)
    _update(direct, QUOTA, quota_id, 1)
    after = _describe(direct, QUOTA, quota_id)
    for member in ("ComputeQuotaConfig", "ComputeQuotaTarget", "ActivationState", "Description"):
        assert after[member] == before[member]


def test_an_update_of_a_quota_replaces_what_it_mentions(direct: Direct) -> None:
    quota_id = direct.create_quota(
        direct.add_cluster(),
        ComputeQuotaConfig={"PreemptTeamTasks": "Never", "ResourceSharingConfig": {"Strategy": "DontLend"}},
        ComputeQuotaTarget={"TeamName": "vision", "FairShareWeight": 60},
    )
    direct.advance(10)
    _update(
        direct,
        QUOTA,
        quota_id,
        1,
        ComputeQuotaConfig={"ResourceSharingConfig": {"Strategy": "Lend"}},
        ComputeQuotaTarget={"TeamName": "vision"},
        ActivationState="Disabled",
    )
    shown = _describe(direct, QUOTA, quota_id)
    assert shown["ComputeQuotaTarget"] == {"TeamName": "vision", "FairShareWeight": 0}
    assert shown["ComputeQuotaConfig"] == {
        "PreemptTeamTasks": "LowerPriority",
        "ResourceSharingConfig": {"Strategy": "Lend"},
    }
    assert shown["ActivationState"] == "Disabled"


def test_a_quota_stays_with_its_team(direct: Direct) -> None:
    quota_id = _settled(direct, QUOTA)
    with pytest.raises(ApiError, match="ValidationException: TeamName cannot be changed from vision to speech"):
        _update(direct, QUOTA, quota_id, 1, ComputeQuotaTarget={"TeamName": "speech"})
    assert _describe(direct, QUOTA, quota_id)["ComputeQuotaVersion"] == 1


def test_an_update_of_a_policy_leaves_what_it_does_not_mention(direct: Direct) -> None:
    policy_id = direct.create_policy(direct.add_cluster(), Description="first")
    direct.advance(10)
    before = _describe(direct, POLICY, policy_id)
    _update(direct, POLICY, policy_id, 1, Description="second")
    after = _describe(direct, POLICY, policy_id)
    assert after["SchedulerConfig"] == before["SchedulerConfig"]
    assert after["Description"] == "second"


def test_status_details_of_a_policy_that_is_not_at_rest(direct: Direct) -> None:
    policy_id = direct.create_policy(direct.add_cluster())
    details = _describe(direct, POLICY, policy_id)["StatusDetails"]
    assert details == dict.fromkeys(("PriorityClasses", "FairShare", "IdleResourceSharing"), "Creating")
    direct.advance(10)
    assert "StatusDetails" not in _describe(direct, POLICY, policy_id)


def test_slurm_has_no_task_governance(direct: Direct) -> None:
    arn = direct.add_cluster("slurm", orchestrator="slurm")
    assert _refusal(lambda: direct.create_quota(arn)) == "ValidationException"
    assert _refusal(lambda: direct.create_policy(arn)) == "ValidationException"


def test_regions_do_not_see_each_other(direct: Direct) -> None:
    arn = direct.add_cluster("far", region="eu-west-1")
    with pytest.raises(ApiError, match="ValidationException: The cluster is not in Region us-west-2"):
        direct.create_quota(arn)
    body: dict[str, Any] = {"ComputeQuotaConfig": {}, "ComputeQuotaTarget": {"TeamName": "vision"}}
    made = direct.call("CreateComputeQuota", region="eu-west-1", Name="q", ClusterArn=arn, **body)
    assert made["ComputeQuotaArn"].startswith("arn:aws:sagemaker:eu-west-1:123456789012:compute-quota/")
    assert direct.call("ListComputeQuotas")["ComputeQuotaSummaries"] == []
    quota_id = made["ComputeQuotaId"]
    assert _refusal(lambda: _describe(direct, QUOTA, quota_id)) == "ResourceNotFound"
    assert direct.call("DescribeComputeQuota", region="eu-west-1", ComputeQuotaId=quota_id)["Name"] == "q"
