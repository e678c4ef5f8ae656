"""What becomes of Jobs: suspended, admitted, started, preempted, finished, and left alone."""

import json

import pytest

from local.hyperpod.clock import ManualClock
from local.kubernetes.cluster import Cluster
from tests.local.kueue import worlds
from tests.local.kueue.worlds import (
    GPU,
    KUEUE,
    PRIORITY_CLASS,
    QUEUE_NAME,
    TEAMS,
    conditions,
    finish,
    get_job,
    jobs,
    queue_status,
    reasons,
    submit,
    workload_of,
)

A, B = TEAMS
FLAVOR = {"node.kubernetes.io/instance-type": "ml.g5.8xlarge"}


def test_a_new_job_is_suspended_before_anybody_sees_it(cluster: Cluster) -> None:
    made = submit(cluster, A, "train")
    assert made["spec"]["suspend"] is True


def test_an_admitted_job_runs_on_the_nodes_of_its_flavor(cluster: Cluster) -> None:
    submit(cluster, A, "train", pods=2)
    job = get_job(cluster, A, "train")
    assert job["spec"]["suspend"] is False
    assert job["spec"]["template"]["spec"]["nodeSelector"] == FLAVOR
    assert (job["status"]["active"], job["status"]["ready"]) == (2, 0)
    assert job["status"]["startTime"]
    assert reasons(cluster, A, "train") == ["CreatedWorkload", "Started"]


def test_a_preempted_job_is_as_it_was_before_and_starts_again(cluster: Cluster, clock: ManualClock) -> None:
    submit(cluster, A, "train", pods=8)
    clock.advance(5)
    submit(cluster, B, "urgent", pods=4)
    job = get_job(cluster, A, "train")
    assert job["spec"]["suspend"] is True
    assert "nodeSelector" not in job["spec"]["template"]["spec"]
    assert not {"active", "ready", "startTime"} & set(job["status"])
    (told,) = job["status"]["conditions"]
    assert (told["type"], told["status"], told["reason"]) == ("Suspended", "True", "JobSuspended")
    finish(cluster, B, "urgent")
    job = get_job(cluster, A, "train")
    assert (job["spec"]["suspend"], job["status"]["active"]) == (False, 8)
    (told,) = job["status"]["conditions"]
    assert (told["status"], told["reason"]) == ("False", "JobResumed")
    assert reasons(cluster, A, "train") == ["CreatedWorkload", "Started", "Stopped", "Started"]


def test_a_finished_job_gives_its_quota_back(cluster: Cluster) -> None:
    submit(cluster, A, "train", pods=4)
    assert queue_status(cluster, A)["admittedWorkloads"] == 1
    finish(cluster, A, "train", message="Reached expected number of succeeded pods")
    assert "active" not in get_job(cluster, A, "train")["status"]
    workload = workload_of(cluster, A, "train")
    assert workload is not None
    finished = next(each for each in workload["status"]["conditions"] if each["type"] == "Finished")
    told = (finished["reason"], finished["message"])
    assert told == ("Succeeded", "Reached expected number of succeeded pods")
    assert "finalizers" not in workload["metadata"]
    assert queue_status(cluster, A)["admittedWorkloads"] == 0


def test_a_failed_job_has_failed(cluster: Cluster) -> None:
    submit(cluster, A, "train")
    finish(cluster, A, "train", "Failed", "Job has reached the specified backoff limit")
    assert conditions(workload_of(cluster, A, "train"))["Finished"] == ("True", "Failed")


def test_a_deleted_job_takes_its_workload_along(cluster: Cluster, clock: ManualClock) -> None:
    submit(cluster, A, "first", pods=8)
    clock.advance(1)
    submit(cluster, A, "second", pods=4)
    assert conditions(workload_of(cluster, A, "second"))["QuotaReserved"] == ("False", "Pending")
    assert cluster.call("DELETE", f"{jobs(A)}/first").status == 200
    cluster.kueue.settled()
    assert workload_of(cluster, A, "first") is None
    assert conditions(workload_of(cluster, A, "second"))["Admitted"] == ("True", "Admitted")


def test_a_job_of_the_same_name_gets_another_workload(cluster: Cluster) -> None:
    names = set()
    for _ in range(2):
        submit(cluster, A, "train")
        workload = workload_of(cluster, A, "train")
        assert workload is not None
        names.add(workload["metadata"]["name"])
        cluster.call("DELETE", f"{jobs(A)}/train")
    assert len(names) == 2


def test_a_deleted_workload_is_made_again(cluster: Cluster) -> None:
    submit(cluster, A, "train")
    workload = workload_of(cluster, A, "train")
    assert workload is not None
    path = f"{KUEUE}/v1beta2/namespaces/{A}/workloads/{workload['metadata']['name']}"
    assert cluster.call("DELETE", path).status == 200
    cluster.kueue.settled()
    again = workload_of(cluster, A, "train")
    assert again is not None
    assert again["metadata"]["uid"] != workload["metadata"]["uid"]
    assert conditions(again)["Admitted"] == ("True", "Admitted")


def test_a_job_without_a_queue_is_left_alone(cluster: Cluster) -> None:
    assert cluster.call("POST", jobs(A), worlds.job("free", GPU, labels={})).status == 201
    cluster.kueue.settled()
    assert get_job(cluster, A, "free")["spec"]["suspend"] is False
    assert get_job(cluster, A, "free")["status"] == {}
    assert workload_of(cluster, A, "free") is None


def test_nobody_else_starts_a_job_that_waits(cluster: Cluster) -> None:
    submit(cluster, A, "big", pods=9)
    assert cluster.call("PATCH", f"{jobs(A)}/big", {"spec": {"suspend": False}}).status == 200
    cluster.kueue.settled()
    assert get_job(cluster, A, "big")["spec"]["suspend"] is True


@pytest.mark.parametrize(
    ("parallelism", "completions", "count"), [(None, None, 1), (3, None, 3), (3, 2, 2), (2, 8, 2), (None, 5, 1)]
)
def test_how_many_pods_a_job_has(
    cluster: Cluster, parallelism: int | None, completions: int | None, count: int
) -> None:
    body = worlds.job("train", {"cpu": "1"}, labels=worlds.labels_of(A))
    body["spec"] |= {"parallelism": parallelism, "completions": completions}
    body["spec"] = {name: value for name, value in body["spec"].items() if value is not None}
    assert cluster.call("POST", jobs(A), body).status == 201
    cluster.kueue.settled()
    workload = workload_of(cluster, A, "train")
    assert workload is not None
    assert workload["spec"]["podSets"][0]["count"] == count


def test_another_class_is_another_priority(cluster: Cluster, clock: ManualClock) -> None:
    submit(cluster, A, "first", pods=8, priority="training")
    clock.advance(1)
    submit(cluster, A, "second", pods=8, priority="experimentation")
    assert get_job(cluster, A, "second")["spec"]["suspend"] is True
    patch = {"metadata": {"labels": {PRIORITY_CLASS: "inference-priority"}}}
    assert cluster.call("PATCH", f"{jobs(A)}/second", patch).status == 200
    cluster.kueue.settled()
    workload = workload_of(cluster, A, "second")
    assert workload is not None
    assert (workload["spec"]["priority"], workload["spec"]["priorityClassRef"]["name"]) == (100, "inference-priority")
    assert get_job(cluster, A, "second")["spec"]["suspend"] is False
    assert conditions(workload_of(cluster, A, "first"))["Preempted"] == ("True", "InClusterQueue")


def test_a_class_that_changes_changes_the_priority_of_all_of_its_jobs(cluster: Cluster) -> None:
    submit(cluster, A, "train")
    path = f"{KUEUE}/v1beta2/workloadpriorityclasses/training-priority"
    assert cluster.call("PATCH", path, {"value": 7}).status == 200
    cluster.kueue.settled()
    workload = workload_of(cluster, A, "train")
    assert workload is not None
    assert workload["spec"]["priority"] == 7


def test_a_job_of_an_unknown_class_waits_for_it(cluster: Cluster) -> None:
    submit(cluster, A, "train", priority="unheard-of")
    assert workload_of(cluster, A, "train") is None
    assert get_job(cluster, A, "train")["spec"]["suspend"] is True
    assert reasons(cluster, A, "train") == ["WorkloadPriorityClassNotFound"]
    made = {"metadata": {"name": "unheard-of-priority"}, "value": 3}
    assert cluster.call("POST", f"{KUEUE}/v1beta2/workloadpriorityclasses", made).status == 201
    cluster.kueue.settled()
    assert conditions(workload_of(cluster, A, "train"))["Admitted"] == ("True", "Admitted")


def test_a_waiting_job_moves_to_another_queue_and_has_other_pods(cluster: Cluster) -> None:
    body = worlds.job("train", GPU, labels={QUEUE_NAME: "nowhere"})
    assert cluster.call("POST", jobs(A), body).status == 201
    cluster.kueue.settled()
    workload = workload_of(cluster, A, "train")
    assert conditions(workload)["QuotaReserved"] == ("False", "Inadmissible")
    told = next(each for each in (workload or {})["status"]["conditions"] if each["type"] == "QuotaReserved")
    assert told["message"] == "LocalQueue nowhere doesn't exist"
    patch = {"metadata": {"labels": worlds.labels_of(A)}, "spec": {"parallelism": 2, "completions": 2}}
    assert cluster.call("PATCH", f"{jobs(A)}/train", patch).status == 200
    cluster.kueue.settled()
    workload = workload_of(cluster, A, "train")
    assert workload is not None
    assert workload["spec"]["podSets"][0]["count"] == 2
    assert get_job(cluster, A, "train")["status"]["active"] == 2


def test_a_workload_of_nobody_is_admitted_too(cluster: Cluster) -> None:
    pods = {"containers": [{"name": "c", "resources": {"requests": GPU}}], "restartPolicy": "Never"}
    spec = {"queueName": f"{A}-localqueue", "podSets": [{"count": 2, "template": {"spec": pods}}]}
    path = f"{KUEUE}/v1beta2/namespaces/{A}/workloads"
    assert cluster.call("POST", path, {"metadata": {"name": "own"}, "spec": spec}).status == 201
    cluster.kueue.settled()
    workload = cluster.call("GET", f"{path}/own").json
    assert (workload["spec"]["active"], workload["spec"]["podSets"][0]["name"]) == (True, "main")
    assert set(conditions(workload)) == {"QuotaReserved", "Admitted"}
    assert cluster.call("PATCH", f"{path}/own", {"spec": {"active": False}}).status == 200
    cluster.kueue.settled()
    workload = cluster.call("GET", f"{path}/own").json
    assert conditions(workload)["Evicted"] == ("True", "Deactivated")
    assert "admission" not in workload["status"]
    assert queue_status(cluster, A)["admittedWorkloads"] == 0
    assert cluster.call("DELETE", f"{path}/own").status == 200
    assert cluster.call("GET", f"{path}/own").status == 404


def test_a_job_that_only_other_nodes_suit(cluster: Cluster) -> None:
    body = worlds.job("train", {"cpu": "1"}, labels=worlds.labels_of(A))
    body["spec"]["template"]["spec"]["nodeSelector"] = {"node.kubernetes.io/instance-type": "ml.c5.2xlarge"}
    assert cluster.call("POST", jobs(A), body).status == 201
    cluster.kueue.settled()
    workload = workload_of(cluster, A, "train")
    assert workload is not None
    (assignment,) = workload["status"]["admission"]["podSetAssignments"]
    assert assignment["flavors"] == {"cpu": "ml.c5.2xlarge"}


def test_a_request_that_no_flavor_covers(cluster: Cluster) -> None:
    submit(cluster, A, "train", {"example.com/dongle": "1"})
    workload = workload_of(cluster, A, "train")
    assert conditions(workload)["QuotaReserved"] == ("False", "Pending")
    assert "example.com/dongle" in str((workload or {})["status"]["conditions"])


def test_a_watch_shows_what_is_decided(cluster: Cluster) -> None:
    path = f"{KUEUE}/v1beta1/namespaces/{A}/workloads"
    version = cluster.call("GET", path).json["metadata"]["resourceVersion"]
    submit(cluster, A, "train")
    text = cluster.call("GET", f"{path}?watch=1&timeoutSeconds=1&resourceVersion={version}").text
    seen = [json.loads(line) for line in text.splitlines() if line]
    assert [each["type"] for each in seen] == ["ADDED", "MODIFIED"]
    assert seen[0]["object"]["spec"]["priorityClassName"] == "training-priority"
    assert conditions(seen[1]["object"])["Admitted"] == ("True", "Admitted")
