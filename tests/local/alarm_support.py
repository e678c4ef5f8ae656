"""An alarm over several series, its data, and a listener to what it tells."""

import json
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.aws.launcher import LocalAws
from local.aws.runner.settings import ACCOUNT, REGION

NAMESPACE = "HyperPod/TaskGovernance"
MINUTE = 1.0
"""Of the alarms' clock, in real seconds."""
OF_ALARM = "CloudWatch Alarm State Change"
OF_CONTRIBUTOR = "CloudWatch Alarm Contributor State Change"


@dataclass
class Ears:
    """A queue behind a rule and another behind a topic, and all that came to them about an alarm so far."""

    aws: LocalAws
    alarm: str
    topic: str
    queues: tuple[str, str]
    events: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)

    def listen(self) -> None:
        by_rule, by_topic = self.queues
        self.events += _bodies(self.aws, by_rule)
        self.messages += [json.loads(each["Message"]) for each in _bodies(self.aws, by_topic)]

    def heard(self) -> Counter[tuple[str, str]]:
        """What EventBridge told: the team ("" for the alarm), and its new state."""
        self.listen()
        of_nobody = {"attributes": {"team": ""}}
        return Counter(
            (each["detail"].get("alarmContributor", of_nobody)["attributes"]["team"], state_in(each))
            for each in self.events
        )

    def noticed(self) -> Counter[tuple[str, str]]:
        """The same of the topic."""
        self.listen()
        return Counter(
            (each.get("AlarmContributorAttributes", {"team": ""})["team"], each["NewStateValue"])
            for each in self.messages
        )


def ears_for_a_new_alarm(aws: LocalAws) -> Ears:
    """No alarm of this name is there yet."""
    name = uuid.uuid4().hex
    topic_policy = _policy("cloudwatch.amazonaws.com", "sns:Publish")
    topic = aws.client("sns").create_topic(Name=name, Attributes={"Policy": topic_policy})["TopicArn"]
    by_rule, by_topic = (_queue(aws, f"{name}-{kind}") for kind in ("rule", "topic"))
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("sqs", by_topic.rpartition("/")[2]))
    pattern = {
        "source": ["aws.cloudwatch"],
        "detail-type": [OF_ALARM, OF_CONTRIBUTOR],
        "resources": [arn("cloudwatch", f"alarm:{name}")],
    }
    aws.client("events").put_rule(Name=name, EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": arn("sqs", by_rule.rpartition("/")[2])}
    aws.client("events").put_targets(Rule=name, Targets=[target])
    return Ears(aws, name, topic, (by_rule, by_topic))


def teams(metric: str, service: str = "governor") -> str:
    return (
        f'SELECT MAX("{metric}") FROM SCHEMA("{NAMESPACE}", "cluster", service, team) '
        f"WHERE service = '{service}' GROUP BY \"cluster\", team ORDER BY MAX() DESC"
    ).replace('"OverBorrowing"', "OverBorrowing")


def query(expression: str) -> dict[str, Any]:
    return {"Id": "teams", "Expression": expression, "Period": 60}


def make(aws: LocalAws, name: str, **settings: Any) -> None:
    """An alarm on the metric of its own name, which stays in ALARM for a minute."""
    aws.client("cloudwatch").put_metric_alarm(
        **{
            "AlarmName": name,
            "Metrics": [query(teams(name))],
            "EvaluationPeriods": 60,
            "DatapointsToAlarm": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            **settings,
        }
    )


def put(aws: LocalAws, metric: str, newest_first: Sequence[float], **dimensions: str) -> None:
    """One value in the middle of each period of the alarms' clock."""
    now = time.time()
    named = {"cluster": "c", "service": "governor", **dimensions}
    data = [
        {
            "MetricName": metric,
            "Value": value,
            "Timestamp": now - (number + 0.5) * MINUTE,
            "Dimensions": [{"Name": key, "Value": each} for key, each in named.items()],
        }
        for number, value in enumerate(newest_first)
    ]
    aws.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)


def described(aws: LocalAws, name: str) -> dict[str, Any]:
    (alarm,) = aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(alarm)


def contributors(aws: LocalAws, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.client("cloudwatch").describe_alarm_contributors(AlarmName=name)[
        "AlarmContributors"
    ]
    return found


def state_in(event: Mapping[str, Any]) -> str:
    state: str = event["detail"]["state"]["value"]
    return state


def _queue(aws: LocalAws, name: str) -> str:
    policy = _policy(["events.amazonaws.com", "sns.amazonaws.com"], "sqs:SendMessage")
    url: str = aws.client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
    return url


def _policy(service: str | list[str], action: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _bodies(aws: LocalAws, queue: str) -> list[dict[str, Any]]:
    """Takes what is in the queue."""
    client, bodies = aws.client("sqs"), []
    while messages := client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            bodies.append(json.loads(message["Body"]))
    return bodies
