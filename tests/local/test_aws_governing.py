"""The control plane of the local AWS keeps queues in the Kubernetes of its EKS clusters, where the add-on is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from governor.addon.versions import ADDON
from local.aws.launcher import LocalAws, wait_for
from local.clusters import install_addon, make_cluster
from local.jobs import Jobs
from local.kubernetes.reachable import Reachable
from local.kubernetes.server import KubernetesServer
from tests.local.kubernetes.recorded import definitions

QUEUES = "/apis/kueue.x-k8s.io/v1beta1/clusterqueues"
QUEUE = "hyperpod-ns-vision-clusterqueue"
TYPE = "ml.g5.8xlarge"


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws(plane_settings={"transition_seconds": 0}) as aws:
        yield aws
        aws.plane.assert_no_violations()


def create(aws: LocalAws, arn: str) -> dict[str, Any]:
    """A quota, as it is once it has settled."""
    sagemaker = aws.client("sagemaker")
    quota_id = sagemaker.create_compute_quota(
        Name="vision-quota",
        ClusterArn=arn,
        ComputeQuotaConfig={"ComputeQuotaResources": [{"InstanceType": TYPE, "Count": 2}]},
        ComputeQuotaTarget={"TeamName": "vision"},
    )["ComputeQuotaId"]

    def look() -> dict[str, Any] | None:
        described: dict[str, Any] = sagemaker.describe_compute_quota(ComputeQuotaId=quota_id)
        return None if described["Status"] == "Creating" else described

    return wait_for(look)


def queues(kubernetes: Reachable) -> list[str]:
    return [each["metadata"]["name"] for each in kubernetes.call("GET", QUEUES).json["items"]]


def test_queues_come_with_quotas_and_again_with_the_addon(aws: LocalAws) -> None:
    arn = make_cluster(aws, "research", {TYPE: 4})
    install_addon(aws, "research")
    assert create(aws, arn)["Status"] == "Created"
    kubernetes = aws.kubernetes.cluster("research")
    assert queues(kubernetes) == [QUEUE]

    aws.client("eks").delete_addon(clusterName="research", addonName=ADDON)
    wait_for(lambda: kubernetes.call("GET", QUEUES).status == 404)
    install_addon(aws, "research", "v1.5.0-eksbuild.1")
    wait_for(lambda: queues(kubernetes) == [QUEUE])


def test_a_quota_before_the_addon_fails_and_one_after_it_does_not(aws: LocalAws) -> None:
    arn = make_cluster(aws, "early", {TYPE: 4})
    failed = create(aws, arn)
    assert (failed["Status"], "not installed" in failed["FailureReason"]) == ("CreateFailed", True)
    aws.client("sagemaker").delete_compute_quota(ComputeQuotaId=failed["ComputeQuotaId"])
    install_addon(aws, "early")
    wait_for(lambda: arn not in aws.plane.waiting())
    assert create(aws, arn)["Status"] == "Created"


def test_with_a_kubeconfig_they_are_kept_there(kubernetes_server: KubernetesServer, tmp_path: Path) -> None:
    elsewhere = kubernetes_server.add_cluster("elsewhere")
    elsewhere.load(definitions())
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(elsewhere.kubeconfig()))
    with LocalAws(kubeconfig=path, plane_settings={"transition_seconds": 0}) as aws:
        arn = make_cluster(aws, "research", {TYPE: 4})
        assert create(aws, arn)["Status"] == "Created"
        assert queues(elsewhere) == [QUEUE]
        with Jobs.of(aws, "research") as jobs:
            made = jobs.submit("vision", "train", requests={"cpu": "1"})
        assert made["metadata"]["namespace"] == "hyperpod-ns-vision"
    assert queues(elsewhere) == []
