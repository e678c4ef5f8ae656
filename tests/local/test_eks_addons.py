"""Add-ons of the local EKS: which there are, what becomes of them, and what tests can have become of them."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.aws.launcher import LocalAws, wait_for
from tests.local.eks_support import ADDON, described, error, make_cluster

NOT_SUPPORTED = "InvalidParameterException", "Addon version specified is not supported"
DENIED = {"code": "AccessDenied", "message": "The role lacks a permission.", "resourceIds": ["a-role"]}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture
def cluster(aws: LocalAws) -> str:
    return make_cluster(aws)


def create(aws: LocalAws, cluster: str, **more: Any) -> Any:
    return aws.client("eks").create_addon(**{"clusterName": cluster, "addonName": ADDON, **more})["addon"]


def update(aws: LocalAws, cluster: str, **more: Any) -> Any:
    return aws.client("eks").update_addon(**{"clusterName": cluster, "addonName": ADDON, **more})["update"]


def update_now(aws: LocalAws, cluster: str, identifier: str) -> Any:
    found = aws.client("eks").describe_update(name=cluster, updateId=identifier, addonName=ADDON)
    return found["update"]


def test_the_default_version_is_installed_where_none_is_named(aws: LocalAws, cluster: str) -> None:
    created = create(aws, cluster, tags={"team": "platform"})
    assert (created["status"], created["addonVersion"]) == ("CREATING", "v1.6.1-eksbuild.1")
    found = described(aws, cluster)
    assert (found["status"], found["health"], found["tags"]) == ("ACTIVE", {"issues": []}, {"team": "platform"})
    eks = aws.client("eks")
    eks.tag_resource(resourceArn=found["addonArn"], tags={"cost": "42"})
    assert described(aws, cluster)["tags"] == {"team": "platform", "cost": "42"}
    assert eks.list_addons(clusterName=cluster)["addons"] == [ADDON]
    assert eks.delete_addon(clusterName=cluster, addonName=ADDON)["addon"]["status"] == "DELETING"
    gone = "ResourceNotFoundException", f"No addon: {ADDON} found in cluster: {cluster}"
    assert error(lambda: described(aws, cluster)) == gone


def test_what_takes_a_while_is_on_its_way_before() -> None:
    with LocalAws(addon_seconds=0.3) as aws:
        cluster = make_cluster(aws)
        create(aws, cluster, addonVersion="v1.5.0-eksbuild.1")
        assert described(aws, cluster)["status"] == "CREATING"
        wait_for(lambda: described(aws, cluster)["status"] == "ACTIVE", 5)
        begun = update(aws, cluster, addonVersion="v1.6.1-eksbuild.1", resolveConflicts="OVERWRITE")
        on_its_way = described(aws, cluster)
        assert (on_its_way["status"], on_its_way["addonVersion"]) == ("UPDATING", "v1.5.0-eksbuild.1")
        assert update_now(aws, cluster, begun["id"])["status"] == "InProgress"
        wait_for(lambda: update_now(aws, cluster, begun["id"])["status"] == "Successful", 5)
        assert described(aws, cluster)["addonVersion"] == "v1.6.1-eksbuild.1"
        aws.client("eks").delete_addon(clusterName=cluster, addonName=ADDON)
        assert described(aws, cluster)["status"] == "DELETING"
        wait_for(lambda: aws.client("eks").list_addons(clusterName=cluster)["addons"] == [], 5)


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"addonVersion": "v9.9.9-eksbuild.1"}, NOT_SUPPORTED),
        ({"addonName": "kueue", "addonVersion": "v1.6.1-eksbuild.1"}, NOT_SUPPORTED),
        (
            {"addonName": "kueue"},
            ("InvalidParameterException", "Addon kueue specified is not supported in 1.34 kubernetes version"),
        ),
        (
            {"configurationValues": '{"replicas": 2}'},
            (
                "InvalidParameterException",
                "ConfigurationValue provided in request is not supported: Json schema validation failed with error: "
                "[$.replicas: is not defined in the schema and the schema does not allow additional properties]",
            ),
        ),
        ({"clusterName": "nowhere"}, ("ResourceNotFoundException", "No cluster found for name: nowhere.")),
    ],
)
def test_what_is_refused(aws: LocalAws, cluster: str, asked: dict[str, str], refusal: tuple[str, str]) -> None:
    assert error(lambda: create(aws, cluster, **asked)) == refusal
    assert aws.client("eks").list_addons(clusterName=cluster)["addons"] == []


def test_nothing_configurable_may_be_configured_as_nothing(aws: LocalAws, cluster: str) -> None:
    create(aws, cluster, configurationValues="{}")
    assert described(aws, cluster)["configurationValues"] == "{}"
    schema = aws.client("eks").describe_addon_configuration(addonName=ADDON, addonVersion="v1.6.1-eksbuild.1")
    assert '"additionalProperties":false' in schema["configurationSchema"]


def test_the_same_request_twice_is_one(aws: LocalAws, cluster: str) -> None:
    first = create(aws, cluster, clientRequestToken="once")
    assert create(aws, cluster, clientRequestToken="once")["addonArn"] == first["addonArn"]
    assert error(lambda: create(aws, cluster, clientRequestToken="twice")) == (
        "ResourceInUseException",
        "Addon already exists.",
    )
    begun = update(aws, cluster, addonVersion="v1.6.1-eksbuild.2", clientRequestToken="once")
    assert update(aws, cluster, addonVersion="v1.6.1-eksbuild.2", clientRequestToken="once")["id"] == begun["id"]


def test_what_is_held_waits_and_is_in_the_way(aws: LocalAws, cluster: str) -> None:
    aws.addon_hold(cluster)
    create(aws, cluster)
    assert described(aws, cluster)["status"] == "CREATING"
    in_the_way = f"Addon {ADDON} cannot be updated as it is currently in CREATING state"
    assert error(lambda: update(aws, cluster)) == ("ResourceInUseException", in_the_way)
    delete = error(lambda: aws.client("eks").delete_addon(clusterName=cluster, addonName=ADDON))
    assert delete[0] == "InvalidRequestException"
    aws.addon_release(cluster)
    assert described(aws, cluster)["status"] == "ACTIVE"
    aws.addon_hold(cluster)
    begun = update(aws, cluster, addonVersion="v1.6.1-eksbuild.2")
    assert error(lambda: update(aws, cluster))[0] == "ResourceInUseException"
    aws.addon_release(cluster)
    assert update_now(aws, cluster, begun["id"])["status"] == "Successful"


def test_a_creation_can_fail(aws: LocalAws, cluster: str) -> None:
    aws.addon_next(cluster, "create", "CREATE_FAILED", [DENIED])
    create(aws, cluster)
    found = described(aws, cluster)
    assert (found["status"], found["health"]["issues"]) == ("CREATE_FAILED", [DENIED])
    assert error(lambda: update(aws, cluster))[0] == "ResourceInUseException"
    aws.client("eks").delete_addon(clusterName=cluster, addonName=ADDON)
    create(aws, cluster)
    assert described(aws, cluster)["status"] == "ACTIVE"


def test_an_update_can_fail_and_says_why(aws: LocalAws, cluster: str) -> None:
    eks = aws.client("eks")
    create(aws, cluster, addonVersion="v1.5.0-eksbuild.1")
    aws.addon_next(cluster, "update", "UPDATE_FAILED", [DENIED, {"code": "InternalFailure", "message": "Odd."}])
    failed = update(aws, cluster, addonVersion="v1.6.1-eksbuild.1", resolveConflicts="PRESERVE")
    found = described(aws, cluster)
    assert (found["status"], found["addonVersion"]) == ("UPDATE_FAILED", "v1.5.0-eksbuild.1")
    now = update_now(aws, cluster, failed["id"])
    assert (now["status"], now["type"]) == ("Failed", "AddonUpdate")
    assert now["params"] == [
        {"type": "AddonVersion", "value": "v1.6.1-eksbuild.1"},
        {"type": "ResolveConflicts", "value": "PRESERVE"},
    ]
    assert now["errors"] == [
        {"errorCode": "AccessDenied", "errorMessage": "The role lacks a permission.", "resourceIds": ["a-role"]},
        {"errorCode": "Unknown", "errorMessage": "Odd.", "resourceIds": []},
    ]
    again = update(aws, cluster, addonVersion="v1.6.1-eksbuild.1")
    assert described(aws, cluster)["health"] == {"issues": []}
    assert eks.list_updates(name=cluster, addonName=ADDON)["updateIds"] == [again["id"], failed["id"]]
    page = eks.list_updates(name=cluster, addonName=ADDON, maxResults=1)
    rest = eks.list_updates(name=cluster, addonName=ADDON, maxResults=1, nextToken=page["nextToken"])
    assert ([*page["updateIds"], *rest["updateIds"]], "nextToken" in rest) == ([again["id"], failed["id"]], False)


def test_an_update_of_an_addon_is_none_of_the_cluster(aws: LocalAws, cluster: str) -> None:
    create(aws, cluster)
    identifier = update(aws, cluster)["id"]
    eks = aws.client("eks")
    assert eks.list_updates(name=cluster)["updateIds"] == []
    without = error(lambda: eks.describe_update(name=cluster, updateId=identifier))
    assert without == ("ResourceNotFoundException", f"No update found for ID: {identifier}")


def test_any_state_can_be_had(aws: LocalAws, cluster: str) -> None:
    create(aws, cluster)
    aws.addon_state(cluster, status="DEGRADED", issues=[DENIED], version="v1.0.0-eksbuild.7")
    found = described(aws, cluster)
    assert (found["status"], found["addonVersion"]) == ("DEGRADED", "v1.0.0-eksbuild.7")
    assert found["health"]["issues"] == [DENIED]
    aws.addon_state(cluster, status="ACTIVE")
    assert described(aws, cluster)["health"]["issues"] == [DENIED]
    with pytest.raises(ValueError, match="BROKEN is none of"):
        aws.addon_state(cluster, status="BROKEN")
    with pytest.raises(ValueError, match="No cluster found for name: nowhere"):
        aws.addon_state("nowhere", status="ACTIVE")
    with pytest.raises(ValueError, match="update does not end CREATE_FAILED"):
        aws.addon_next(cluster, "update", "CREATE_FAILED")


def test_a_deletion_can_fail(aws: LocalAws, cluster: str) -> None:
    create(aws, cluster)
    aws.addon_next(cluster, "delete", "DELETE_FAILED", [DENIED])
    aws.client("eks").delete_addon(clusterName=cluster, addonName=ADDON)
    assert described(aws, cluster)["status"] == "DELETE_FAILED"


def test_versions_are_those_for_a_kubernetes_newest_first(aws: LocalAws) -> None:
    eks = aws.client("eks")
    (product,) = eks.describe_addon_versions(addonName=ADDON, kubernetesVersion="1.33")["addons"]
    versions = [each["addonVersion"] for each in product["addonVersions"]]
    assert versions[:3] == ["v1.6.1-eksbuild.2", "v1.6.1-eksbuild.1", "v1.6.0-eksbuild.1"]
    defaults = [
        each["addonVersion"] for each in product["addonVersions"] if each["compatibilities"][0]["defaultVersion"]
    ]
    assert defaults == ["v1.6.1-eksbuild.1"]
    assert {len(each["compatibilities"]) for each in product["addonVersions"]} == {1}
    assert eks.describe_addon_versions(addonName="cert-manager-of-old")["addons"] == []
    assert eks.describe_addon_versions(addonName=ADDON, kubernetesVersion="1.29")["addons"] == []
    pages = eks.get_paginator("describe_addon_versions").paginate(PaginationConfig={"PageSize": 2})
    assert [[each["addonName"] for each in page["addons"]] for page in pages] == [[ADDON, "coredns"], ["vpc-cni"]]


def test_the_catalogue_changes() -> None:
    with LocalAws() as aws:
        aws.addon_catalogue(offer="v1.7.0-eksbuild.1", kubernetes=["1.34"], default="v1.7.0-eksbuild.1")
        aws.addon_catalogue(withdraw="v1.4.0-eksbuild.1")
        new, old = make_cluster(aws), make_cluster(aws, version="1.33")
        assert create(aws, new)["addonVersion"] == "v1.7.0-eksbuild.1"
        assert create(aws, old)["addonVersion"] == "v1.6.1-eksbuild.2"
        other = error(lambda: update(aws, old, addonVersion="v1.7.0-eksbuild.1"))
        assert other[1] == f"Addon {ADDON} specified is not supported in 1.33 kubernetes version"
        assert error(lambda: update(aws, new, addonVersion="v1.4.0-eksbuild.1")) == NOT_SUPPORTED
        with pytest.raises(ValueError, match=r"has no version v3"):
            aws.addon_catalogue(default="v3")


@pytest.mark.parametrize(
    "operation", ["DescribeCluster", "DescribeAddon", "UpdateAddon", "ListUpdates", "DescribeAddonVersions"]
)
def test_calls_go_wrong_on_demand(aws: LocalAws, cluster: str, operation: str) -> None:
    create(aws, cluster)
    eks = aws.client("eks")
    calls = {
        "DescribeCluster": lambda: eks.describe_cluster(name=cluster),
        "DescribeAddon": lambda: described(aws, cluster),
        "UpdateAddon": lambda: update(aws, cluster),
        "ListUpdates": lambda: eks.list_updates(name=cluster, addonName=ADDON),
        "DescribeAddonVersions": lambda: eks.describe_addon_versions(addonName=ADDON),
    }
    aws.fault("eks", operation, code="ServerException", status=500, message="Not today.")
    assert error(calls[operation]) == ("ServerException", "Not today.")
    assert error(calls[operation]) == ("", "")
