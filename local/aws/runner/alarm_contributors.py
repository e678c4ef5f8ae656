"""The contributors of the alarms on queries: evaluated, kept, and described by DescribeAlarmContributors."""

import json
from typing import Any

import cbor2
from ministack.services import cloudwatch

from local.aws.runner.alarm_changes import Change, tell_of_contributor
from local.aws.runner.alarm_series import series_of_query
from local.aws.runner.alarm_terms import ALARM, Terms, Window
from local.aws.runner.contributors import Contributors, Verdict, changes, judge
from local.aws.runner.insights_query import parse
from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings

Answer = tuple[int, dict[str, str], bytes]

_contributors: dict[str, Contributors] = {}
"""By the alarm's ARN. The record of an alarm is replaced when it is updated, and they stay."""


def describe_contributors(_: RunnerSettings) -> None:
    """DescribeAlarmContributors, which MiniStack does not know. A deleted alarm takes its contributors with it."""
    around(cloudwatch, "handle_request")(_answering)
    around(cloudwatch, "_delete_alarms")(_then_forget)
    around(cloudwatch, "cloudformation_delete_metric_alarm")(_then_forget)


def evaluate_query(alarm: dict[str, Any], window: Window) -> Verdict:
    """Judge the alarm's series, and tell of each contributor that changed. The alarm's own state is the caller's."""
    arn = alarm["AlarmArn"]
    series, all_of_them = series_of_query(parse(alarm["Metrics"][0]["Expression"]), arn, window)
    alarm["EvaluationState"] = None if all_of_them else "PARTIAL_DATA"
    before = _contributors.get(arn, {})
    verdict = judge(before, series, Terms.of(alarm), window)
    _contributors[arn] = verdict.contributors
    for was, now in changes(before, verdict.contributors, window.end):
        tell_of_contributor(Change(alarm, was, now.state, now.reason, window.end, now))
    return verdict


def _then_forget(delete: Function) -> Function:
    def deleted(*arguments: Any, **more: Any) -> Any:
        answer = delete(*arguments, **more)
        there = {alarm["AlarmArn"] for alarm in cloudwatch._alarms.values()}
        for arn in _contributors.keys() - there:
            _contributors.pop(arn, None)
        return answer

    return deleted


def _answering(handle: Function) -> Function:
    async def handled(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        action = headers.get("x-amz-target", "").rpartition(".")[2] or path.rpartition("/operation/")[2]
        if action != "DescribeAlarmContributors":
            answer: Answer = await handle(method, path, headers, body, query)
            return answer
        if "cbor" in headers.get("content-type", ""):
            return _described(cbor2.loads(body)["AlarmName"], is_cbor=True)
        return _described(json.loads(body)["AlarmName"], is_cbor=False)

    return handled


def _described(name: str, *, is_cbor: bool) -> Answer:
    alarm = cloudwatch._alarms.get(name)
    if alarm is None:
        code, text = "ResourceNotFoundException", f"Alarm {name} not found"
        error: Answer = cloudwatch._error(code, text, 404, use_json=not is_cbor, use_cbor=is_cbor)
        return error
    described = [
        {
            "ContributorId": each.identity,
            "ContributorAttributes": dict(each.attributes),
            "StateReason": each.reason,
            "StateTransitionedTimestamp": cloudwatch._cbor_timestamp(each.since) if is_cbor else each.since,
        }
        for each in _contributors.get(alarm["AlarmArn"], {}).values()
        if each.state == ALARM
    ]
    answer = {"AlarmContributors": described}
    shown: Answer = cloudwatch._cbor_ok(answer) if is_cbor else cloudwatch._json_ok(answer)
    return shown
