"""What becomes of quotas whose objects cannot be written: no add-on, a Kubernetes that fails, transitions that do."""

from typing import Any

import pytest

from local.aws.launcher import wait_for
from local.hyperpod.client import ControlPlane
from local.hyperpod.clock import ManualClock
from local.kubernetes.server import KubernetesServer
from tests.local.governed import KUEUE, QUEUE, TYPE, World, amount

HELD = "example.com/held"


def test_a_queue_that_is_held_is_made_again_when_it_is_gone(world: World) -> None:
    """As by Kueue's finalizer, while workloads hold their quota."""
    path = f"{KUEUE}/v1beta2/clusterqueues/{QUEUE}"
    quota_id = world.create()
    world.settled(quota_id)
    world.patch(path, {"metadata": {"finalizers": [HELD]}})
    world.sagemaker.delete_compute_quota(ComputeQuotaId=quota_id)
    assert world.settled(quota_id) == ("Deleted", "")
    assert "deletionTimestamp" in world.queue()["metadata"]

    again = world.create(count=1)
    wait_for(lambda: world.described(again)["Status"] == "Created")
    assert amount(world.queue(), "nvidia.com/gpu") == "2"
    world.patch(path, {"metadata": {"finalizers": None}})
    world.settled(again)
    assert amount(world.queue(), "nvidia.com/gpu") == "1"


def test_before_the_addon_is_there_quotas_and_policies_fail(bare: World) -> None:
    failed = bare.create(), bare.create_policy()
    for each in failed:
        status, reason = bare.settled(each)
        assert status == "CreateFailed"
        assert "add-on is not installed" in reason
    bare.install(healthy=False)
    half = bare.create("speech")
    status, reason = bare.settled(half)
    assert status == "CreateFailed"
    assert "not completely installed" in reason
    bare.sagemaker.delete_compute_quota(ComputeQuotaId=half)
    assert bare.settled(half) == ("Deleted", "")
    bare.wait_for_names("clusterqueues")


def test_an_addon_that_comes_back_gets_what_is_in_force(bare: World) -> None:
    bare.install()
    quota_id = bare.create()
    bare.settled(quota_id)
    definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clusterqueues.kueue.x-k8s.io"
    bare.kubernetes.call("DELETE", definition)
    config = {"ComputeQuotaResources": [{"InstanceType": TYPE, "Count": 1}]}
    bare.update(quota_id, ComputeQuotaConfig=config)
    assert bare.settled(quota_id)[0] == "UpdateFailed"

    bare.install()
    bare.plane.restore(bare.name)
    bare.settled(quota_id)
    assert amount(bare.queue(), "nvidia.com/gpu") == "2"


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "code": 503, "verb": "create", "times": 3},
        {"kind": "status", "code": 409, "verb": "create", "times": 2},
        {"kind": "status", "code": 429, "times": 4},
        {"kind": "drop", "when": "during", "times": 2},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault.get('code', '')}",
)
def test_a_kubernetes_that_stumbles_follows_when_it_can(world: World, fault: dict[str, Any]) -> None:
    world.kubernetes.fault_control_plane(**fault)
    quota_id = world.create()
    assert world.settled(quota_id) == ("Created", "")
    assert world.kubernetes.faults() == []
    assert amount(world.queue(), "nvidia.com/gpu") == "2"
    assert world.names("localqueues") == ["hyperpod-ns-vision-localqueue"]


def test_a_kubernetes_that_is_away_keeps_nobody_waiting(world: World) -> None:
    world.kubernetes.fault("closed")
    quota_id = world.create()
    wait_for(lambda: world.described(quota_id)["Status"] == "Created")
    world.update(quota_id, ComputeQuotaConfig={"ComputeQuotaResources": [{"InstanceType": TYPE, "Count": 1}]})
    wait_for(lambda: world.described(quota_id)["Status"] == "Updated")
    assert world.plane.waiting() == [world.arn]

    world.kubernetes.clear_faults()
    world.settled(quota_id)
    assert amount(world.queue(), "nvidia.com/gpu") == "1"


def test_what_kubernetes_refuses_for_good_fails(world: World) -> None:
    world.kubernetes.fault_control_plane("status", code=422, verb="create", resource="clusterqueues")
    quota_id = world.create()
    status, reason = world.settled(quota_id)
    assert (status, "a fault was asked for" in reason) == ("CreateFailed", True)


def test_a_transition_that_a_fault_ends_writes_nothing(world: World) -> None:
    world.plane.fault(
        "CreateComputeQuota", "fail", status="CreateFailed", reason="out of luck", match={"team": "vision"}
    )
    world.plane.fault("CreateComputeQuota", "stuck", match={"team": "speech"})
    failed, stuck = world.create(), world.create("speech")
    wait_for(lambda: world.described(failed)["Status"] == "CreateFailed")
    other = world.create("audio")
    world.settled(other)
    assert world.described(stuck)["Status"] == "Creating"
    assert world.names("clusterqueues") == ["hyperpod-ns-audio-clusterqueue"]


def test_somebody_elses_update_reaches_kubernetes_too(world: World) -> None:
    quota_id = world.create()
    world.settled(quota_id)
    world.plane.fault("UpdateComputeQuota", "bump_version", changes={"ComputeQuotaTarget": {"FairShareWeight": 7}})
    with pytest.raises(world.sagemaker.exceptions.ConflictException):
        world.update(quota_id, ActivationState="Disabled")
    assert world.settled(quota_id) == ("Updated", "")
    assert world.queue()["spec"]["fairSharing"] == {"weight": "7"}


def test_a_status_that_somebody_forces_stays(kubernetes_server: KubernetesServer) -> None:
    clock = ManualClock()
    with ControlPlane.start_thread({"transition_seconds": 60, "kubernetes": kubernetes_server.url}, clock) as plane:
        world = World(kubernetes_server, plane)
        world.install()
        quota_id = world.create()
        plane.force_status(quota_id, "CreateRollbackFailed")
        clock.advance(60)
        assert world.settled(quota_id)[0] == "CreateRollbackFailed"
        assert world.teams() == []


def test_objects_come_when_the_transition_is_over(kubernetes_server: KubernetesServer) -> None:
    clock = ManualClock()
    with ControlPlane.start_thread({"transition_seconds": 60, "kubernetes": kubernetes_server.url}, clock) as plane:
        world = World(kubernetes_server, plane)
        world.install()
        quota_id = world.create()
        clock.advance(59)
        assert world.described(quota_id)["Status"] == "Creating"
        assert (world.teams(), plane.waiting()) == ([], [world.arn])
        clock.advance(1)
        assert world.settled(quota_id) == ("Created", "")
        assert world.teams() == ["hyperpod-ns-vision"]


def test_where_there_is_no_kubernetes_quotas_are_as_ever(governing_plane: ControlPlane) -> None:
    arn = governing_plane.add_cluster("nothing-below", {TYPE: 4})
    sagemaker = governing_plane.boto3_client()
    quota_id = sagemaker.create_compute_quota(
        Name="vision", ClusterArn=arn, ComputeQuotaConfig={}, ComputeQuotaTarget={"TeamName": "vision"}
    )["ComputeQuotaId"]
    wait_for(lambda: arn not in governing_plane.waiting())
    assert sagemaker.describe_compute_quota(ComputeQuotaId=quota_id)["Status"] == "Created"
