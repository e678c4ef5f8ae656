"""Every addition does what it is for, and MiniStack still needs it.

Each probe runs on two local AWSs with the same small stack: one complete, one with every addition left out. The day
the second behaves like the first, the addition can go.
"""

import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.aws.launcher import LocalAws, wait_for
from local.aws.runner.settings import REGION
from tests.local.aws_sample.stack import RUNTIME, SAMPLE, STACK, Stack

NAMES = [
    "s3-event-details",
    "s3-marker-events",
    "s3-hidden-keys",
    "s3-conditional-copies",
    "s3-conditional-reads",
    "s3-tagged-writes",
    "clean-workers",
    "shared-unpacking",
    "loopback-is-tls",
    "condition-keys",
    "resource-arns",
    "decisions",
    "role-permissions",
    "parallel-groups",
    "no-backoff",
    "event-targets",
    "embedded-metrics",
    "lambda-metrics",
    "alarm-actions",
    "alarms",
    "full-buckets",
    "string-variables",
    "boundaries",
    "async-queue",
    "encryption",
    "event-faults",
    "worker-faults",
    "service-faults",
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The sample, built by the SAM CLI once for both."""
    place = tmp_path_factory.mktemp("built")
    with LocalAws() as aws:
        yield aws.sam.build(SAMPLE, place / "sample", RUNTIME)
    shutil.rmtree(place)


@pytest.fixture(scope="module")
def complete(built: Path) -> Iterator[Stack]:
    with LocalAws(seconds_per_minute=1, concurrency=3) as aws:
        yield Stack(aws, aws.deploy(built, RUNTIME, STACK))


@pytest.fixture(scope="module")
def bare(built: Path) -> Iterator[Stack]:
    with LocalAws(seconds_per_minute=1, without=NAMES) as aws:
        yield Stack(aws, aws.deploy(built, RUNTIME, STACK))


Probe = Callable[[Stack], Any]
PROBES: dict[str, tuple[Probe, Any]] = {}


def probe(name: str, right: Any) -> Callable[[Probe], Probe]:
    def add(look: Probe) -> Probe:
        PROBES[name] = look, right
        return look

    return add


def refused(call: Callable[[], Any]) -> int:
    """The HTTP status of the refusal; 0 if there is none."""
    try:
        call()
    except ClientError as error:
        return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
    return 0


def comes_true(look: Callable[[], Any], seconds: float = 5.0) -> bool:
    try:
        wait_for(look, seconds)
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("name", NAMES)
def test_the_addition_works(complete: Stack, name: str) -> None:
    look, right = PROBES[name]
    assert look(complete) == right


@pytest.mark.parametrize("name", NAMES)
def test_ministack_still_needs_the_addition(bare: Stack, name: str) -> None:
    look, right = PROBES[name]
    assert look(bare) != right, f"MiniStack does this by itself now: remove the addition {name}."


@probe("s3-event-details", {"version-id": True, "size": False, "deletion-type": "Delete Marker Created"})
def _(stack: Stack) -> Any:
    stack.put("policies/details.yaml")
    stack.client("s3").delete_object(Bucket=stack.outputs["Files"], Key="policies/details.yaml")
    wait_for(lambda: len(stack.events("policies/details.yaml")) == 2)
    created, deleted = sorted(stack.events("policies/details.yaml"), key=lambda each: each["object"]["sequencer"])
    return {
        "version-id": "version-id" in created["object"] and "version-id" in deleted["object"],
        "size": "size" in deleted["object"],
        "deletion-type": deleted["deletion-type"],
    }


@probe("s3-marker-events", right=True)
def _(stack: Stack) -> Any:
    stack.client("s3").delete_object(Bucket=stack.outputs["Files"], Key="policies/never.yaml")
    return comes_true(lambda: stack.events("policies/never.yaml"), seconds=2)


@probe("s3-hidden-keys", right=(403, 404))
def _(stack: Stack) -> Any:
    where = {"Bucket": _plain_bucket(stack, "hidden-keys"), "Key": "records/nothing"}
    role = _user(stack, "reader", [_allow("s3:GetObject")])
    return refused(lambda: role.get_object(**where)), refused(lambda: stack.client("s3").get_object(**where))


@probe("s3-conditional-copies", right=(412, 412, 404))
def _(stack: Stack) -> Any:
    stack.put("records/copied")
    bucket = stack.outputs["Files"]
    copy = {"Bucket": bucket, "CopySource": {"Bucket": bucket, "Key": "records/copied"}, "MetadataDirective": "REPLACE"}
    s3 = stack.client("s3")
    return (
        refused(lambda: s3.copy_object(**copy, Key="records/copied", IfMatch='"other"')),
        refused(lambda: s3.copy_object(**copy, Key="records/copied", IfNoneMatch="*")),
        refused(lambda: s3.copy_object(**copy, Key="records/not-there", IfMatch='"other"')),
    )


@probe("s3-conditional-reads", right=(0, 403))
def _(stack: Stack) -> Any:
    writer = _user(stack, "writer", [_allow("s3:PutObject")])
    where = {"Bucket": _plain_bucket(stack, "conditional-reads"), "Key": "records/written", "Body": b"x"}
    return refused(lambda: writer.put_object(**where)), refused(lambda: writer.put_object(**where, IfMatch='"other"'))


@probe("s3-tagged-writes", right=(0, 403))
def _(stack: Stack) -> Any:
    writer = _user(stack, "tagger", [_allow("s3:PutObject")])
    where = {"Bucket": _plain_bucket(stack, "tagged-writes"), "Key": "records/written", "Body": b"x"}
    return refused(lambda: writer.put_object(**where)), refused(
        lambda: writer.put_object(**where, Tagging="Keep=newest")
    )


@probe("clean-workers", right=("ModuleNotFoundError", True, True))
def _(stack: Stack) -> Any:
    invoke = stack.client("lambda").invoke
    imported = json.load(invoke(FunctionName=stack.outputs["Apply"], Payload=b'{"import": "botocore"}')["Payload"])
    answer = json.load(invoke(FunctionName=stack.outputs["Apply"], Payload=b"{}")["Payload"])
    environment = answer["environment"]
    own = environment.get("AWS_ENDPOINT_URL_SAGEMAKER") == stack.aws.plane.url
    return imported.get("errorType"), own, not environment.keys() & {"GATEWAY_PORT", "AUTH", "PYTHONPATH"}


@probe("shared-unpacking", right=True)
def _(stack: Stack) -> Any:
    answer = json.load(stack.client("lambda").invoke(FunctionName=stack.outputs["Apply"], Payload=b"{}")["Payload"])
    code = next(each for each in answer["path"] if each.endswith("/code"))
    return Path(code).is_symlink()


@probe("loopback-is-tls", right=0)
def _(stack: Stack) -> Any:
    stack.put("records/read")
    role = _user(stack, "tls", [_allow("s3:GetObject")])
    return refused(lambda: role.get_object(Bucket=stack.outputs["Files"], Key="records/read"))


@probe("condition-keys", right=(0, 403, 403, 404, 403))
def _(stack: Stack) -> Any:
    condition = {"StringEquals": {"cloudwatch:namespace": "Ours"}, "Bool": {"aws:ViaAWSService": "false"}}
    user = _user(stack, "metrics", [_allow("cloudwatch:PutMetricData", Condition=condition)], "cloudwatch")
    data = [{"MetricName": "runs", "Value": 1}]
    eks = _user(stack, "entries", [_allow("eks:*"), _deny_entries()], "eks")
    return (
        refused(lambda: user.put_metric_data(Namespace="Ours", MetricData=data)),
        refused(lambda: user.put_metric_data(Namespace="Theirs", MetricData=data)),
        refused(lambda: eks.create_access_entry(clusterName="c", principalArn=f"{ROLES}/stack-apply")),
        refused(lambda: eks.create_access_entry(clusterName="c", principalArn=f"{ROLES}/other")),
        refused(lambda: eks.describe_access_entry(clusterName="c", principalArn=f"{ROLES}/stack-apply")),
    )


ROLES = "arn:aws:iam::123456789012:role"


def _deny_entries() -> dict[str, Any]:
    condition = {"ArnLike": {"eks:principalArn": f"{ROLES}/stack-*"}}
    return {"Effect": "Deny", "Action": "eks:*", "Resource": "*", "Condition": condition}


@probe("resource-arns", right=(0, 0))
def _(stack: Stack) -> Any:
    prefix = "arn:aws:{}:us-west-2:123456789012"
    rule = {**_allow("events:DescribeRule"), "Resource": f"{prefix.format('events')}:rule/{stack.outputs['Rule']}"}
    group = f"{prefix.format('logs')}:log-group:/aws/lambda/{stack.outputs['Receive']}:*"
    logs = {**_allow("logs:FilterLogEvents"), "Resource": group}
    events_user, logs_user = _user(stack, "rules", [rule], "events"), _user(stack, "groups", [logs], "logs")
    return (
        refused(lambda: events_user.describe_rule(Name=stack.outputs["Rule"])),
        refused(lambda: logs_user.filter_log_events(logGroupName=f"/aws/lambda/{stack.outputs['Receive']}")),
    )


@probe("decisions", right={("s3:ListBucket", False, "")})
def _(stack: Stack) -> Any:
    user = _user(stack, "lister", [_allow("s3:ListBucket", Condition={"StringLike": {"s3:prefix": "policies/*"}})])
    refused(lambda: user.list_objects_v2(Bucket=stack.outputs["Files"], Prefix=""))
    made = [each for each in stack.aws.decisions() if each["principal"].endswith("user/lister")]
    return {(each["action"], each["allowed"], each["keys"]["s3:prefix"]) for each in made}


@probe("role-permissions", right=False)
def _(stack: Stack) -> Any:
    """A function whose role may not write logs writes none."""
    function = stack.aws.physical_id("CheckBuild", STACK)
    role = stack.aws.physical_id("CheckBuildRole", STACK)
    deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "logs:*", "Resource": "*"}]}
    stack.client("iam").put_role_policy(RoleName=role, PolicyName="no-logs", PolicyDocument=json.dumps(deny))
    before = stack.aws.logs(function)
    stack.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    stack.client("iam").delete_role_policy(RoleName=role, PolicyName="no-logs")
    return stack.aws.logs(function) != before


@probe("parallel-groups", right=True)
def _(stack: Stack) -> Any:
    marker = uuid.uuid4().hex
    began = time.monotonic()
    for _ in range(4):
        stack.order(sleep=1.5, mark=marker)
    wait_for(lambda: stack.said(f'"done": {{"sleep": 1.5, "mark": "{marker}"') == 4)
    return time.monotonic() - began < 4.5


@probe("no-backoff", right=True)
def _(stack: Stack) -> Any:
    bad, good = uuid.uuid4().hex, uuid.uuid4().hex
    stack.order(**{"raise": bad})
    wait_for(lambda: stack.said(f"KeyError: '{bad}'"))
    began = time.monotonic()
    stack.order(mark=good)
    wait_for(lambda: stack.said(f'"done": {{"mark": "{good}"'))
    return time.monotonic() - began < 0.7


@probe("event-targets", right=("RetriesExhausted", 3, ["THROTTLING"]))
def _(stack: Stack) -> Any:
    """A function that fails is tried three times, then its failure destination gets the event."""
    stack.put("policies/fail.yaml")
    found = comes_true(lambda: len(stack.events("policies/fail.yaml")) >= 3, seconds=6)
    failed = wait_for(lambda: stack.messages("Failed")) if found else []
    condition = json.loads(failed[0]["Body"])["requestContext"]["condition"] if failed else ""
    stack.aws.fault("events", "InvokeTarget", code="THROTTLING")
    stack.put("policies/undelivered.yaml")
    comes_true(lambda: stack.events("policies/undelivered.yaml"), seconds=1)
    codes = [each["MessageAttributes"]["ERROR_CODE"]["StringValue"] for each in stack.messages("Undelivered")]
    return condition, len(stack.events("policies/fail.yaml")), codes


@probe("embedded-metrics", right=3)
def _(stack: Stack) -> Any:
    directive = {"Namespace": "Sample", "Dimensions": [["verdict"]], "Metrics": [{"Name": "runs", "Unit": "Count"}]}
    line = {"_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]}, "verdict": "Held", "runs": [1, 2]}
    mark = uuid.uuid4().hex
    stack.order(emf=line, mark=mark)
    wait_for(lambda: stack.said(f'"mark": "{mark}"') >= 2)
    return stack.count("Sample", "runs", verdict="Held")


@probe("lambda-metrics", right=(2, 1))
def _(stack: Stack) -> Any:
    """Invocations by a queue count as well."""
    function, good, bad = stack.outputs["Apply"], uuid.uuid4().hex, uuid.uuid4().hex

    def counts() -> list[float]:
        return [stack.count("AWS/Lambda", name, FunctionName=function) for name in ("Invocations", "Errors")]

    before = counts()
    stack.order(mark=good)
    stack.order(**{"raise": bad})
    wait_for(lambda: stack.said(f'"done": {{"mark": "{good}"') and stack.said(f"KeyError: '{bad}'"))
    time.sleep(0.2)
    return tuple(after - each for after, each in zip(counts(), before, strict=True))


@probe("alarm-actions", right=[])
def _(stack: Stack) -> Any:
    """A topic under the key that AWS manages for SNS hears of no alarm."""
    topic = stack.client("sns").create_topic(Name="managed-key", Attributes={"KmsMasterKeyId": "alias/aws/sns"})
    queue_arn = f"arn:aws:sqs:{REGION}:123456789012:{stack.outputs['Notices'].rpartition('/')[2]}"
    stack.client("sns").subscribe(TopicArn=topic["TopicArn"], Protocol="sqs", Endpoint=queue_arn)
    stack.messages("Notices")
    _alarm(stack, "managed-key", topic["TopicArn"], Threshold=1000)
    stack.client("cloudwatch").set_alarm_state(AlarmName="managed-key", StateValue="ALARM", StateReason="a test")
    return [json.loads(each["Body"])["TopicArn"] for each in stack.messages("Notices")]


@probe("alarms", right=["ALARM", "OK"])
def _(stack: Stack) -> Any:
    """The alarm of the dead-letter queue goes off and comes back, without a metric being put by anybody."""
    stack.messages("Notices")
    stack.client("sqs").send_message(
        QueueUrl=stack.outputs["Dead"], MessageBody="x", MessageGroupId="x", MessageDeduplicationId=uuid.uuid4().hex
    )
    comes_true(lambda: _state(stack, stack.outputs["Alarm"]) == "ALARM")
    stack.client("sqs").purge_queue(QueueUrl=stack.outputs["Dead"])
    comes_true(lambda: _state(stack, stack.outputs["Alarm"]) == "OK")
    heard = [json.loads(json.loads(each["Body"])["Message"]) for each in stack.messages("Notices")]
    return [each["NewStateValue"] for each in heard if each["AlarmName"] == stack.outputs["Alarm"]]


@probe("full-buckets", right="DELETE_FAILED")
def _(stack: Stack) -> Any:
    client = stack.client("cloudformation")
    template = {"Resources": {"Full": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "full-bucket"}}}}
    client.create_stack(StackName="full", TemplateBody=json.dumps(template))
    wait_for(lambda: _status(stack, "full") == "CREATE_COMPLETE")
    stack.client("s3").put_object(Bucket="full-bucket", Key="x", Body=b"x")
    client.delete_stack(StackName="full")
    return wait_for(lambda: found if (found := _status(stack, "full")) in ("DELETE_FAILED", "gone") else None)


@probe("string-variables", right={"NUMBER": "7", "SWITCH": "true"})
def _(stack: Stack) -> Any:
    variables = {"NUMBER": {"Ref": "Number"}, "SWITCH": True}
    function = {
        "Runtime": RUNTIME["Runtime"],
        "Handler": "index.handler",
        "Role": "arn:aws:iam::123456789012:role/none",
        "Code": {"ZipFile": "def handler(event, context):\n    return 1\n"},
        "Environment": {"Variables": variables},
    }
    template = {
        "Parameters": {"Number": {"Type": "Number", "Default": 7}},
        "Resources": {"Function": {"Type": "AWS::Lambda::Function", "Properties": function}},
    }
    stack.client("cloudformation").create_stack(StackName="strings", TemplateBody=json.dumps(template))
    wait_for(lambda: _status(stack, "strings") == "CREATE_COMPLETE")
    name = stack.aws.physical_id("Function", "strings")
    return stack.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]


@probe("boundaries", right="arn:aws:iam::aws:policy/ReadOnlyAccess")
def _(stack: Stack) -> Any:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess",
    }
    template = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}}}
    stack.client("cloudformation").create_stack(
        StackName="bounded", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"]
    )
    wait_for(lambda: _status(stack, "bounded") == "CREATE_COMPLETE")
    found = stack.client("iam").get_role(RoleName=stack.aws.physical_id("Role", "bounded"))["Role"]
    return found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")


def _status(stack: Stack, name: str) -> str:
    client = stack.client("cloudformation")
    try:
        found: str = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except client.exceptions.ClientError:
        return "gone"
    return found


@probe("async-queue", right=True)
def _(stack: Stack) -> Any:
    """Bursts of events are worked off by a few workers: one burst after the other, until there are more."""
    function = stack.outputs["Receive"]
    for burst in range(5):
        keys = [f"policies/burst-{burst}-{number}.yaml" for number in range(20)]
        with ThreadPoolExecutor(len(keys)) as people:
            list(people.map(stack.put, keys))
        wait_for(lambda: all(map(stack.events, keys)))  # noqa: B023 - called before the next round
        if len(stack.aws.workers(function)) > 3:
            return False
    return True


@probe("encryption", right=(400, 400, 403))
def _(stack: Stack) -> Any:
    """Allowed to publish, send and read, but not to use the key that lies on it."""
    key = stack.client("kms").create_key()["KeyMetadata"]["KeyId"]
    topic = stack.client("sns").create_topic(Name="own-key", Attributes={"KmsMasterKeyId": key})["TopicArn"]
    queue = stack.client("sqs").create_queue(QueueName="own-key", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    bucket = _plain_bucket(stack, "own-key")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    stack.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    allowed = [_allow("sns:Publish"), _allow("sqs:SendMessage"), _allow("s3:PutObject")]
    sns, sqs, s3 = (_user(stack, f"keyless-{service}", allowed, service) for service in ("sns", "sqs", "s3"))
    return (
        refused(lambda: sns.publish(TopicArn=topic, Message="x")),
        refused(lambda: sqs.send_message(QueueUrl=queue, MessageBody="x")),
        refused(lambda: s3.put_object(Bucket=bucket, Key="x", Body=b"x")),
    )


@probe("event-faults", right=(0, 2))
def _(stack: Stack) -> Any:
    lost, twice = "policies/lost.yaml", "policies/twice.yaml"
    stack.aws.fault("events", "Deliver", "drop", resource=lost)
    stack.aws.fault("events", "Deliver", "duplicate", resource=twice)
    stack.put(lost)
    stack.put(twice)
    comes_true(lambda: len(stack.events(twice)) == 2, seconds=3)
    stack.aws.clear_faults()
    return len(stack.events(lost)), len(stack.events(twice))


@probe("worker-faults", right=(1, 0))
def _(stack: Stack) -> Any:
    mark = uuid.uuid4().hex
    function = stack.outputs["Apply"]
    stack.aws.fault("lambda", "Invoke", "kill_worker", function=function, delay=0.5)
    stack.order(sleep=2, mark=mark)
    wait_for(lambda: stack.said(f'"mark": "{mark}"'))
    time.sleep(2)
    stack.aws.clear_faults()
    return stack.said(f'"mark": "{mark}"'), stack.said(f'"done": {{"sleep": 2, "mark": "{mark}"')


@probe("service-faults", right=(503, 409, 0))
def _(stack: Stack) -> Any:
    where = {"Bucket": stack.outputs["Files"], "Key": "records/faults", "Body": b"x"}
    stack.aws.fault("s3", "PutObject", code="SlowDown", status=503, resource="records/faults")
    stack.aws.fault("s3", "PutObject", code="ConditionalRequestConflict", status=409, when="after")
    s3 = stack.client("s3")
    answers = tuple(refused(lambda: s3.put_object(**where)) for _ in range(3))
    stack.aws.clear_faults()
    return answers


def _plain_bucket(stack: Stack, name: str) -> str:
    """A bucket whose policy does not ask for TLS."""
    location = {"LocationConstraint": REGION}
    stack.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=location)
    return name


def _user(stack: Stack, name: str, statements: list[dict[str, Any]], service: str = "s3") -> Any:
    """A client of an IAM user that may do no more than these statements say."""
    iam = stack.client("iam")
    iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client(
        service,
        endpoint_url=stack.aws.url,
        region_name=REGION,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def _allow(action: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*", **more}


def _alarm(stack: Stack, name: str, topic: str, **settings: Any) -> None:
    stack.client("cloudwatch").put_metric_alarm(
        **{
            "AlarmName": name,
            "Namespace": "Sample",
            "MetricName": name,
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "ignore",
            "AlarmActions": [topic],
            **settings,
        }
    )


def _state(stack: Stack, alarm: str) -> str:
    state: str = stack.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["StateValue"]
    return state
