"""What the control plane keeps in Kubernetes: namespaces, queues and classes that come and go with SageMaker's own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.hyperpod.client import ControlPlane
from local.hyperpod.kueue_objects import IDLE_QUEUE
from local.kubernetes.cluster import Cluster
from local.kubernetes.server import KubernetesServer
from tests.local.governed import KUEUE, OLD, OLDEST, QUEUE, TYPE, World, amount


def test_a_quota_comes_with_all_its_objects(world: World) -> None:
    quota_id = world.create()
    assert world.settled(quota_id) == ("Created", "")
    assert world.teams() == ["hyperpod-ns-vision"]
    labels = world.get("/api/v1/namespaces/hyperpod-ns-vision")["metadata"]["labels"]
    assert labels["sagemaker.amazonaws.com/quota-allocation-id"] == quota_id
    for version in ("v1beta1", "v1beta2"):
        queue = world.queue(version=version)
        assert queue["apiVersion"] == f"kueue.x-k8s.io/{version}"
        assert (amount(queue, "cpu"), amount(queue, "memory"), amount(queue, "nvidia.com/gpu")) == ("64", "256Gi", "2")
        assert amount(queue, "nvidia.com/gpu", "borrowingLimit") == "1"
        assert queue["spec"]["fairSharing"] == {"weight": "10"}
        assert world.names("localqueues", version) == ["hyperpod-ns-vision-localqueue"]
        assert world.names("resourceflavors", version) == [TYPE]
        assert world.names("cohorts", version) == ["hyperpod"]


@pytest.mark.parametrize(("addon", "cohorts"), [(OLDEST, "v1alpha1"), (OLD, "v1beta1")])
def test_an_old_addon_gets_its_own_versions(bare: World, addon: str, cohorts: str) -> None:
    bare.install(addon)
    quota_id = bare.create()
    assert bare.settled(quota_id) == ("Created", "")
    spec = bare.queue(version="v1beta1")["spec"]
    assert (spec["cohort"], spec["flavorFungibility"]["whenCanBorrow"]) == ("hyperpod", "Borrow")
    assert bare.names("cohorts", cohorts) == ["hyperpod"]


def test_a_policy_comes_with_its_classes_and_takes_them_with_it(world: World) -> None:
    policy_id = world.create_policy()
    assert world.settled(policy_id) == ("Created", "")
    classes = world.get(f"{KUEUE}/v1beta2/workloadpriorityclasses")["items"]
    assert {each["metadata"]["name"]: each["value"] for each in classes} == {
        "inference-priority": 90,
        "training-priority": 75,
    }

    config = {"PriorityClasses": [{"Name": "training", "Weight": 60}]}
    world.sagemaker.update_cluster_scheduler_config(
        ClusterSchedulerConfigId=policy_id, TargetVersion=1, SchedulerConfig=config
    )
    assert world.settled(policy_id) == ("Updated", "")
    (left,) = world.get(f"{KUEUE}/v1beta2/workloadpriorityclasses")["items"]
    assert (left["metadata"]["name"], left["value"]) == ("training-priority", 60)

    world.sagemaker.delete_cluster_scheduler_config(ClusterSchedulerConfigId=policy_id)
    assert world.settled(policy_id) == ("Deleted", "")
    assert world.names("workloadpriorityclasses") == []


def test_an_update_changes_the_queue(world: World) -> None:
    quota_id = world.create()
    world.settled(quota_id)
    world.update(
        quota_id,
        ComputeQuotaConfig={
            "ComputeQuotaResources": [{"InstanceType": TYPE, "Count": 3}],
            "ResourceSharingConfig": {"Strategy": "DontLend"},
            "PreemptTeamTasks": "Never",
        },
        ComputeQuotaTarget={"TeamName": "vision", "FairShareWeight": 80},
        ActivationState="Disabled",
    )
    assert world.settled(quota_id) == ("Updated", "")
    queue = world.queue()
    assert [amount(queue, "cpu", each) for each in ("nominalQuota", "borrowingLimit", "lendingLimit")] == [
        "96",
        "0",
        "0",
    ]
    spec = queue["spec"]
    assert (spec["fairSharing"]["weight"], spec["preemption"]["withinClusterQueue"]) == ("80", "Never")
    assert spec["stopPolicy"] == "Hold"
    labels = world.get("/api/v1/namespaces/hyperpod-ns-vision")["metadata"]["labels"]
    assert labels["sagemaker.amazonaws.com/activate-quota"] == "Disabled"

    lends = {"ComputeQuotaResources": [{"InstanceType": TYPE, "Count": 3}]}
    world.update(quota_id, ComputeQuotaConfig=lends)
    world.settled(quota_id)
    assert "lendingLimit" not in json.dumps(world.queue()["spec"])


def test_a_deleted_quota_takes_its_queues_along_and_leaves_the_namespace_to_others(world: World) -> None:
    first, second = world.create(), world.create("speech")
    world.settled(second)
    world.patch("/api/v1/namespaces/hyperpod-ns-vision", {"metadata": {"labels": {"owner": "vision"}}})
    world.sagemaker.delete_compute_quota(ComputeQuotaId=first)
    assert world.settled(first) == ("Deleted", "")
    world.wait_for_names("clusterqueues", "hyperpod-ns-speech-clusterqueue")
    assert world.names("localqueues") == ["hyperpod-ns-speech-localqueue"]
    assert world.teams() == ["hyperpod-ns-speech"]
    labels = world.get("/api/v1/namespaces/hyperpod-ns-vision")["metadata"]["labels"]
    assert labels == {"owner": "vision", "kubernetes.io/metadata.name": "hyperpod-ns-vision"}
    assert world.names("resourceflavors") == [TYPE]

    world.sagemaker.delete_compute_quota(ComputeQuotaId=second)
    world.settled(second)
    for plural in ("clusterqueues", "localqueues", "resourceflavors", "cohorts"):
        world.wait_for_names(plural)


def test_what_somebody_edits_stays_until_sagemaker_writes_that_quota_again(world: World) -> None:
    first, second = world.create(), world.create("speech")
    world.settled(second)
    world.patch(
        f"{KUEUE}/v1beta2/clusterqueues/{QUEUE}",
        {"metadata": {"labels": {"owner": "vision"}}, "spec": {"stopPolicy": "HoldAndDrain", "admissionChecks": ["x"]}},
    )
    config = {"ComputeQuotaResources": [{"InstanceType": TYPE, "Count": 2}]}
    world.update(second, ComputeQuotaConfig=config)
    world.settled(second)
    assert world.queue()["spec"]["stopPolicy"] == "HoldAndDrain"

    world.update(first, ComputeQuotaConfig=config)
    world.settled(first)
    queue = world.queue()
    assert (queue["spec"]["stopPolicy"], queue["spec"]["admissionChecks"]) == ("None", ["x"])
    assert queue["metadata"]["labels"]["owner"] == "vision"


def test_what_is_missing_comes_back_with_the_next_change(world: World) -> None:
    first, second = world.create(), world.create("speech")
    world.settled(second)
    world.kubernetes.call("DELETE", f"{KUEUE}/v1beta2/clusterqueues/{QUEUE}")
    world.wait_for_names("clusterqueues", "hyperpod-ns-speech-clusterqueue")
    world.update(second, ActivationState="Disabled")
    world.settled(second)
    assert QUEUE in world.names("clusterqueues")
    assert world.settled(first) == ("Created", "")


def test_a_queue_of_somebody_else_under_the_same_name_is_taken_over(world: World) -> None:
    body = {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ClusterQueue", "metadata": {"name": QUEUE}, "spec": {}}
    assert world.kubernetes.call("POST", f"{KUEUE}/v1beta2/clusterqueues", body).status == 201
    quota_id = world.create()
    assert world.settled(quota_id) == ("Created", "")
    assert amount(world.queue(), "nvidia.com/gpu") == "2"


def test_idle_compute_is_a_queue_of_its_own_while_it_is_shared(world: World) -> None:
    quota_id, policy_id = world.create(count=3), world.create_policy(IdleResourceSharing="Enabled")
    world.settled(policy_id)
    assert amount(world.queue(f"{IDLE_QUEUE}-1"), "nvidia.com/gpu") == "1"

    node = f"/api/v1/nodes/hyperpod-{world.name}-g5-8xlarge-1"
    world.patch(node, {"spec": {"unschedulable": True}})
    world.update(quota_id, ComputeQuotaConfig={"ComputeQuotaResources": [{"InstanceType": TYPE, "Count": 1}]})
    world.settled(quota_id)
    assert amount(world.queue(f"{IDLE_QUEUE}-1"), "nvidia.com/gpu") == "2"

    config = {"PriorityClasses": [], "IdleResourceSharing": "Disabled"}
    world.sagemaker.update_cluster_scheduler_config(
        ClusterSchedulerConfigId=policy_id, TargetVersion=1, SchedulerConfig=config
    )
    assert world.settled(policy_id) == ("Updated", "")
    world.wait_for_names("clusterqueues", QUEUE)


@pytest.fixture
def by_kubeconfig(kubernetes_server: KubernetesServer, tmp_path: Path) -> Callable[[Cluster], dict[str, Any]]:
    """Settings with a kubeconfig file that names a cluster."""

    def settings(cluster: Cluster) -> dict[str, Any]:
        path = tmp_path / f"{cluster.name}.json"
        path.write_text(json.dumps(cluster.kubeconfig()))
        return {"transition_seconds": 0, "kubeconfig": str(path)}

    return settings


def test_a_cluster_of_a_kubeconfig_is_used_instead_and_given_back(
    kubernetes_server: KubernetesServer, by_kubeconfig: Callable[[Cluster], dict[str, Any]]
) -> None:
    elsewhere = kubernetes_server.add_cluster("elsewhere")
    for _ in range(2):
        with ControlPlane.start_thread(by_kubeconfig(elsewhere)) as plane:
            world = World(kubernetes_server, plane)
            world.kubernetes, own = elsewhere, world.kubernetes
            world.install()
            quota_id = world.create()
            world.create_policy(IdleResourceSharing="Enabled")
            assert world.settled(quota_id) == ("Created", "")
            world.wait_for_names("clusterqueues", f"{IDLE_QUEUE}-1", QUEUE)
            assert own.call("GET", "/api/v1/namespaces/hyperpod-ns-vision").status == 404
        for plural in ("clusterqueues", "localqueues", "resourceflavors", "cohorts", "workloadpriorityclasses"):
            world.wait_for_names(plural)
        assert world.teams() == []


def test_what_a_killed_run_has_left_behind_is_taken_away(
    kubernetes_server: KubernetesServer, by_kubeconfig: Callable[[Cluster], dict[str, Any]]
) -> None:
    leftover = {
        "apiVersion": "kueue.x-k8s.io/v1beta2",
        "kind": "ClusterQueue",
        "metadata": {"name": "hyperpod-ns-lost-clusterqueue", "labels": {}},
        "spec": {"cohortName": "hyperpod"},
    }
    elsewhere = kubernetes_server.add_cluster("left-behind")
    with ControlPlane.start_thread(by_kubeconfig(elsewhere)) as plane:
        world = World(kubernetes_server, plane)
        world.kubernetes = elsewhere
        world.install()
        for name, label in (("lost", {"hyperpod-governor.local/hyperpod-cluster": "of-a-run-before"}), ("other", {})):
            metadata = {"name": f"hyperpod-ns-{name}-clusterqueue", "labels": label}
            elsewhere.call("POST", f"{KUEUE}/v1beta2/clusterqueues", {**leftover, "metadata": metadata})
        world.settled(world.create())
        world.wait_for_names("clusterqueues", "hyperpod-ns-other-clusterqueue", QUEUE)
