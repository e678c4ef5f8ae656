"""Applying over HTTP with the real SDK: storms, lost answers, side by side, other people's clients."""

from pathlib import Path

import pytest

from governor.apply import FileRecords, Outcome, SystemClock, Writer, WriterSettings
from governor.aws.sagemaker import Governance
from governor.aws.session import Aws
from governor.plan import Rules, desired_by
from governor.quota import bundled_instances
from local.hyperpod.client import ControlPlane
from tests.integration.conftest import Governor
from tests.support.world import policy_of, two_teams

pytestmark = pytest.mark.usefixtures("governor")


def many(teams: int) -> str:
    lines = [f"  - {{name: team-{n:03}, quota: [{{instanceType: ml.g5.8xlarge, count: 0}}]}}" for n in range(teams)]
    return "\n".join(["version: 1", "cluster: ml-research", "teams:", *lines, ""])


def apply(text: str, state: Path, *, concurrency: int = 2, deadline: float | None = 60) -> Outcome:
    api = Governance(Aws().sagemaker)
    settings = WriterSettings(Rules(), concurrency, deadline)
    writer = Writer(api, FileRecords(state), SystemClock(), settings)
    return writer.apply(desired_by(policy_of(text)), api.clusters.describe("ml-research"), bundled_instances())


def test_a_storm_of_throttling_ends_applied_with_each_quota_once(plane: ControlPlane, tmp_path: Path) -> None:
    plane.fault("*", "throttle", after=4, times=6)

    outcome = apply(many(8), tmp_path, concurrency=4)

    assert outcome.verdict == "Applied"
    refused = [call for call in plane.calls() if call["error_code"] == "ThrottlingException"]
    assert len(refused) == 6
    assert len(plane.boto3_client().list_compute_quotas()["ComputeQuotaSummaries"]) == 8


@pytest.mark.parametrize("operation", ["CreateComputeQuota", "UpdateComputeQuota", "DeleteComputeQuota"])
def test_a_lost_answer_does_nothing_twice(
    plane: ControlPlane, tmp_path: Path, governor: Governor, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(two_teams())
    if operation != "CreateComputeQuota":
        assert governor("apply", policy) == 0
    if operation == "UpdateComputeQuota":
        policy.write_text(two_teams(1, 2))
    if operation == "DeleteComputeQuota":
        policy.write_text(two_teams().replace("  - {name: team-b", "  # - {name: team-b"))
    plane.fault(operation, "drop_connection", when="after")
    capsys.readouterr()

    assert governor("apply", policy, "--max-teams-removed", "1") == 0
    assert "Applied" in capsys.readouterr().out
    assert governor("plan", policy) == 0
    quotas = plane.boto3_client().list_compute_quotas()["ComputeQuotaSummaries"]
    there = [quota["ComputeQuotaTarget"]["TeamName"] for quota in quotas if quota["Status"] != "Deleted"]
    assert sorted(there) == (["team-a"] if operation == "DeleteComputeQuota" else ["team-a", "team-b"])


def test_a_stuck_transition_delays_no_independent_step(plane: ControlPlane, tmp_path: Path) -> None:
    plane.fault("CreateComputeQuota", "stuck", match={"team": "team-000"})

    outcome = apply(many(6), tmp_path, concurrency=2, deadline=2)

    assert outcome.verdict == "InProgress"
    assert "team team-000 is still Creating" in outcome.reason
    statuses = {
        quota["ComputeQuotaTarget"]["TeamName"]: quota["Status"]
        for quota in plane.boto3_client().list_compute_quotas()["ComputeQuotaSummaries"]
    }
    assert statuses == {"team-000": "Creating", **{f"team-{n:03}": "Created" for n in range(1, 6)}}


def test_steps_side_by_side_are_never_more_than_allowed(plane: ControlPlane, tmp_path: Path) -> None:
    plane.settings(transition_seconds=0.1)

    outcome = apply(many(12), tmp_path, concurrency=3)

    assert outcome.verdict == "Applied"
    began = sorted(call["time"] for call in plane.calls("CreateComputeQuota"))
    # With three places and 0.1 s a creation, the fourth cannot begin before the first has had its 0.1 s.
    assert all(later - earlier >= 0.09 for earlier, later in zip(began, began[3:], strict=False))


def test_a_list_of_several_pages_is_read_in_whole_with_the_fewest_calls(plane: ControlPlane, tmp_path: Path) -> None:
    plane.settings(transition_seconds=0)
    apply(many(130), tmp_path, concurrency=16)
    plane.forget_calls()

    assert apply(many(130), tmp_path).verdict == "Unchanged"
    assert [call["operation"] for call in plane.calls()] == [
        "DescribeCluster",
        "ListComputeQuotas",
        "ListComputeQuotas",
        "ListClusterSchedulerConfigs",
    ]
