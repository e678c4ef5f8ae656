"""What the roles of the template may do: no more than is called, and what the page of permissions says."""

import re

import pytest

from building.trimming import OPERATIONS
from governor.cli.connect import READERS
from tests.support.cloudformation import (
    depending_on,
    granted,
    in_a_vpc,
    listed,
    mentions,
    properties,
    resource_policies,
    roles,
    template,
)
from tests.support.pages import page

TEMPLATE = template()
ROLE_PROPERTIES, ROLES, IN_A_VPC = properties("AWS::IAM::Role"), roles(), in_a_vpc()
RESOURCE_POLICIES = list(resource_policies())
GRANTED = {name: granted(name) for name in ROLES}
PERMISSIONS_PAGE = page("permissions")
WITHOUT_RESOURCE = {
    "sagemaker:ListClusters": "the action knows no resource",
    "sagemaker:ListComputeQuotas": "the action knows no resource",
    "sagemaker:ListClusterSchedulerConfigs": "the action knows no resource",
    "ec2:DescribeInstanceTypes": "the action knows no resource",
    "eks:DescribeAddonVersions": "the action knows no resource",
    "ec2:CreateNetworkInterface": "the interfaces do not exist yet, and Lambda makes them",
    "ec2:DescribeNetworkInterfaces": "the action knows no resource",
    "ec2:DescribeSubnets": "the action knows no resource",
    "ec2:DeleteNetworkInterface": "Lambda names them",
    "ec2:AssignPrivateIpAddresses": "Lambda names them",
    "ec2:UnassignPrivateIpAddresses": "Lambda names them",
}


@pytest.mark.parametrize("name", ROLES)
def test_a_role_is_allowed_single_actions_on_named_resources(name: str) -> None:
    for statement in [*ROLES[name], *IN_A_VPC.get(name, [])]:
        assert statement["Sid"]
        if statement["Effect"] == "Deny":
            continue
        for action in listed(statement["Action"]):
            assert "*" not in action, action
            for resource in listed(statement["Resource"]):
                assert resource != "*" or action in WITHOUT_RESOURCE, action
    assert ROLE_PROPERTIES[name]["PermissionsBoundary"]["Fn::If"][0] == "HasBoundary"


def test_in_a_vpc_the_functions_may_have_network_interfaces_made_and_not_make_any() -> None:
    assert set(IN_A_VPC) == set(ROLES) - {"CheckBuildRole"}
    for allowed, denied in IN_A_VPC.values():
        assert (allowed["Effect"], denied["Effect"]) == ("Allow", "Deny")
        assert set(denied["Action"]) == {each for each in allowed["Action"] if "Describe" not in each}


def test_nobody_is_let_in_without_a_condition() -> None:
    for name, statement in RESOURCE_POLICIES:
        if statement["Effect"] == "Allow" and statement["Principal"] in ("*", {"AWS": "*"}):
            assert statement["Condition"], name
        by_the_topic = name == "NotificationsKey"  # whose policy names the account; see the template
        if statement["Effect"] == "Allow" and "Service" in str(statement["Principal"]) and not by_the_topic:
            assert "aws:Source" in str(statement["Condition"]), name


@pytest.mark.parametrize("name", ROLES)
def test_the_page_of_permissions_lists_what_a_role_may_do_and_nothing_else(name: str) -> None:
    section = PERMISSIONS_PAGE.partition(f"## {name}\n")[2].partition("\n## ")[0]
    told = set(re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", section.partition("\n### Denied")[0]))
    assert told == GRANTED[name]


def test_what_the_functions_call_is_what_their_roles_may() -> None:
    words = {"s3:HeadObject": "s3:GetObject", "s3:ListObjectsV2": "s3:ListBucket", "s3:HeadBucket": "s3:ListBucket"}
    called = {
        words.get(f"{service}:{operation}", f"{service}:{operation}")
        for service, operations in OPERATIONS.items()
        for operation in operations
    }
    by_lambda = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    by_lambda |= {"logs:CreateLogStream", "logs:PutLogEvents"}
    (on_our_behalf,) = [each for each in ROLES["ApplyPolicyRole"] if each["Sid"] == "SageMakerOnOurBehalf"]
    by_others = set(on_our_behalf["Action"]) - called
    by_others |= {"eks:TagResource", "s3:PutObjectTagging"}  # with the tags of CreateAddon and of PutObject
    granted_to_all = set().union(*(GRANTED[name] for name in ROLES if name != "CheckBuildRole"))
    assert called == granted_to_all - by_lambda - by_others


def test_the_addon_is_changed_only_where_the_owner_of_the_stack_lets_it_and_only_by_the_writer() -> None:
    installing = depending_on("InstallsAddon")
    actions = {action for each in installing for action in listed(each["Action"])}
    assert actions == {"eks:CreateAddon", "eks:UpdateAddon", "eks:TagResource"}
    assert TEMPLATE["Conditions"]["InstallsAddon"] == {"Fn::Equals": [{"Ref": "AddonInstall"}, "Install"]}
    assert TEMPLATE["Parameters"]["AddonInstall"]["Default"] == "VerifyOnly"
    elsewhere = {
        action
        for name, granted_here in GRANTED.items()
        for action in granted_here
        if action.startswith("eks:") and "Describe" not in action and "List" not in action
        if name != "ApplyPolicyRole"
    }
    assert elsewhere == set()


def test_only_sagemaker_touches_access_and_nobody_makes_a_role_of_the_stack_an_administrator() -> None:
    (on_our_behalf,) = [each for each in ROLES["ApplyPolicyRole"] if each["Sid"] == "SageMakerOnOurBehalf"]
    assert on_our_behalf["Condition"] == {"Bool": {"aws:ViaAWSService": "true"}}
    (denial,) = [each for each in ROLES["ApplyPolicyRole"] if each["Effect"] == "Deny"]
    assert {"eks:CreateAccessEntry", "eks:AssociateAccessPolicy"} <= set(denial["Action"])
    assert denial["Resource"] == "*"
    patterns = [each["Fn::Sub"] for each in denial["Condition"]["ArnLike"]["eks:principalArn"]]
    assert {each.rpartition("/")[2] for each in patterns} == {f"*-{name}-*" for name in ROLES}


def test_receive_policy_changes_nothing_in_sagemaker_and_apply_policy_reads_no_policies() -> None:
    writing = ("Create", "Update", "Delete")
    assert not [
        each
        for each in GRANTED["ReceivePolicyRole"]
        if each.startswith("sagemaker:") and each.partition(":")[2].startswith(writing)
    ]
    assert not [each for each in ROLES["ApplyPolicyRole"] if mentions(each["Resource"], "PoliciesBucket")]


def test_publish_metrics_tells_nobody_and_notify_usage_asks_nobody() -> None:
    services = {
        name: {
            action.partition(":")[0]
            for each in ROLES[name]
            if each["Sid"] != "Failures"
            for action in listed(each["Action"])
        }
        for name in ("PublishMetricsRole", "NotifyUsageRole")
    }
    assert services["PublishMetricsRole"] == {"s3", "sagemaker", "eks", "logs"}
    assert services["NotifyUsageRole"] == {"s3", "sns", "logs"}
    writing = {
        name: [each["Resource"]["Fn::Sub"] for each in ROLES[name] if "s3:PutObject" in listed(each["Action"])]
        for name in services
    }
    assert writing == {
        "PublishMetricsRole": ["${RecordsBucket.Arn}/clusters/*/usage.json"],
        "NotifyUsageRole": ["${RecordsBucket.Arn}/clusters/*/incidents/*"],
    }


def test_the_roles_that_are_let_into_kubernetes_are_those_that_may_find_it() -> None:
    assert {name for name in ROLES if "eks:DescribeCluster" in GRANTED[name]} == set(READERS)
