"""Alarms over several series, through the local CloudWatch: evaluated, and told of, each change once."""

import re
import time
import uuid
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from local.aws.launcher import LocalAws, wait_for
from local.aws.runner.settings import ACCOUNT, REGION
from tests.local.alarm_support import (
    MINUTE,
    OF_ALARM,
    OF_CONTRIBUTOR,
    Ears,
    arn,
    contributors,
    described,
    ears_for_a_new_alarm,
    make,
    put,
    query,
    state_in,
    teams,
)


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws(seconds_per_minute=MINUTE) as aws:
        yield aws


@pytest.fixture
def ears(aws: LocalAws) -> Ears:
    return ears_for_a_new_alarm(aws)


def test_each_team_is_told_of_once_on_the_bus_and_on_the_topic(aws: LocalAws, ears: Ears) -> None:
    put(aws, ears.alarm, [1, 1, 1], team="a")
    put(aws, ears.alarm, [1, 1, 0], team="b")
    make(aws, ears.alarm, EvaluationPeriods=5, DatapointsToAlarm=3, AlarmActions=[ears.topic], OKActions=[ears.topic])
    wait_for(lambda: ears.heard()["a", "ALARM"])
    assert [each["ContributorAttributes"] for each in contributors(aws, ears.alarm)] == [{"cluster": "c", "team": "a"}]

    put(aws, ears.alarm, [2, 1, 3], team="joins")
    wait_for(lambda: ears.heard()["joins", "ALARM"])
    wait_for(lambda: ears.heard()["", "OK"])

    expected = {
        **{(team, state): 1 for team in ("a", "joins") for state in ("ALARM", "OK")},
        ("", "ALARM"): 1,
        ("", "OK"): 1,
    }
    wait_for(lambda: ears.noticed()["", "OK"])
    assert ears.heard() == expected
    assert ears.noticed() == expected
    assert (described(aws, ears.alarm)["StateValue"], contributors(aws, ears.alarm)) == ("OK", [])


def test_what_the_events_say(aws: LocalAws, ears: Ears) -> None:
    put(aws, ears.alarm, [7], team="a")
    make(aws, ears.alarm, AlarmDescription="who borrows")
    wait_for(lambda: ears.heard()["", "ALARM"])
    of_alarm = next(each for each in ears.events if state_in(each) == "ALARM" and each["detail-type"] == OF_ALARM)
    of_team = next(each for each in ears.events if state_in(each) == "ALARM" and each["detail-type"] == OF_CONTRIBUTOR)

    metrics = [{"id": "teams", "expression": teams(ears.alarm), "returnData": True, "period": 60}]
    for event in (of_alarm, of_team):
        assert event["source"] == "aws.cloudwatch"
        assert event["resources"] == [arn("cloudwatch", f"alarm:{ears.alarm}")]
        assert (event["account"], event["region"]) == (ACCOUNT, REGION)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"])
        assert event["detail"]["alarmName"] == ears.alarm
        assert event["detail"]["configuration"] == {"metrics": metrics, "description": "who borrows"}
        timestamp = event["detail"]["state"]["timestamp"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", timestamp)
    contributor = of_team["detail"]["alarmContributor"]
    assert re.fullmatch("[0-9a-f]{16}", contributor["id"])
    assert contributor["attributes"] == {"cluster": "c", "team": "a"}
    assert "previousState" not in of_team["detail"]
    assert of_team["detail"]["state"]["reason"].startswith("Threshold Crossed: 1 datapoint was greater than or equal")
    assert of_alarm["detail"]["state"]["reason"] == "1 out of 1 time series evaluated to ALARM"
    previous = of_alarm["detail"]["previousState"]
    assert (previous["value"], previous["reason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")


def test_what_the_topic_is_told(aws: LocalAws, ears: Ears) -> None:
    put(aws, ears.alarm, [7], team="a")
    make(aws, ears.alarm, AlarmActions=[ears.topic])
    wait_for(lambda: ears.noticed()["", "ALARM"] and ears.noticed()["a", "ALARM"])
    of_team, of_alarm = sorted(ears.messages, key=lambda each: "AlarmContributorId" not in each)
    assert of_team["AlarmContributorId"] == next(
        each["detail"]["alarmContributor"]["id"] for each in ears.events if each["detail-type"] == OF_CONTRIBUTOR
    )
    for message in (of_team, of_alarm):
        assert message["AlarmArn"] == arn("cloudwatch", f"alarm:{ears.alarm}")
        (metric,) = message["Trigger"]["Metrics"]
        assert (metric["Expression"], message["Trigger"]["Period"]) == (teams(ears.alarm), 60)
    assert of_team["OldStateValue"] == "OK"


def test_a_plain_alarm_tells_the_bus_as_well(aws: LocalAws, ears: Ears) -> None:
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=ears.alarm,
        Namespace="Sample",
        MetricName="runs",
        Dimensions=[{"Name": "team", "Value": "a"}],
        Statistic="Sum",
        Period=300,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    for state in ("ALARM", "OK"):
        aws.client("cloudwatch").set_alarm_state(AlarmName=ears.alarm, StateValue=state, StateReason=f"a test: {state}")
    wait_for(lambda: ears.heard()["", "OK"])
    alarm, ok = (each["detail"] for each in ears.events)
    assert alarm["previousState"]["reason"] == "Unchecked: Initial alarm creation"
    assert (ok["previousState"]["value"], ok["previousState"]["reason"]) == ("ALARM", "a test: ALARM")
    metric = {"namespace": "Sample", "name": "runs", "dimensions": {"team": "a"}}
    stat = {"metric": metric, "period": 300, "stat": "Sum"}
    assert ok["configuration"]["metrics"] == [{"id": "m1", "metricStat": stat, "returnData": True}]


def test_metrics_with_other_dimensions_or_of_another_service_do_not_count(aws: LocalAws) -> None:
    name = uuid.uuid4().hex
    make(aws, name, TreatMissingData="missing")
    put(aws, name, [9], team="a", accelerator="gpu")
    put(aws, name, [9])
    put(aws, name, [9], team="a", service="another")
    aws.evaluate_alarms()
    assert (described(aws, name)["StateValue"], contributors(aws, name)) == ("INSUFFICIENT_DATA", [])

    put(aws, name, [9], team="a")
    aws.evaluate_alarms()
    assert (described(aws, name)["StateValue"], len(contributors(aws, name))) == ("ALARM", 1)


def test_an_alarm_by_cluster_and_the_contributors_in_the_order_of_the_query(aws: LocalAws) -> None:
    by_cluster, by_team = uuid.uuid4().hex, uuid.uuid4().hex
    expression = teams(by_cluster).replace(", team)", ")").replace(", team ORDER", " ORDER")
    make(aws, by_cluster, Metrics=[query(expression)])
    make(aws, by_team)
    for cluster, value in (("low", 1), ("high", 3), ("middle", 2)):
        put(aws, by_cluster, [value], cluster=cluster)
        put(aws, by_team, [value], cluster="c", team=cluster)
    aws.evaluate_alarms()
    found = contributors(aws, by_cluster)
    assert [each["ContributorAttributes"] for each in found] == [
        {"cluster": "high"},
        {"cluster": "middle"},
        {"cluster": "low"},
    ]
    assert [each["ContributorAttributes"]["team"] for each in contributors(aws, by_team)] == ["high", "middle", "low"]
    for each in found:
        assert re.fullmatch("[0-9a-f]{16}", each["ContributorId"])
        assert each["StateReason"].startswith("Threshold Crossed")
        assert abs(each["StateTransitionedTimestamp"].timestamp() - time.time()) < 60


def test_an_alarm_of_a_deleted_ones_name_begins_anew(aws: LocalAws, ears: Ears) -> None:
    for _ in range(2):
        make(aws, ears.alarm)
        put(aws, ears.alarm, [1], team="a")
        aws.evaluate_alarms()
        assert len(contributors(aws, ears.alarm)) == 1
        make(aws, ears.alarm, Threshold=0.5)  # an update, of which nobody hears
        aws.evaluate_alarms()
        aws.client("cloudwatch").delete_alarms(AlarmNames=[ears.alarm])
    assert ears.heard()["a", "ALARM"] == 2
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        contributors(aws, ears.alarm)


def test_old_datapoints_are_forgotten(aws: LocalAws) -> None:
    name, now = uuid.uuid4().hex, time.time()
    values = [{"MetricName": name, "Value": 1, "Timestamp": now - hours * 3600} for hours in (5, 4, 0.01)]
    aws.client("cloudwatch").put_metric_data(Namespace="Sample", MetricData=values)
    aws.evaluate_alarms()
    answer = aws.client("cloudwatch").get_metric_statistics(
        Namespace="Sample",
        MetricName=name,
        StartTime=now - 6 * 3600,
        EndTime=now + 60,
        Period=86400,
        Statistics=["SampleCount"],
    )
    assert sum(each["SampleCount"] for each in answer["Datapoints"]) == 1
