"""What an object does not say takes the API's defaults; what its API version calls otherwise means the same."""

from typing import Any

import pytest

from governor.kueue import reading
from governor.kueue.objects import (
    ClusterQueue,
    Cohort,
    FlavorFungibility,
    LocalQueue,
    Preemption,
    Quota,
    Requirement,
    ResourceFlavor,
    Selector,
    Taint,
    Toleration,
    Workload,
)
from governor.kueue.reading import Source

NAMED = {"metadata": {"name": "q", "namespace": "team"}}


def _queue(**spec: Any) -> ClusterQueue:
    return reading.cluster_queue({**NAMED, "spec": spec})


def test_what_is_not_said_takes_the_defaults() -> None:
    said: tuple[dict[str, Any], ...] = ({}, {"spec": None, "status": None}, {"spec": {}, "status": {}})
    for spec in said:
        assert reading.cluster_queue({**NAMED, **spec}) == ClusterQueue("q", namespaces=None)
        assert reading.local_queue({**NAMED, **spec}) == LocalQueue("team", "q", "")
        assert reading.cohort({**NAMED, **spec}) == Cohort("q")
        assert reading.resource_flavor({**NAMED, **spec}) == ResourceFlavor("q")
        assert reading.workload({**NAMED, **spec}) == Workload("team", "q", "", "", ())


def test_members_without_a_use_are_ignored() -> None:
    manifest = {**NAMED, "spec": {"cohortName": "pool", "tomorrow": [{"x": 1}]}, "data": None}
    assert reading.cluster_queue(manifest) == ClusterQueue("q", "pool", namespaces=None)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"cohort": "pool"}, {"cohortName": "pool"}),
        (
            {"flavorFungibility": {"whenCanBorrow": "Borrow", "whenCanPreempt": "Preempt"}},
            {"flavorFungibility": {"whenCanBorrow": "MayStopSearch", "whenCanPreempt": "MayStopSearch"}},
        ),
        (
            {"admissionChecks": ["budget"]},
            {"admissionChecksStrategy": {"admissionChecks": [{"name": "budget", "onFlavors": ["x"]}]}},
        ),
    ],
)
def test_a_cluster_queue_of_v1beta1_is_read_as_one_of_v1beta2(older: dict[str, Any], newer: dict[str, Any]) -> None:
    assert _queue(**older) == _queue(**newer) != _queue()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({}, FlavorFungibility()),
        ({"whenCanBorrow": "TryNextFlavor"}, FlavorFungibility("TryNextFlavor")),
        ({"whenCanPreempt": "MayStopSearch"}, FlavorFungibility(when_can_preempt="MayStopSearch")),
        (
            {"whenCanBorrow": "TryNextFlavor", "preference": "PreemptionOverBorrowing"},
            FlavorFungibility("TryNextFlavor", "TryNextFlavor", "PreemptionOverBorrowing"),
        ),
    ],
)
def test_flavor_fungibility(said: dict[str, str], meant: FlavorFungibility) -> None:
    assert _queue(flavorFungibility=said).fungibility == meant


def test_preemption() -> None:
    found = _queue(
        preemption={
            "withinClusterQueue": "LowerOrNewerEqualPriority",
            "borrowWithinCohort": {"policy": "LowerPriority", "maxPriorityThreshold": -5},
        }
    )
    assert found.preemption == Preemption("LowerOrNewerEqualPriority", "Never", "LowerPriority", -5)
    assert _queue(preemption={"reclaimWithinCohort": "Any"}).preemption == Preemption(reclaim_within_cohort="Any")


def test_no_limit_is_not_a_limit_of_nothing() -> None:
    quotas = [
        {"name": "cpu", "nominalQuota": "1500m"},
        {"name": "memory", "nominalQuota": 5, "borrowingLimit": 0, "lendingLimit": "1Ki"},
    ]
    groups = [{"coveredResources": ["cpu", "memory"], "flavors": [{"name": "f", "resources": quotas}]}]
    (group,) = _queue(resourceGroups=groups).resource_groups
    assert group.covered == ("cpu", "memory")
    assert group.flavors[0].resources == {"cpu": Quota(1500), "memory": Quota(5, 0, 1024)}


@pytest.mark.parametrize(("said", "thousandths"), [("2", 2000), (0, 0), ("1m", 1), ("0.1m", 1), (None, 1000)])
def test_weights_are_in_thousandths(said: object, thousandths: int) -> None:
    assert _queue(fairSharing={"weight": said}).weight == thousandths


def test_who_may_use_a_queue() -> None:
    assert _queue(namespaceSelector=None).namespaces is None
    assert _queue(namespaceSelector={}).namespaces == Selector()
    found = _queue(
        namespaceSelector={
            "matchLabels": {"team": "a"},
            "matchExpressions": [
                {"key": "stage", "operator": "NotIn", "values": ["test"]},
                {"key": "k", "operator": "Exists"},
            ],
        }
    )
    assert found.namespaces == Selector(
        (Requirement("team", "In", ("a",)), Requirement("stage", "NotIn", ("test",)), Requirement("k", "Exists"))
    )


def test_parents_of_a_cohort() -> None:
    assert reading.cohort({**NAMED, "spec": {"parent": "org"}}).parent == "org"
    assert reading.cohort({**NAMED, "spec": {"parentName": "org"}}).parent == "org"


def test_a_flavor_with_taints() -> None:
    found = reading.resource_flavor(
        {
            **NAMED,
            "spec": {
                "nodeLabels": {"type": "x"},
                "nodeTaints": [{"key": "spot", "value": "yes", "effect": "NoSchedule"}],
                "tolerations": [{"key": "spot", "operator": "Exists"}],
                "topologyName": "racks",
            },
        }
    )
    assert found == ResourceFlavor(
        "q", {"type": "x"}, (Taint("spot", "NoSchedule", "yes"),), (Toleration("spot", "Exists"),), "racks"
    )


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({"priorityClassRef": {"group": "kueue.x-k8s.io", "kind": "WorkloadPriorityClass", "name": "high"}}, "high"),
        ({"priorityClassName": "high", "priorityClassSource": "kueue.x-k8s.io/workloadpriorityclass"}, "high"),
        ({"priorityClassName": "high", "priorityClassSource": "scheduling.k8s.io/priorityclass"}, "high"),
        ({"priorityClassName": "high", "priorityClassSource": ""}, ""),
        ({}, ""),
    ],
)
def test_the_priority_class_of_a_workload(spec: dict[str, Any], name: str) -> None:
    found = reading.workload({**NAMED, "spec": {"priority": 7, **spec}})
    assert (found.priority, found.priority_class) == (7, name)


@pytest.mark.parametrize(("active", "is_active"), [(True, True), (None, True), (False, False)])
def test_a_workload_is_active_unless_it_says_no(active: object, is_active: bool) -> None:
    assert reading.workload({**NAMED, "spec": {"active": active}}).active is is_active


def test_the_owner_of_a_workload_is_who_controls_it() -> None:
    references = [{"name": "watcher", "uid": "1"}, {"name": "train", "uid": "2", "controller": True}]
    found = reading.workload({"metadata": {"name": "w", "namespace": "team", "ownerReferences": references}})
    assert (found.owner, found.owner_uid) == ("train", "2")
    found = reading.workload({"metadata": {"name": "w", "namespace": "team", "ownerReferences": references[:1]}})
    assert (found.owner, found.owner_uid) == ("", "")


def test_an_assignment_without_a_count_is_of_the_whole_pod_set() -> None:
    admission = {"clusterQueue": "cq", "podSetAssignments": [{"name": "a"}, {"name": "b", "count": 1}, {"name": "c"}]}
    found = reading.workload(
        {
            **NAMED,
            "spec": {"podSets": [{"name": "a", "count": 3}, {"name": "b", "count": 2}]},
            "status": {"admission": admission},
        }
    )
    assert found.admission is not None
    assert [(each.name, each.count) for each in found.admission.pod_sets] == [("a", 3), ("b", 1), ("c", 0)]


def test_a_list_of_nothing() -> None:
    sources: tuple[Source, ...] = ('{"items":null}', {"items": [], "metadata": {}}, b'{"kind":"X","items":[]}')
    for source in sources:
        assert reading.page(source, reading.workload) == reading.Page(())
