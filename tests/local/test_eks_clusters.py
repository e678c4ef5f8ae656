"""EKS clusters of the local AWS have a Kubernetes behind them, and change as AWS lets them."""

from collections.abc import Iterator

import pytest

from local.addon.objects import KubernetesError
from local.aws.launcher import LocalAws, wait_for
from tests.local.eks_support import ADDON, described, error, kubernetes, make_cluster


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


def test_there_is_a_kubernetes_behind_each(aws: LocalAws) -> None:
    one, other = make_cluster(aws), make_cluster(aws)
    kubernetes(aws, one).put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "only-here"}})
    assert kubernetes(aws, one).get("Namespace", "only-here") is not None
    assert kubernetes(aws, other).get("Namespace", "only-here") is None


def test_a_cluster_is_made_in_a_while_and_has_no_endpoint_before() -> None:
    with LocalAws(cluster_seconds=0.3) as aws:
        name = make_cluster(aws)
        eks = aws.client("eks")
        creating = eks.describe_cluster(name=name)["cluster"]
        assert (creating["status"], "endpoint" in creating) == ("CREATING", False)
        assert error(lambda: eks.create_addon(clusterName=name, addonName=ADDON))[0] == "InvalidRequestException"
        wait_for(lambda: eks.describe_cluster(name=name)["cluster"]["status"] == "ACTIVE", 5)
        assert kubernetes(aws, name).all("Namespace")
        update = eks.update_cluster_config(name=name, resourcesVpcConfig={"endpointPrivateAccess": True})["update"]
        assert eks.describe_cluster(name=name)["cluster"]["status"] == "UPDATING"
        second = error(
            lambda: eks.update_cluster_config(name=name, resourcesVpcConfig={"publicAccessCidrs": ["10.0.0.0/8"]})
        )
        running = f"Cannot EndpointAccessUpdate because cluster {name} currently has update {update['id']} in progress"
        assert second == ("ResourceInUseException", running)
        wait_for(lambda: eks.describe_update(name=name, updateId=update["id"])["update"]["status"] == "Successful", 5)
        assert eks.describe_cluster(name=name)["cluster"]["resourcesVpcConfig"]["endpointPrivateAccess"]


def test_a_cluster_of_the_api_is_of_mode_config_map_and_has_no_access_entries(aws: LocalAws) -> None:
    name = make_cluster(aws, mode=None)
    eks = aws.client("eks")
    assert eks.describe_cluster(name=name)["cluster"]["accessConfig"]["authenticationMode"] == "CONFIG_MAP"
    told = (
        "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation."
    )
    assert error(lambda: eks.list_access_entries(clusterName=name)) == ("InvalidRequestException", told)


def test_the_authentication_mode_goes_step_by_step_and_never_back(aws: LocalAws) -> None:
    name = make_cluster(aws, mode=None)
    eks = aws.client("eks")

    def change(mode: str) -> tuple[str, str]:
        return error(lambda: eks.update_cluster_config(name=name, accessConfig={"authenticationMode": mode}))

    refusal = "InvalidParameterException", "Unsupported authentication mode update from CONFIG_MAP to API"
    assert change("API") == refusal
    assert change("API_AND_CONFIG_MAP") == ("", "")
    assert eks.list_access_entries(clusterName=name)["accessEntries"] == ["arn:aws:iam::123456789012:root"]
    assert change("CONFIG_MAP")[0] == "InvalidParameterException"
    assert change("API") == ("", "")
    update = eks.describe_update(name=name, updateId=eks.list_updates(name=name)["updateIds"][0])["update"]
    assert (update["type"], update["status"]) == ("AccessConfigUpdate", "Successful")
    assert update["params"] == [{"type": "AuthenticationMode", "value": "API"}]


def test_an_endpoint_cannot_be_shut_altogether(aws: LocalAws) -> None:
    name = make_cluster(aws)
    shut = {"endpointPublicAccess": False, "endpointPrivateAccess": False}
    answer = error(lambda: aws.client("eks").update_cluster_config(name=name, resourcesVpcConfig=shut))
    assert answer[0] == "InvalidParameterException"


def test_versions_of_kubernetes(aws: LocalAws) -> None:
    eks = aws.client("eks")
    versions = eks.describe_cluster_versions()["clusterVersions"]
    assert [each["clusterVersion"] for each in versions] == ["1.34", "1.33", "1.32", "1.31", "1.30"]
    default = eks.describe_cluster_versions(defaultOnly=True)["clusterVersions"]
    assert [each["clusterVersion"] for each in default] == ["1.34"]
    two = eks.describe_cluster_versions(clusterVersions=["1.31", "1.33"])["clusterVersions"]
    assert [each["clusterVersion"] for each in two] == ["1.33", "1.31"]
    assert error(lambda: make_cluster(aws, version="1.12")) == (
        "InvalidParameterException",
        "unsupported Kubernetes version",
    )


def test_a_cluster_takes_everything_with_it(aws: LocalAws) -> None:
    name = make_cluster(aws)
    eks, before = aws.client("eks"), kubernetes(aws, name)
    eks.create_addon(clusterName=name, addonName=ADDON)
    assert described(aws, name)["status"] == "ACTIVE"
    eks.delete_cluster(name=name)
    with pytest.raises(KubernetesError):
        before.all("Namespace")
    make_cluster(aws, name=name)
    assert eks.list_addons(clusterName=name)["addons"] == []
    assert error(lambda: described(aws, name)) == (
        "ResourceNotFoundException",
        f"No addon: {ADDON} found in cluster: {name}",
    )
    assert kubernetes(aws, name).get("Namespace", "kueue-system") is None
