"""Kueue's messages taken apart: every text that was recorded, those of older releases, and those nobody knows."""

import json
from collections.abc import Iterator

import pytest

from governor.kueue.explaining.messages import Kind, Obstacle, obstacles
from tests.unit.kueue.recordings import DATA, objects

SHORT = "insufficient unused quota for nvidia.com/gpu in flavor ml.g5.8xlarge, 1 more needed"
ASSIGN = "couldn't assign flavors to pod set main: "

WHOLE = [
    ("LocalQueue hyperpod-ns-a-localqueue doesn't exist", Kind.LOCAL_QUEUE_MISSING),
    ("LocalQueue hyperpod-ns-a-localqueue is inactive", Kind.LOCAL_QUEUE_STOPPED),
    ("LocalQueue hyperpod-ns-a-localqueue is stopped", Kind.LOCAL_QUEUE_STOPPED),
    ("The LocalQueue is stopped", Kind.LOCAL_QUEUE_STOPPED),
    ("ClusterQueue hyperpod-ns-a-clusterqueue doesn't exist", Kind.CLUSTER_QUEUE_MISSING),
    ("ClusterQueue hyperpod-ns-a-clusterqueue not found", Kind.CLUSTER_QUEUE_MISSING),
    ("ClusterQueue hyperpod-ns-a-clusterqueue is inactive", Kind.CLUSTER_QUEUE_STOPPED),
    ("ClusterQueue hyperpod-ns-a-clusterqueue is stopped", Kind.CLUSTER_QUEUE_STOPPED),
    ("The ClusterQueue is stopped", Kind.CLUSTER_QUEUE_STOPPED),
    ("Workload namespace doesn't match ClusterQueue selector", Kind.NAMESPACE),
    ("workload namespace doesn't match ClusterQueue selector", Kind.NAMESPACE),
    ("The workload is deactivated", Kind.DEACTIVATED),
    ("The workload is deactivated due to exceeding the maximum execution time", Kind.DEACTIVATED),
    ("Preempted to accommodate a workload (UID: 1, JobUID: 2) due to Fair Sharing within the cohort", Kind.PREEMPTED),
    ("Workload has overlapping preemption targets with another workload", Kind.OVERLAPPING),
    ("Workload no longer fits after processing another workload", Kind.OVERTAKEN),
    ("waiting for all admitted workloads to be in PodsReady condition", Kind.PODS_READY_FIRST),
    ("Exceeded the PodsReady timeout hyperpod-ns-a/job-train-1", Kind.PODS_READY_TIMEOUT),
    ("The workload has failed admission checks", Kind.CHECK_FAILED),
    ("At least one admission check is false", Kind.CHECK_FAILED),
    ("resources validation failed: spec.podSets[0]: requests exceed limits", Kind.INVALID_REQUEST),
    ("resources didn't satisfy LimitRange constraints: cpu", Kind.INVALID_REQUEST),
    ("Workload was evicted as there was no replacement for unhealthy node(s): n1", Kind.NODE_FAILED),
    ("Something\nthat nobody has ever seen, not even Kueue", Kind.OTHER),
]
"""Messages that say one thing."""

SINGLE = [
    ("borrowing limit for nvidia.com/gpu in flavor ml.g5 exceeded", Kind.BORROWING_LIMIT, "ml.g5", "nvidia.com/gpu"),
    ("flavor ml.g5 doesn't match node affinity", Kind.AFFINITY, "ml.g5", ""),
    ("untolerated taint {team a b NoSchedule <nil>} in flavor ml.g5", Kind.TAINT, "ml.g5", ""),
    ("flavor ml.g5 not found", Kind.FLAVOR_MISSING, "ml.g5", ""),
    (
        "resource vpc.amazonaws.com/efa unavailable in ClusterQueue",
        Kind.RESOURCE_UNCOVERED,
        "",
        "vpc.amazonaws.com/efa",
    ),
    ('Flavor "ml.g5" does not support TopologyAwareScheduling', Kind.TOPOLOGY, "ml.g5", ""),
    ("insufficient quota for cpu in flavor ml.g5 in ClusterQueue", Kind.MAXIMUM, "ml.g5", "cpu"),
    ("insufficient unused quota for cpu in flavor ml.g5", Kind.UNUSED_QUOTA, "ml.g5", "cpu"),
    ("no flavor is left to try", Kind.OTHER, "", ""),
]
"""Reasons of a pod set that are one piece."""


def recorded() -> Iterator[str]:
    """Every message that tells why somebody waits, of both recordings and of all scenarios."""
    for manifest in objects("*/*workload*.json"):
        if manifest["kind"] == "Workload":
            for each in manifest.get("status", {}).get("conditions", ()):
                if (each["type"], each["status"]) == ("QuotaReserved", "False"):
                    yield each["message"]
    for path in DATA.glob("*/*.v1.events.*.json"):
        for event in json.loads(path.read_bytes())["items"]:
            if event["reason"] == "Pending":
                yield event["message"]
    for line in (DATA / "scenarios.jsonl").read_text().splitlines():
        for step in json.loads(line)["steps"]:
            for job in step["after"]["jobs"].values():
                status, _, message = job.get("conditions", {}).get("QuotaReserved", ("", "", ""))
                if status == "False":
                    yield message


def test_every_recorded_message_is_understood() -> None:
    messages = set(recorded())
    assert len(messages) > 100
    assert [each for each in messages for found in obstacles(each) if found.kind is Kind.OTHER] == []
    assert [each for each in messages if not obstacles(each)] == []


@pytest.mark.parametrize(("message", "kind"), WHOLE)
def test_a_message_that_says_one_thing(message: str, kind: Kind) -> None:
    (found,) = obstacles(f" {message}\n")
    assert (found.kind, found.said) == (kind, message)


@pytest.mark.parametrize(("reason", "kind", "flavor", "resource"), SINGLE)
def test_a_reason_of_one_piece(reason: str, kind: Kind, flavor: str, resource: str) -> None:
    (found,) = obstacles(ASSIGN + reason)
    assert found.said == reason
    assert (found.kind, found.pod_set, found.flavor, found.resource) == (kind, "main", flavor, resource)


def test_the_name_of_a_queue_and_of_a_taint() -> None:
    assert obstacles("LocalQueue a-localqueue doesn't exist")[0].name == "a-localqueue"
    assert obstacles("The ClusterQueue is stopped")[0].name == ""
    assert (
        obstacles(f"{ASSIGN}untolerated taint {{a b NoSchedule <nil>}} in flavor f")[0].name == "a b NoSchedule <nil>"
    )


@pytest.mark.parametrize(
    ("reason", "amount"),
    [
        ("insufficient unused quota for cpu in flavor f, 1500m more needed", "1500m"),
        ("insufficient unused quota in cohort for memory in flavor f, 64Gi more needed", "64Gi"),
    ],
)
def test_what_is_missing(reason: str, amount: str) -> None:
    (found,) = obstacles(ASSIGN + reason)
    assert (found.kind, found.amount, found.said) == (Kind.UNUSED_QUOTA, amount, reason)


@pytest.mark.parametrize(
    "reason",
    [
        "insufficient quota for cpu in flavor f, request > maximum capacity (64 > 32)",
        "insufficient quota for cpu in flavor f, previously considered podsets requests (8) + current podset request "
        "(64) > maximum capacity (32)",
    ],
    ids=["Kueue 0.12", "Kueue 0.19"],
)
def test_what_can_be_had_at_most(reason: str) -> None:
    (found,) = obstacles(ASSIGN + reason)
    assert (found.kind, found.request, found.most, found.said) == (Kind.MAXIMUM, "64", "32", reason)


def test_several_reasons_of_several_pod_sets() -> None:
    message = (
        "couldn't assign flavors to pod set launcher: flavor a doesn't match node affinity, insufficient unused quota "
        f"for cpu in flavor b, 2 more needed; couldn't assign flavors to pod set worker: {SHORT}. "
        "Pending the preemption of 3 workload(s)"
    )
    told = [(each.pod_set, each.kind, each.flavor, each.amount) for each in obstacles(message)]
    assert told == [
        ("launcher", Kind.AFFINITY, "a", ""),
        ("launcher", Kind.UNUSED_QUOTA, "b", "2"),
        ("worker", Kind.UNUSED_QUOTA, "ml.g5.8xlarge", "1"),
        ("", Kind.PREEMPTING, "", "3"),
    ]


def test_a_preemption_that_failed() -> None:
    *_, last = obstacles(f"{ASSIGN}{SHORT}. Preempting 2 workload(s) failed, will retry.")
    assert (last.kind, last.said) == (Kind.PREEMPTION_FAILED, "Preempting 2 workload(s) failed, will retry.")


def test_a_topology_with_commas_and_semicolons_of_its_own_is_one_reason() -> None:
    text = (
        'topology "hyperpod-default" allows to fit only 1 out of 4 pod(s). Total nodes: 4; excluded: '
        'resource "cpu": 2, taint "a": 1'
    )
    found = obstacles(f"{ASSIGN}{SHORT}, {text}")
    assert [each.kind for each in found] == [Kind.UNUSED_QUOTA, Kind.TOPOLOGY]
    assert found[1].said == text


def test_unknown_reasons_between_known_ones_are_kept_as_they_are() -> None:
    found = obstacles(f"{ASSIGN}odd, very odd, {SHORT}, odder")
    assert [(each.kind, each.said) for each in found] == [
        (Kind.OTHER, "odd, very odd"),
        (Kind.UNUSED_QUOTA, SHORT),
        (Kind.OTHER, "odder"),
    ]


def test_nothing_said() -> None:
    assert obstacles(" ") == ()
    assert obstacles(ASSIGN) == ()


def test_a_message_as_long_as_kubernetes_allows_is_read_all_the_same() -> None:
    found = obstacles(ASSIGN + ", ".join([SHORT] * 300) + ", " + "x" * 20_000)
    assert len(found) == 301
    assert found[-1] == Obstacle(Kind.OTHER, "x" * 20_000, "main")
