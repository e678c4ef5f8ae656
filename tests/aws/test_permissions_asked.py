"""Every action that a role is allowed is asked for by some scenario, and that request is denied without it.

One test per role, statement, action and resource: what is in the template for nothing fails by name, and so does what
somebody takes out although it is used (the scenario then fails). What no scenario can use stands in a list with its
reason. The re-evaluation of requests is held against roles that really lack something in test_permissions_removed.py.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.deployment import Deployment
from tests.aws.iam_scenarios import Played, played
from tests.aws.iam_support import HOLDING, ROLES, Grant, Roles, grants, grants_of, minus, statements
from tests.support.cloudformation import listed, template

BY_LAMBDA_IN_A_VPC = (
    "Lambda asks for it to make a function's network interfaces; without SubnetIds, as here, no role has it, and there "
    "is no local VPC to be in"
)
ON_THE_CLUSTER_ALONE = (
    "EKS judges it by the cluster, and where an add-on is named perhaps by that too (Service Authorization Reference: "
    "an optional resource type); the local EKS looks at the cluster alone"
)

ADDONS = "addon/*/amazon-sagemaker-hyperpod-taskgovernance/*"
NOT_ASKED: Mapping[str, str] = {
    **{
        f"{role} ReadAddon {action} {ADDONS}": ON_THE_CLUSTER_ALONE
        for role in ("ApplyPolicyRole", "VerifyAddonRole")
        for action in ("eks:ListUpdates", "eks:DescribeUpdate")
    },
    **{
        f"{role} NetworkInterfaces {action} *": BY_LAMBDA_IN_A_VPC
        for role in ROLES
        if role != "CheckBuildRole"
        for action in (
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        )
    },
}
KNOW_NO_RESOURCE = frozenset(
    {
        "sagemaker:ListClusters",
        "sagemaker:ListComputeQuotas",
        "sagemaker:ListClusterSchedulerConfigs",
        "ec2:DescribeInstanceTypes",
        "eks:DescribeAddonVersions",
    }
)
"""Actions that can only be allowed on everything (Service Authorization Reference)."""

GRANTS = {str(grant): grant for grant in grants()}


@pytest.fixture(scope="module")
def roles(deployment: Deployment) -> Roles:
    """The deployed roles."""
    return Roles.of(deployment)


@pytest.fixture(scope="module")
def play(deployment: Deployment) -> Played:
    """What the roles asked for while everything was played."""
    return played(deployment)


def _needing(deployment: Deployment, roles: Roles, play: Played, grant: Grant) -> Iterator[dict[str, Any]]:
    """The requests of the role that this grant alone allows, and nothing else in the role's policy."""
    policy, alone = roles.document(grant.role), _alone(roles, grant)
    without = minus(policy, grant.sid, grant.action, grant.number)
    for request in play.asked(roles.names[grant.role], grant.action):
        if deployment.aws.decide_again(request["id"], [alone]) == "Allow":
            assert deployment.aws.decide_again(request["id"], [policy]) == "Allow"
            if deployment.aws.decide_again(request["id"], [without]) == "ImplicitDeny":
                yield request


def _alone(roles: Roles, grant: Grant) -> dict[str, Any]:
    """The grant as it is deployed, as a policy of its own."""
    (statement,) = [each for each in roles.document(grant.role)["Statement"] if each["Sid"] == grant.sid]
    only = {**statement, "Action": grant.action, "Resource": listed(statement["Resource"])[grant.number]}
    return {"Version": "2012-10-17", "Statement": [only]}


@pytest.mark.parametrize("name", [name for name in GRANTS if name not in NOT_ASKED])
def test_it_is_asked_for_and_denied_without_it(deployment: Deployment, roles: Roles, play: Played, name: str) -> None:
    needing = next(_needing(deployment, roles, play, GRANTS[name]), None)
    assert needing, f"no scenario needs {name}: take it out of the template, or play what needs it, or give a reason"


@pytest.mark.parametrize("name", NOT_ASKED)
def test_what_has_a_reason_is_granted_and_not_needed(
    deployment: Deployment, roles: Roles, play: Played, name: str
) -> None:
    assert name in GRANTS, f"{name} is no longer in the template: take it out of NOT_ASKED"
    grant = GRANTS[name]
    asked = play.asked(roles.names[grant.role], grant.action)
    used = list(_needing(deployment, roles, play, grant)) if grant.condition in HOLDING else asked
    assert used == [], f"{name} is asked for after all: take it out of NOT_ASKED"


def test_nothing_was_denied(play: Played) -> None:
    """A function that tries what it may not makes noise in CloudTrail, and hides a real lack."""
    assert play.denied == ()


@pytest.mark.parametrize("role", ROLES)
def test_what_is_deployed_is_what_the_template_says(roles: Roles, role: str) -> None:
    deployed = roles.document(role)["Statement"]
    written = [said for condition, said in statements(role) if condition in HOLDING]
    assert [each["Sid"] for each in deployed] == [each["Sid"] for each in written]
    assert [(each.sid, each.action, each.number) for each in grants_of(role, deployed)] == [
        (each.sid, each.action, each.number) for each in grants_of(role, written)
    ]


def test_the_roles_looked_at_are_all_that_grants_anything(deployment: Deployment) -> None:
    pages = deployment.aws.client("cloudformation").get_paginator("list_stack_resources")
    made = {
        each["LogicalResourceId"]
        for page in pages.paginate(StackName=deployment.stack)
        for each in page["StackResourceSummaries"]
        if each["ResourceType"].startswith("AWS::IAM::")
    }
    assert made == set(ROLES)
    assert {name for name, each in template()["Resources"].items() if each["Type"].startswith("AWS::IAM::")} == made


def test_no_action_has_a_wildcard_and_only_what_knows_no_resource_is_allowed_on_all() -> None:
    everywhere = {grant.action for grant in GRANTS.values() if grant.place == "*" and grant.condition in HOLDING}
    assert everywhere == KNOW_NO_RESOURCE
    assert [name for name, grant in GRANTS.items() if "*" in grant.action] == []
