"""Jobs that are changed while they run, deleted while nobody looks, and times: what has quota is what runs."""

from datetime import datetime
from typing import Any

import pytest

from governor.kueue import admission
from local.hyperpod.clock import ManualClock
from local.kubernetes.cluster import Cluster
from local.kueue import reconciler
from tests.local.kueue.worlds import (
    KUEUE,
    QUEUE_NAME,
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


def gpus(cluster: Cluster) -> str:
    """How many team A has."""
    usage = {each["name"]: each for each in queue_status(cluster, A)["flavorsUsage"]}
    resources = {each["name"]: each["total"] for each in usage["ml.g5.8xlarge"]["resources"]}
    return str(resources["nvidia.com/gpu"])


def test_a_job_that_runs_with_more_pods_is_stopped_and_has_another_workload(cluster: Cluster) -> None:
    submit(cluster, A, "train")
    before = workload_of(cluster, A, "train")
    assert cluster.call("PATCH", f"{jobs(A)}/train", {"spec": {"parallelism": 3, "completions": 3}}).status == 200
    cluster.kueue.settled()
    after = workload_of(cluster, A, "train")
    assert before is not None
    assert after is not None
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["spec"]["podSets"][0]["count"] == 3
    assert "nodeSelector" not in after["spec"]["podSets"][0]["template"]["spec"]
    assert (get_job(cluster, A, "train")["status"]["active"], gpus(cluster)) == (3, "3")
    told = ["CreatedWorkload", "Started", "Stopped", "DeletedWorkload", "CreatedWorkload", "Started"]
    assert reasons(cluster, A, "train") == told


def test_a_job_that_runs_with_more_pods_than_there_can_be_waits(cluster: Cluster) -> None:
    submit(cluster, A, "train")
    assert cluster.call("PATCH", f"{jobs(A)}/train", {"spec": {"parallelism": 9, "completions": 9}}).status == 200
    cluster.kueue.settled()
    assert get_job(cluster, A, "train")["spec"]["suspend"] is True
    assert "active" not in get_job(cluster, A, "train")["status"]
    assert gpus(cluster) == "0"


def test_a_job_that_is_stopped_to_move_moves(cluster: Cluster) -> None:
    submit(cluster, A, "train")
    patch = {"metadata": {"labels": {QUEUE_NAME: "other"}}, "spec": {"suspend": True}}
    assert cluster.call("PATCH", f"{jobs(A)}/train", patch).status == 200
    cluster.kueue.settled()
    workload = workload_of(cluster, A, "train")
    assert workload is not None
    assert workload["spec"]["queueName"] == "other"
    assert conditions(workload)["QuotaReserved"] == ("False", "Inadmissible")
    assert (get_job(cluster, A, "train")["spec"]["suspend"], gpus(cluster)) == (True, "0")


def test_a_job_without_a_workload_is_not_started_by_hand(cluster: Cluster) -> None:
    submit(cluster, A, "train", priority="unheard-of")
    assert cluster.call("PATCH", f"{jobs(A)}/train", {"spec": {"suspend": False}}).status == 200
    cluster.kueue.settled()
    job = get_job(cluster, A, "train")
    assert (job["spec"]["suspend"], workload_of(cluster, A, "train")) == (True, None)
    assert "active" not in job["status"]
    assert reasons(cluster, A, "train") == ["WorkloadPriorityClassNotFound", "Stopped"]


def test_a_job_that_is_deleted_while_the_controller_is_away_leaves_nothing(cluster: Cluster) -> None:
    submit(cluster, A, "train")
    set_controller(cluster, available=False, webhook=False)
    cluster.kueue.settled()
    assert cluster.call("DELETE", f"{jobs(A)}/train").status == 200
    set_controller(cluster, available=True, webhook=True)
    cluster.kueue.settled()
    assert workload_of(cluster, A, "train") is None
    assert (queue_status(cluster, A)["admittedWorkloads"], gpus(cluster)) == (0, "0")


def test_what_was_decided_while_the_controller_went_is_decided_again(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes between the decision and its writing, and is back before the next round."""
    decided = admission.after
    rounds: list[bool] = []

    def after(*told: Any, **named: Any) -> admission.Outcome:
        outcome = decided(*told, **named)
        if not rounds and outcome.decisions:
            rounds.append(True)
            set_controller(cluster, available=False, webhook=False)
        return outcome

    following = reconciler.Reconciler.reconcile

    def reconcile(self: reconciler.Reconciler, changed: Any) -> None:
        following(self, changed)
        if rounds == [True]:
            rounds.append(False)
            set_controller(cluster, available=True, webhook=True)

    monkeypatch.setattr(admission, "after", after)
    monkeypatch.setattr(reconciler.Reconciler, "reconcile", reconcile)
    submit(cluster, A, "train")
    assert rounds == [True, False]
    assert conditions(workload_of(cluster, A, "train"))["Admitted"] == ("True", "Admitted")
    assert get_job(cluster, A, "train")["spec"]["suspend"] is False


def test_no_condition_is_later_than_the_clock(cluster: Cluster, clock: ManualClock) -> None:
    """Every job that goes lets those that wait be tried again, without the time moving on."""
    submit(cluster, A, "big", pods=8)
    for number in range(5):
        submit(cluster, A, f"small-{number}", pods=4)
    for number in range(4):
        cluster.call("DELETE", f"{jobs(A)}/small-{number}")
        cluster.kueue.settled()
    submit(cluster, B, "urgent", pods=4)
    found = [
        datetime.fromisoformat(condition["lastTransitionTime"]).timestamp()
        for plural in ("workloads", "clusterqueues", "localqueues")
        for item in cluster.call("GET", f"{KUEUE}/v1beta2/{plural}").json["items"]
        for condition in item["status"]["conditions"]
    ]
    assert max(found) <= clock.now()
    assert conditions(workload_of(cluster, A, "big"))["Evicted"] == ("True", "Preempted")
