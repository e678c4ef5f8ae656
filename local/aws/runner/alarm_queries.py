"""Alarms on a Metrics Insights query, as PutMetricAlarm and CloudFormation take them."""

from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from local.aws.runner.alarm_terms import COMPARISONS
from local.aws.runner.insights_query import QueryError, parse
from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings

RANGE_SECONDS = 3 * 3600
OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit")
MEMBERS = {"Id", "Expression", "Period", "ReturnData", "Label"}

Answer = tuple[int, dict[str, str], bytes]


class RefusedAlarmError(ValueError):
    """CloudWatch's ValidationError, or what is not there locally. The message quotes the expression."""


def accept_queries(_: RunnerSettings) -> None:
    """An alarm on one Metrics Insights query is made and changed; every other use of `Metrics` is refused.

    MiniStack's CloudFormation refuses them all, and its PutMetricAlarm drops them.
    """
    around(cloudwatch, "_put_metric_alarm")(_put)
    around(provisioners, "_cw_metric_alarm_record")(_recorded)


def _put(put: Function) -> Function:
    def asked(params: dict[str, Any], body: dict[str, Any], is_cbor: bool, is_json: bool = False) -> Answer:
        if not (body.get("Metrics") or any(name.startswith("Metrics.") for name in params)):
            answer: Answer = put(params, body, is_cbor, is_json)
            return answer
        try:
            metrics = _accepted(body)
        except RefusedAlarmError as error:
            refusal: Answer = cloudwatch._error("ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor)
            return refusal
        answer = put(params, body, is_cbor, is_json)
        if answer[0] == 200:
            alarm = cloudwatch._alarms[body["AlarmName"]]
            cloudwatch._alarms[body["AlarmName"]] = _on_query(alarm, metrics)
        return answer

    return asked


def _recorded(record: Function) -> Function:
    def recorded(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        if not properties.get("Metrics"):
            alarm: dict[str, Any] = record(name, properties)
            return alarm
        metrics = _accepted(properties)
        rest = {key: value for key, value in properties.items() if key != "Metrics"}
        # Only what it wants to see; both are taken out again.
        return _on_query(record(name, {**rest, "MetricName": "-", "Namespace": "-"}), metrics)

    return recorded


def _on_query(alarm: Mapping[str, Any], metrics: list[dict[str, Any]]) -> dict[str, Any]:
    return {**{key: value for key, value in alarm.items() if key not in OF_ONE_METRIC}, "Metrics": metrics}


def _accepted(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The one query of PutMetricAlarm's parameters or a template's properties. Raises RefusedAlarmError."""
    queries = asked.get("Metrics")
    if not isinstance(queries, list):
        raise RefusedAlarmError("Metrics are taken by the JSON and CBOR protocols only, not by the query protocol.")
    quoted = "; ".join(str(each.get("Expression") or each) for each in queries)
    if len(queries) != 1 or not queries[0].get("Expression"):
        raise _refused("an alarm is on one Metrics Insights query, not on metric math or several queries", quoted)
    (query,) = queries
    if odd := query.keys() - MEMBERS:
        raise _refused(f"{', '.join(sorted(odd))} cannot be said of a query", quoted)
    if both := [name for name in OF_ONE_METRIC if asked.get(name)]:
        raise _refused(f"{both[0]} should not be set if list of Metrics is set", quoted)
    if asked.get("ComparisonOperator") not in COMPARISONS or asked.get("Threshold") is None:
        raise _refused("a ComparisonOperator with a Threshold is needed, of those without an anomaly band", quoted)
    period = _period(query, quoted)
    _check_periods(asked, period, quoted)
    if _is_false(query.get("ReturnData", True)):
        raise _refused("ReturnData must be true for the query that the alarm is on", quoted)
    _check_expression(query["Expression"])
    label = {"Label": query["Label"]} if query.get("Label") else {}
    return [{"Id": query["Id"], "Expression": query["Expression"], **label, "ReturnData": True, "Period": period}]


def _check_expression(expression: str) -> None:
    try:
        query = parse(expression)
    except QueryError as error:
        raise RefusedAlarmError(str(error)) from None
    if query.unquoted:
        words = ", ".join(query.unquoted)
        raise _refused(f"double quotes are needed around the reserved words {words}", expression)


def _period(query: Mapping[str, Any], quoted: str) -> int:
    try:
        period = int(query["Period"])
    except (KeyError, TypeError, ValueError):
        raise _refused("the query needs a Period", quoted) from None
    if period < 60 or period % 60:
        raise _refused(f"Period must be a multiple of 60, not {period}", quoted)
    return period


def _check_periods(asked: Mapping[str, Any], period: int, quoted: str) -> None:
    periods = int(asked.get("EvaluationPeriods") or 0)
    needed = int(asked.get("DatapointsToAlarm") or periods)
    if not 1 <= needed <= periods:
        raise _refused("DatapointsToAlarm must be less than or equal to EvaluationPeriods, and both at least 1", quoted)
    if periods * period > RANGE_SECONDS:
        raise _refused("Metrics Insights looks at no more than three hours: EvaluationPeriods times Period", quoted)


def _is_false(value: object) -> bool:
    return str(value).lower() == "false"


def _refused(why: str, quoted: str) -> RefusedAlarmError:
    return RefusedAlarmError(f"Invalid alarm: {why}: {quoted}")
