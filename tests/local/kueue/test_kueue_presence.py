"""Jobs are admitted where Kueue is, and wait where it is not; what is deleted goes when Kueue lets it go."""

import threading
from typing import Any

import pytest

from local.addon import controller
from local.addon.definitions import RESOURCES, definition
from local.addon.releases import kueue_of
from local.hyperpod.clock import ManualClock
from local.kubernetes.cluster import Cluster
from local.kubernetes.server import KubernetesServer
from local.kueue.presence import presence
from tests.local.kubernetes.recorded import recorded
from tests.local.kueue import worlds
from tests.local.kueue.worlds import (
    GPU,
    KUEUE,
    NEWEST,
    TEAMS,
    conditions,
    finish,
    get_job,
    install,
    jobs,
    make_namespace,
    make_recorded_world,
    queue_status,
    set_controller,
    submit,
    workload_of,
)

A, B = TEAMS


def test_without_a_controller_nothing_is_admitted_until_it_is_there(empty: Cluster) -> None:
    set_controller(empty, available=False, webhook=True)
    make_recorded_world(empty)
    submit(empty, A, "train")
    assert get_job(empty, A, "train")["spec"]["suspend"] is True
    assert workload_of(empty, A, "train") is None
    assert "status" not in empty.call("GET", f"{KUEUE}/v1beta2/clusterqueues/{A}-clusterqueue").json
    set_controller(empty, available=True, webhook=True)
    empty.kueue.settled()
    assert conditions(workload_of(empty, A, "train"))["Admitted"] == ("True", "Admitted")
    assert queue_status(empty, A)["admittedWorkloads"] == 1


def test_what_was_admitted_stays_so_while_the_controller_is_away(cluster: Cluster, clock: ManualClock) -> None:
    submit(cluster, A, "first", pods=8)
    set_controller(cluster, available=False, webhook=True)
    clock.advance(10)
    submit(cluster, A, "second", pods=4)
    finish(cluster, A, "first")
    assert conditions(workload_of(cluster, A, "first"))["Admitted"] == ("True", "Admitted")
    assert workload_of(cluster, A, "second") is None
    set_controller(cluster, available=True, webhook=True)
    cluster.kueue.settled()
    assert conditions(workload_of(cluster, A, "first"))["Finished"] == ("True", "Succeeded")
    assert conditions(workload_of(cluster, A, "second"))["Admitted"] == ("True", "Admitted")


def test_a_controller_whose_webhook_fails_writes_nothing(cluster: Cluster) -> None:
    assert cluster.call("POST", jobs(A), worlds.job("train", GPU, labels={})).status == 201
    set_controller(cluster, available=True, webhook=False)
    assert cluster.call("PATCH", f"{jobs(A)}/train/status", {"status": {"active": 1}}).status == 200
    cluster.kueue.settled()
    assert not presence(cluster.objects.store).works


def test_definitions_alone_are_no_kueue(server: KubernetesServer) -> None:
    cluster = server.add_cluster("bare")
    cluster.load(definition(each, kueue_of(NEWEST)) for each in RESOURCES)
    make_recorded_world(cluster)
    submit(cluster, A, "train")
    assert get_job(cluster, A, "train")["spec"]["suspend"] is False
    assert "finalizers" not in cluster.call("GET", f"{KUEUE}/v1beta2/resourceflavors/ml.g5.8xlarge").json["metadata"]


def configure(cluster: Cluster, text: str) -> None:
    manifest = controller.configuration(kueue_of(NEWEST))
    cluster.load([{**manifest, "data": {"controller_manager_config.yaml": text}}])


@pytest.mark.parametrize(
    ("text", "strategies"),
    [
        ("fairSharing: {preemptionStrategies: [LessThanInitialShare]}", ("LessThanInitialShare",)),
        (
            "fairSharing: {preemptionStrategies: [LessThanOrEqualToFinalShare, LessThanInitialShare]}",
            ("LessThanOrEqualToFinalShare", "LessThanInitialShare"),
        ),
        ("fairSharing: {}", ("LessThanOrEqualToFinalShare", "LessThanInitialShare")),
        ("fairSharing: {enable: false}", ()),
        ("kind: Configuration", ()),
    ],
)
def test_how_quota_is_shared_is_configured(cluster: Cluster, text: str, strategies: tuple[str, ...]) -> None:
    configure(cluster, text)
    found = presence(cluster.objects.store)
    assert (found.works, found.strategies) == (True, strategies)


@pytest.mark.parametrize(
    "text",
    [
        "]",
        "a: 2001-99-99",
        "? [a]\n: b",
        "[" * 500,
        "fairSharing: {preemptionStrategies: [Nope]}",
        "fairSharing: {preemptionStrategies: [[LessThanInitialShare]]}",
        "fairSharing: {preemptionStrategies: LessThanInitialShare}",
        "fairSharing: {preemptionStrategies: [LessThanInitialShare, LessThanOrEqualToFinalShare]}",
        "fairSharing: {preemptionStrategies: [LessThanInitialShare, LessThanInitialShare]}",
    ],
)
def test_with_a_configuration_that_kueue_refuses_it_does_not_start(cluster: Cluster, text: str) -> None:
    path = "/api/v1/namespaces/kueue-system/configmaps/kueue-manager-config"
    patch = {"data": {"controller_manager_config.yaml": text}}
    assert cluster.call("PATCH", path, patch).status == 200
    assert not presence(cluster.objects.store).works
    submit(cluster, A, "train")
    assert workload_of(cluster, A, "train") is None
    configure(cluster, "fairSharing: {}")
    cluster.kueue.settled()
    assert conditions(workload_of(cluster, A, "train"))["Admitted"] == ("True", "Admitted")


@pytest.mark.parametrize("status", ["x", {"conditions": "x"}, {"conditions": ["x", None]}])
def test_a_deployment_of_an_unreadable_status_is_not_available(cluster: Cluster, status: Any) -> None:
    path = "/apis/apps/v1/namespaces/kueue-system/deployments/kueue-controller-manager/status"
    assert cluster.call("PATCH", path, {"status": status}).status == 200
    assert not presence(cluster.objects.store).works
    assert cluster.call("POST", jobs(A), worlds.job("train", GPU, labels={})).status == 201


def test_unreadable_endpoints_are_none(cluster: Cluster) -> None:
    path = "/apis/discovery.k8s.io/v1/namespaces/kueue-system/endpointslices"
    (item,) = cluster.call("GET", path).json["items"]
    assert cluster.call("PATCH", f"{path}/{item['metadata']['name']}", {"endpoints": ["x"]}).status == 200
    assert not presence(cluster.objects.store).answers


def test_without_fair_sharing_there_are_no_shares(empty: Cluster) -> None:
    configure(empty, "kind: Configuration")
    make_recorded_world(empty)
    empty.kueue.settled()
    assert "fairSharing" not in queue_status(empty, A)


# What goes


def path_of(plural: str, name: str) -> str:
    return f"{KUEUE}/v1beta2/{plural}/{name}"


def test_a_queue_goes_when_nobody_has_quota_of_it(cluster: Cluster) -> None:
    submit(cluster, A, "train")
    queue = path_of("clusterqueues", f"{A}-clusterqueue")
    assert cluster.call("DELETE", queue).status == 200
    cluster.kueue.settled()
    (told,) = cluster.call("GET", queue).json["status"]["conditions"]
    assert (told["reason"], told["message"]) == (
        "Terminating",
        "Can't admit new workloads; clusterQueue is terminating",
    )
    submit(cluster, A, "late")
    assert get_job(cluster, A, "late")["spec"]["suspend"] is True
    finish(cluster, A, "train")
    assert cluster.call("GET", queue).status == 404
    (told,) = cluster.call("GET", f"{KUEUE}/v1beta2/namespaces/{A}/localqueues/{A}-localqueue").json["status"][
        "conditions"
    ]
    assert told["reason"] == "ClusterQueueDoesNotExist"


def test_a_flavor_goes_when_no_queue_names_it(cluster: Cluster) -> None:
    flavor = path_of("resourceflavors", "ml.c5.2xlarge")
    assert cluster.call("DELETE", flavor).status == 200
    cluster.kueue.settled()
    assert "deletionTimestamp" in cluster.call("GET", flavor).json["metadata"]
    for team in TEAMS:
        assert cluster.call("DELETE", path_of("clusterqueues", f"{team}-clusterqueue")).status == 200
    cluster.kueue.settled()
    assert cluster.call("GET", flavor).status == 404


def test_a_queue_whose_flavor_is_missing_admits_when_it_comes(empty: Cluster) -> None:
    make_recorded_world(empty)
    for team in TEAMS:
        empty.call("DELETE", path_of("clusterqueues", f"{team}-clusterqueue"))
    empty.call("DELETE", path_of("resourceflavors", "ml.g5.8xlarge"))
    empty.kueue.settled()
    worlds.make(empty, recorded("0-idle.v1beta2.clusterqueues.list.json")["items"][0], "clusterqueues")
    submit(empty, A, "train")
    assert conditions(workload_of(empty, A, "train"))["QuotaReserved"] == ("False", "Inadmissible")
    worlds.make(empty, recorded("0-idle.v1beta2.resourceflavors.list.json")["items"][1], "resourceflavors")
    empty.kueue.settled()
    assert conditions(workload_of(empty, A, "train"))["Admitted"] == ("True", "Admitted")


def test_a_namespace_takes_its_jobs_with_it(cluster: Cluster) -> None:
    submit(cluster, A, "train")
    assert cluster.call("DELETE", f"/api/v1/namespaces/{A}").status == 200
    cluster.kueue.settled()
    assert cluster.call("GET", f"/api/v1/namespaces/{A}").status == 404
    assert queue_status(cluster, A)["admittedWorkloads"] == 0


def test_kueue_goes_with_everything_that_it_had(cluster: Cluster) -> None:
    """In the order in which the add-on is taken away: the controller first."""
    submit(cluster, A, "train")
    for path in (
        f"apis/discovery.k8s.io/v1/namespaces/kueue-system/endpointslices/{controller.SLICE}",
        f"api/v1/namespaces/kueue-system/services/{controller.SERVICE}",
        f"apis/apps/v1/namespaces/kueue-system/deployments/{controller.DEPLOYMENT}",
    ):
        assert cluster.call("DELETE", f"/{path}").status == 200
    for each in RESOURCES:
        cluster.call("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{each.name}")
    cluster.kueue.settled()
    assert cluster.call("GET", KUEUE).status == 404
    assert get_job(cluster, A, "train")["spec"]["suspend"] is False


def test_without_a_controller_a_deleted_queue_stays(cluster: Cluster) -> None:
    set_controller(cluster, available=False, webhook=True)
    queue = path_of("clusterqueues", f"{A}-clusterqueue")
    assert cluster.call("DELETE", queue).status == 200
    cluster.kueue.settled()
    assert "deletionTimestamp" in cluster.call("GET", queue).json["metadata"]
    set_controller(cluster, available=True, webhook=True)
    cluster.kueue.settled()
    assert cluster.call("GET", queue).status == 404


# The thread


def test_the_thread_ends_with_the_cluster(server: KubernetesServer) -> None:
    before = threading.active_count()
    cluster = server.add_cluster("short")
    install(cluster)
    make_namespace(cluster, A)
    cluster.kueue.settled()
    cluster.close()
    cluster.close()
    assert threading.active_count() == before


def test_a_round_that_fails_is_told_and_the_next_one_reads_everything_anew(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("local.kueue.reconciler.admission.after", fails)
        with pytest.raises(RuntimeError, match="has failed"):
            submit(cluster, A, "train")
    assert "has failed" in caplog.text
    submit(cluster, A, "second")
    for name in ("train", "second"):
        assert conditions(workload_of(cluster, A, name))["Admitted"] == ("True", "Admitted")


def test_objects_that_cannot_be_read_are_as_good_as_none(cluster: Cluster) -> None:
    """They come past the API's checks, as what an older version had let in."""
    kind = {"apiVersion": "kueue.x-k8s.io/v1beta2"}
    broken = {"name": "broken", "namespace": A}
    cluster.load(
        [
            {**kind, "kind": "Workload", "metadata": broken, "spec": {"podSets": [{"count": -1}]}},
            {**kind, "kind": "LocalQueue", "metadata": broken, "spec": {"clusterQueue": 3}},
            {**kind, "kind": "ClusterQueue", "metadata": {"name": "broken"}, "spec": {"resourceGroups": 1}},
        ]
    )
    submit(cluster, A, "train")
    assert get_job(cluster, A, "train")["spec"]["suspend"] is False
