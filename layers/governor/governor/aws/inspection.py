"""Looking at the parts of a deployment. Reads only; each method says which permission it lacks."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from governor.aws.clients import Clients
from governor.aws.failures import mapped
from governor.errors import AccessError, NotFoundError

METRICS = "HyperPodGovernor"
"""The namespace of the metrics about verdicts."""
_ALARMS_AT_ONCE = 100
"""The most names that one DescribeAlarms call takes."""
_MISSING = frozenset(
    {
        "404",
        "NoSuchBucket",
        "NotFound",
        "NotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "AWS.SimpleQueueService.NonExistentQueue",
    }
)


class NotAllowedError(AccessError):
    """The caller may not look; ``action`` is the permission that it takes."""

    def __init__(self, action: str, message: str) -> None:
        super().__init__(message)
        self.action = action


@contextlib.contextmanager
def looking(action: str, at: str, *absent: str) -> Iterator[None]:
    """Errors of a look that takes the permission ``action``; ``absent`` are more codes of something that is not."""
    try:
        with mapped(f"{action} {at}".strip()):
            try:
                yield
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code", "")
                if code in _MISSING or code in absent:
                    raise NotFoundError(f"{at} does not exist") from error
                raise
    except NotAllowedError:
        raise
    except AccessError as error:
        raise NotAllowedError(action, str(error)) from error


class Rule(msgspec.Struct, frozen=True):
    """A rule of EventBridge. ``targets`` are pairs of the target's ARN and that of its dead-letter queue ("")."""

    name: str
    enabled: bool
    targets: tuple[tuple[str, str], ...] = ()


class QueueFacts(msgspec.Struct, frozen=True):
    """A queue; ``redrive`` is the ARN of its dead-letter queue, "" without. Seconds."""

    arn: str
    waiting: int
    at_work: int
    visibility: int
    redrive: str = ""


class Function(msgspec.Struct, frozen=True):
    """A function. ``modified`` as Lambda writes it; ``timeout`` in seconds."""

    name: str
    arn: str
    state: str
    update: str
    reason: str
    runtime: str
    architecture: str
    timeout: int
    modified: str
    log_group: str


class Source(msgspec.Struct, frozen=True):
    """An event source mapping."""

    queue: str
    state: str
    batch: int
    reports: bool
    uuid: str = ""


class Alarm(msgspec.Struct, frozen=True):
    """An alarm. ``about_policies``: it rings for a verdict or an add-on, not for a part of the deployment;
    ``about_silence``: it rings while a function is not invoked."""

    name: str
    state: str
    description: str
    reason: str
    tells: bool
    about_policies: bool = False
    about_silence: bool = False


class Inspection:
    """The parts of a deployment by their names."""

    def __init__(self, clients: Clients) -> None:
        self._clients, self._aws = clients, clients.aws

    def keeps_versions(self, bucket: str) -> bool:
        """True when the bucket is versioned."""
        with looking("s3:GetBucketVersioning", f"bucket {bucket}"):
            return self._aws.s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled"

    def sends_events(self, bucket: str) -> bool:
        """True when the bucket tells EventBridge of uploads and deletions."""
        with looking("s3:GetBucketNotification", f"bucket {bucket}"):
            answer = self._aws.s3.get_bucket_notification_configuration(Bucket=bucket)
        return "EventBridgeConfiguration" in answer

    def is_private(self, bucket: str) -> bool:
        """True when all four ways of making the bucket public are blocked."""
        try:
            with looking("s3:GetBucketPublicAccessBlock", f"bucket {bucket}", "NoSuchPublicAccessBlockConfiguration"):
                blocked = self._aws.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        except NotFoundError:
            return False
        return all(
            (
                blocked.get("BlockPublicAcls"),
                blocked.get("BlockPublicPolicy"),
                blocked.get("IgnorePublicAcls"),
                blocked.get("RestrictPublicBuckets"),
            )
        )

    def encryption(self, bucket: str) -> str:
        """The algorithm that new objects are encrypted with; "" without."""
        try:
            with looking(
                "s3:GetEncryptionConfiguration", f"bucket {bucket}", "ServerSideEncryptionConfigurationNotFoundError"
            ):
                found = self._aws.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        except NotFoundError:
            return ""
        algorithms = (rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm") for rule in found["Rules"])
        return next((name for name in algorithms if name), "")

    def expires(self, bucket: str) -> bool:
        """True when old versions of all objects end one day; a rule about some of them is not enough."""
        try:
            with looking("s3:GetLifecycleConfiguration", f"bucket {bucket}", "NoSuchLifecycleConfiguration"):
                rules = self._aws.s3.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules", [])
        except NotFoundError:
            return False
        return any(
            rule["Status"] == "Enabled" and "NoncurrentVersionExpiration" in rule and not _narrows(rule)
            for rule in rules
        )

    def rule(self, name: str) -> Rule:
        """A rule of the default bus, with its targets."""
        with looking("events:DescribeRule", f"rule {name}"):
            answer = self._aws.events.describe_rule(Name=name)
        with looking("events:ListTargetsByRule", f"rule {name}"):
            targets = self._aws.events.list_targets_by_rule(Rule=name)["Targets"]
        found = tuple((target["Arn"], target.get("DeadLetterConfig", {}).get("Arn", "")) for target in targets)
        return Rule(name, answer.get("State") == "ENABLED", found)

    def queue(self, url: str) -> QueueFacts:
        """A queue by its URL."""
        name = url.rpartition("/")[2]
        with looking("sqs:GetQueueAttributes", f"queue {name}", "QueueDoesNotExist"):
            answer: Any = self._aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        found: dict[str, str] = answer.get("Attributes", {})
        redrive = msgspec.json.decode(found.get("RedrivePolicy") or "{}", type=dict[str, Any])
        return QueueFacts(
            arn=found.get("QueueArn", ""),
            waiting=int(found.get("ApproximateNumberOfMessages", 0)),
            at_work=int(found.get("ApproximateNumberOfMessagesNotVisible", 0)),
            visibility=int(found.get("VisibilityTimeout", 0)),
            redrive=redrive.get("deadLetterTargetArn", ""),
        )

    def function(self, name: str) -> Function:
        """A function by its name."""
        with looking("lambda:GetFunctionConfiguration", f"function {name}"):
            answer = self._clients.functions.get_function_configuration(FunctionName=name)
        return Function(
            name=answer.get("FunctionName", name),
            arn=answer.get("FunctionArn", ""),
            state=answer.get("State", ""),
            update=answer.get("LastUpdateStatus", ""),
            reason=answer.get("StateReason", "") or answer.get("LastUpdateStatusReason", ""),
            runtime=answer.get("Runtime", ""),
            architecture=", ".join(answer.get("Architectures", [])),
            timeout=answer.get("Timeout", 0),
            modified=answer.get("LastModified", ""),
            log_group=answer.get("LoggingConfig", {}).get("LogGroup", "") or f"/aws/lambda/{name}",
        )

    def reserved(self, name: str) -> int | None:
        """The concurrency reserved for a function; None where none is, 0 where it may not run at all."""
        with looking("lambda:GetFunctionConcurrency", f"function {name}"):
            answer = self._clients.functions.get_function_concurrency(FunctionName=name)
        return answer.get("ReservedConcurrentExecutions")

    def sources(self, name: str) -> tuple[Source, ...]:
        """What a function is fed by."""
        with looking("lambda:ListEventSourceMappings", f"function {name}"):
            found = self._clients.functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        return tuple(
            Source(
                item.get("EventSourceArn", ""),
                item.get("State", ""),
                item.get("BatchSize", 0),
                "ReportBatchItemFailures" in item.get("FunctionResponseTypes", []),
                item.get("UUID", ""),
            )
            for item in found
        )

    def on_failure(self, name: str) -> str:
        """The ARN that events are sent to when the function has failed for good; "" without."""
        try:
            with looking("lambda:GetFunctionEventInvokeConfig", f"function {name}"):
                answer = self._clients.functions.get_function_event_invoke_config(
                    FunctionName=name, Qualifier="$LATEST"
                )
        except NotFoundError:
            return ""
        return answer.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")

    def retention(self, group: str) -> int | None:
        """Days that a log group keeps its events; None is for ever."""
        with looking("logs:DescribeLogGroups", f"log group {group}"):
            found = self._clients.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        for item in found:
            if item["logGroupName"] == group:
                days: int | None = item.get("retentionInDays")
                return days
        raise NotFoundError(f"log group {group} does not exist")

    def logged(self, group: str, term: str, since: float) -> tuple[str, ...]:
        """Messages with a word in them since a time (seconds since 1970), as many as one page has."""
        with looking("logs:FilterLogEvents", f"log group {group}"):
            pages = self._clients.logs.get_paginator("filter_log_events").paginate(
                logGroupName=group,
                filterPattern=f'"{term}"',
                startTime=int(since * 1000),
                PaginationConfig={"MaxItems": 50},
            )
            return tuple(event.get("message", "") for page in pages for event in page.get("events", ()))

    def alarms(self, names: Iterable[str]) -> tuple[Alarm, ...]:
        """Those of the alarms that exist."""
        wanted, found = list(names), list[Alarm]()
        for start in range(0, len(wanted), _ALARMS_AT_ONCE):
            batch = wanted[start : start + _ALARMS_AT_ONCE]
            with looking("cloudwatch:DescribeAlarms", ""):
                answer = self._clients.cloudwatch.describe_alarms(AlarmNames=batch, MaxRecords=len(batch))
            found += [
                Alarm(
                    item["AlarmName"],
                    item.get("StateValue", ""),
                    item.get("AlarmDescription", ""),
                    item.get("StateReason", ""),
                    bool(item.get("ActionsEnabled", True) and item.get("AlarmActions")),
                    item.get("Namespace") == METRICS,
                    item.get("MetricName") == "Invocations",
                )
                for item in answer.get("MetricAlarms", ())
            ]
        return tuple(found)

    def subscriptions(self, topic: str) -> tuple[int, int]:
        """How many listen to a topic, and how many have not confirmed yet."""
        confirmed = pending = 0
        with looking("sns:ListSubscriptionsByTopic", f"topic {topic.rpartition(':')[2]}"):
            for page in self._aws.sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
                for item in page.get("Subscriptions", ()):
                    if item.get("SubscriptionArn", "").startswith("arn:"):
                        confirmed += 1
                    else:
                        pending += 1
        return confirmed, pending


def _narrows(rule: Mapping[str, Any]) -> bool:
    """Whether a rule is about some objects only, by prefix, tag or size."""
    return bool(rule.get("Prefix")) or any(rule.get("Filter", {}).values())
