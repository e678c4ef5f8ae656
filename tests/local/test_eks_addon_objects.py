"""What an add-on of the local EKS puts into Kubernetes, and what stands in its way there."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.addon.definitions import NAMES
from local.aws.launcher import LocalAws
from tests.local.eks_support import ADDON, described, kubernetes, make_cluster

NAMESPACE, DEPLOYMENT = "kueue-system", "kueue-controller-manager"
SLICE_LABEL = "kubernetes.io/service-name=kueue-webhook-service"
STORED_AS_ALPHA = (
    'CustomResourceDefinition.apiextensions.k8s.io "cohorts.kueue.x-k8s.io" is invalid: '
    'status.storedVersions[0]: Invalid value: "v1alpha1": missing from spec.versions'
)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def cluster(aws: LocalAws) -> str:
    return make_cluster(aws)


def install(aws: LocalAws, cluster: str, version: str, conflicts: str = "NONE") -> str:
    aws.client("eks").create_addon(
        clusterName=cluster, addonName=ADDON, addonVersion=version, resolveConflicts=conflicts
    )
    status: str = described(aws, cluster)["status"]
    return status


def change(aws: LocalAws, cluster: str, version: str) -> Any:
    eks = aws.client("eks")
    begun = eks.update_addon(clusterName=cluster, addonName=ADDON, addonVersion=version, resolveConflicts="OVERWRITE")[
        "update"
    ]
    return eks.describe_update(name=cluster, updateId=begun["id"], addonName=ADDON)["update"]


def definitions(aws: LocalAws, cluster: str) -> dict[str, tuple[list[str], list[str]]]:
    """Served and stored versions of the custom resource definitions."""
    found = kubernetes(aws, cluster).all("CustomResourceDefinition")
    return {
        each["metadata"]["name"].partition(".")[0]: (
            sorted(version["name"] for version in each["spec"]["versions"] if version["served"]),
            each["status"]["storedVersions"],
        )
        for each in found
    }


def controller(aws: LocalAws, cluster: str) -> tuple[str, int, bool, bool]:
    """The tag of its image, replicas available, whether that is what the status says now, the webhook's readiness."""
    objects = kubernetes(aws, cluster)
    found = objects.get("Deployment", DEPLOYMENT, NAMESPACE)
    assert found is not None
    image = found["spec"]["template"]["spec"]["containers"][0]["image"]
    condition = next(each for each in found["status"]["conditions"] if each["type"] == "Available")
    assert found["status"]["observedGeneration"] == found["metadata"]["generation"]
    slices = objects.all("EndpointSlice", SLICE_LABEL)
    ready = any(each["conditions"]["ready"] for found in slices for each in found["endpoints"])
    return image.rpartition(":")[2], found["status"].get("availableReplicas", 0), condition["status"] == "True", ready


def test_eleven_definitions_of_kueue() -> None:
    assert [name.partition(".")[0] for name in NAMES] == [
        "admissionchecks",
        "clusterqueues",
        "cohorts",
        "localqueues",
        "multikueueclusters",
        "multikueueconfigs",
        "provisioningrequestconfigs",
        "resourceflavors",
        "topologies",
        "workloadpriorityclasses",
        "workloads",
    ]


@pytest.mark.parametrize(
    ("version", "kueue", "queues", "cohorts"),
    [
        ("v1.3.2-eksbuild.1", "v0.12.0", (["v1beta1"], ["v1beta1"]), (["v1alpha1"], ["v1alpha1"])),
        ("v1.4.0-eksbuild.1", "v0.14.0", (["v1beta1"], ["v1beta1"]), (["v1beta1"], ["v1beta1"])),
        ("v1.5.0-eksbuild.1", "v0.18.0", (["v1beta1", "v1beta2"], ["v1beta2"]), (["v1beta1", "v1beta2"], ["v1beta2"])),
        ("v1.6.1-eksbuild.1", "v0.19.2", (["v1beta1", "v1beta2"], ["v1beta2"]), (["v1beta1", "v1beta2"], ["v1beta2"])),
    ],
)
def test_each_version_installs_its_kueue(
    aws: LocalAws, cluster: str, version: str, kueue: str, queues: Any, cohorts: Any
) -> None:
    assert install(aws, cluster, version) == "ACTIVE"
    found = definitions(aws, cluster)
    assert len(found) == 11
    assert (found["clusterqueues"], found["workloads"]) == (queues, queues)
    assert (found["cohorts"], found["topologies"]) == (cohorts, cohorts)
    assert controller(aws, cluster) == (kueue, 1, True, True)
    objects = kubernetes(aws, cluster)
    assert objects.get("Service", "kueue-webhook-service", NAMESPACE) is not None
    configuration = objects.get("ConfigMap", "kueue-manager-config", NAMESPACE)
    assert configuration is not None
    assert "manageJobsWithoutQueueName: false" in configuration["data"]["controller_manager_config.yaml"]


def test_the_update_that_aws_documents_works(aws: LocalAws, cluster: str) -> None:
    install(aws, cluster, "v1.5.0-eksbuild.1")
    assert change(aws, cluster, "v1.6.1-eksbuild.1")["status"] == "Successful"
    assert described(aws, cluster)["status"] == "ACTIVE"
    assert controller(aws, cluster) == ("v0.19.2", 1, True, True)


def test_definitions_remember_what_objects_were_stored_in(aws: LocalAws, cluster: str) -> None:
    install(aws, cluster, "v1.4.0-eksbuild.1")
    assert change(aws, cluster, "v1.5.0-eksbuild.1")["status"] == "Successful"
    assert definitions(aws, cluster)["clusterqueues"] == (["v1beta1", "v1beta2"], ["v1beta1", "v1beta2"])


def test_objects_stored_as_alpha_fail_the_update(aws: LocalAws, cluster: str) -> None:
    install(aws, cluster, "v1.3.2-eksbuild.1")
    update = change(aws, cluster, "v1.6.1-eksbuild.1")
    assert (update["status"], [each["errorMessage"] for each in update["errors"]]) == ("Failed", [STORED_AS_ALPHA])
    found = described(aws, cluster)
    assert (found["status"], found["addonVersion"]) == ("UPDATE_FAILED", "v1.3.2-eksbuild.1")
    assert [each["message"] for each in found["health"]["issues"]] == [STORED_AS_ALPHA]
    assert controller(aws, cluster)[0] == "v0.12.0"
    # The documented way out: take the add-on and the definitions away, and install anew.
    aws.client("eks").delete_addon(clusterName=cluster, addonName=ADDON)
    assert install(aws, cluster, "v1.6.1-eksbuild.1") == "ACTIVE"


@pytest.mark.parametrize(
    ("kubernetes_version", "status", "available"), [("1.33", "DEGRADED", 0), ("1.34", "ACTIVE", 1)]
)
def test_the_controller_of_v1_6_0_restarts_for_ever_on_one_kubernetes(
    aws: LocalAws, kubernetes_version: str, status: str, available: int
) -> None:
    cluster = make_cluster(aws, version=kubernetes_version)
    assert install(aws, cluster, "v1.6.0-eksbuild.1") == status
    assert controller(aws, cluster) == ("v0.19.2", available, bool(available), bool(available))
    change(aws, cluster, "v1.6.1-eksbuild.1")
    assert (described(aws, cluster)["status"], controller(aws, cluster)[1]) == ("ACTIVE", 1)


def test_another_kueue_is_in_the_way_unless_it_is_overwritten(aws: LocalAws, cluster: str) -> None:
    foreign = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": DEPLOYMENT, "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": {"app": "kueue"}},
            "template": {
                "metadata": {"labels": {"app": "kueue"}},
                "spec": {"containers": [{"name": "manager", "image": "kueue:v0.11.0"}]},
            },
        },
    }
    objects = kubernetes(aws, cluster)
    objects.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    objects.put(foreign)
    assert install(aws, cluster, "v1.6.1-eksbuild.1") == "CREATE_FAILED"
    (issue,) = described(aws, cluster)["health"]["issues"]
    assert issue["code"] == "ConfigurationConflict"
    assert f'Deployment.apps {DEPLOYMENT} - .spec.template.spec.containers[name="manager"].image' in issue["message"]
    aws.client("eks").delete_addon(clusterName=cluster, addonName=ADDON, preserve=True)
    assert install(aws, cluster, "v1.6.1-eksbuild.1", "OVERWRITE") == "ACTIVE"
    assert controller(aws, cluster) == ("v0.19.2", 1, True, True)


def test_deleting_takes_all_away_or_preserves_it(aws: LocalAws, cluster: str) -> None:
    eks = aws.client("eks")
    install(aws, cluster, "v1.6.1-eksbuild.1")
    eks.delete_addon(clusterName=cluster, addonName=ADDON, preserve=True)
    assert len(definitions(aws, cluster)) == 11
    assert install(aws, cluster, "v1.6.1-eksbuild.2") == "ACTIVE"
    eks.delete_addon(clusterName=cluster, addonName=ADDON)
    assert definitions(aws, cluster) == {}
    assert kubernetes(aws, cluster).get("Deployment", DEPLOYMENT, NAMESPACE) is None


def test_controller_and_webhook_can_be_had_unready(aws: LocalAws, cluster: str) -> None:
    install(aws, cluster, "v1.6.1-eksbuild.1")
    aws.addon_controller(cluster, available=True, webhook=False)
    assert controller(aws, cluster) == ("v0.19.2", 1, True, False)
    aws.addon_controller(cluster, available=False)
    assert controller(aws, cluster) == ("v0.19.2", 0, False, True)
    assert described(aws, cluster)["status"] == "ACTIVE"
    aws.addon_controller(cluster)
    assert controller(aws, cluster) == ("v0.19.2", 1, True, True)
    with pytest.raises(ValueError, match="no deployment"):
        aws.addon_controller(make_cluster(aws))


def test_a_kubernetes_that_does_not_answer_fails_the_installation(aws: LocalAws, cluster: str) -> None:
    aws.kubernetes.cluster(cluster).fault("status", code=503)
    assert install(aws, cluster, "v1.6.1-eksbuild.1") == "CREATE_FAILED"
    assert [each["code"] for each in described(aws, cluster)["health"]["issues"]] == ["ClusterUnreachable"]


def test_other_addons_install_nothing_here(aws: LocalAws, cluster: str) -> None:
    aws.client("eks").create_addon(clusterName=cluster, addonName="vpc-cni")
    assert definitions(aws, cluster) == {}
