"""The recorded jobs, submitted one after the other: everything that is said of them is what a real Kueue has said."""

import pytest

from local.hyperpod.clock import ManualClock
from local.kubernetes.cluster import Cluster
from local.kubernetes.errors import JsonObject
from tests.local.kubernetes.recorded import comparable, recorded
from tests.local.kueue import worlds
from tests.local.kueue.worlds import KUEUE, PLURALS, TEAMS, as_recorded, finish, make, make_recorded_world, submit

A, B = TEAMS


def assert_is(cluster: Cluster, state: str) -> None:
    cluster.kueue.settled()
    for plural in (*PLURALS, "workloads"):
        ours = cluster.call("GET", f"{KUEUE}/v1beta2/{plural}").json
        assert as_recorded(ours) == as_recorded(recorded(f"{state}.v1beta2.{plural}.list.json")), (state, plural)


def test_borrowing_reclaiming_finishing_and_a_queue_on_hold(cluster: Cluster, clock: ManualClock) -> None:
    assert_is(cluster, "0-idle")
    for name in ("train-1", "train-2", "train-3"):
        clock.advance(1)
        submit(cluster, A, name, pods=2)
    clock.advance(1)
    submit(cluster, A, "train-big", pods=4)
    submit(cluster, A, "cpu-prep", {"cpu": "4", "memory": "8Gi"}, priority="experimentation")
    assert_is(cluster, "1-borrow")
    # train-3 had been admitted for 2 seconds when it was preempted.
    clock.advance(1)
    submit(cluster, B, "b-train", pods=4)
    assert_is(cluster, "2-reclaim")
    clock.advance(3)
    finish(cluster, A, "train-1")
    assert_is(cluster, "3-finished")
    queue = f"{KUEUE}/v1beta2/clusterqueues/{B}-clusterqueue"
    assert cluster.call("PATCH", queue, {"spec": {"stopPolicy": "Hold"}}).status == 200
    make(cluster, recorded("4-held.v1beta1.clusterqueue.team-x-flavor-not-found.json"), "clusterqueues")
    make(cluster, recorded("4-held.v1beta1.localqueue.orphan.json"), "localqueues")
    submit(cluster, B, "b-held")
    assert_is(cluster, "4-held")


def test_the_events(cluster: Cluster, clock: ManualClock) -> None:
    """Those recorded up to the preemption, but for how often a pending job is said to be pending."""
    for name in ("train-1", "train-2", "train-3"):
        clock.advance(1)
        submit(cluster, A, name, pods=2)
    clock.advance(1)
    submit(cluster, A, "train-big", pods=4)
    submit(cluster, A, "cpu-prep", {"cpu": "4", "memory": "8Gi"}, priority="experimentation")
    submit(cluster, B, "b-train", pods=4)
    for team, short in ((A, "team-a"), (B, "team-b")):
        real = recorded(f"2-reclaim.v1.events.{short}.list.json")
        ours = cluster.call("GET", f"/api/v1/namespaces/{team}/events").json
        assert _told(ours) == _told(real)
    example = comparable(cluster.call("GET", f"/api/v1/namespaces/{A}/events").json["items"][0])
    assert set(example) == set(comparable(recorded("2-reclaim.v1.events.team-a.list.json")["items"][0]))


def _told(document: JsonObject) -> set[tuple[str, ...]]:
    return {
        (
            event["type"],
            event["reason"],
            event["involvedObject"]["kind"],
            event["involvedObject"]["name"].removesuffix(event["involvedObject"]["name"].rpartition("-")[2])
            if event["involvedObject"]["kind"] == "Workload"
            else event["involvedObject"]["name"],
            event["reportingComponent"],
        )
        for event in document["items"]
    }


def test_a_parent_cohort_is_not_followed_and_said_so(empty: Cluster) -> None:
    """What was recorded is known to be admitted; the model knows flat cohorts alone."""
    make_recorded_world(empty, "5-cohort-borrow")
    for item in recorded("5-cohort-borrow.v1beta2.workloads.list.json")["items"]:
        make(empty, item, "workloads")
    empty.kueue.settled()
    items = empty.call("GET", f"{KUEUE}/v1beta2/workloads").json["items"]
    assert [item["metadata"]["name"] for item in items] == ["w1", "w2", "w3"]
    assert not any("admission" in item.get("status", {}) for item in items)
    assert worlds.reasons(empty, A, "w1") == ["NotFollowed"]


@pytest.mark.parametrize("state", ["1-borrow", "2-reclaim", "3-finished"])
def test_a_controller_that_begins_changes_nothing_that_was_decided(empty: Cluster, state: str) -> None:
    """Workloads of a recorded state, put there as they were, stay admitted or pending as they were."""
    real = [recorded(f"{state}.v1beta2.{plural}.list.json") for plural in (*PLURALS, "workloads")]
    worlds.set_controller(empty, available=False, webhook=True)
    empty.load(real)
    for document in real[-1]["items"]:
        owner = document["metadata"]["ownerReferences"][0]
        metadata = {"name": owner["name"], "namespace": document["metadata"]["namespace"], "uid": owner["uid"]}
        labels = worlds.labels_of(metadata["namespace"], document["spec"]["priorityClassRef"]["name"].partition("-")[0])
        pods = document["spec"]["podSets"][0]
        spec = {
            "suspend": "admission" not in document["status"],
            "parallelism": pods["count"],
            "completions": pods["count"],
            "template": pods["template"],
        }
        ended = any(each["type"] == "Finished" for each in document["status"]["conditions"])
        status = {"conditions": [{"type": "Complete", "status": "True"}]} if ended else {}
        kind = {"apiVersion": "batch/v1", "kind": "Job"}
        empty.load([{**kind, "metadata": {**metadata, "labels": labels}, "spec": spec, "status": status}])
    worlds.set_controller(empty, available=True, webhook=True)
    empty.kueue.settled()
    ours = as_recorded(empty.call("GET", f"{KUEUE}/v1beta2/workloads").json)
    for name, workload in as_recorded(real[-1]).items():
        assert ours[name]["status"].get("admission") == workload["status"].get("admission")
        assert ours[name]["status"]["conditions"] == workload["status"]["conditions"]
    queues = as_recorded(empty.call("GET", f"{KUEUE}/v1beta2/clusterqueues").json)
    assert queues == as_recorded(real[PLURALS.index("clusterqueues")])
