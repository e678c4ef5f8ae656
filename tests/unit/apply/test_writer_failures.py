"""What the writer does with failed states, faults and refusals of the service (life cycle of facts 1e)."""

import pytest

from governor.errors import PermanentError
from governor.plan import Record
from tests.support.world import World, two_teams

SERVICE_REASON = "the add-on said no"


def fail(world: World, operation: str, status: str, *, times: int | None = 1, team: str = "team-a") -> None:
    """The next transition that this operation starts for the team ends in that status."""
    world.direct.fault(operation, "fail", status=status, reason=SERVICE_REASON, times=times, match={"team": team})


@pytest.mark.parametrize("status", ["CreateFailed", "CreateRollbackFailed"])
def test_a_failed_creation_is_deleted_and_created_again_once(world: World, status: str) -> None:
    fail(world, "CreateComputeQuota", status)

    outcome = world.apply(two_teams())

    assert outcome.verdict == "Applied"
    assert world.calls("CreateComputeQuota", "DeleteComputeQuota") == [
        "CreateComputeQuota",
        "CreateComputeQuota",
        "DeleteComputeQuota",
        "CreateComputeQuota",
    ]
    assert world.quotas()["team-a"]["Status"] == "Created"


@pytest.mark.parametrize("status", ["CreateFailed", "CreateRollbackFailed"])
def test_a_creation_that_fails_again_waits_for_a_person_until_the_policy_changes(world: World, status: str) -> None:
    fail(world, "CreateComputeQuota", status, times=None)

    first = world.apply(two_teams())
    deleted = world.calls().count("DeleteComputeQuota")
    second = world.apply(two_teams())
    same = world.calls().count("DeleteComputeQuota")
    third = world.apply(two_teams(1, 2))

    assert [outcome.verdict for outcome in (first, second, third)] == ["Failed"] * 3
    assert SERVICE_REASON in first.reason
    assert "after being deleted and created anew for this version of the policy" in second.reason
    assert (deleted, same) == (1, 1)
    assert world.calls().count("DeleteComputeQuota") == 2
    assert world.quotas()["team-b"]["Status"] in ("Created", "Updated")


def test_a_failed_update_is_tried_again(world: World) -> None:
    world.apply(two_teams())
    fail(world, "UpdateComputeQuota", "UpdateFailed")

    outcome = world.apply(two_teams(1, 2))

    assert outcome.verdict == "Applied"
    assert [result.state for result in outcome.results] == ["failed", "done"]
    assert outcome.results[0].detail == f"UpdateFailed: {SERVICE_REASON}"
    assert world.counts()["team-a"] == 1


def test_an_update_that_keeps_failing_ends_failed_with_the_services_reason(world: World) -> None:
    world.apply(two_teams())
    fail(world, "UpdateComputeQuota", "UpdateFailed", times=None)

    outcome = world.apply(two_teams(1, 2))

    assert outcome.verdict == "Failed"
    assert outcome.reason == f"team team-a: UpdateFailed: {SERVICE_REASON}"
    assert world.calls().count("UpdateComputeQuota") == 3


@pytest.mark.parametrize("status", ["UpdateRollbackFailed", "DeleteFailed", "DeleteRollbackFailed"])
def test_a_quota_beyond_repair_is_replaced_only_with_an_approval(world: World, status: str) -> None:
    world.apply(two_teams())
    world.direct.force_status(world.quotas()["team-a"]["ComputeQuotaId"], status, SERVICE_REASON)
    before = world.writes()

    held = world.apply(two_teams())
    untouched = world.writes() == before
    outcome = world.apply(two_teams(), approve=held.plan.fingerprint)

    assert held.verdict == "Held"
    assert held.plan.held == (f"replaces the quota 'team-a-quota' of team team-a ({status})",)
    assert untouched
    assert outcome.verdict == "Applied"
    assert world.quotas()["team-a"]["Status"] == "Created"


def test_an_update_that_ends_beyond_repair_is_held(world: World) -> None:
    world.apply(two_teams())
    fail(world, "UpdateComputeQuota", "UpdateRollbackFailed")

    outcome = world.apply(two_teams(1, 2))

    assert outcome.verdict == "Held"
    assert "UpdateRollbackFailed" in outcome.reason
    assert "DeleteComputeQuota" not in world.writes()


@pytest.mark.parametrize("status", ["DeleteFailed", "DeleteRollbackFailed"])
def test_a_failed_deletion_is_tried_again(world: World, status: str) -> None:
    world.apply(two_teams(extra="  - {name: team-c, quota: [], fairShareWeight: 1}\n"))
    fail(world, "DeleteComputeQuota", status, team="team-c")

    outcome = world.apply(two_teams(), max_teams_removed=1)

    assert outcome.verdict == "Applied"
    assert world.calls().count("DeleteComputeQuota") == 2
    assert "team-c" not in world.quotas()


@pytest.mark.parametrize("operation", ["CreateClusterSchedulerConfig", "UpdateClusterSchedulerConfig"])
def test_the_cluster_policys_failures_are_mended_the_same_way(world: World, operation: str) -> None:
    text = two_teams(cluster_policy="clusterPolicy: {fairShare: Enabled}")
    if operation.startswith("Update"):
        world.apply(text)
    status = "CreateFailed" if operation.startswith("Create") else "UpdateFailed"
    world.direct.fault(operation, "fail", status=status, reason=SERVICE_REASON)

    outcome = world.apply(text.replace("Enabled", "Disabled"))

    assert outcome.verdict == "Applied"
    assert world.calls().count(operation) == 2


def test_a_step_whose_prerequisite_failed_is_not_begun_and_said_so(world: World) -> None:
    world.apply(two_teams(3, 1))
    world.direct.fault(
        "UpdateComputeQuota", "error", code="ValidationException", message="no", match={"team": "team-a"}
    )

    outcome = world.apply(two_teams(1, 3))

    assert outcome.verdict == "Failed"
    assert [(result.step.team, result.state) for result in outcome.results] == [
        ("team-a", "failed"),
        ("team-b", "skipped"),
    ]
    assert "not begun, because 'team team-a' failed" in outcome.results[1].detail
    assert world.counts() == {"team-a": 3, "team-b": 1}


def test_independent_steps_go_on_beside_a_failed_one(world: World) -> None:
    world.direct.fault(
        "CreateComputeQuota", "error", code="ResourceLimitExceeded", message="10 at most", match={"team": "team-a"}
    )

    outcome = world.apply(two_teams())

    assert outcome.verdict == "Failed"
    assert "ResourceLimitExceeded: 10 at most" in outcome.reason
    assert outcome.retry_after is None
    assert world.counts() == {"team-b": 2}
    assert world.apply(two_teams()).verdict == "Applied"


def test_missing_permission_is_said_once_and_not_retried(world: World) -> None:
    world.direct.fault("CreateComputeQuota", "error", code="AccessDeniedException", message="not you", times=None)

    outcome = world.apply(two_teams())

    assert outcome.verdict == "Failed"
    assert "allow CreateComputeQuota to the caller's role" in outcome.reason
    assert world.calls().count("CreateComputeQuota") == 2


def test_a_service_that_is_unwell_for_a_while_is_waited_out(world: World) -> None:
    world.direct.fault("CreateComputeQuota", "throttle", times=3)
    world.direct.fault("DescribeComputeQuota", "error", code="InternalFailure", http_status=500, message="", times=3)

    assert world.apply(two_teams()).verdict == "Applied"


def test_a_service_that_stays_unwell_ends_failed_with_a_time_to_come_back(world: World) -> None:
    world.direct.fault("CreateComputeQuota", "throttle", times=None)

    outcome = world.apply(two_teams())

    assert outcome.verdict == "Failed"
    assert outcome.retry_after is not None
    assert "the service throttles" in outcome.reason
    assert world.counts() == {}


def test_a_creation_that_describe_does_not_know_yet_is_waited_for(world: World) -> None:
    world.direct.settings(describe_lag_seconds=8)

    assert world.apply(two_teams()).verdict == "Applied"


def test_a_list_that_lags_behind_leads_to_no_second_creation() -> None:
    world = World(list_lag_seconds=6, transition_seconds=1)

    first = world.apply(two_teams())
    second = world.apply(two_teams(1, 3))

    assert (first.verdict, second.verdict) == ("Applied", "Applied")
    assert world.counts() == {"team-a": 1, "team-b": 3}


def test_lists_in_another_order_and_without_fill_ins_change_nothing() -> None:
    for settings in ({"shuffle_lists": 7}, {"list_fill_in": False}):
        world = World(**settings)
        text = two_teams(
            1,
            1,
            cluster_policy="clusterPolicy: {priorityClasses: [{name: a, weight: 1}, {name: b, weight: 2}]}",
            extra="""
  - name: team-c
    fairShareWeight: 1
    quota: [{instanceType: ml.g5.8xlarge, accelerators: 1}, {instanceType: ml.m5.large, count: 0}]
""",
        )
        world.apply(text)

        assert world.apply(text).verdict == "Unchanged"


def test_an_error_in_the_middle_is_an_outcome_that_says_what_was_done(world: World) -> None:
    world.apply(two_teams())
    world.console_edit("team-a", settle=False, ActivationState="Enabled")
    world.direct.fault("ListComputeQuotas", "error", code="AccessDeniedException", message="not you", after=1)

    outcome = world.apply(two_teams(2, 1))

    assert outcome.verdict == "Failed"
    assert "stopped by an error after 2 steps: ListComputeQuotas: AccessDeniedException" in outcome.reason
    assert [(result.step.team, result.state) for result in outcome.results] == [("team-a", "moved"), ("team-b", "done")]
    assert world.apply(two_teams(2, 1)).verdict == "Unchanged"


def test_a_record_that_cannot_be_written_at_the_end_is_said_and_loses_nothing(world: World) -> None:
    save = world.records.save

    def full(record: Record) -> None:
        if record.begun is None:
            raise PermanentError("the disk is full")
        save(record)

    world.records.save = full  # type: ignore[method-assign]
    failed = world.apply(two_teams())
    world.records.save = save  # type: ignore[method-assign]
    again = world.apply(two_teams())

    assert failed.verdict == "Failed"
    assert "stopped by an error after 2 steps: the disk is full" in failed.reason
    assert again.verdict == "Unchanged"
    assert {owned.team for owned in (world.records.load(world.arn) or Record("", "")).quotas} == {"team-a", "team-b"}


def test_a_repair_cut_short_leaves_the_quota_ours(world: World) -> None:
    world.apply(two_teams())
    quota_id = world.quotas()["team-a"]["ComputeQuotaId"]
    world.direct.force_status(quota_id, "CreateFailed", SERVICE_REASON)
    world.direct.fault("DeleteComputeQuota", "error", code="ValidationException", message="no")

    failed = world.apply(two_teams())
    record = world.records.load(world.arn)

    assert failed.verdict == "Failed"
    assert record is not None
    assert next(owned.id for owned in record.quotas if owned.team == "team-a") == quota_id


def test_what_a_failed_update_has_is_given_to_nobody_until_it_is_mended(world: World) -> None:
    world.apply(two_teams(3, 1))
    fail(world, "UpdateComputeQuota", "UpdateFailed", times=None)

    outcome = world.apply(two_teams(1, 3))

    assert outcome.verdict == "Failed"
    assert world.counts()["team-b"] == 1
    assert {result.state for result in outcome.results if result.step.team == "team-b"} == {"skipped"}


def test_a_repair_whose_deletion_is_refused_is_tried_again_by_the_next_run(world: World) -> None:
    world.apply(two_teams())
    world.direct.force_status(world.quotas()["team-a"]["ComputeQuotaId"], "CreateFailed", SERVICE_REASON)
    world.direct.fault("DeleteComputeQuota", "error", code="AccessDeniedException", message="not you")

    assert world.apply(two_teams()).verdict == "Failed"
    assert world.apply(two_teams()).verdict == "Applied"


def test_a_refused_creation_claims_nothing_that_somebody_else_makes_later(world: World) -> None:
    world.direct.fault(
        "CreateComputeQuota", "error", code="ValidationException", message="no", match={"team": "team-b"}
    )
    assert world.apply(two_teams()).verdict == "Failed"
    world.direct.create_quota(world.arn, "team-b", Name="team-b-quota")
    world.direct.advance(60)

    outcome = world.apply(two_teams().replace("  - {name: team-b", "  # - {name: team-b"), max_teams_removed=1)

    assert outcome.verdict == "Unchanged"
    assert "team-b" in world.quotas()


def test_somebody_elses_failed_quota_is_replaced_only_with_an_approval(world: World) -> None:
    quota_id = world.direct.create_quota(world.arn, "team-a", Name="team-a-quota")
    world.direct.force_status(quota_id, "CreateFailed", SERVICE_REASON)

    held = world.apply(two_teams())

    assert held.verdict == "Held"
    assert "CreateComputeQuota" not in world.writes()[1:]
    assert world.apply(two_teams(), approve=held.plan.fingerprint).verdict == "Applied"


def test_an_approval_does_not_outlive_a_run_that_failed(world: World) -> None:
    world.apply(two_teams())
    one = two_teams().replace("  - {name: team-b", "  # - {name: team-b")
    held = world.apply(one)
    world.direct.fault("DeleteComputeQuota", "error", code="AccessDeniedException", message="not you")

    assert world.apply(one, approve=held.plan.fingerprint).verdict == "Failed"
    assert world.apply(one).verdict == "Held"


def test_what_a_failed_run_left_is_not_called_somebody_elses_change(world: World) -> None:
    world.apply(two_teams())
    refused = {"code": "AccessDeniedException", "message": "not you", "match": {"team": "team-b"}}
    world.direct.fault("UpdateComputeQuota", "error", **refused)
    assert world.apply(two_teams(1, 1)).verdict == "Failed"
    assert world.counts()["team-a"] == 1

    outcome = world.apply(two_teams(2, 1))

    assert outcome.verdict == "Applied"
    assert outcome.foreign == ()
