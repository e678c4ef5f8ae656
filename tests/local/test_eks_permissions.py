"""Each call to EKS takes its action on the resource of the service authorization reference, tags one more action."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from local.aws.launcher import LocalAws
from local.aws.runner.settings import ACCOUNT, REGION
from tests.local.eks_support import ADDON, error, make_cluster

PRINCIPAL = f"arn:aws:iam::{ACCOUNT}:role/somebody"
POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster with add-on, access entry and an update, for a call to be about."""

    cluster: str
    update: str

    @property
    def about(self) -> dict[str, str]:
        return {"clusterName": self.cluster, "addonName": ADDON}

    @property
    def entry(self) -> dict[str, str]:
        return {"clusterName": self.cluster, "principalArn": PRINCIPAL}


def arn(resource: str) -> str:
    return f"arn:aws:eks:{REGION}:{ACCOUNT}:{resource}"


CLUSTER, ADDONS, ENTRIES = arn("cluster/*"), arn(f"addon/*/{ADDON}/*"), arn("access-entry/*/role/*/somebody/*")
SCOPE = {"type": "cluster"}
Call = Callable[[Any, Place], Any]
CALLS: Mapping[str, tuple[str, Call]] = {
    "DescribeCluster": (CLUSTER, lambda eks, at: eks.describe_cluster(name=at.cluster)),
    "UpdateClusterConfig": (
        CLUSTER,
        lambda eks, at: eks.update_cluster_config(
            name=at.cluster, resourcesVpcConfig={"publicAccessCidrs": ["1.1.1.1/32"]}
        ),
    ),
    "ListAddons": (CLUSTER, lambda eks, at: eks.list_addons(clusterName=at.cluster)),
    "DescribeAddon": (ADDONS, lambda eks, at: eks.describe_addon(**at.about)),
    "UpdateAddon": (ADDONS, lambda eks, at: eks.update_addon(**at.about)),
    "DeleteAddon": (ADDONS, lambda eks, at: eks.delete_addon(**at.about)),
    "CreateAddon": (CLUSTER, lambda eks, at: eks.create_addon(**at.about)),
    "DescribeAddonVersions": ("*", lambda eks, _: eks.describe_addon_versions(addonName=ADDON)),
    "DescribeClusterVersions": ("*", lambda eks, _: eks.describe_cluster_versions()),
    "ListUpdates": (CLUSTER, lambda eks, at: eks.list_updates(name=at.cluster, addonName=ADDON)),
    "DescribeUpdate": (
        CLUSTER,
        lambda eks, at: eks.describe_update(name=at.cluster, addonName=ADDON, updateId=at.update),
    ),
    "ListAccessEntries": (CLUSTER, lambda eks, at: eks.list_access_entries(clusterName=at.cluster)),
    "DescribeAccessEntry": (ENTRIES, lambda eks, at: eks.describe_access_entry(**at.entry)),
    "UpdateAccessEntry": (ENTRIES, lambda eks, at: eks.update_access_entry(**at.entry, kubernetesGroups=["readers"])),
    "AssociateAccessPolicy": (
        ENTRIES,
        lambda eks, at: eks.associate_access_policy(**at.entry, policyArn=POLICY, accessScope=SCOPE),
    ),
    "ListAssociatedAccessPolicies": (ENTRIES, lambda eks, at: eks.list_associated_access_policies(**at.entry)),
    "DisassociateAccessPolicy": (
        ENTRIES,
        lambda eks, at: eks.disassociate_access_policy(**at.entry, policyArn=POLICY),
    ),
    "DeleteAccessEntry": (ENTRIES, lambda eks, at: eks.delete_access_entry(**at.entry)),
    "CreateAccessEntry": (CLUSTER, lambda eks, at: eks.create_access_entry(**at.entry)),
}
"""In an order in which each finds what it is about, and leaves it for the next."""


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture(scope="module")
def place(aws: LocalAws) -> Place:
    cluster, eks = make_cluster(aws), aws.client("eks")
    eks.create_addon(clusterName=cluster, addonName=ADDON)
    eks.create_access_entry(clusterName=cluster, principalArn=PRINCIPAL)
    return Place(cluster, eks.update_addon(clusterName=cluster, addonName=ADDON)["update"]["id"])


@pytest.mark.parametrize("operation", CALLS)
def test_a_call_takes_its_action_on_its_resource(aws: LocalAws, place: Place, operation: str) -> None:
    resource, call = CALLS[operation]
    elsewhere = (arn("addon/*/coredns/*"), arn("access-entry/*/role/*/another/*"), arn("nodegroup/*"))
    other = CLUSTER if resource in (ADDONS, ENTRIES) else arn("addon/*")
    for statement in (
        {"Action": f"eks:{operation}", "Resource": [other, *elsewhere]},
        {"NotAction": f"eks:{operation}", "Resource": "*"},
    ):
        client = user(aws, statement)
        assert error(lambda client=client: call(client, place))[0] == "AccessDeniedException", statement  # type: ignore[misc]
    assert error(lambda: call(user(aws, {"Action": f"eks:{operation}", "Resource": resource}), place)) == ("", "")


def test_what_is_not_there_is_judged_by_all_that_is_known_of_it(aws: LocalAws, place: Place) -> None:
    client = user(aws, {"Action": "eks:Describe*", "Resource": arn(f"addon/{place.cluster}/coredns/*")})
    found = error(lambda: client.describe_addon(clusterName=place.cluster, addonName="coredns"))
    assert found[0] == "ResourceNotFoundException"
    other = error(lambda: client.describe_addon(clusterName=place.cluster, addonName="vpc-cni"))
    assert other[0] == "AccessDeniedException"


def test_to_make_something_with_tags_takes_tagging_it(aws: LocalAws) -> None:
    cluster = make_cluster(aws)
    creating = {"Action": ["eks:CreateAddon", "eks:CreateAccessEntry"], "Resource": CLUSTER}
    only_creating = user(aws, creating)
    addon = {"clusterName": cluster, "addonName": "coredns", "tags": {"team": "vision"}}
    entry = {"clusterName": cluster, "principalArn": PRINCIPAL, "tags": {"team": "vision"}}
    for client, tagged in ((only_creating.create_addon, addon), (only_creating.create_access_entry, entry)):
        code, message = error(lambda client=client, tagged=tagged: client(**tagged))  # type: ignore[misc]
        assert (code, "eks:TagResource" in message) == ("AccessDeniedException", True)
    assert aws.client("eks").list_addons(clusterName=cluster)["addons"] == []
    condition = {"StringEquals": {"aws:RequestTag/team": "vision"}}
    tagging = {"Action": "eks:TagResource", "Resource": [arn("addon/*/coredns/*"), ENTRIES], "Condition": condition}
    both = user(aws, creating, tagging)
    assert error(lambda: both.create_addon(**{**addon, "tags": {"team": "speech"}}))[0] == "AccessDeniedException"
    assert error(lambda: both.create_addon(**addon)) == ("", "")
    assert error(lambda: both.create_access_entry(**entry)) == ("", "")
    assert error(lambda: only_creating.create_addon(clusterName=cluster, addonName="vpc-cni")) == ("", "")


def test_groups_and_namespaces_can_be_limited(aws: LocalAws) -> None:
    cluster = make_cluster(aws)
    groups = {"ForAllValues:StringEquals": {"eks:kubernetesGroups": ["readers"]}}
    client = user(aws, {"Action": "eks:CreateAccessEntry", "Resource": "*", "Condition": groups})
    entry = {"clusterName": cluster, "principalArn": PRINCIPAL}
    refused = error(lambda: client.create_access_entry(**entry, kubernetesGroups=["admins"]))
    assert refused[0] == "AccessDeniedException"
    assert error(lambda: client.create_access_entry(**entry, kubernetesGroups=["readers"])) == ("", "")


def user(aws: LocalAws, *statements: Mapping[str, Any]) -> Any:
    """A client of a new user with these statements."""
    iam = aws.client("iam")
    name = f"user-{len(iam.list_users(MaxItems=1000)['Users'])}"
    iam.create_user(UserName=name)
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
    iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client(
        "eks",
        endpoint_url=aws.url,
        region_name=REGION,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
