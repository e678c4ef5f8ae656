"""MiniStack still needs the additions about alarms on queries and the events of alarms (see test_aws_additions.py).

That they work is what test_aws_alarm_contributors.py shows.
"""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from local.aws.launcher import LocalAws, wait_for

PLEASE_REMOVE = "MiniStack does this by itself now: remove the addition {}."
QUERY = 'SELECT MAX(m) FROM SCHEMA("n", team) GROUP BY team ORDER BY MAX() DESC'


@pytest.fixture(scope="module")
def bare() -> Iterator[LocalAws]:
    with LocalAws(without=["alarm-queries", "alarm-contributors", "alarm-events"]) as aws:
        aws.client("cloudwatch").put_metric_alarm(
            AlarmName="bare",
            Metrics=[{"Id": "teams", "Expression": QUERY, "Period": 60}],
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        yield aws


def test_ministack_drops_the_query_of_an_alarm(bare: LocalAws) -> None:
    (alarm,) = bare.client("cloudwatch").describe_alarms(AlarmNames=["bare"])["MetricAlarms"]
    assert "Metrics" not in alarm, PLEASE_REMOVE.format("alarm-queries")


def test_ministack_describes_no_contributors(bare: LocalAws) -> None:
    with pytest.raises(ClientError, match="InvalidAction"):
        bare.client("cloudwatch").describe_alarm_contributors(AlarmName="bare")


def test_ministack_sends_no_events_about_alarms(bare: LocalAws) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs, events = bare.client("sqs"), bare.client("events")
    url = sqs.create_queue(QueueName="heard", Attributes={"Policy": policy})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="alarms", EventPattern=json.dumps({"detail-type": [{"prefix": "CloudWatch Alarm"}]}))
    events.put_targets(Rule="alarms", Targets=[{"Id": "queue", "Arn": arn}])
    bare.client("cloudwatch").set_alarm_state(AlarmName="bare", StateValue="ALARM", StateReason="a test")
    try:
        wait_for(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), seconds=0.3)
    except TimeoutError:
        return
    pytest.fail(PLEASE_REMOVE.format("alarm-events"))
