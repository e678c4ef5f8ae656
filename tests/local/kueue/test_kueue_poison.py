"""An object that Kueue can make nothing of harms nobody else: a poisoned one and a healthy one, side by side."""

from typing import Any

import pytest

from local.kubernetes.cluster import Cluster
from local.kueue import statuses
from tests.local.kueue import worlds
from tests.local.kueue.worlds import (
    GPU,
    KUEUE,
    PRIORITY_CLASS,
    TEAMS,
    conditions,
    get_job,
    jobs,
    queue_status,
    reasons,
    set_controller,
    submit,
    workload_of,
)

A, B = TEAMS
WORKLOADS = f"{KUEUE}/v1beta2/namespaces/{A}/workloads"
ADMITTED = ("True", "Admitted")


@pytest.fixture(autouse=True)
def healthy(cluster: Cluster) -> Any:
    """Afterwards another team's job is admitted: now, and when everything is read anew."""
    yield
    cluster.kueue.settled()
    submit(cluster, B, "now")
    assert conditions(workload_of(cluster, B, "now"))["Admitted"] == ADMITTED
    set_controller(cluster, available=False, webhook=False)
    cluster.kueue.settled()
    set_controller(cluster, available=True, webhook=True)
    submit(cluster, B, "later")
    assert conditions(workload_of(cluster, B, "later"))["Admitted"] == ADMITTED
    assert queue_status(cluster, B)["admittedWorkloads"] == 2


def path_of(cluster: Cluster, name: str) -> str:
    """Where the workload of a job is."""
    workload = workload_of(cluster, A, name)
    assert workload is not None
    return f"{WORKLOADS}/{workload['metadata']['name']}"


def test_a_class_for_a_job_that_runs_without_one(cluster: Cluster) -> None:
    """The workload cannot get a class while it has quota: the job gets another workload."""
    submit(cluster, A, "train", priority="")
    before = path_of(cluster, "train"), (workload_of(cluster, A, "train") or {})["metadata"]["uid"]
    patch = {"metadata": {"labels": {PRIORITY_CLASS: "training-priority"}}, "spec": {"suspend": True}}
    assert cluster.call("PATCH", f"{jobs(A)}/train", patch).status == 200
    cluster.kueue.settled()
    workload = workload_of(cluster, A, "train")
    assert workload is not None
    assert (path_of(cluster, "train"), workload["metadata"]["uid"]) != before
    assert workload["spec"]["priorityClassRef"]["name"] == "training-priority"
    assert conditions(workload)["Admitted"] == ADMITTED
    assert get_job(cluster, A, "train")["spec"]["suspend"] is False


def test_a_job_that_waits_and_asks_for_what_is_reserved(cluster: Cluster) -> None:
    submit(cluster, A, "train", pods=9)
    job = get_job(cluster, A, "train")
    resources = job["spec"]["template"]["spec"]["containers"][0]["resources"]
    resources["requests"] = resources["limits"] = {"pods": "1"}
    assert cluster.call("PUT", f"{jobs(A)}/train", job).status == 200
    cluster.kueue.settled()
    assert workload_of(cluster, A, "train") is None
    assert get_job(cluster, A, "train")["spec"]["suspend"] is True
    assert reasons(cluster, A, "train")[:3] == ["CreatedWorkload", "ErrWorkloadCompose", "DeletedWorkload"]
    assert set(reasons(cluster, A, "train")[3:]) == {"ErrWorkloadCompose"}


@pytest.mark.parametrize("status", ["x", None, {"conditions": "x"}, {"conditions": ["x", None, {"type": 1}]}])
def test_any_status_of_a_job(cluster: Cluster, status: Any) -> None:
    submit(cluster, A, "train")
    assert cluster.call("PATCH", f"{jobs(A)}/train/status", {"status": status}).status == 200
    cluster.kueue.settled()
    assert get_job(cluster, A, "train")["status"]["active"] == 1


@pytest.mark.parametrize(
    "status",
    [
        "x",
        None,
        {"conditions": "x"},
        {"conditions": ["x", None]},
        {"conditions": []},
        {"admission": "x"},
        {"admission": None},
        {"schedulingStats": "x", "accumulatedPastExecutionTimeSeconds": "x", "conditions": []},
    ],
)
def test_any_status_of_a_workload_is_written_again(cluster: Cluster, status: Any) -> None:
    submit(cluster, A, "train")
    path = path_of(cluster, "train")
    before = cluster.call("GET", path).json["status"]
    assert cluster.call("PATCH", f"{path}/status", {"status": status}).status == 200
    cluster.kueue.settled()
    after = cluster.call("GET", path).json["status"]
    assert (conditions({"status": after}), after["admission"]) == (conditions({"status": before}), before["admission"])
    assert get_job(cluster, A, "train")["spec"]["suspend"] is False


@pytest.mark.parametrize("statistics", ["x", {"evictions": "x"}, {"evictions": ["x", {"reason": [], "count": 1}]}])
def test_evictions_are_counted_whatever_was_counted_before(cluster: Cluster, statistics: Any) -> None:
    submit(cluster, A, "train", pods=8)
    status = {"schedulingStats": statistics, "accumulatedPastExecutionTimeSeconds": "x"}
    assert cluster.call("PATCH", f"{path_of(cluster, 'train')}/status", {"status": status}).status == 200
    submit(cluster, B, "urgent", pods=4)
    workload = workload_of(cluster, A, "train")
    assert workload is not None
    (counted,) = workload["status"]["schedulingStats"]["evictions"]
    assert (counted["reason"], counted["count"]) == ("Preempted", 1)
    cluster.call("DELETE", f"{jobs(B)}/urgent")


@pytest.mark.parametrize(
    "owners", [["x"], "x", [{"controller": True, "kind": "Job"}], [{"controller": True, "kind": "Job", "name": ["a"]}]]
)
def test_owners_that_cannot_be_read(cluster: Cluster, owners: Any) -> None:
    """A workload that cannot be read is as good as none."""
    pods = {"containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]}
    metadata = {"name": "own", "ownerReferences": owners}
    spec = {"queueName": f"{A}-localqueue", "podSets": [{"template": {"spec": pods}}]}
    assert cluster.call("POST", WORKLOADS, {"metadata": metadata, "spec": spec}).status == 201
    cluster.kueue.settled()
    assert "status" not in cluster.call("GET", f"{WORKLOADS}/own").json


@pytest.mark.parametrize("plural", ["clusterqueues", f"namespaces/{A}/localqueues"])
def test_any_status_of_a_queue(cluster: Cluster, plural: str) -> None:
    name = f"{A}-{plural.rpartition('/')[2].removesuffix('s')}"
    path = f"{KUEUE}/v1beta2/{plural}/{name}"
    assert (
        cluster.call("PATCH", f"{path}/status", {"status": {"conditions": ["x"], "pendingWorkloads": "x"}}).status
        == 200
    )
    submit(cluster, A, "train")
    assert cluster.call("GET", path).json["status"]["admittedWorkloads"] == 1


def test_a_job_that_was_never_looked_at(cluster: Cluster) -> None:
    """Put there as nobody may write it."""
    body = worlds.job("train", GPU, labels=worlds.labels_of(A))
    body["metadata"]["namespace"] = A
    body["spec"] |= {"parallelism": "two", "suspend": True}
    cluster.load([body])
    cluster.kueue.settled()
    assert workload_of(cluster, A, "train") is None
    assert "ReconcileFailed" in reasons(cluster, A, "train")


def test_what_cannot_be_shown_of_one_workload_is_shown_of_others(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = statuses.workload_status

    def status(obj: Any, *others: Any) -> Any:
        if obj["metadata"]["namespace"] == A:
            raise ZeroDivisionError("told to")
        return shown(obj, *others)

    monkeypatch.setattr(statuses, "workload_status", status)
    submit(cluster, A, "train")
    submit(cluster, B, "beside")
    assert conditions(workload_of(cluster, B, "beside"))["Admitted"] == ADMITTED
    found = workload_of(cluster, A, "train")
    assert found is not None
    assert set(reasons(cluster, A, found["metadata"]["name"])) >= {"ReconcileFailed"}
    assert "status" not in found
    assert cluster.call("DELETE", f"{jobs(B)}/beside").status == 200
