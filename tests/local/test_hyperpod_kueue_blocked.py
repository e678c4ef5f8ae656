"""What blocks one team's objects is no other team's trouble, and is tried until it is out of the way."""

import threading
from typing import Any

import pytest

from local.aws.launcher import wait_for
from local.hyperpod.clock import ManualClock
from local.hyperpod.clusters import ClusterSpec
from local.hyperpod.request import Caller
from local.hyperpod.service import Service
from local.hyperpod.settings import Settings
from local.kubernetes.server import KubernetesServer
from tests.local.governed import KUEUE, QUEUE, TYPE, World

HELD = "example.com/held"
V1BETA2 = f"{KUEUE}/v1beta2"
NAMESPACE = "/api/v1/namespaces/hyperpod-ns-vision"
QUEUES = f"{V1BETA2}/namespaces/hyperpod-ns-vision/localqueues"
SPEECH_QUEUE, SPEECH_LOCAL_QUEUE = "hyperpod-ns-speech-clusterqueue", "hyperpod-ns-speech-localqueue"


def ends(world: World, resource_id: str) -> tuple[str, str]:
    """Status and reason once the transition has ended, whatever is still to be written."""
    wait_for(lambda: world.described(resource_id)["Status"] not in ("Creating", "Updating", "Deleting"))
    held = world.described(resource_id)
    return held["Status"], held.get("FailureReason", "")


def call(world: World, method: str, path: str, body: Any = None) -> None:
    assert world.kubernetes.call(method, path, body).status in (200, 201)


def take_local_queue(world: World) -> None:
    """Somebody's LocalQueue stands where vision's should; Kueue lets nobody point it elsewhere."""
    body = {"metadata": {"name": "hyperpod-ns-vision-localqueue"}, "spec": {"clusterQueue": "of-somebody"}}
    call(world, "POST", QUEUES, body)


def test_a_queue_on_its_way_out_keeps_no_other_away(world: World) -> None:
    path = f"{V1BETA2}/clusterqueues/{QUEUE}"
    first = world.create()
    world.settled(first)
    world.patch(path, {"metadata": {"finalizers": [HELD]}})
    world.sagemaker.delete_compute_quota(ComputeQuotaId=first)
    world.settled(first)
    again = world.create()
    assert ends(world, again) == ("Created", "")

    other, policy = world.create("speech"), world.create_policy()
    assert ends(world, other) == ends(world, policy) == ("Created", "")
    assert SPEECH_QUEUE in world.names("clusterqueues")
    assert SPEECH_LOCAL_QUEUE in world.names("localqueues")
    assert world.names("workloadpriorityclasses") == ["inference-priority", "training-priority"]
    assert world.arn in world.plane.waiting()

    world.patch(path, {"metadata": {"finalizers": None}})
    world.settled(again)
    assert "deletionTimestamp" not in world.queue()["metadata"]


def test_a_namespace_on_its_way_out_keeps_no_other_away(world: World) -> None:
    world.settled(world.create())
    held = {"metadata": {"name": "held", "finalizers": [HELD]}}
    call(world, "POST", f"{NAMESPACE}/configmaps", held)
    call(world, "DELETE", NAMESPACE)
    assert ends(world, world.create("speech")) == ("Created", "")
    assert SPEECH_QUEUE in world.names("clusterqueues")
    assert SPEECH_LOCAL_QUEUE in world.names("localqueues")

    world.patch(f"{NAMESPACE}/configmaps/held", {"metadata": {"finalizers": None}})
    wait_for(lambda: world.arn not in world.plane.waiting())
    assert "hyperpod-ns-vision-localqueue" in world.names("localqueues")


def test_what_is_refused_of_one_team_fails_that_team_alone(world: World) -> None:
    call(world, "POST", "/api/v1/namespaces", {"metadata": {"name": "hyperpod-ns-vision"}})
    take_local_queue(world)
    status, reason = world.settled(world.create())
    assert (status, "clusterQueue" in reason) == ("CreateFailed", True)
    assert world.settled(world.create("speech")) == ("Created", "")


def test_what_is_refused_of_a_team_at_rest_is_tried_until_it_is_taken(world: World) -> None:
    vision = world.create()
    world.settled(vision)
    call(world, "DELETE", f"{QUEUES}/hyperpod-ns-vision-localqueue")
    take_local_queue(world)
    assert ends(world, world.create("speech")) == ("Created", "")
    assert SPEECH_LOCAL_QUEUE in world.names("localqueues")
    assert world.described(vision)["Status"] == "Created"
    assert world.arn in world.plane.waiting()

    call(world, "DELETE", f"{QUEUES}/hyperpod-ns-vision-localqueue")
    world.settled(vision)
    assert world.get(f"{QUEUES}/hyperpod-ns-vision-localqueue")["spec"]["clusterQueue"] == QUEUE


def test_a_refused_flavor_fails_those_whose_queues_name_it(world: World) -> None:
    flavor = "ml.p5.48xlarge"
    vision, speech = world.create(), world.create("speech")
    world.settled(speech)
    others = {"ComputeQuotaResources": [{"InstanceType": flavor, "Count": 1}]}
    world.update(vision, ComputeQuotaConfig=others)
    world.settled(vision)
    edited = {"hyperpod-governor.local/written": "by somebody"}
    world.patch(f"{V1BETA2}/resourceflavors/{flavor}", {"metadata": {"annotations": edited}})
    world.kubernetes.fault_control_plane("status", code=422, verb="update", resource="resourceflavors")

    world.update(speech, ComputeQuotaConfig={"ComputeQuotaResources": [{"InstanceType": TYPE, "Count": 1}]})
    assert ends(world, speech) == ("Updated", "")
    world.update(vision, ComputeQuotaConfig=others)
    assert ends(world, vision)[0] == "UpdateFailed"
    assert world.described(speech)["Status"] == "Updated"
    world.kubernetes.clear_faults()
    assert world.settled(vision)[0] == "UpdateFailed"


def test_a_refused_deletion_fails_the_quota_whose_object_it_is(world: World) -> None:
    vision, speech = world.create(), world.create("speech")
    world.settled(speech)
    world.kubernetes.fault_control_plane("status", code=422, verb="delete", path=f"{V1BETA2}/clusterqueues/{QUEUE}")
    world.sagemaker.delete_compute_quota(ComputeQuotaId=vision)
    assert ends(world, vision)[0] == "DeleteFailed"
    world.sagemaker.delete_compute_quota(ComputeQuotaId=speech)
    assert ends(world, speech)[0] == "Deleted"


def test_what_is_refused_when_objects_are_restored_is_tried_again(world: World) -> None:
    quota_id = world.create()
    world.settled(quota_id)
    call(world, "DELETE", f"{V1BETA2}/clusterqueues/{QUEUE}")
    world.wait_for_names("clusterqueues")
    world.kubernetes.fault_control_plane("status", code=422, verb="create", times=2)
    world.kubernetes.fault_control_plane("status", code=400, verb="list", times=1)
    world.plane.restore(world.name)
    world.settled(quota_id)
    assert world.names("clusterqueues") == [QUEUE]
    assert world.kubernetes.faults() == []


def test_faults_and_the_log_of_requests_are_for_others(world: World) -> None:
    world.kubernetes.forget_requests()
    world.kubernetes.fault("status", code=503)
    quota_id = world.create()
    assert world.settled(quota_id) == ("Created", "")
    assert [each["met"] for each in world.kubernetes.faults()] == [0]
    assert world.kubernetes.requests() == []
    assert world.kubernetes.call("GET", "/api/v1/nodes").status == 503
    assert len(world.kubernetes.requests()) == 1


class _Stumbling(ManualClock):
    """Fails once, when a thread looks that carries transitions out."""

    def __init__(self) -> None:
        super().__init__()
        self.stumbled = threading.Event()

    def now(self) -> float:
        if threading.current_thread() is not threading.main_thread() and not self.stumbled.is_set():
            self.stumbled.set()
            raise RuntimeError("what time is it?")
        return super().now()


def test_a_transition_that_cannot_be_ended_keeps_no_other_from_its_end(
    kubernetes_server: KubernetesServer, caplog: pytest.LogCaptureFixture
) -> None:
    clock = _Stumbling()
    service = Service(clock, Settings().changed({"transition_seconds": 0, "kubernetes": kubernetes_server.url}))
    arn = service.state.clusters.add(ClusterSpec(name="without-kubernetes"), clock.now()).arn

    def create(team: str) -> str:
        body = {"Name": team, "ClusterArn": arn, "ComputeQuotaConfig": {}, "ComputeQuotaTarget": {"TeamName": team}}
        answer = service.call("CreateComputeQuota", body, Caller("admin", "us-west-2"))
        assert answer.body is not None
        quota_id: str = answer.body["ComputeQuotaId"]
        return quota_id

    def status(quota_id: str) -> str:
        answer = service.call("DescribeComputeQuota", {"ComputeQuotaId": quota_id}, Caller("admin", "us-west-2"))
        assert answer.body is not None
        found: str = answer.body["Status"]
        return found

    lost = create("vision")
    wait_for(lambda: not service.governing.waiting())
    other = create("speech")
    wait_for(lambda: not service.governing.waiting())
    assert (status(lost), status(other)) == ("Creating", "Created")
    assert "what time is it?" in caplog.text
    service.close()
