"""Alarms, rule and dashboard of usage look at what is published, and each alarm of a team or a cluster is told."""

import json
import re
from collections.abc import Iterator
from typing import get_args

import pytest

from governor.notify import alarm_kinds
from governor.observability import count_addon
from governor.records.usages import Kind
from local.aws.runner.insights_query import Query, parse
from tests.support.cloudformation import ROOT, Json, mentions, properties, template
from tests.support.usage_figures import NAMESPACE, of_every_kind

TEMPLATE = template()
ALARMS = properties("AWS::CloudWatch::Alarm")
QUERIES = {name: alarm for name, alarm in ALARMS.items() if "Metrics" in alarm}
(RULE,) = [each for name, each in properties("AWS::Events::Rule").items() if name == "NotifyUsageRule"]
(NOTIFY,) = [each for name, each in properties("AWS::Serverless::Function").items() if name == "NotifyUsageFunction"]
(BOARD,) = properties("AWS::CloudWatch::Dashboard").values()
PUBLISHED = {(figure.name, frozenset(batch.dimensions)) for batch in of_every_kind() for figure in batch.figures}
"""Names with their dimensions, beside which Powertools puts ``service``."""
SEARCH = re.compile(
    r"SEARCH\('\{(?P<namespace>\"[\w./#-]+\"|\w+),(?P<keys>[\w,]+)\} MetricName=\"(?P<metric>\w+)\" "
    r"service=\"stack\"', '(?P<statistic>\w+)', (?P<period>\d+)\)"
)
ARN = "arn:aws:cloudwatch:us-west-2:123456789012:alarm:"


def _expression(name: str) -> str:
    """As CloudWatch gets it, of a stack of this name."""
    (query,) = QUERIES[name]["Metrics"]
    text: str = query["Expression"]["Fn::Sub"]
    return text.replace("${MetricsNamespace}", NAMESPACE).replace("${AWS::StackName}", "hyperpod-governor")


def test_the_alarms_that_tell_nobody_themselves_are_those_on_queries() -> None:
    silent = {name for name, alarm in ALARMS.items() if not alarm.get("AlarmActions")}
    assert silent == set(QUERIES)
    assert silent
    for alarm in QUERIES.values():
        assert not {"OKActions", "InsufficientDataActions"} & set(alarm)


def test_each_of_them_is_told_by_notify_usage_under_the_metric_that_it_looks_at() -> None:
    assert RULE["EventPattern"]["resources"] == [{"Fn::GetAtt": f"{name}.Arn"} for name in QUERIES]
    told = NOTIFY["Environment"]["Variables"]["GOVERNOR_USAGE_ALARMS"]["Fn::Sub"]
    kinds = alarm_kinds(re.sub(r"\$\{(\w+)\}", r"\1", told))  # the reference is the alarm's name
    assert kinds == {name: parse(_expression(name)).metric for name in QUERIES}
    assert set(kinds.values()) == set(get_args(Kind))


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_has_one_series_per_team_or_cluster_of_this_stack_of_a_metric_that_is_published(name: str) -> None:
    found = parse(_expression(name))
    of_whom = ("cluster", "team") if "team" in found.dimensions else ("cluster",)
    dimensions = frozenset((*of_whom, "service"))  # a schema names all dimensions of a metric, or does not find it
    where = {"service": "hyperpod-governor"}
    assert found == Query(found.metric, NAMESPACE, dimensions, where, of_whom, descending=True, unquoted=())
    assert (found.metric, dimensions - {"service"}) in PUBLISHED


@pytest.mark.parametrize("name", QUERIES)
def test_an_alarm_on_a_query_rings_after_so_many_bad_minutes_as_the_owner_says(name: str) -> None:
    alarm = QUERIES[name]
    (query,) = alarm["Metrics"]
    assert (query["Period"], query["ReturnData"]) == (60, True)
    assert alarm["EvaluationPeriods"] == {"Ref": "UsageAlarmMinutes"}
    assert alarm["DatapointsToAlarm"] == {"Ref": "UsageAlarmDatapoints"}
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert alarm["TreatMissingData"] == "notBreaching"


def test_a_publisher_that_says_nothing_is_told_of() -> None:
    alarm = ALARMS["UsageSilentAlarm"]
    assert alarm["Namespace"] == {"Ref": "MetricsNamespace"}
    assert alarm["Dimensions"] == [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]
    assert (alarm["MetricName"], frozenset[str]()) in PUBLISHED
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"


def test_no_alarm_of_usage_sums_up_since_a_line_of_metrics_may_be_counted_twice() -> None:
    ours = [alarm for alarm in ALARMS.values() if mentions(alarm.get("Namespace", {}), "MetricsNamespace")]
    assert ours
    assert {alarm["Statistic"] for alarm in ours} == {"Maximum"}
    assert TEMPLATE["Parameters"]["MetricsNamespace"]["Default"] == NAMESPACE


def _sample() -> Json:
    event: Json = json.loads((ROOT / "events" / "alarm-contributor-state-change.json").read_text())
    return event


def _lets_through(event: Json) -> bool:
    """EventBridge's rule for lists of values: a member has to be, or to have, one of them."""
    for key, values in RULE["EventPattern"].items():
        wanted = {f"{ARN}{_named(each)}" if isinstance(each, dict) else each for each in values}
        there = event.get(key)
        if not wanted & set(there if isinstance(there, list) else [there]):
            return False
    return True


def _named(reference: Json) -> str:
    return f"hyperpod-governor-{reference['Fn::GetAtt'].removesuffix('.Arn')}-1A2B3C4D5E6F"


def test_the_rule_lets_changes_of_teams_and_clusters_through_and_nothing_else() -> None:
    event = _sample()
    assert _lets_through(event)
    others: list[Json] = [
        {"detail-type": "CloudWatch Alarm State Change"},
        {"detail-type": "CloudWatch Alarm Configuration Change"},
        {"source": "aws.s3"},
        {"resources": [f"{ARN}hyperpod-governor-UsageSilentAlarm-1A2B3C4D5E6F"]},
        {"resources": [f"{ARN}somebody-elses-alarm"]},
        {"resources": []},
    ]
    for changes in others:
        assert not _lets_through({**event, **changes}), changes


def test_the_sample_event_is_of_the_alarm_as_the_template_has_it() -> None:
    detail = _sample()["detail"]
    (query,) = detail["configuration"]["metrics"]
    (ours,) = QUERIES["OverBorrowingAlarm"]["Metrics"]
    expression = _expression("OverBorrowingAlarm")
    assert query == {"id": ours["Id"], "expression": expression, "returnData": True, "period": ours["Period"]}
    assert tuple(detail["alarmContributor"]["attributes"]) == parse(expression).group_by


def _widgets() -> list[Json]:
    """As CloudWatch gets them."""
    values = {"MetricsNamespace": NAMESPACE, "AWS::StackName": "stack", "AWS::Region": "us-west-2"}
    text = re.sub(r"\$\{([^!][^}]*)\}", lambda found: values.get(found[1], "x"), BOARD["DashboardBody"]["Fn::Sub"])
    found: list[Json] = json.loads(text.replace("${!", "${"))["widgets"]
    return found


def _searches() -> Iterator[tuple[Json, Json]]:
    """Widgets with each of their expressions."""
    for widget in _widgets():
        for metric in widget["properties"]["metrics"]:
            if isinstance(metric[0], dict):
                yield widget["properties"], metric[0]


def _of_addons(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, frozenset[str]]]:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "HyperPodGovernor")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stack")
    count_addon("ml", installed=True, healthy=True, drifted=False)
    (directive,) = json.loads(capsys.readouterr().out)["_aws"]["CloudWatchMetrics"]
    (dimensions,) = directive["Dimensions"]
    return {(each["Name"], frozenset(dimensions) - {"service"}) for each in directive["Metrics"]}


def test_the_dashboard_searches_for_what_is_published_and_shows_no_sums_of_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {NAMESPACE: PUBLISHED, "HyperPodGovernor": _of_addons(capsys, monkeypatch)}
    seen: set[str] = set()
    for properties_of_widget, expression in _searches():
        found = SEARCH.fullmatch(expression["expression"])
        assert found, expression
        keys = found["keys"].split(",")
        assert keys == sorted(keys)
        assert (found["metric"], frozenset(keys) - {"service"}) in known[found["namespace"].strip('"')]
        assert "service" in keys
        assert found["statistic"] == properties_of_widget["stat"] != "Sum"
        assert int(found["period"]) == properties_of_widget["period"]
        seen.add(found["metric"])
    assert set(get_args(Kind)) <= seen  # what rings can be looked at


def test_widgets_lie_side_by_side_and_their_expressions_have_names_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in _widgets():
        place = {
            (column, row)
            for column in range(widget["x"], widget["x"] + widget["width"])
            for row in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not place & taken
        assert max(column for column, _ in place) < 24
        taken |= place
        ids = [metric[0]["id"] for metric in widget["properties"]["metrics"] if isinstance(metric[0], dict)]
        assert len(set(ids)) == len(ids)
        assert all(re.fullmatch(r"[a-z]\w*", each) for each in ids)
