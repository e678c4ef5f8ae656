"""The same object read in two versions equals what was recorded in both."""

from typing import Any

import pytest

from local.kubernetes.cluster import Cluster
from local.kubernetes.server import KubernetesServer
from local.kueue.conversion import converted
from tests.local.kubernetes.recorded import DATA, NEW, recorded
from tests.local.kueue.worlds import KUEUE, OLD, install, make, make_namespace

LISTS = sorted(path.name for path in (DATA / NEW).glob("*.v1beta2.*.list.json"))
OBJECTS = sorted(path.name for path in (DATA / NEW).glob("object.v1beta2.*.json"))


def in_both(name: str) -> tuple[list[Any], list[Any]]:
    """The objects of a recording in v1beta1 and in v1beta2; the lists of Cohorts are in v1beta1 both times."""
    found = [recorded(name.replace("v1beta2", version)) for version in ("v1beta1", "v1beta2")]
    old, new = (document.get("items", [document]) for document in found)
    return old, new


@pytest.mark.parametrize("name", [*LISTS, *OBJECTS])
def test_forth_and_back(name: str) -> None:
    old, new = in_both(name)
    assert [converted(each, "kueue.x-k8s.io/v1beta1") for each in new] == old
    assert [converted(each, "kueue.x-k8s.io/v1beta2") for each in old] == [
        {**each, "apiVersion": "kueue.x-k8s.io/v1beta2"} for each in new
    ]


@pytest.mark.parametrize("state", ["2-reclaim", "4-held"])
@pytest.mark.parametrize("plural", ["clusterqueues", "localqueues", "workloads"])
def test_what_is_stored_in_one_is_read_in_both(server: KubernetesServer, state: str, plural: str) -> None:
    cluster = server.add_cluster("stored")
    install(cluster)
    cluster.load([recorded(f"{state}.v1beta1.{plural}.list.json")])
    for version in ("v1beta1", "v1beta2"):
        real = recorded(f"{state}.{version}.{plural}.list.json")
        # Kueue may have looked at the workloads already: what it is told stays as it is.
        ours = cluster.call("GET", f"{KUEUE}/{version}/{plural}").json
        specs = [{"metadata": each["metadata"]["name"], "spec": each["spec"]} for each in ours["items"]]
        assert specs == [{"metadata": each["metadata"]["name"], "spec": each["spec"]} for each in real["items"]]


def test_the_words_of_the_first_version_become_those_of_the_second() -> None:
    spec = {
        "cohort": "all",
        "flavorFungibility": {"whenCanBorrow": "Borrow", "whenCanPreempt": "Preempt"},
        "admissionChecks": ["slow"],
    }
    old = {"apiVersion": "kueue.x-k8s.io/v1beta1", "kind": "ClusterQueue", "spec": spec}
    assert converted(old, "kueue.x-k8s.io/v1beta2")["spec"] == {
        "cohortName": "all",
        "flavorFungibility": {"whenCanBorrow": "MayStopSearch", "whenCanPreempt": "MayStopSearch"},
        "admissionChecksStrategy": {"admissionChecks": [{"name": "slow"}]},
    }
    assert spec["flavorFungibility"] == {"whenCanBorrow": "Borrow", "whenCanPreempt": "Preempt"}


def test_a_cohorts_parent_had_another_name_once() -> None:
    cohort = {"apiVersion": "kueue.x-k8s.io/v1alpha1", "kind": "Cohort", "spec": {"parent": "org"}}
    new = converted(cohort, "kueue.x-k8s.io/v1beta2")
    assert new["spec"] == {"parentName": "org"}
    assert converted(new, "kueue.x-k8s.io/v1alpha1") == cohort


def test_a_class_that_is_none_of_kueues_keeps_its_source() -> None:
    spec = {"priorityClassName": "high", "priorityClassSource": "scheduling.k8s.io/priorityclass"}
    old = {"apiVersion": "kueue.x-k8s.io/v1beta1", "kind": "Workload", "spec": spec}
    new = converted(old, "kueue.x-k8s.io/v1beta2")
    assert new["spec"]["priorityClassRef"] == {"group": "scheduling.k8s.io", "kind": "PriorityClass", "name": "high"}
    assert converted(new, "kueue.x-k8s.io/v1beta1") == old


@pytest.mark.parametrize("spec", [None, [], "text", {"priorityClassRef": "high"}, {"flavorFungibility": 1}])
def test_nonsense_is_passed_on(spec: Any) -> None:
    for kind in ("Workload", "ClusterQueue", "LocalQueue", "Cohort"):
        obj = {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": kind, "spec": spec, "status": spec}
        assert converted(converted(obj, "kueue.x-k8s.io/v1beta1"), "kueue.x-k8s.io/v1beta2")["kind"] == kind


def test_a_kueue_that_serves_the_first_version_alone(server: KubernetesServer) -> None:
    """Its own words stay, and it admits like the newer ones."""
    cluster: Cluster = server.add_cluster("old")
    install(cluster, OLD)
    make_namespace(cluster, "team")
    make(cluster, _manifest("v1beta1", "ResourceFlavor", "gpus", {}), "resourceflavors")
    quota = [{"name": "cpu", "nominalQuota": "4"}]
    groups = [{"coveredResources": ["cpu"], "flavors": [{"name": "gpus", "resources": quota}]}]
    spec = {"cohort": "all", "namespaceSelector": {}, "resourceGroups": groups}
    queue = make(cluster, _manifest("v1beta1", "ClusterQueue", "queue", spec), "clusterqueues")
    assert queue["spec"]["flavorFungibility"] == {"whenCanBorrow": "Borrow", "whenCanPreempt": "TryNextFlavor"}
    door = _manifest("v1beta1", "LocalQueue", "door", {"clusterQueue": "queue"})
    door["metadata"]["namespace"] = "team"
    make(cluster, door, "localqueues")
    pods = {"containers": [{"name": "c", "resources": {"requests": {"cpu": "3"}}}]}
    workload = _manifest(
        "v1beta1", "Workload", "work", {"queueName": "door", "podSets": [{"template": {"spec": pods}}]}
    )
    workload["metadata"]["namespace"] = "team"
    make(cluster, workload, "workloads")
    cluster.kueue.settled()
    status = cluster.call("GET", f"{KUEUE}/v1beta1/namespaces/team/workloads/work").json["status"]
    assert status["admission"]["clusterQueue"] == "queue"
    usage = cluster.call("GET", f"{KUEUE}/v1beta1/namespaces/team/localqueues/door").json["status"]["flavorUsage"]
    assert usage == [{"name": "gpus", "resources": [{"name": "cpu", "total": "3"}]}]


def _manifest(version: str, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": f"kueue.x-k8s.io/{version}", "kind": kind, "metadata": {"name": name}, "spec": spec}
