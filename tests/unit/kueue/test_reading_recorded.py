"""What a real Kueue has answered is read: the same from both of its API versions, with the values it had."""

import json
from typing import Any

import pytest

from governor.kueue import reading
from governor.kueue.objects import (
    Admission,
    ClusterQueue,
    Cohort,
    Condition,
    FlavorQuotas,
    FlavorUsage,
    PodSet,
    PodSetAssignment,
    Preemption,
    QueueStatus,
    Quota,
    Requirement,
    ResourceFlavor,
    ResourceGroup,
    Selector,
    Workload,
    WorkloadPriorityClass,
)
from tests.unit.kueue.recordings import DATA, READERS, objects, read

GI = 1024**3
ONE_AND_THE_OTHER = [
    (path, path.with_name(path.name.replace("v1beta2", "v1beta1")))
    for path in sorted((DATA / "0.19.2").glob("*v1beta2*.json"))
    if "discovery" not in path.name
]


def _queue(kueue: str, name: str) -> ClusterQueue:
    (found,) = (
        each for each in map(read, objects(f"{kueue}/1-borrow.v1beta1.clusterqueues.list.json")) if each.name == name
    )
    assert isinstance(found, ClusterQueue)
    return found


def _workloads(state: str) -> dict[str, Workload]:
    found = reading.page((DATA / state).read_bytes(), reading.workload)
    return {each.owner: each for each in found.items}


@pytest.mark.parametrize(("newer", "older"), ONE_AND_THE_OTHER, ids=lambda path: str(path.name))
def test_both_versions_of_an_object_are_read_alike(newer: Any, older: Any) -> None:
    both = [[read(each) for each in objects(f"0.19.2/{path.name}")] for path in (newer, older)]
    assert both[0] == both[1]
    assert both[0] or "0-idle" in newer.name


def test_every_kind_is_among_the_recordings_of_both_versions() -> None:
    for version in ("v1beta1", "v1beta2"):
        assert {each["kind"] for each in objects(f"0.19.2/*{version}*.json")} == set(READERS)
    assert {each["kind"] for each in objects("0.12.10/*.json")} == set(READERS)


@pytest.mark.parametrize("kueue", ["0.12.10", "0.19.2"])
def test_json_is_read_as_what_is_decoded_of_it(kueue: str) -> None:
    for manifest in objects(f"{kueue}/*.json"):
        text = json.dumps(manifest)
        reader = READERS[manifest["kind"]]
        assert reader(text) == reader(text.encode()) == reader(manifest)


@pytest.mark.parametrize(("kueue", "share"), [("0.12.10", 2), ("0.19.2", 3)])
def test_a_cluster_queue(kueue: str, share: int) -> None:
    queue = _queue(kueue, "hyperpod-ns-team-a-clusterqueue")
    assert (queue.cohort, queue.weight, queue.queueing_strategy, queue.stop_policy) == (
        "hyperpod",
        100_000,
        "BestEffortFIFO",
        "None",
    )
    assert queue.preemption == Preemption("LowerPriority", "Any", "Never")
    assert (queue.fungibility.when_can_borrow, queue.fungibility.when_can_preempt) == ("MayStopSearch", "TryNextFlavor")
    assert queue.namespaces == Selector((Requirement("kubernetes.io/metadata.name", "In", ("hyperpod-ns-team-a",)),))
    assert queue.resource_groups == (
        ResourceGroup(
            ("cpu", "memory", "nvidia.com/gpu"),
            (
                FlavorQuotas(
                    "ml.g5.8xlarge",
                    {
                        "cpu": Quota(128_000, 128_000),
                        "memory": Quota(512 * GI, 512 * GI),
                        "nvidia.com/gpu": Quota(4, 4),
                    },
                ),
                FlavorQuotas(
                    "ml.c5.2xlarge",
                    {"cpu": Quota(16_000, 16_000), "memory": Quota(32 * GI, 32 * GI), "nvidia.com/gpu": Quota(0, 0)},
                ),
            ),
        ),
    )
    status = queue.status
    assert (status.pending, status.reserving, status.admitted, status.weighted_share) == (1, 4, 4, share)
    assert status.used == status.reserved
    assert status.used["ml.g5.8xlarge"] == {
        "cpu": FlavorUsage(100_000),
        "memory": FlavorUsage(392 * GI),
        "nvidia.com/gpu": FlavorUsage(6, 2),
    }
    (active,) = status.conditions
    assert (active.type, active.status, active.reason, active.message) == (
        "Active",
        "True",
        "Ready",
        "Can admit new workloads",
    )


@pytest.mark.parametrize("state", ["0.12.10/1-borrow.v1beta1", "0.19.2/1-borrow.v1beta1", "0.19.2/1-borrow.v1beta2"])
def test_a_local_queue(state: str) -> None:
    queue = next(each for each in map(read, objects(f"{state}.localqueues.list.json")) if each.namespace.endswith("-a"))
    assert (queue.namespace, queue.name) == ("hyperpod-ns-team-a", "hyperpod-ns-team-a-localqueue")
    assert (queue.cluster_queue, queue.stop_policy) == ("hyperpod-ns-team-a-clusterqueue", "None")
    assert (queue.status.pending, queue.status.admitted, queue.status.weighted_share) == (1, 4, None)
    assert queue.status.used["ml.g5.8xlarge"]["nvidia.com/gpu"] == FlavorUsage(6)


@pytest.mark.parametrize("kueue", ["0.12.10", "0.19.2"])
def test_queues_that_are_closed_say_why(kueue: str) -> None:
    (queue,) = map(read, objects(f"{kueue}/4-held.v1beta1.clusterqueue.team-x-flavor-not-found.json"))
    (orphan,) = map(read, objects(f"{kueue}/4-held.v1beta1.localqueue.orphan.json"))
    assert [(each.status, each.reason) for each in queue.status.conditions] == [("False", "FlavorNotFound")]
    assert [(each.status, each.reason) for each in orphan.status.conditions] == [("False", "ClusterQueueDoesNotExist")]
    assert orphan.status == QueueStatus(conditions=orphan.status.conditions)


def test_cohorts_of_all_three_versions() -> None:
    (oldest,) = map(read, objects("0.12.10/0-idle.v1beta1.cohorts.list.json"))
    assert oldest == Cohort("hyperpod", weighted_share=0)
    groups = (
        ResourceGroup(
            ("cpu", "memory", "nvidia.com/gpu"),
            (
                FlavorQuotas(
                    "ml.g5.8xlarge",
                    {"cpu": Quota(64_000), "memory": Quota(256 * GI), "nvidia.com/gpu": Quota(2)},
                ),
            ),
        ),
    )
    for version in ("v1beta1", "v1beta2"):
        (found,) = map(read, objects(f"0.19.2/object.{version}.cohort.hyperpod.json"))
        assert found == Cohort("hyperpod", "org", groups, weight=2000, weighted_share=0)


@pytest.mark.parametrize("name", ["0.12.10/1-borrow.v1beta1", "0.19.2/1-borrow.v1beta2"])
def test_flavors_and_priorities(name: str) -> None:
    flavors = [read(each) for each in objects(f"{name}.resourceflavors.list.json")]
    label = "node.kubernetes.io/instance-type"
    assert flavors == [ResourceFlavor(each, {label: each}) for each in ("ml.c5.2xlarge", "ml.g5.8xlarge")]
    priorities = [read(each) for each in objects(f"{name}.workloadpriorityclasses.list.json")]
    assert priorities == [
        WorkloadPriorityClass("experimentation-priority", 50),
        WorkloadPriorityClass("inference-priority", 100),
        WorkloadPriorityClass("training-priority", 80),
    ]


@pytest.mark.parametrize("version", ["v1beta1", "v1beta2"])
def test_an_admitted_workload(version: str) -> None:
    at = 1795492281  # 2026-11-24T03:51:21Z
    (found,) = map(read, objects(f"0.19.2/object.{version}.workload.w1.admitted.json"))
    flavor = "ml.g5.8xlarge"
    assert found == Workload(
        namespace="hyperpod-ns-team-a",
        name="w1",
        uid="bc363d62-c4d2-4786-8115-c196fe5eabee",
        queue="hyperpod-ns-team-a-localqueue",
        pod_sets=(PodSet("main", 2, {"cpu": 16_000, "memory": 64 * GI, "nvidia.com/gpu": 1}),),
        priority=80,
        priority_class="training-priority",
        created=at,
        admission=Admission(
            "hyperpod-ns-team-a-clusterqueue",
            (
                PodSetAssignment(
                    "main",
                    2,
                    {"cpu": flavor, "memory": flavor, "nvidia.com/gpu": flavor},
                    {"cpu": 32_000, "memory": 128 * GI, "nvidia.com/gpu": 2},
                ),
            ),
        ),
        conditions={
            "QuotaReserved": Condition(
                "QuotaReserved",
                "True",
                "QuotaReserved",
                "Quota reserved in ClusterQueue hyperpod-ns-team-a-clusterqueue",
                at,
            ),
            "Admitted": Condition("Admitted", "True", "Admitted", "The workload is admitted", at),
        },
    )


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("0.12.10/2-reclaim.v1beta1", "InCohortFairSharing"),
        ("0.19.2/2-reclaim.v1beta1", "InCohortReclamation"),
        ("0.19.2/2-reclaim.v1beta2", "InCohortReclamation"),
    ],
)
def test_a_workload_that_was_preempted_waits_again(state: str, reason: str) -> None:
    workloads = _workloads(f"{state}.workloads.list.json")
    (preempted,) = (each for each in workloads.values() if each.is_("Preempted"))
    assert preempted.conditions["Preempted"].reason == reason
    assert [preempted.is_(each) for each in ("Evicted", "QuotaReserved")] == [True, False]
    assert preempted.admission is None
    assert preempted.active
    assert preempted.name.startswith(f"job-{preempted.owner}-")
    assert len(preempted.owner_uid) == 36


def test_the_index_that_kueue_notes_for_every_job_asks_for_no_topology() -> None:
    manifests = objects("0.19.2/1-borrow.v1beta2.workloads.list.json")
    assert any("topologyRequest" in pod_set for each in manifests for pod_set in each["spec"]["podSets"])
    assert not any(pod_set.topology for each in manifests for pod_set in read(each).pod_sets)


@pytest.mark.parametrize("kueue", ["0.12.10", "0.19.2"])
def test_pages_make_up_the_list(kueue: str) -> None:
    pages = [
        reading.page(path.read_bytes(), reading.workload)
        for path in sorted((DATA / kueue).glob("page?.v1beta1.workloads.limit2.json"))
    ]
    assert [bool(page.more) for page in pages] == [True, True, True, False]
    assert all(page.resource_version for page in pages)
    keys = [each.key for page in pages for each in page.items]
    assert len(keys) == 7
    assert keys == sorted(set(keys))


def test_what_a_watch_sends_is_read() -> None:
    lines = [
        json.loads(line)
        for name in ("watch.v1beta1.clusterqueues.jsonl", "watch.v1beta2.workloads.jsonl")
        for line in (DATA / "0.19.2" / name).read_text().splitlines()
    ]
    sent = [line["object"] for line in lines if line["type"] != "BOOKMARK"]
    assert {type(read(each)) for each in sent} == {ClusterQueue, Workload}
