"""The adapters of status, approve, rollback and doctor, judged by botocore's model of each service."""

import argparse
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from governor.addon.seen import Addon, Issue
from governor.addon.versions import ADDON
from governor.aws.clients import Clients
from governor.aws.inspection import Alarm, Inspection, NotAllowedError, Rule, Source
from governor.aws.session import Aws
from governor.aws.stack import Stack, Stacks
from governor.aws.surroundings import Surroundings
from governor.aws.versions import Content, Version, VersionedBucket
from governor.cli import deployment
from governor.cli.doctor import admit
from governor.errors import AccessError, ConflictError, NotFoundError, PermanentError

TIME = datetime(2026, 11, 24, 12, tzinfo=UTC)
Stubs = Callable[[str], Stubber]


@pytest.fixture
def clients() -> Clients:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-west-2")
    return Clients(Aws(session))


@pytest.fixture
def stub(clients: Clients) -> Iterator[Stubs]:
    """A stubber per client; all of what is promised has to be asked for."""
    active: dict[str, Stubber] = {}

    def make(name: str) -> Stubber:
        if name not in active:
            holder = clients if hasattr(type(clients), name) else clients.aws
            active[name] = Stubber(getattr(holder, name))
            active[name].activate()
        return active[name]

    yield make
    for stubber in active.values():
        stubber.assert_no_pending_responses()


# ── versions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def item(key: str, version: str, second: int, *, latest: bool = False, marker: bool = False) -> dict[str, Any]:
    head = {"Key": key, "VersionId": version, "IsLatest": latest, "LastModified": TIME.replace(second=second)}
    return head if marker else {**head, "ETag": f'"{version}"', "Size": 1}


def test_versions_are_those_of_exactly_this_key_the_newest_first(clients: Clients, stub: Stubs) -> None:
    first = {
        "Versions": [item("k", "v2", 2), item("k", "v1", 1)],
        "DeleteMarkers": [item("k", "m", 3, latest=True, marker=True)],
        "IsTruncated": True,
        "NextKeyMarker": "k",
        "NextVersionIdMarker": "v1",
    }
    second = {
        "Versions": [item("k", "v0", 0), item("k.yaml", "other", 9, latest=True)],
        "DeleteMarkers": [item("k2", "n", 9, latest=True, marker=True)],
        "IsTruncated": True,
        "NextKeyMarker": "k2",
        "NextVersionIdMarker": "n",
    }
    stub("s3").add_response("list_object_versions", first, {"Bucket": "b", "Prefix": "k"})
    again = {"Bucket": "b", "Prefix": "k", "KeyMarker": "k", "VersionIdMarker": "v1"}
    stub("s3").add_response("list_object_versions", second, again)

    found = VersionedBucket(clients.aws.s3, "b").versions("k")

    assert [each.version for each in found] == ["m", "v2", "v1", "v0"]
    assert found[0] == Version("m", TIME.replace(second=3), deleted=True)
    assert found[1] == Version("v2", TIME.replace(second=2), '"v2"', 1)


def test_of_two_versions_within_a_second_the_latest_is_the_newest(clients: Clients, stub: Stubs) -> None:
    answer = {"Versions": [item("k", "v2", 2, latest=True)], "DeleteMarkers": [item("k", "m", 2, marker=True)]}
    stub("s3").add_response("list_object_versions", answer)
    assert [each.version for each in VersionedBucket(clients.aws.s3, "b").versions("k")] == ["v2", "m"]


def test_the_content_of_a_version(clients: Clients, stub: Stubs) -> None:
    body = StreamingBody(BytesIO(b"0123456789"), 10)
    asked = {"Bucket": "b", "Key": "k", "VersionId": "v"}
    stub("s3").add_response("get_object", {"Body": body, "ContentType": "text/yaml"}, asked)
    bucket = VersionedBucket(clients.aws.s3, "b")
    assert bucket.content("k", "v", 4) == Content(b"0123", "text/yaml")
    stub("s3").add_client_error("get_object", "NoSuchVersion", http_status_code=404)
    with pytest.raises(NotFoundError, match="version v of s3://b/k is gone"):
        bucket.content("k", "v")
    stub("s3").add_client_error("get_object", "AccessDenied", http_status_code=403)
    with pytest.raises(AccessError, match="GetObjectVersion"):
        bucket.content("k", "v")


@pytest.mark.parametrize(("newest", "condition"), [('"e"', {"IfMatch": '"e"'}), (None, {"IfNoneMatch": "*"})])
def test_putting_back_replaces_the_metadata_and_only_what_was_seen(
    clients: Clients, stub: Stubs, newest: str | None, condition: dict[str, str]
) -> None:
    asked = {
        "Bucket": "b",
        "Key": "k",
        "CopySource": {"Bucket": "b", "Key": "k", "VersionId": "v"},
        "MetadataDirective": "REPLACE",
        "ContentType": "text/yaml",
        **condition,
    }
    stub("s3").add_response("copy_object", {"VersionId": "n"}, asked)
    bucket = VersionedBucket(clients.aws.s3, "b")
    assert bucket.put_back("k", "v", "text/yaml", newest) == "n"
    stub("s3").add_client_error("copy_object", "PreconditionFailed", http_status_code=412)
    with pytest.raises(ConflictError, match="changed by somebody else"):
        bucket.put_back("k", "v", "text/yaml", newest)
    stub("s3").add_client_error("copy_object", "AccessDenied", http_status_code=403)
    with pytest.raises(AccessError):
        bucket.put_back("k", "v", "text/yaml", newest)


def test_replacing(clients: Clients, stub: Stubs) -> None:
    asked = {"Bucket": "b", "Key": "k", "Body": b"x", "ContentType": "application/json"}
    stub("s3").add_response("put_object", {"VersionId": "n"}, asked)
    assert VersionedBucket(clients.aws.s3, "b").replace("k", b"x", "application/json") == "n"


# ── stacks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def told(name: str, outputs: dict[str, str]) -> dict[str, Any]:
    return {
        "StackName": name,
        "CreationTime": TIME,
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
        "Parameters": [{"ParameterKey": "Runtime", "ParameterValue": "python3.13"}],
    }


BUCKETS = {"PoliciesBucketName": "p", "RecordsBucketName": "r"}


def test_a_stack_and_its_resources(clients: Clients, stub: Stubs) -> None:
    stubber = stub("cloudformation")
    stubber.add_response("describe_stacks", {"Stacks": [told("s", BUCKETS)]}, {"StackName": "s"})
    stacks = Stacks(clients.cloudformation)
    assert stacks.describe("s") == Stack("s", "CREATE_COMPLETE", "", BUCKETS, {"Runtime": "python3.13"}, TIME)
    part = {"LastUpdatedTimestamp": TIME, "ResourceStatus": "CREATE_COMPLETE"}
    listed = [{"LogicalResourceId": "Q", "ResourceType": "T", "PhysicalResourceId": "q", **part}]
    stubber.add_response("list_stack_resources", {"StackResourceSummaries": listed}, {"StackName": "s"})
    assert [(each.logical, each.kind, each.physical) for each in stacks.resources("s")] == [("Q", "T", "q")]


def missing(stubber: Stubber) -> None:
    stubber.add_client_error("describe_stacks", "ValidationError", "Stack with id x does not exist", 400)


def test_a_missing_stack_names_those_that_look_like_ours(clients: Clients, stub: Stubs) -> None:
    stubber = stub("cloudformation")
    missing(stubber)
    stubber.add_response("describe_stacks", {"Stacks": [told("web", {}), told("gov-a", BUCKETS)]}, {})
    with pytest.raises(NotFoundError, match="no stack 'x' in Region us-west-2; give --stack gov-a"):
        deployment.find_stack(Stacks(clients.cloudformation), "x")
    missing(stubber)
    stubber.add_response("describe_stacks", {"Stacks": []}, {})
    with pytest.raises(NotFoundError, match="check AWS_REGION and AWS_PROFILE, or deploy it"):
        deployment.find_stack(Stacks(clients.cloudformation), "x")
    missing(stubber)
    stubber.add_client_error("describe_stacks", "AccessDenied", http_status_code=403)
    with pytest.raises(NotFoundError, match="check AWS_REGION"):
        deployment.find_stack(Stacks(clients.cloudformation), "x")


def test_who_may_not_look_at_stacks_is_told_what_to_set(clients: Clients, stub: Stubs) -> None:
    stub("cloudformation").add_client_error("describe_stacks", "AccessDenied", http_status_code=403)
    with pytest.raises(AccessError, match="or set GOVERNOR_POLICIES_BUCKET and GOVERNOR_RECORDS_BUCKET"):
        deployment.find_stack(Stacks(clients.cloudformation), "x")


@pytest.mark.parametrize(
    ("given", "environment", "asked", "names"),
    [
        (None, {}, "hyperpod-governor", ("p", "r")),
        (None, {"GOVERNOR_STACK": "mine"}, "mine", ("p", "r")),
        ("yours", {"GOVERNOR_STACK": "mine", "GOVERNOR_POLICIES_BUCKET": "P"}, "yours", ("p", "r")),
        (None, {"GOVERNOR_POLICIES_BUCKET": "P"}, "hyperpod-governor", ("P", "r")),
        (None, {"GOVERNOR_POLICIES_BUCKET": "P", "GOVERNOR_RECORDS_BUCKET": "R"}, None, ("P", "R")),
    ],
)
def test_where_the_deployment_is(
    given: str | None, environment: dict[str, str], asked: str | None, names: tuple[str, str]
) -> None:
    looked: list[str | None] = []

    def find(name: str) -> Stack:
        looked.append(name)
        return Stack(name, "CREATE_COMPLETE", outputs=BUCKETS)

    assert deployment.bucket_names(given, environment, find) == names
    assert looked == ([asked] if asked else [])


def test_a_stack_of_something_else() -> None:
    with pytest.raises(PermanentError, match=r"the stack 'hyperpod-governor' \(X\) has no output PoliciesBucketName"):
        deployment.bucket_names(None, {}, lambda name: Stack(name, "X"))


# ── looks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def inspection(clients: Clients) -> Inspection:
    return Inspection(clients)


@pytest.mark.parametrize(
    ("answer", "result"), [({"Status": "Enabled"}, True), ({"Status": "Suspended"}, False), ({}, False)]
)
def test_versioning(inspection: Inspection, stub: Stubs, answer: dict[str, Any], result: bool) -> None:
    stub("s3").add_response("get_bucket_versioning", answer, {"Bucket": "b"})
    assert inspection.keeps_versions("b") is result


def test_bucket_notifications(inspection: Inspection, stub: Stubs) -> None:
    stub("s3").add_response("get_bucket_notification_configuration", {"EventBridgeConfiguration": {}}, {"Bucket": "b"})
    assert inspection.sends_events("b")
    stub("s3").add_response("get_bucket_notification_configuration", {}, {"Bucket": "b"})
    assert not inspection.sends_events("b")


def test_public_access(inspection: Inspection, stub: Stubs) -> None:
    block = {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    for blocked, result in ((block, True), ({**block, "BlockPublicPolicy": False}, False), ({}, False)):
        stub("s3").add_response("get_public_access_block", {"PublicAccessBlockConfiguration": blocked}, {"Bucket": "b"})
        assert inspection.is_private("b") is result
    stub("s3").add_client_error("get_public_access_block", "NoSuchPublicAccessBlockConfiguration", http_status_code=404)
    assert not inspection.is_private("b")


def test_encryption(inspection: Inspection, stub: Stubs) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    stub("s3").add_response("get_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": [rule]}})
    assert inspection.encryption("b") == "AES256"
    stub("s3").add_client_error("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError")
    assert inspection.encryption("b") == ""


def test_lifecycle(inspection: Inspection, stub: Stubs) -> None:
    rule = {"Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 9}}
    stub("s3").add_response("get_bucket_lifecycle_configuration", {"Rules": [rule]})
    assert inspection.expires("b")
    stub("s3").add_response("get_bucket_lifecycle_configuration", {"Rules": [{**rule, "Filter": {"Prefix": ""}}]})
    assert inspection.expires("b")
    of_some = {**rule, "Filter": {"Tag": {"Key": "Keep", "Value": "newest"}}}
    for rules in ([], [{**rule, "Status": "Disabled"}], [{"Status": "Enabled", "Expiration": {"Days": 1}}], [of_some]):
        stub("s3").add_response("get_bucket_lifecycle_configuration", {"Rules": rules})
        assert not inspection.expires("b")
    stub("s3").add_client_error("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration")
    assert not inspection.expires("b")


def test_a_rule(inspection: Inspection, stub: Stubs) -> None:
    stub("events").add_response("describe_rule", {"State": "ENABLED"}, {"Name": "r"})
    targets = [{"Id": "1", "Arn": "f" * 20, "DeadLetterConfig": {"Arn": "q"}}, {"Id": "2", "Arn": "g" * 20}]
    stub("events").add_response("list_targets_by_rule", {"Targets": targets}, {"Rule": "r"})
    assert inspection.rule("r") == Rule("r", True, (("f" * 20, "q"), ("g" * 20, "")))
    stub("events").add_client_error("describe_rule", "ResourceNotFoundException")
    with pytest.raises(NotFoundError, match="rule r does not exist"):
        inspection.rule("r")


def test_a_queue(inspection: Inspection, stub: Stubs) -> None:
    facts = {
        "QueueArn": "arn",
        "ApproximateNumberOfMessages": "3",
        "ApproximateNumberOfMessagesNotVisible": "1",
        "VisibilityTimeout": "360",
        "RedrivePolicy": '{"deadLetterTargetArn": "dead", "maxReceiveCount": 5}',
    }
    stub("sqs").add_response(
        "get_queue_attributes", {"Attributes": facts}, {"QueueUrl": "u/q", "AttributeNames": ["All"]}
    )
    found = inspection.queue("u/q")
    assert (found.arn, found.waiting, found.at_work, found.visibility, found.redrive) == ("arn", 3, 1, 360, "dead")
    stub("sqs").add_client_error("get_queue_attributes", "AWS.SimpleQueueService.NonExistentQueue")
    with pytest.raises(NotFoundError, match="queue q does not exist"):
        inspection.queue("u/q")


def test_a_function(inspection: Inspection, stub: Stubs) -> None:
    answer = {
        "FunctionName": "f",
        "FunctionArn": "arn:aws:lambda:us-west-2:123456789012:function:f",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "Runtime": "python3.13",
        "Architectures": ["arm64"],
        "Timeout": 300,
        "LastModified": "2026-11-24T12:00:00.000+0000",
        "LoggingConfig": {"LogGroup": "group"},
    }
    stub("functions").add_response("get_function_configuration", answer, {"FunctionName": "f"})
    found = inspection.function("f")
    assert (found.state, found.runtime, found.architecture, found.log_group) == (
        "Active",
        "python3.13",
        "arm64",
        "group",
    )
    stub("functions").add_response("get_function_configuration", {})
    assert inspection.function("f").log_group == "/aws/lambda/f"


def test_what_a_function_may_use_is_fed_by_and_fails_to(inspection: Inspection, stub: Stubs) -> None:
    stub("functions").add_response("get_function_concurrency", {}, {"FunctionName": "f"})
    assert inspection.reserved("f") is None
    stub("functions").add_response("get_function_concurrency", {"ReservedConcurrentExecutions": 0})
    assert inspection.reserved("f") == 0
    mapping = {"UUID": "u" * 36, "EventSourceArn": "q", "State": "Enabled", "BatchSize": 1}
    answer = {"EventSourceMappings": [{**mapping, "FunctionResponseTypes": ["ReportBatchItemFailures"]}, mapping]}
    stub("functions").add_response("list_event_source_mappings", answer, {"FunctionName": "f"})
    assert inspection.sources("f") == (
        Source("q", "Enabled", 1, True, "u" * 36),
        Source("q", "Enabled", 1, False, "u" * 36),
    )
    asked = {"FunctionName": "f", "Qualifier": "$LATEST"}
    destination = {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-west-2:123456789012:q"}}}
    stub("functions").add_response("get_function_event_invoke_config", destination, asked)
    assert inspection.on_failure("f").endswith(":q")
    stub("functions").add_client_error("get_function_event_invoke_config", "ResourceNotFoundException")
    assert inspection.on_failure("f") == ""


def test_logs(inspection: Inspection, stub: Stubs) -> None:
    groups = [{"logGroupName": "g-long", "retentionInDays": 1}, {"logGroupName": "g", "retentionInDays": 90}]
    stub("logs").add_response("describe_log_groups", {"logGroups": groups}, {"logGroupNamePrefix": "g"})
    assert inspection.retention("g") == 90
    stub("logs").add_response("describe_log_groups", {"logGroups": [{"logGroupName": "g"}]})
    assert inspection.retention("g") is None
    stub("logs").add_response("describe_log_groups", {"logGroups": []})
    with pytest.raises(NotFoundError):
        inspection.retention("g")
    asked = {"logGroupName": "g", "filterPattern": '"resync"', "startTime": 1500}
    stub("logs").add_response("filter_log_events", {"events": [{"message": "m"}], "nextToken": "t"}, asked)
    stub("logs").add_response("filter_log_events", {"events": [{"message": "n"}]}, {**asked, "nextToken": "t"})
    assert inspection.logged("g", "resync", 1.5) == ("m", "n")


def test_alarms_are_asked_for_a_hundred_at_a_time(inspection: Inspection, stub: Stubs) -> None:
    names = [f"a{number}" for number in range(101)]
    actions = {"ActionsEnabled": True, "AlarmActions": ["topic"]}
    item = {"AlarmName": "a0", "StateValue": "ALARM", "AlarmDescription": "d", "StateReason": "r", **actions}
    item |= {"Namespace": "HyperPodGovernor", "MetricName": "Invocations"}
    first = {"AlarmNames": names[:100], "MaxRecords": 100}
    stub("cloudwatch").add_response("describe_alarms", {"MetricAlarms": [item]}, first)
    mute = {"MetricAlarms": [{**item, "ActionsEnabled": False}, {**item, "AlarmActions": []}]}
    stub("cloudwatch").add_response("describe_alarms", mute, {"AlarmNames": names[100:], "MaxRecords": 1})
    found = inspection.alarms(names)
    assert found[0] == Alarm("a0", "ALARM", "d", "r", True, True, True)
    assert [alarm.tells for alarm in found] == [True, False, False]
    assert inspection.alarms([]) == ()


def test_subscriptions(inspection: Inspection, stub: Stubs) -> None:
    arns = ["arn:aws:sns:us-west-2:123456789012:t:1", "PendingConfirmation"]
    answer = {"Subscriptions": [{"SubscriptionArn": each} for each in arns]}
    stub("sns").add_response("list_subscriptions_by_topic", answer, {"TopicArn": "arn:t"})
    assert inspection.subscriptions("arn:t") == (1, 1)


@pytest.mark.parametrize(
    ("service", "operation", "code", "look", "action"),
    [
        ("s3", "get_bucket_versioning", "AccessDenied", "keeps_versions", "s3:GetBucketVersioning"),
        ("sqs", "get_queue_attributes", "AccessDenied", "queue", "sqs:GetQueueAttributes"),
        ("functions", "get_function_concurrency", "AccessDeniedException", "reserved", "lambda:GetFunctionConcurrency"),
        ("logs", "describe_log_groups", "AccessDeniedException", "retention", "logs:DescribeLogGroups"),
    ],
)
def test_a_missing_permission_is_told_by_its_name_in_iam(
    inspection: Inspection, stub: Stubs, service: str, operation: str, code: str, look: str, action: str
) -> None:
    stub(service).add_client_error(operation, code, http_status_code=403)
    with pytest.raises(NotAllowedError) as told:
        getattr(inspection, look)("x")
    assert told.value.action == action


# ── surroundings ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "skew"),
    [({"date": "Tue, 24 Nov 2026 11:58:00 GMT"}, 119.5), ({"date": "nonsense"}, None), ({}, None)],
)
def test_the_caller_and_the_clock(clients: Clients, stub: Stubs, headers: dict[str, str], skew: float | None) -> None:
    answer = {
        "Account": "123456789012",
        "Arn": "arn:aws:iam::123456789012:user/alice",
        "ResponseMetadata": {"HTTPHeaders": headers, "HTTPStatusCode": 200, "RequestId": "r"},
    }
    stub("sts").add_response("get_caller_identity", answer, {})
    found = Surroundings(clients, lambda: TIME).caller()
    assert (found.account, found.region, found.skew) == ("123456789012", "us-west-2", skew)


def test_clusters_and_add_on(clients: Clients, stub: Stubs) -> None:
    around = Surroundings(clients)
    arn = "arn:aws:sagemaker:us-west-2:123456789012:cluster/abcdefghijkl"
    summary = {"ClusterArn": arn, "ClusterName": "c", "CreationTime": TIME, "ClusterStatus": "InService"}
    stub("sagemaker").add_response("list_clusters", {"ClusterSummaries": [summary]}, {})
    assert around.clusters() == ("c",)
    described = {"ClusterArn": arn, "ClusterStatus": "InService", "InstanceGroups": []}
    eks = {"Orchestrator": {"Eks": {"ClusterArn": "arn:aws:eks:us-west-2:123456789012:cluster/e"}}}
    stub("sagemaker").add_response("describe_cluster", {**described, **eks}, {"ClusterName": "c"})
    assert around.eks_cluster("c") == "e"
    stub("sagemaker").add_response("describe_cluster", described)
    assert around.eks_cluster("c") == ""
    stub("sagemaker").add_client_error("describe_cluster", "ResourceNotFound")
    with pytest.raises(NotFoundError):
        around.eks_cluster("c")
    health = {"issues": [{"code": "ConfigurationConflict", "message": "m"}]}
    answer = {"addon": {"addonVersion": "v1", "status": "DEGRADED", "health": health}}
    stub("eks").add_response("describe_addon", answer, {"clusterName": "e", "addonName": ADDON})
    assert around.addon("e") == Addon("v1", "DEGRADED", (Issue("ConfigurationConflict", "m"),))
    stub("eks").add_client_error("describe_addon", "ResourceNotFoundException")
    with pytest.raises(NotFoundError, match=ADDON):
        around.addon("e")


# ── from the caller's environment to the deployment ─────────────────────────────────────────────────────────────────


def test_the_buckets_of_the_environment_need_no_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"POLICIES": "p", "RECORDS": "r"}.items():
        monkeypatch.setenv(f"GOVERNOR_{name}_BUCKET", value)
    for name, value in {"DEFAULT_REGION": "us-west-2", "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    buckets = deployment.open_buckets(argparse.Namespace(stack=None))
    assert buckets.policies.name == "p"
    assert isinstance(buckets.records.objects, VersionedBucket)
    assert buckets.records.objects.name == "r"


def test_a_patient_with_a_stack(clients: Clients, stub: Stubs) -> None:
    stub("cloudformation").add_response("describe_stacks", {"Stacks": [told("s", BUCKETS)]}, {"StackName": "s"})
    patient = admit("s", {}, clients, Surroundings(clients))
    assert patient.output("PoliciesBucketName") == "p"
    assert (patient.policies_bucket, patient.records_bucket) == ("p", "r")
    assert patient.buckets is not None
    stub("cloudformation").add_client_error("list_stack_resources", "AccessDenied", http_status_code=403)
    with pytest.raises(NotAllowedError) as denied:
        patient.resource("ObjectRule")
    assert denied.value.action == "cloudformation:ListStackResources"


def test_a_patient_whose_stack_may_not_be_looked_at(clients: Clients, stub: Stubs) -> None:
    environment = {"GOVERNOR_POLICIES_BUCKET": "P", "GOVERNOR_RECORDS_BUCKET": "R"}
    stub("cloudformation").add_client_error("describe_stacks", "AccessDenied", http_status_code=403)
    patient = admit(None, environment, clients, Surroundings(clients))
    assert (patient.policies_bucket, patient.records_bucket) == ("P", "R")
    with pytest.raises(NotAllowedError) as denied:
        patient.output("PolicyChangesQueueUrl")
    assert denied.value.action == "cloudformation:DescribeStacks"


def test_no_patient_at_all(clients: Clients, stub: Stubs) -> None:
    missing(stub("cloudformation"))
    stub("cloudformation").add_response("describe_stacks", {"Stacks": []}, {})
    patient = admit(None, {}, clients, Surroundings(clients))
    assert patient.buckets is None
    assert isinstance(patient.refused, NotFoundError)
