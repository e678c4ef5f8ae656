"""What every part of the template must have, so that a new part cannot be forgotten."""

import re
from typing import Any

import pytest

from building.trimming import OPERATIONS
from governor.functions.applying import MARGIN
from governor.settings import addon_settings_from, function_settings_from, settings_from
from tests.support.cloudformation import (
    ROOT,
    depending_on,
    granted,
    in_a_vpc,
    listed,
    mentions,
    properties,
    resource_policies,
    resources,
    roles,
    statements,
    template,
)

FUNCTIONS = properties("AWS::Serverless::Function")
QUEUES = properties("AWS::SQS::Queue")
BUCKETS = resources("AWS::S3::Bucket")
ALARMS = properties("AWS::CloudWatch::Alarm")
TEMPLATE = template()
PARAMETERS = TEMPLATE["Parameters"]
RULES = properties("AWS::Events::Rule")
SOURCES = properties("AWS::Lambda::EventSourceMapping")
INVOKE_CONFIGS = properties("AWS::Lambda::EventInvokeConfig")
LOG_GROUPS = properties("AWS::Logs::LogGroup")
BUCKET_POLICIES = resources("AWS::S3::BucketPolicy")
RESOURCE_POLICIES = list(resource_policies())
ROLE_PROPERTIES, ROLES, IN_A_VPC = properties("AWS::IAM::Role"), roles(), in_a_vpc()
GRANTED = {name: granted(name) for name in ROLES}
ANSWERED_BY_CLOUDFORMATION = {"CheckBuildFunction": "only a deployment invokes it, and fails with it"}
OPERATIONS_PAGE = (ROOT / "docs" / "operations.md").read_text()
PERMISSIONS_PAGE = (ROOT / "docs" / "permissions.md").read_text()
DEPLOYMENT_PAGE = (ROOT / "docs" / "deployment.md").read_text()
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


TAKES_NO_TAGS = {
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::Serverless::LayerVersion",
    "Custom::BuildCheck",
}
"""Types that CloudFormation lets nobody tag; a type that is neither here nor tagged fails the test."""


def _alarms_on(metric: str, logical_id: str) -> list[str]:
    return [
        name
        for name, alarm in ALARMS.items()
        if alarm["MetricName"] == metric and mentions(alarm.get("Dimensions", []), logical_id)
    ]


def test_there_is_something_to_look_at() -> None:
    assert len(FUNCTIONS) == 4
    assert len(QUEUES) == 4
    assert len(BUCKETS) == 2
    assert len(ALARMS) >= 9


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_a_log_with_an_end_a_timeout_and_an_alarm_on_its_errors(name: str) -> None:
    function = FUNCTIONS[name]
    (group,) = [each for each in LOG_GROUPS if mentions(function["LoggingConfig"], each)]
    assert LOG_GROUPS[group]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert 0 < function["Timeout"] <= 300
    assert name in ANSWERED_BY_CLOUDFORMATION or _alarms_on("Errors", name)


def test_a_function_that_fails_fails_somewhere() -> None:
    failing = {
        name
        for name in FUNCTIONS
        for config in INVOKE_CONFIGS.values()
        if mentions(config["FunctionName"], name) and config["DestinationConfig"]["OnFailure"]["Destination"]
    }
    fed = {
        name
        for name in FUNCTIONS
        for mapping in SOURCES.values()
        if mentions(mapping["FunctionName"], name) and mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    }
    assert failing | fed | set(ANSWERED_BY_CLOUDFORMATION) == set(FUNCTIONS)


def test_a_message_is_out_of_sight_for_longer_than_its_function_may_take() -> None:
    (mapping,) = SOURCES.values()
    (function,) = [name for name in FUNCTIONS if mentions(mapping["FunctionName"], name)]
    (queue,) = [name for name in QUEUES if mentions(mapping["EventSourceArn"], name)]
    assert QUEUES[queue]["VisibilityTimeout"] > FUNCTIONS[function]["Timeout"]
    assert mapping["BatchSize"] == 1
    assert PARAMETERS["SliceSeconds"]["MaxValue"] + MARGIN < FUNCTIONS[function]["Timeout"]


def test_the_functions_know_how_often_the_queue_lets_a_message_come() -> None:
    told = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]["GOVERNOR_MAX_RECEIVES"]
    assert QUEUES["PolicyChanges"]["RedrivePolicy"]["maxReceiveCount"] == int(told)


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_is_encrypted_and_alarmed(name: str) -> None:
    queue = QUEUES[name]
    assert queue["SqsManagedSseEnabled"] is True
    metric = "ApproximateAgeOfOldestMessage" if "RedrivePolicy" in queue else "ApproximateNumberOfMessagesVisible"
    assert _alarms_on(metric, name)


def test_the_dead_letter_queue_of_a_fifo_queue_is_one_too_and_the_others_are_not() -> None:
    fifo = {name for name, queue in QUEUES.items() if queue.get("FifoQueue")}
    assert fifo == {"PolicyChanges", "PolicyChangesDeadLetters"}
    for rule in RULES.values():
        for target in rule["Targets"]:
            assert mentions(target["DeadLetterConfig"], "UndeliveredEvents")
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 3600


@pytest.mark.parametrize("name", [*QUEUES, *BUCKETS, "Notifications"])
def test_nothing_is_spoken_to_without_tls(name: str) -> None:
    denials = [
        statement
        for _, statement in RESOURCE_POLICIES
        if statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        and mentions(statement["Resource"], name)
    ]
    assert denials


def test_whatever_takes_tags_has_the_applications() -> None:
    of_all_functions = TEMPLATE["Globals"]["Function"]["Tags"]
    as_list = [{"Key": key, "Value": value} for key, value in of_all_functions.items()]
    for name, each in TEMPLATE["Resources"].items():
        if each["Type"] not in TAKES_NO_TAGS and name not in FUNCTIONS:
            assert each["Properties"].get("Tags") == as_list, name
        assert name not in FUNCTIONS or "Tags" not in each["Properties"]  # those of Globals


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_keeps_versions_is_private_encrypted_and_outlives_the_stack(name: str) -> None:
    bucket, content = BUCKETS[name], BUCKETS[name]["Properties"]
    (policy,) = [each for each in BUCKET_POLICIES.values() if mentions(each["Properties"]["Bucket"], name)]
    for kept in (bucket, policy):  # a policy that went with the stack would leave its bucket open to plain HTTP
        assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert content["VersioningConfiguration"] == {"Status": "Enabled"}
    assert content["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert set(content["PublicAccessBlockConfiguration"].values()) == {True}
    assert content["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_history_can_only_be_appended_to_and_ends() -> None:
    (denial,) = [each for _, each in RESOURCE_POLICIES if each["Sid"] == "HistoryIsAppendOnly"]
    assert denial["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    rules = BUCKETS["RecordsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert {rule["Id"]: rule.get("Prefix") for rule in rules} == {"HistoryEnds": "history/", "OldVersionsEnd": None}
    assert not any("s3:DeleteObject" in GRANTED[role] for role in ROLES)


def test_alarms_can_publish() -> None:
    topic = properties("AWS::SNS::Topic")["Notifications"]
    assert topic["KmsMasterKeyId"] == {"Ref": "NotificationsKey"}
    (key,) = properties("AWS::KMS::Key").values()
    letting_in = [
        each for each in statements(key["KeyPolicy"]) if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    ]
    assert {action for each in letting_in for action in listed(each["Action"])} == {
        "kms:Decrypt",
        "kms:GenerateDataKey*",
    }
    for name, alarm in ALARMS.items():
        assert alarm["AlarmActions"] == [{"Ref": "Notifications"}], name
        kinds = {"ResyncSilentAlarm": "breaching", "VerifyAddonSilentAlarm": "breaching"}  # about nothing happening
        kinds |= {"AddonUnhealthyAlarm": "ignore", "AddonNotSeenAlarm": "ignore"}  # looked at once an hour
        assert alarm["TreatMissingData"] == kinds.get(name, "notBreaching"), name


def test_policies_are_alarmed_by_the_metrics_that_are_counted() -> None:
    ours = {alarm["MetricName"]: alarm for alarm in ALARMS.values() if alarm["Namespace"] == "HyperPodGovernor"}
    assert set(ours) == {"Rejected", "Held", "Failed", "AddonsUnhealthy", "AddonsNotSeen"}
    for alarm in ours.values():
        assert alarm["Dimensions"] == [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_it_means_and_what_to_do_first(name: str) -> None:
    assert len(ALARMS[name]["AlarmDescription"]) > 40
    section = OPERATIONS_PAGE.partition(f"### {name}\n")[2].partition("\n### ")[0]
    assert "**Means.**" in section
    assert "**First.**" in section
    assert "**Clears.**" in section


def test_there_is_no_section_about_an_alarm_that_is_gone() -> None:
    assert set(re.findall(r"^### (\w+Alarm)$", OPERATIONS_PAGE, re.MULTILINE)) == set(ALARMS)


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
    assert set(IN_A_VPC) == {"ReceivePolicyRole", "ApplyPolicyRole", "VerifyAddonRole"}
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
    by_others = set(on_our_behalf["Action"]) - called | {"eks:TagResource"}  # the latter with CreateAddon's tags
    granted_to_all = GRANTED["ReceivePolicyRole"] | GRANTED["ApplyPolicyRole"] | GRANTED["VerifyAddonRole"]
    assert called == granted_to_all - by_lambda - by_others


def test_the_addon_is_changed_only_where_the_owner_of_the_stack_lets_it_and_only_by_the_writer() -> None:
    installing = depending_on("InstallsAddon")
    actions = {action for each in installing for action in listed(each["Action"])}
    assert actions == {"eks:CreateAddon", "eks:UpdateAddon", "eks:TagResource"}
    assert TEMPLATE["Conditions"]["InstallsAddon"] == {"Fn::Equals": [{"Ref": "AddonInstall"}, "Install"]}
    assert PARAMETERS["AddonInstall"]["Default"] == "VerifyOnly"
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


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_described_constrained_grouped_used_and_documented(name: str) -> None:
    parameter = PARAMETERS[name]
    assert len(parameter["Description"]) > 15
    assert {"AllowedValues", "AllowedPattern", "MinValue"} & set(parameter)
    if "AllowedPattern" in parameter:
        assert parameter["ConstraintDescription"]
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [name for group in groups for each in group["Parameters"] if each == name] == [name]
    used = {key: value for key, value in TEMPLATE.items() if key not in ("Parameters", "Metadata")}
    assert mentions(used, name)
    assert f"| `{name}` |" in DEPLOYMENT_PAGE


def test_outputs_are_described() -> None:
    assert all(output["Description"] for output in TEMPLATE["Outputs"].values())


def test_the_template_sets_every_variable_that_the_functions_read_and_no_other() -> None:
    told = {
        name for name in TEMPLATE["Globals"]["Function"]["Environment"]["Variables"] if name.startswith("GOVERNOR_")
    }
    read: set[str] = set()

    class Asked(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            read.add(key)
            words = {"GOVERNOR_OVERCOMMIT": "error", "GOVERNOR_ADDON_INSTALL": "Install"}
            words |= {"GOVERNOR_ADDON_RESOLVE_CONFLICTS": "NONE", "GOVERNOR_KUBERNETES_CHECKS": "Required"}
            return words.get(key, "1" if "BUCKET" in key or "URL" in key else default or "1")

    function_settings_from(Asked())
    settings_from(Asked())
    addon_settings_from(Asked())
    of_the_command_line = {"GOVERNOR_STATE_DIR"}
    assert told == {name for name in read if name.startswith("GOVERNOR_")} - of_the_command_line


def test_the_dashboard_is_json_and_shows_every_verdict_and_queue() -> None:
    import json

    (board,) = properties("AWS::CloudWatch::Dashboard").values()
    text = board["DashboardBody"]["Fn::Sub"]
    shown = json.dumps(json.loads(re.sub(r"\$\{[^}]+\}", "x", text)))
    for verdict in ("Applied", "Unchanged", "InProgress", "Waiting", "Held", "Rejected", "Failed", "Released"):
        assert f'"{verdict}"' in shown
    for queue in QUEUES:
        assert "${" + queue + ".QueueName}" in text
