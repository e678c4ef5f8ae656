"""Jobs of teams, submitted and followed through the Kubernetes API; Kueue's part is played by hand."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from local.addon.connection import KubernetesError
from local.jobs import Jobs
from local.kubernetes.cluster import Cluster
from local.kubernetes.server import KubernetesServer
from local.kubernetes.users import User
from local.walkthrough import ONE_GPU, play
from tests.local.governed import TYPE, World
from tests.local.kubernetes.recorded import definitions

JOB = "/apis/batch/v1/namespaces/hyperpod-ns-vision/jobs/train"
WORKLOADS = "/apis/kueue.x-k8s.io/v1beta2/namespaces/hyperpod-ns-vision/workloads"
GPUS = {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "1"}
_numbers = itertools.count(1)


@pytest.fixture
def cluster(kubernetes_server: KubernetesServer) -> Cluster:
    """With Kueue's definitions and the namespace of a team, and without Kueue."""
    cluster = kubernetes_server.add_cluster(f"jobs-{next(_numbers)}", tokens={"of-a-user": User("somebody", ())})
    cluster.load(
        [*definitions(), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "hyperpod-ns-vision"}}]
    )
    return cluster


@pytest.fixture
def jobs(cluster: Cluster) -> Iterator[Jobs]:
    with Jobs.of_cluster(cluster) as jobs:
        yield jobs


def play_kueue(cluster: Cluster, kind: str, name: str, *, uid: str = "", **status: Any) -> None:
    """An object as Kueue makes it."""
    metadata = {"name": name, "labels": {"kueue.x-k8s.io/job-uid": uid}}
    if kind == "Workload":
        metadata["namespace"] = "hyperpod-ns-vision"
    cluster.load([{"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": kind, "metadata": metadata, "status": status}])


def test_a_job_is_suspended_and_in_its_teams_queue(cluster: Cluster, jobs: Jobs) -> None:
    jobs.submit("vision", "train", pods=3, requests=GPUS, priority="training", instance_type=TYPE)
    job = cluster.call("GET", JOB).json
    assert job["metadata"]["labels"] == {
        "kueue.x-k8s.io/queue-name": "hyperpod-ns-vision-localqueue",
        "kueue.x-k8s.io/priority-class": "training-priority",
    }
    assert (job["spec"]["suspend"], job["spec"]["parallelism"], job["spec"]["completions"]) == (True, 3, 3)
    pod = job["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"] == {"requests": GPUS, "limits": {"nvidia.com/gpu": "1"}}
    assert pod["nodeSelector"] == {"node.kubernetes.io/instance-type": TYPE}
    assert jobs.is_suspended("vision", "train")


def test_its_workload_is_followed(cluster: Cluster, jobs: Jobs) -> None:
    uid = jobs.submit("vision", "train", requests=GPUS)["metadata"]["uid"]
    assert (jobs.workload("vision", "train"), jobs.conditions("vision", "train")) == (None, {})
    waiting = {"type": "QuotaReserved", "status": "False", "reason": "Pending", "message": "too few"}
    play_kueue(cluster, "Workload", "job-train-1", uid=uid, conditions=[waiting])

    assert jobs.wait("vision", "train", "QuotaReserved", "False", reason="Pending")["message"] == "too few"
    with pytest.raises(TimeoutError) as error:
        jobs.wait("vision", "train", "QuotaReserved", seconds=0)
    assert "too few" in str(error.value.__notes__)


def test_what_a_queue_uses(cluster: Cluster, jobs: Jobs) -> None:
    used = [{"name": "nvidia.com/gpu", "total": "3", "borrowed": "1"}, {"name": "cpu", "total": "24"}]
    flavors = [{"name": TYPE, "resources": used}]
    play_kueue(cluster, "ClusterQueue", "hyperpod-ns-vision-clusterqueue", flavorsUsage=flavors)
    assert jobs.usage("vision") == {(TYPE, "nvidia.com/gpu"): ("3", "1"), (TYPE, "cpu"): ("24", "0")}
    jobs.wait_for_usage("vision", TYPE, {"nvidia.com/gpu": ("3", "1")}, seconds=0)
    with pytest.raises(TimeoutError) as error:
        jobs.wait_for_usage("vision", TYPE, {"nvidia.com/gpu": ("2", "0")}, seconds=0)
    assert "('3', '1')" in str(error.value.__notes__)


def test_a_job_is_finished_without_pods(cluster: Cluster, jobs: Jobs) -> None:
    jobs.submit("vision", "train", pods=2, requests=GPUS)
    jobs.finish("vision", "train")
    status = cluster.call("GET", JOB).json["status"]
    assert {each["type"]: each["status"] for each in status["conditions"]} == {
        "SuccessCriteriaMet": "True",
        "Complete": "True",
    }
    assert status["succeeded"] == 2


def test_a_deleted_job_takes_its_workload_along(cluster: Cluster, jobs: Jobs) -> None:
    uid = jobs.submit("vision", "train", requests=GPUS)["metadata"]["uid"]
    play_kueue(cluster, "Workload", "job-train-1", uid=uid)
    jobs.delete("vision", "train")
    jobs.delete("vision", "train")
    assert cluster.call("GET", JOB).status == 404
    assert cluster.call("GET", WORKLOADS).json["items"] == []


def test_whoever_leaves_leaves_no_jobs(cluster: Cluster) -> None:
    with Jobs.of_cluster(cluster) as jobs:
        jobs.submit("vision", "train", requests=GPUS)
        jobs.submit("vision", "second", requests=GPUS)
    assert cluster.call("GET", JOB.rpartition("/")[0]).json["items"] == []


def test_a_user_may_what_its_role_says(cluster: Cluster) -> None:
    with Jobs.of_cluster(cluster, "of-a-user") as jobs, pytest.raises(KubernetesError) as error:
        jobs.submit("vision", "train", requests=GPUS)
    assert error.value.status == 403


class _Lagging(Jobs):
    """Sees of each job whether it was suspended when it was last looked at, as if Kueue took its time."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._last: dict[tuple[str, str], bool] = {}

    def is_suspended(self, team: str, name: str) -> bool:
        last = self._last.get((team, name), True)
        self._last[team, name] = super().is_suspended(team, name)
        return last


def test_the_workshop_waits_for_a_kueue_that_takes_its_time(world: World) -> None:
    sharing = {"ResourceSharingConfig": {"Strategy": "LendAndBorrow", "BorrowLimit": 50}}
    config = {
        "ComputeQuotaResources": [{"InstanceType": TYPE, "Count": 2}],
        **sharing,
        "PreemptTeamTasks": "LowerPriority",
    }
    for team in ("team-a", "team-b"):
        quota_id = world.create(team)
        world.settled(quota_id)
        world.update(quota_id, ComputeQuotaConfig=config)
    classes = [{"Name": "training", "Weight": 75}, {"Name": "experimentation", "Weight": 90}]
    world.settled(world.create_policy(PriorityClasses=classes))

    seen: list[tuple[str, bool]] = []
    with _Lagging.of_cluster(world.kubernetes) as jobs:
        play(jobs, ONE_GPU, lambda what, holds: seen.append((what, holds)), lambda _: None)
    assert [what for what, holds in seen if not holds] == []
    assert len(seen) == 6
