"""Each call takes the action on the resource that AWS's service authorization reference says, and nothing else.

A user allowed exactly that is answered; a user allowed the action on something else, or all actions but that one, is
refused.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.aws.launcher import LocalAws
from local.aws.runner.settings import ACCOUNT, REGION

BUCKET = "permissions"
FILE = {"Bucket": BUCKET, "Key": "policies/team.yaml"}
REFUSED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "403"}


@dataclass(frozen=True, slots=True)
class Place:
    """Names of what there is, for a call to be about."""

    version: str
    queue: str
    receipt: str
    topic: str


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


Call = Callable[[Any, Place], Any]

CALLS: Mapping[str, tuple[str, str, Call]] = {
    "s3:GetObject": ("s3", f"arn:aws:s3:::{BUCKET}/policies/*", lambda s3, _: s3.get_object(**FILE)),
    "s3:GetObject HEAD": ("s3", f"arn:aws:s3:::{BUCKET}/policies/*", lambda s3, _: s3.head_object(**FILE)),
    "s3:GetObjectVersion": (
        "s3",
        f"arn:aws:s3:::{BUCKET}/policies/*",
        lambda s3, at: s3.get_object(**FILE, VersionId=at.version),
    ),
    "s3:PutObject": ("s3", f"arn:aws:s3:::{BUCKET}/policies/*", lambda s3, _: s3.put_object(**FILE, Body=b"x")),
    "s3:DeleteObject": (
        "s3",
        f"arn:aws:s3:::{BUCKET}/other",
        lambda s3, _: s3.delete_object(Bucket=BUCKET, Key="other"),
    ),
    "s3:ListBucket": ("s3", f"arn:aws:s3:::{BUCKET}", lambda s3, _: s3.list_objects_v2(Bucket=BUCKET)),
    "s3:ListBucketVersions": ("s3", f"arn:aws:s3:::{BUCKET}", lambda s3, _: s3.list_object_versions(Bucket=BUCKET)),
    "s3:GetBucketVersioning": ("s3", f"arn:aws:s3:::{BUCKET}", lambda s3, _: s3.get_bucket_versioning(Bucket=BUCKET)),
    "s3:GetBucketNotification": (
        "s3",
        f"arn:aws:s3:::{BUCKET}",
        lambda s3, _: s3.get_bucket_notification_configuration(Bucket=BUCKET),
    ),
    "sqs:SendMessage": (
        "sqs",
        arn("sqs", "permissions"),
        lambda sqs, at: sqs.send_message(QueueUrl=at.queue, MessageBody="x"),
    ),
    "sqs:ChangeMessageVisibility": (
        "sqs",
        arn("sqs", "permissions"),
        lambda sqs, at: sqs.change_message_visibility(
            QueueUrl=at.queue, ReceiptHandle=at.receipt, VisibilityTimeout=30
        ),
    ),
    "sqs:GetQueueAttributes": (
        "sqs",
        arn("sqs", "permissions"),
        lambda sqs, at: sqs.get_queue_attributes(QueueUrl=at.queue, AttributeNames=["All"]),
    ),
    "sqs:ReceiveMessage": (
        "sqs",
        arn("sqs", "permissions"),
        lambda sqs, at: sqs.receive_message(QueueUrl=at.queue, VisibilityTimeout=0),
    ),
    "sns:Publish": (
        "sns",
        arn("sns", "permissions"),
        lambda sns, at: sns.publish(TopicArn=at.topic, Message="x"),
    ),
    "events:PutEvents": (
        "events",
        arn("events", "event-bus/default"),
        lambda events, _: events.put_events(Entries=[{"Source": "ours", "DetailType": "Verdict", "Detail": "{}"}]),
    ),
    "events:DescribeRule": (
        "events",
        arn("events", "rule/permissions"),
        lambda events, _: events.describe_rule(Name="permissions"),
    ),
    "logs:CreateLogStream": (
        "logs",
        arn("logs", "log-group:permissions:log-stream:new"),
        lambda logs, _: logs.create_log_stream(logGroupName="permissions", logStreamName="new"),
    ),
    "logs:PutLogEvents": (
        "logs",
        arn("logs", "log-group:permissions:log-stream:*"),
        lambda logs, _: logs.put_log_events(
            logGroupName="permissions", logStreamName="there", logEvents=[{"timestamp": 1, "message": "x"}]
        ),
    ),
    "cloudwatch:PutMetricData": (
        "cloudwatch",
        "*",
        lambda cloudwatch, _: cloudwatch.put_metric_data(Namespace="N", MetricData=[{"MetricName": "m", "Value": 1}]),
    ),
    "cloudwatch:DescribeAlarms": ("cloudwatch", "*", lambda cloudwatch, _: cloudwatch.describe_alarms()),
    "cloudformation:DescribeStacks": (
        "cloudformation",
        "*",
        lambda cloudformation, _: cloudformation.describe_stacks(),
    ),
    "lambda:ListFunctions": ("lambda", "*", lambda client, _: client.list_functions()),
}


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.fixture(scope="module")
def place(aws: LocalAws) -> Place:
    s3, sqs = aws.client("s3"), aws.client("sqs")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    queue = sqs.create_queue(QueueName="permissions")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    receipt = sqs.receive_message(QueueUrl=queue)["Messages"][0]["ReceiptHandle"]
    aws.client("events").put_rule(Name="permissions", ScheduleExpression="rate(1 day)")
    aws.client("logs").create_log_group(logGroupName="permissions")
    aws.client("logs").create_log_stream(logGroupName="permissions", logStreamName="there")
    topic = aws.client("sns").create_topic(Name="permissions")["TopicArn"]
    return Place(s3.put_object(**FILE, Body=b"x")["VersionId"], queue, receipt, topic)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_takes_its_action_on_its_resource(aws: LocalAws, place: Place, name: str) -> None:
    service, resource, call = CALLS[name]
    action = name.partition(" ")[0]
    call(user(aws, service, {"Action": action, "Resource": resource}), place)
    elsewhere = "arn:aws:s3:::elsewhere" if service == "s3" else arn(action.partition(":")[0], "elsewhere")
    for statement in ({"Action": action, "Resource": elsewhere}, {"NotAction": action, "Resource": "*"}):
        with pytest.raises(ClientError) as refusal:
            call(user(aws, service, statement), place)
        assert refusal.value.response["Error"]["Code"] in REFUSED


def test_a_listing_can_be_limited_to_a_prefix(aws: LocalAws, place: Place) -> None:
    condition = {"StringLike": {"s3:prefix": ["policies/*"]}}
    client = user(
        aws, "s3", {"Action": ["s3:ListBucket", "s3:ListBucketVersions"], "Resource": "*", "Condition": condition}
    )
    client.list_objects_v2(Bucket=BUCKET, Prefix="policies/")
    client.list_object_versions(Bucket=BUCKET, Prefix="policies/")
    for refused in ({}, {"Prefix": "records/"}):
        with pytest.raises(ClientError):
            client.list_objects_v2(Bucket=BUCKET, **refused)


def user(aws: LocalAws, service: str, statement: Mapping[str, Any]) -> Any:
    """A client of a new user with this one statement."""
    iam = aws.client("iam")
    name = f"user-{len(iam.list_users(MaxItems=1000)['Users'])}"
    iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
    iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client(
        service,
        endpoint_url=aws.url,
        region_name=REGION,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
