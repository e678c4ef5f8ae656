"""What the roles may not do: others' buckets, queues and topics, anything in plain text, the way to cluster-admin."""

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from governor.addon.versions import ADDON
from governor.records.announcing import SOURCE
from local.aws.launcher import wait_for
from local.deployment import Deployment
from local.hyperpod.client import REGION
from local.hyperpod.request import ACCOUNT
from tests.aws.iam_support import Roles, grants, take
from tests.support.place import Place

RECEIVE, APPLY, VERIFY, CHECK = "ReceivePolicyRole", "ApplyPolicyRole", "VerifyAddonRole", "CheckBuildRole"
CLUSTER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:cluster/abc"
QUOTA = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:compute-quota/abc"
EKS_CLUSTER = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/eks"
OUR_ADDON = f"arn:aws:eks:{REGION}:{ACCOUNT}:addon/eks/{ADDON}/1234"
OTHER_ADDON = f"arn:aws:eks:{REGION}:{ACCOUNT}:addon/eks/vpc-cni/1234"
ENTRY = f"arn:aws:eks:{REGION}:{ACCOUNT}:access-entry/eks/role/{ACCOUNT}/somebody/1234"
SOMEBODY = f"arn:aws:iam::{ACCOUNT}:role/somebody"
ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
NOBODY = {"Version": "2012-10-17", "Statement": []}
BY_A_SERVICE = {"aws:ViaAWSService": "true"}

REFUSED = (
    (RECEIVE, "s3:GetObject", "arn:aws:s3:::{policies}/elsewhere/a.yaml"),
    (RECEIVE, "s3:GetObject", "arn:aws:s3:::another-bucket/policies/a.yaml"),
    (RECEIVE, "s3:ListBucket", "arn:aws:s3:::another-bucket"),
    (RECEIVE, "s3:PutObject", "arn:aws:s3:::{policies}/policies/a.yaml"),
    (RECEIVE, "s3:DeleteObject", "arn:aws:s3:::{policies}/policies/a.yaml"),
    (RECEIVE, "s3:PutObject", "arn:aws:s3:::{records}/history/abc/1.json"),
    (RECEIVE, "s3:GetObject", "arn:aws:s3:::{records}/history/abc/1.json"),
    (RECEIVE, "s3:DeleteObject", "arn:aws:s3:::{records}/status/policies/a.yaml.json"),
    (RECEIVE, "sqs:SendMessage", "{undelivered}"),
    (RECEIVE, "sqs:SendMessage", "{dead}"),
    (RECEIVE, "sqs:ReceiveMessage", "{changes}"),
    (RECEIVE, "sqs:ReceiveMessage", "{failed}"),
    (RECEIVE, "sns:Publish", "{topic}-of-others"),
    (RECEIVE, "events:PutEvents", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/another"),
    (RECEIVE, "sagemaker:CreateComputeQuota", QUOTA),
    (RECEIVE, "sagemaker:UpdateComputeQuota", QUOTA),
    (RECEIVE, "sagemaker:DeleteComputeQuota", QUOTA),
    (RECEIVE, "sagemaker:DescribeCluster", CLUSTER.replace(REGION, "eu-west-1")),
    (RECEIVE, "logs:PutLogEvents", "{logs}apply-policy:log-stream:a"),
    (APPLY, "s3:GetObject", "arn:aws:s3:::{policies}/policies/a.yaml"),
    (APPLY, "s3:ListBucket", "arn:aws:s3:::{policies}"),
    (APPLY, "s3:GetObject", "arn:aws:s3:::{records}/history/abc/1.json"),
    (APPLY, "s3:DeleteObject", "arn:aws:s3:::{records}/history/abc/1.json"),
    (APPLY, "s3:PutObject", "arn:aws:s3:::{records}/elsewhere"),
    (APPLY, "sqs:SendMessage", "{dead}"),
    (APPLY, "sqs:PurgeQueue", "{changes}"),
    (APPLY, "sagemaker:UpdateCluster", CLUSTER),
    (APPLY, "sagemaker:DeleteCluster", CLUSTER),
    (APPLY, "sagemaker:DeleteComputeQuota", QUOTA.replace(ACCOUNT, "210987654321")),
    (APPLY, "sagemaker:AddTags", QUOTA),
    (APPLY, "iam:PassRole", SOMEBODY),
    (APPLY, "sts:AssumeRole", SOMEBODY),
    (APPLY, "logs:PutLogEvents", "{logs}receive-policy:log-stream:a"),
    (APPLY, "eks:DescribeAddon", OTHER_ADDON),
    (APPLY, "eks:UpdateAddon", OTHER_ADDON),
    (APPLY, "eks:TagResource", OTHER_ADDON),
    (APPLY, "eks:DeleteAddon", OUR_ADDON),
    (APPLY, "eks:CreateAddon", EKS_CLUSTER.replace(ACCOUNT, "210987654321")),
    (APPLY, "eks:UpdateClusterConfig", EKS_CLUSTER),
    (APPLY, "eks:AccessKubernetesApi", EKS_CLUSTER),
    (APPLY, "eks:CreateAccessEntry", EKS_CLUSTER),
    (APPLY, "eks:CreatePodIdentityAssociation", EKS_CLUSTER),
    (VERIFY, "eks:DescribeAddon", OTHER_ADDON),
    (VERIFY, "eks:CreateAddon", EKS_CLUSTER),
    (VERIFY, "eks:UpdateAddon", OUR_ADDON),
    (VERIFY, "eks:DeleteAddon", OUR_ADDON),
    (VERIFY, "eks:TagResource", OUR_ADDON),
    (VERIFY, "eks:UpdateClusterConfig", EKS_CLUSTER),
    (VERIFY, "eks:CreateAccessEntry", EKS_CLUSTER),
    (VERIFY, "eks:DescribeCluster", EKS_CLUSTER.replace(REGION, "eu-west-1")),
    (VERIFY, "sagemaker:CreateComputeQuota", QUOTA),
    (VERIFY, "sagemaker:DescribeComputeQuota", QUOTA),
    (VERIFY, "s3:GetObject", "arn:aws:s3:::{policies}/policies/a.yaml"),
    (VERIFY, "s3:PutObject", "arn:aws:s3:::{records}/status/policies/a.yaml.json"),
    (VERIFY, "s3:PutObject", "arn:aws:s3:::{records}/history/abc/1.json"),
    (VERIFY, "s3:DeleteObject", "arn:aws:s3:::{records}/clusters/abc/addon.json"),
    (VERIFY, "sqs:ReceiveMessage", "{changes}"),
    (VERIFY, "sqs:SendMessage", "{dead}"),
    (VERIFY, "sns:Publish", "{topic}"),
    (VERIFY, "logs:PutLogEvents", "{logs}apply-policy:log-stream:a"),
    (RECEIVE, "eks:DescribeCluster", EKS_CLUSTER),
    (RECEIVE, "eks:DescribeAddon", OUR_ADDON),
    (CHECK, "s3:GetObject", "arn:aws:s3:::{policies}/policies/a.yaml"),
    (CHECK, "logs:PutLogEvents", "{logs}apply-policy:log-stream:a"),
    (CHECK, "sagemaker:ListComputeQuotas", "*"),
)


@pytest.fixture(scope="module")
def roles(deployment: Deployment) -> Roles:
    """The deployed roles."""
    return Roles.of(deployment)


@pytest.fixture(scope="module")
def names(deployment: Deployment) -> Mapping[str, str]:
    """What the places in braces are called in this deployment."""
    outputs = deployment.outputs
    queues = {
        "changes": "PolicyChangesQueueUrl",
        "dead": "PolicyChangesDeadLettersQueueUrl",
        "undelivered": "UndeliveredEventsQueueUrl",
        "failed": "FailedInvocationsQueueUrl",
    }
    return {
        "policies": deployment.policies,
        "records": deployment.records,
        "topic": outputs["NotificationsTopicArn"],
        "logs": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{deployment.stack}-",
        **{
            name: f"arn:aws:sqs:{REGION}:{ACCOUNT}:{outputs[output].rpartition('/')[2]}"
            for name, output in queues.items()
        },
    }


@pytest.mark.parametrize(("role", "action", "resource"), REFUSED)
def test_not_allowed(
    deployment: Deployment, roles: Roles, names: Mapping[str, str], role: str, action: str, resource: str
) -> None:
    assert not deployment.aws.may(roles.function(role), action, resource.format(**names))


@pytest.mark.parametrize("role", [RECEIVE, APPLY, VERIFY])
def test_no_event_in_another_name(deployment: Deployment, roles: Roles, role: str) -> None:
    function, bus = roles.function(role), f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    assert deployment.aws.may(function, "events:PutEvents", bus, {"events:source": SOURCE})
    assert not deployment.aws.may(function, "events:PutEvents", bus, {"events:source": "somebody.else"})


def test_the_history_is_only_added_to(deployment: Deployment, roles: Roles) -> None:
    client = deployment.aws.client("s3", roles.function(APPLY))
    entry = {"Bucket": deployment.records, "Key": "history/nobody/1.json", "Body": b"{}"}
    assert _refusal(lambda: client.put_object(**entry)) == "AccessDenied"
    assert _refusal(lambda: client.put_object(**entry, IfNoneMatch="*")) == ""
    assert _refusal(lambda: client.put_object(**entry, IfNoneMatch="*")) == "PreconditionFailed"
    assert _refusal(lambda: client.delete_object(Bucket=deployment.records, Key=entry["Key"])) == "AccessDenied"


def test_nothing_in_plain_text(deployment: Deployment, roles: Roles, place: Place) -> None:
    """The same requests as a rejected file makes, over plain HTTP, are denied by the policies of the resources."""
    place.upload("version: 1\n", "Rejected")
    place.upload(place.policy(), "Applied")
    decided = [each for each in deployment.aws.decisions() if each["role"] in roles.names.values() and each["allowed"]]
    role_of = {name: role for role, name in roles.names.items()}
    for action, place_ in (
        ("s3:GetObject", deployment.policies),
        ("s3:PutObject", deployment.records),
        ("sqs:SendMessage", "PolicyChanges"),
        ("sns:Publish", "Notifications"),
    ):
        request = next(each for each in decided if each["action"] == action and place_ in each["resource"])
        policy = roles.document(role_of[request["role"]])
        assert deployment.aws.decide_again(request["id"], [policy]) == "Allow"
        assert deployment.aws.decide_again(request["id"], [policy], secure_transport=False) == "Deny"


def test_alarms_may_publish_to_the_topic(deployment: Deployment) -> None:
    """They are of a service, which has no role: the topic and its key have to let CloudWatch in."""
    url, arn = _queue(deployment, "heard-alarms")
    deployment.aws.client("sns").subscribe(
        TopicArn=deployment.outputs["NotificationsTopicArn"], Protocol="sqs", Endpoint=arn
    )
    name = deployment.aws.physical_id("FailedPoliciesAlarm")
    deployment.aws.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    wait_for(lambda: take(deployment, url, name), 10)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("eks:DescribeAccessEntry", ENTRY),
        ("eks:ListAssociatedAccessPolicies", ENTRY),
        ("eks:AssociateAccessPolicy", ENTRY),
        ("eks:DisassociateAccessPolicy", ENTRY),
    ],
)
def test_eks_only_by_a_service_in_our_name(deployment: Deployment, roles: Roles, action: str, resource: str) -> None:
    function = roles.function(APPLY)
    assert not deployment.aws.may(function, action, resource)
    assert deployment.aws.may(function, action, resource, {**BY_A_SERVICE, "eks:principalArn": SOMEBODY})
    for other in (RECEIVE, VERIFY):
        assert not deployment.aws.may(roles.function(other), action, resource, BY_A_SERVICE)


def test_another_addon_is_out_of_reach(deployment: Deployment, roles: Roles, place: Place) -> None:
    """EKS judges CreateAddon by the cluster alone; only tagging what is made is judged by the add-on's name."""
    other = {"clusterName": place.name, "addonName": "vpc-cni"}
    apply, verify = (deployment.aws.client("eks", roles.function(role)) for role in (APPLY, VERIFY))
    ours = {"Application": "HyperPodGovernor"}
    for given in ({}, {"tags": {"Stack": "governor"}}, {"tags": ours}):
        assert _refusal(functools.partial(apply.create_addon, **other, **given)) == "AccessDeniedException"
    deployment.aws.client("eks").create_addon(**other)
    for call in (
        lambda: apply.describe_addon(**other),
        lambda: apply.update_addon(**other),
        lambda: apply.delete_addon(**other),
        lambda: verify.describe_addon(**other),
        lambda: verify.create_addon(clusterName=place.name, addonName="coredns"),
        lambda: verify.update_addon(clusterName=place.name, addonName=ADDON),
    ):
        assert _refusal(call) == "AccessDeniedException"
    assert _refusal(lambda: verify.describe_addon(clusterName=place.name, addonName=ADDON)) == ""


def test_with_verify_only_no_role_changes_an_addon() -> None:
    """Everything in the template that changes one hangs on AddonInstall, and belongs to the one writer."""
    changing = [
        grant
        for grant in grants()
        if grant.action.startswith("eks:") and "eks:Describe" not in grant.action and "eks:List" not in grant.action
        if grant.sid != "SageMakerOnOurBehalf"
    ]
    assert {grant.action for grant in changing} == {"eks:CreateAddon", "eks:UpdateAddon", "eks:TagResource"}
    assert {(grant.role, grant.condition) for grant in changing} == {(APPLY, "InstallsAddon")}


def test_no_service_associates_a_policy_with_a_role_of_this_stack_in_our_name(
    deployment: Deployment, roles: Roles
) -> None:
    """What is recorded is made again under the role's policy with and without its Deny."""
    aws, name = deployment.aws, roles.names[APPLY]
    ours = {**BY_A_SERVICE, "eks:principalArn": f"arn:aws:iam::{ACCOUNT}:role/{name}"}
    assert not aws.may(roles.function(APPLY), "eks:AssociateAccessPolicy", ENTRY, ours)
    request = next(
        each
        for each in aws.decisions(name)
        if each["action"] == "eks:AssociateAccessPolicy" and name in str(each["context"].get("eks:principalarn"))
    )
    policy = roles.document(APPLY)
    allowing = {**policy, "Statement": [each for each in policy["Statement"] if each["Sid"] != "NoWayToClusterAdmin"]}
    assert aws.decide_again(request["id"], [policy]) == "Deny"
    assert aws.decide_again(request["id"], [allowing]) == "Allow"
    context = {**request["context"], "aws:viaawsservice": "false"}
    assert aws.decide_again(request["id"], [allowing], service_context=context) == "ImplicitDeny"


def test_no_way_to_cluster_admin_whatever_else_is_granted(deployment: Deployment, roles: Roles) -> None:
    """With everything about EKS allowed to the role, its own stack's roles are still out of reach; others are not."""
    deployment.aws.client("iam").create_role(RoleName="somebody", AssumeRolePolicyDocument=json.dumps(NOBODY))
    deployment.aws.client("eks").create_cluster(
        name="eks", roleArn=SOMEBODY, resourcesVpcConfig={"subnetIds": []}, accessConfig={"authenticationMode": "API"}
    )
    eks = deployment.aws.client("eks", roles.function(APPLY))
    scope = {"type": "cluster"}
    everything = {"Effect": "Allow", "Action": "eks:*", "Resource": "*"}
    with roles.with_more(APPLY, everything):
        assert _refusal(lambda: eks.describe_cluster(name="eks")) == ""
        for name in roles.names.values():
            ours = f"arn:aws:iam::{ACCOUNT}:role/{name}"
            about = {"clusterName": "eks", "principalArn": ours}
            for call in (
                lambda about=about: eks.create_access_entry(**about),
                lambda about=about: eks.update_access_entry(**about, kubernetesGroups=["admins"]),
                lambda about=about: eks.associate_access_policy(**about, policyArn=ADMIN, accessScope=scope),
            ):
                assert _refusal(call) == "AccessDeniedException"
        theirs = {"clusterName": "eks", "principalArn": SOMEBODY}
        assert _refusal(lambda: eks.create_access_entry(**theirs)) == ""
        assert _refusal(lambda: eks.associate_access_policy(**theirs, policyArn=ADMIN, accessScope=scope)) == ""
    assert _refusal(lambda: eks.associate_access_policy(**theirs, policyArn=ADMIN, accessScope=scope)) == (
        "AccessDeniedException"
    )


def _refusal(call: Callable[[], Any]) -> str:
    """The code of the error that a call ends with; "" when it is answered."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def _queue(deployment: Deployment, name: str) -> tuple[str, str]:
    """A queue that everybody may send to: its URL and ARN."""
    client = deployment.aws.client("sqs")
    url = client.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn
