"""SIGKILL anywhere loses nothing: the next run converges to the policy."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.hyperpod.client import ControlPlane

ROOT = Path(__file__).parents[2]
G5, G6 = "ml.g5.8xlarge", "ml.g6.8xlarge"
CLUSTER = {G5: 4, G6: 2}
RECORDS = ("begun", "applied")
"""The record is written before the first write and after the last."""

HEAD = "version: 1\ncluster: ml-research\n"


def team(name: str, quota_name: str = "", **counts: int) -> str:
    entries = ", ".join(f"{{instanceType: {kind}, count: {count}}}" for kind, count in counts.items())
    entries = entries.replace("g5", G5).replace("g6", G6)
    named = f", quotaName: {quota_name}" if quota_name else ""
    return f"  - {{name: {name}{named}, quota: [{entries}]}}\n"


def cluster_policy(weight: int, name: str) -> str:
    return f"clusterPolicy: {{name: {name}, priorityClasses: [{{name: training, weight: {weight}}}]}}\n"


@dataclass(frozen=True)
class Change:
    """From one policy to another; ``writes`` is how many calls that takes, ``fails`` a team whose quota has failed."""

    name: str
    before: str
    after: str
    writes: int
    expected: dict[str, dict[str, int]]
    fails: str = ""

    @property
    def points(self) -> int:
        """Before and after each call that writes, and before each record."""
        return 2 * self.writes + len(RECORDS)


CHANGES = (
    Change(
        "teams come, go, grow and shrink",
        HEAD
        + cluster_policy(70, "policy")
        + "teams:\n"
        + team("shrinks", g5=2)
        + team("grows", g5=1)
        + team("goes", g5=1),
        HEAD
        + cluster_policy(90, "policy")
        + "teams:\n"
        + team("shrinks", g5=1)
        + team("grows", g5=2)
        + team("comes", g5=1),
        5,
        {"shrinks": {G5: 1}, "grows": {G5: 2}, "comes": {G5: 1}},
    ),
    Change(
        "types are swapped, a quota and the cluster policy are renamed",
        HEAD + cluster_policy(70, "old") + "teams:\n" + team("a", g5=3) + team("b", g6=2) + team("c", "first", g5=1),
        HEAD + cluster_policy(70, "new") + "teams:\n" + team("a", g6=2) + team("b", g5=3) + team("c", "second", g5=1),
        8,
        {"a": {G6: 2}, "b": {G5: 3}, "c": {G5: 1}},
    ),
    Change(
        "a failed quota is repaired",
        HEAD + "teams:\n" + team("a", g5=2) + team("b", g5=1),
        HEAD + "teams:\n" + team("a", g5=2) + team("b", g5=2),
        3,
        {"a": {G5: 2}, "b": {G5: 2}},
        fails="a",
    ),
)


class Bench:
    """One cluster that has the first policy, and the second one to apply in a process of its own."""

    def __init__(self, plane: ControlPlane, directory: Path, change: Change) -> None:
        self.plane, self._directory = plane, directory
        self._policy = directory / "policy.yaml"
        plane.add_cluster("ml-research", CLUSTER)
        self._policy.write_text(change.before)
        assert self._governor(0, "apply").returncode == 0
        if change.fails:
            plane.force_status(self._quotas()[change.fails]["ComputeQuotaId"], "CreateFailed", "no luck")
        self._policy.write_text(change.after)
        self.planned = json.loads(self._governor(0, "plan", "--json").stdout)

    def _governor(self, point: int, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            **self.plane.env("governor"),
            "GOVERNOR_STATE_DIR": str(self._directory / "state"),
            "GOVERNOR_MAX_TEAMS_REMOVED": "1",
            "PYTHONPATH": str(ROOT),
        }
        return subprocess.run(
            [sys.executable, "-m", "tests.support.mortal", str(point), command, str(self._policy), *arguments],
            env=environment,
            cwd=ROOT,
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def apply(self, point: int = 0) -> subprocess.CompletedProcess[str]:
        """With the approval of the first plan, as a person types it again after a crash."""
        return self._governor(point, "apply", "--approve", self.planned["fingerprint"])

    def plan(self) -> subprocess.CompletedProcess[str]:
        return self._governor(0, "plan")

    def _quotas(self) -> dict[str, dict[str, Any]]:
        listed = self.plane.boto3_client().list_compute_quotas()["ComputeQuotaSummaries"]
        return {
            quota["ComputeQuotaTarget"]["TeamName"]: dict(quota) for quota in listed if quota["Status"] != "Deleted"
        }

    def counts(self) -> dict[str, dict[str, int]]:
        """Instances by team and type, nothing left out but zeros."""
        found: dict[str, dict[str, int]] = {}
        for name, quota in self._quotas().items():
            entries = quota["ComputeQuotaConfig"]["ComputeQuotaResources"]
            found[name] = {entry["InstanceType"]: entry["Count"] for entry in entries if entry.get("Count")}
        return found

    def cluster_policies(self) -> list[str]:
        listed = self.plane.boto3_client().list_cluster_scheduler_configs()["ClusterSchedulerConfigSummaries"]
        return [policy["Name"] for policy in listed if policy["Status"] != "Deleted"]

    def owned(self) -> list[str]:
        (record,) = (self._directory / "state").glob("*.json")
        return sorted(owned["team"] for owned in json.loads(record.read_bytes())["quotas"])


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_the_points_are_as_many_as_the_plan_says(
    change: Change, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ControlPlane.start_thread({"transition_seconds": 0, "default_page_size": 100}) as plane:
        bench = Bench(plane, tmp_path, change)
        steps = bench.planned["steps"]

        finished = bench.apply()

        assert len(steps) == change.writes
        assert f"points {2 * len(steps) + len(RECORDS)}\n" in finished.stderr
        with capsys.disabled():
            sys.stdout.write(
                f"\n{change.name}: {change.points} kill points, {len(steps)} writes, {len(RECORDS)} records "
            )
        plane.assert_no_violations()


@pytest.mark.parametrize(
    ("change", "point"),
    [
        pytest.param(change, point, id=f"{change.name}-{point}")
        for change in CHANGES
        for point in range(1, change.points + 1)
    ],
)
def test_a_run_killed_at_a_point_is_finished_by_the_next(change: Change, point: int, tmp_path: Path) -> None:
    with ControlPlane.start_thread({"transition_seconds": 0, "default_page_size": 100}) as plane:
        bench = Bench(plane, tmp_path, change)

        killed = bench.apply(point)
        between = Counter[str]()
        for amounts in bench.counts().values():
            between.update(amounts)
        finished = bench.apply()

        assert killed.returncode == -signal.SIGKILL
        assert all(between[kind] <= there for kind, there in CLUSTER.items())
        assert finished.returncode == 0, finished.stdout + finished.stderr
        assert bench.counts() == change.expected
        assert len(bench.cluster_policies()) == ("clusterPolicy" in change.after)
        assert bench.owned() == sorted(change.expected)
        assert bench.plan().returncode == 0
        plane.assert_no_violations()
