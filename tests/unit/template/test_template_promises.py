"""What every part of the template must have, so that a new part cannot be forgotten."""

import json
import re

import pytest

from governor.aws.objects import ONLY_NEWEST
from governor.functions.applying import MARGIN
from governor.records.usages import UsageSeen
from tests.support.cloudformation import (
    ROOT,
    granted,
    listed,
    mentions,
    properties,
    resource_policies,
    resources,
    roles,
    statements,
    template,
)
from tests.support.pages import page

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
ANSWERED_BY_CLOUDFORMATION = {"CheckBuildFunction": "only a deployment invokes it, and fails with it"}
NOT_CAUGHT_UP = {"NotifyUsageRule": "an alarm says a change of its state once, so EventBridge tries for a day"}
"""Rules whose events nothing else makes up for; for all others the resync, or the next tick, does within the hour."""
OPERATIONS_PAGE = page("operations")
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
        if alarm.get("MetricName") == metric and mentions(alarm.get("Dimensions", []), logical_id)
    ]


def test_there_is_something_to_look_at() -> None:
    assert len(FUNCTIONS) == 6
    assert len(QUEUES) == 4
    assert len(BUCKETS) == 2
    assert len(ALARMS) >= 21


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
    for name, rule in RULES.items():
        longest = 86_400 if name in NOT_CAUGHT_UP else 3600
        for target in rule["Targets"]:
            assert mentions(target["DeadLetterConfig"], "UndeliveredEvents")
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= longest
    assert "a day for what notify_usage is to tell" in OPERATIONS_PAGE


def test_every_rule_may_invoke_its_function_and_use_the_queue_of_what_was_not_delivered() -> None:
    permissions = properties("AWS::Lambda::Permission").values()
    (deliver,) = [each for _, each in RESOURCE_POLICIES if each["Sid"] == "RulesDeliver"]
    for name, rule in RULES.items():
        (target,) = rule["Targets"]
        (function,) = [each for each in FUNCTIONS if mentions(target["Arn"], each)]
        (permission,) = [each for each in permissions if mentions(each["SourceArn"], name)]
        assert mentions(permission["FunctionName"], function)
        assert permission["Principal"] == "events.amazonaws.com"
        assert mentions(deliver["Condition"]["ArnEquals"]["aws:SourceArn"], name)


def test_a_tick_is_the_sample_event_that_its_function_is_tested_with() -> None:
    ticks = {
        name: json.loads(rule["Targets"][0]["Input"]) for name, rule in RULES.items() if "ScheduleExpression" in rule
    }
    samples = {"ResyncRule": "resync", "VerifyAddonRule": "verify-addon", "PublishMetricsRule": "publish-metrics"}
    assert ticks == {name: json.loads((ROOT / f"events/{each}.json").read_text()) for name, each in samples.items()}


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
    prefixes = {rule["Id"]: rule.get("Prefix") for rule in rules}
    assert prefixes == {"HistoryEnds": "history/", "NewestUsageOnly": None, "OldVersionsEnd": None}
    assert not any("s3:DeleteObject" in granted(role) for role in roles())


def test_only_what_is_written_every_minute_loses_its_old_versions_soon() -> None:
    rules = BUCKETS["RecordsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (rule,) = [each for each in rules if each["Id"] == "NewestUsageOnly"]
    key, _, value = ONLY_NEWEST.partition("=")
    assert rule["TagFilters"] == [{"Key": key, "Value": value}]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    assert "ExpirationInDays" not in rule  # the newest stays
    assert UsageSeen.only_newest
    tagging = {
        name: each
        for name, found in roles().items()
        for each in found
        if "s3:PutObjectTagging" in listed(each["Action"])
    }
    assert set(tagging) == {"PublishMetricsRole"}
    assert tagging["PublishMetricsRole"]["Resource"]["Fn::Sub"].endswith("/clusters/*/usage.json")


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
        spoken_for = "Metrics" in alarm  # by notify_usage; test_template_usage.py says which and how
        assert alarm.get("AlarmActions") == (None if spoken_for else [{"Ref": "Notifications"}]), name
        kinds = dict.fromkeys(("ResyncSilentAlarm", "VerifyAddonSilentAlarm", "UsageSilentAlarm"), "breaching")
        kinds |= {"AddonUnhealthyAlarm": "ignore", "AddonNotSeenAlarm": "ignore"}  # looked at once an hour
        assert alarm["TreatMissingData"] == kinds.get(name, "notBreaching"), name


def test_an_alarm_that_tells_people_also_tells_them_that_it_is_over_unless_it_is_about_one_event() -> None:
    about_one_event = {"RejectedPoliciesAlarm", "HeldPoliciesAlarm", "FailedPoliciesAlarm"}
    for name, alarm in ALARMS.items():
        tells = "AlarmActions" in alarm and name not in about_one_event
        assert alarm.get("OKActions") == ([{"Ref": "Notifications"}] if tells else None), name


def test_policies_are_alarmed_by_the_metrics_that_are_counted() -> None:
    ours = {alarm["MetricName"]: alarm for alarm in ALARMS.values() if alarm.get("Namespace") == "HyperPodGovernor"}
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
