"""SIGKILL anywhere loses nothing: the next run converges to the policy."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.hyperpod.client import ControlPlane

ROOT = Path(__file__).parents[2]

BEFORE = """
version: 1
cluster: ml-research
clusterPolicy: {fairShare: Enabled, priorityClasses: [{name: training, weight: 70}]}
teams:
  - {name: shrinks, quota: [{instanceType: ml.g5.8xlarge, count: 2}]}
  - {name: grows, quota: [{instanceType: ml.g5.8xlarge, count: 1}]}
  - {name: goes, quota: [{instanceType: ml.g5.8xlarge, count: 1}]}
"""
AFTER = """
version: 1
cluster: ml-research
clusterPolicy: {fairShare: Enabled, priorityClasses: [{name: training, weight: 90}]}
teams:
  - {name: shrinks, quota: [{instanceType: ml.g5.8xlarge, count: 1}]}
  - {name: grows, quota: [{instanceType: ml.g5.8xlarge, count: 2}]}
  - {name: comes, quota: [{instanceType: ml.g5.8xlarge, count: 1}]}
"""
WRITES = ["cluster policy", "goes", "shrinks", "grows", "comes"]
RECORDS = ["begun", "applied"]
POINTS = 2 * len(WRITES) + len(RECORDS)


class Bench:
    """One cluster that has the first policy, and the second one to apply in a process of its own."""

    def __init__(self, plane: ControlPlane, directory: Path) -> None:
        self.plane, self._directory = plane, directory
        self.policy = directory / "policy.yaml"

    def run(self, point: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            **self.plane.env("governor"),
            "GOVERNOR_STATE_DIR": str(self._directory / "state"),
            "PYTHONPATH": str(ROOT),
        }
        return subprocess.run(
            [sys.executable, "-m", "tests.support.mortal", str(point), *arguments],
            env=environment,
            cwd=ROOT,
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def apply(self, point: int = 0) -> subprocess.CompletedProcess[str]:
        return self.run(point, "apply", str(self.policy), "--max-teams-removed", "1")

    def counts(self) -> dict[str, int]:
        listed = self.plane.boto3_client().list_compute_quotas()["ComputeQuotaSummaries"]
        return {
            quota["ComputeQuotaTarget"]["TeamName"]: sum(
                entry.get("Count", 0) for entry in quota["ComputeQuotaConfig"]["ComputeQuotaResources"]
            )
            for quota in listed
            if quota["Status"] != "Deleted"
        }

    def owned(self) -> list[str]:
        (record,) = (self._directory / "state").glob("*.json")
        return [owned["team"] for owned in json.loads(record.read_bytes())["quotas"]]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ControlPlane.start_thread({"transition_seconds": 0, "default_page_size": 100}) as plane:
        plane.add_cluster("ml-research", {"ml.g5.8xlarge": 4})
        bench = Bench(plane, tmp_path)
        bench.policy.write_text(BEFORE)
        assert bench.apply().returncode == 0
        bench.policy.write_text(AFTER)
        yield bench
        plane.assert_no_violations()


def test_the_points_are_as_many_as_the_plan_says(bench: Bench) -> None:
    planned = bench.run(0, "plan", str(bench.policy), "--json", "--max-teams-removed", "1")
    steps = json.loads(planned.stdout)["steps"]

    counted = bench.apply()

    assert sorted(step.get("team") or step["resource"] for step in steps) == sorted(WRITES)
    assert f"points {2 * len(steps) + len(RECORDS)}\n" in counted.stderr
    sys.stdout.write(f"kill points: {POINTS}, from {len(steps)} writes and {len(RECORDS)} records\n")


@pytest.mark.parametrize("point", range(1, POINTS + 1))
def test_a_run_killed_at_a_point_is_finished_by_the_next(bench: Bench, point: int) -> None:
    killed = bench.apply(point)
    between = bench.counts()

    finished = bench.apply()

    assert killed.returncode == -signal.SIGKILL
    assert sum(between.values()) <= 4
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert bench.counts() == {"shrinks": 1, "grows": 2, "comes": 1}
    assert bench.owned() == ["comes", "grows", "shrinks"]
    assert bench.run(0, "plan", str(bench.policy)).returncode == 0
