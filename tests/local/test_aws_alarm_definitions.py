"""Alarms on Metrics Insights queries are made by the API and by CloudFormation, and others are refused."""

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws.launcher import LocalAws, wait_for
from tests.local.alarm_support import NAMESPACE, described, make, query, teams


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        yield aws


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"Metrics": [{"Id": "e", "Expression": "m1 + m2", "Period": 60}]}, "m1 [+] m2"),
        ({"Metrics": [{"Id": "e", "Expression": "SELECT SUM(a) FROM b", "Period": 60}]}, "SELECT SUM"),
        (
            {"Metrics": [{**query(teams("m")), "Expression": teams("m").replace('"cluster"', "cluster")}]},
            "double quotes are needed around the reserved words cluster",
        ),
        ({"Period": 60}, "Period should not be set if list of Metrics is set"),
        ({"EvaluationPeriods": 2, "DatapointsToAlarm": 3}, "DatapointsToAlarm must be less"),
        ({"EvaluationPeriods": 181}, "three hours"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "ComparisonOperator"),
    ],
)
def test_what_is_no_such_alarm_is_refused(aws: LocalAws, settings: Mapping[str, Any], why: str) -> None:
    with pytest.raises(ClientError, match=why) as refusal:
        make(aws, "refused", **settings)
    assert refusal.value.response["Error"]["Code"] == "ValidationError"
    assert aws.client("cloudwatch").describe_alarms(AlarmNames=["refused"])["MetricAlarms"] == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Period": 30}, "multiple of 60"),
        ({"Period": 90}, "multiple of 60"),
        ({"ReturnData": False}, "ReturnData"),
        ({"AccountId": "1"}, "AccountId"),
    ],
)
def test_a_query_with_other_settings_is_refused(aws: LocalAws, change: Mapping[str, Any], why: str) -> None:
    with pytest.raises(ClientError, match=why):
        make(aws, "refused", Metrics=[{**query(teams("refused")), **change}])
    with pytest.raises(ClientError, match="several queries"):
        make(aws, "refused", Metrics=[query(teams("refused")), {**query(teams("refused")), "Id": "second"}])


def test_cloudformation_makes_changes_and_deletes_such_an_alarm(aws: LocalAws) -> None:
    stack = f"insights-{uuid.uuid4().hex[:8]}"
    client = aws.client("cloudformation")
    client.create_stack(StackName=stack, TemplateBody=template(stack, 1))
    wait_for(lambda: status(aws, stack) == "CREATE_COMPLETE")
    outputs = aws.outputs(stack)
    alarm = described(aws, outputs["Name"])
    assert alarm["AlarmArn"] == outputs["Arn"]
    assert alarm["Metrics"] == [
        {"Id": "teams", "Expression": teams("OverBorrowing", stack), "Period": 60, "ReturnData": True}
    ]
    terms = [alarm[name] for name in ("EvaluationPeriods", "DatapointsToAlarm", "Threshold", "TreatMissingData")]
    assert terms == [5, 3, 1, "notBreaching"]
    assert not alarm.keys() & {"MetricName", "Namespace", "Statistic", "Period"}

    client.update_stack(StackName=stack, TemplateBody=template(stack, 2))
    wait_for(lambda: status(aws, stack) == "UPDATE_COMPLETE")
    assert (aws.outputs(stack), described(aws, outputs["Name"])["Threshold"]) == (outputs, 2)

    client.delete_stack(StackName=stack)
    wait_for(lambda: aws.client("cloudwatch").describe_alarms(AlarmNames=[outputs["Name"]])["MetricAlarms"] == [])


def test_a_stack_with_another_expression_fails_and_says_which(aws: LocalAws) -> None:
    stack = f"refused-{uuid.uuid4().hex[:8]}"
    body = template(stack, 1).replace("MAX(OverBorrowing)", "AVG(OverBorrowing)")
    aws.client("cloudformation").create_stack(StackName=stack, TemplateBody=body)
    wait_for(lambda: status(aws, stack) == "ROLLBACK_COMPLETE")
    events = aws.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    reasons = " ".join(each.get("ResourceStatusReason", "") for each in events)
    assert "MAX is expected instead of 'AVG'" in reasons
    assert "SELECT AVG(OverBorrowing)" in reasons


def status(aws: LocalAws, stack: str) -> str:
    found: str = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    return found


def template(stack: str, threshold: int) -> str:
    """With the stack's name and a parameter in the query, as the product's template has them."""
    expression = teams("OverBorrowing", stack).replace(stack, "${AWS::StackName}").replace(NAMESPACE, "${Namespace}")
    alarm = {
        "Metrics": [{"Id": "teams", "Expression": {"Fn::Sub": expression}, "Period": 60, "ReturnData": True}],
        "EvaluationPeriods": {"Ref": "Minutes"},
        "DatapointsToAlarm": 3,
        "Threshold": threshold,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "Tags": [{"Key": "Application", "Value": "sample"}],
    }
    return json.dumps(
        {
            "Parameters": {
                "Namespace": {"Type": "String", "Default": NAMESPACE},
                "Minutes": {"Type": "Number", "Default": 5},
            },
            "Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm}},
            "Outputs": {"Name": {"Value": {"Ref": "Alarm"}}, "Arn": {"Value": {"Fn::GetAtt": ["Alarm", "Arn"]}}},
        }
    )
