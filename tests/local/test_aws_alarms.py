"""Alarms on one metric decide as CloudWatch documents, from data with timestamps that the test chooses."""

import time
import uuid
from collections.abc import Iterator, Sequence

import pytest

from local.aws.launcher import LocalAws

PERIOD = 60


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.mark.parametrize(
    ("newest_first", "needed", "missing", "state"),
    [
        ([5, 0, 5], 2, "missing", "ALARM"),
        ([5, 0, 0], 2, "missing", "OK"),
        ([5, 5, 0], 3, "missing", "OK"),
        ([5, None, 5], 2, "missing", "ALARM"),
        ([5, None, None], 2, "notBreaching", "OK"),
        ([5, None, None], 2, "breaching", "ALARM"),
        ([None, None, None], 1, "missing", "INSUFFICIENT_DATA"),
        ([None, None, None], 1, "notBreaching", "OK"),
        ([None, None, None], 1, "breaching", "ALARM"),
        ([None, None, None], 1, "ignore", "INSUFFICIENT_DATA"),
        ([0, None, None], 1, "ignore", "OK"),
    ],
)
def test_datapoints_to_alarm_and_missing_data(
    aws: LocalAws, newest_first: Sequence[float | None], needed: int, missing: str, state: str
) -> None:
    name = uuid.uuid4().hex
    put(aws, name, newest_first)
    assert evaluated(aws, name, DatapointsToAlarm=needed, TreatMissingData=missing) == state


@pytest.mark.parametrize(("statistic", "state"), [("Sum", "ALARM"), ("Average", "OK"), ("Maximum", "OK")])
def test_statistics(aws: LocalAws, statistic: str, state: str) -> None:
    name = uuid.uuid4().hex
    put(aws, name, [2])
    put(aws, name, [2])
    assert evaluated(aws, name, Statistic=statistic, EvaluationPeriods=1) == state


def test_another_dimension_is_another_metric(aws: LocalAws) -> None:
    name = uuid.uuid4().hex
    put(aws, name, [9], team="vision")
    watched = [{"Name": "team", "Value": "speech"}]
    assert evaluated(aws, name, Dimensions=watched, EvaluationPeriods=1) == "INSUFFICIENT_DATA"
    put(aws, name, [9], team="speech")
    aws.evaluate_alarms()
    assert state_of(aws, name) == "ALARM"


def put(aws: LocalAws, name: str, newest_first: Sequence[float | None], **dimensions: str) -> None:
    """One value in the middle of each period, None for a period without one."""
    now = time.time()
    data = [
        {
            "MetricName": name,
            "Value": value,
            "Timestamp": now - (number + 0.5) * PERIOD,
            "Dimensions": [{"Name": key, "Value": each} for key, each in dimensions.items()],
        }
        for number, value in enumerate(newest_first)
        if value is not None
    ]
    if data:
        aws.client("cloudwatch").put_metric_data(Namespace="Sample", MetricData=data)


def evaluated(aws: LocalAws, name: str, **settings: object) -> str:
    aws.client("cloudwatch").put_metric_alarm(
        **{
            "AlarmName": name,
            "Namespace": "Sample",
            "MetricName": name,
            "Statistic": "Sum",
            "Period": PERIOD,
            "EvaluationPeriods": 3,
            "Threshold": 3,
            "ComparisonOperator": "GreaterThanThreshold",
            **settings,
        }
    )
    aws.evaluate_alarms()
    return state_of(aws, name)


def state_of(aws: LocalAws, name: str) -> str:
    state: str = aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]
    return state
