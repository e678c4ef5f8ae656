"""CloudWatch's events about alarms, sent to the default bus: of an alarm's state, and of each contributor's."""

import json
import time
from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch, eventbridge

from local.aws.runner.alarm_changes import Change, hear_of_contributors, in_milliseconds
from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings

OF_ALARM = "CloudWatch Alarm State Change"
OF_CONTRIBUTOR = "CloudWatch Alarm Contributor State Change"


def tell_eventbridge(_: RunnerSettings) -> None:
    """Every change of an alarm's state is an event, of plain and composite alarms too; MiniStack sends none."""

    @around(cloudwatch, "_dispatch_alarm_actions")
    def dispatch(act: Function) -> Function:
        def dispatched(alarm: dict[str, Any], before: str, after: str, reason: str) -> None:
            act(alarm, before, after, reason)
            change = Change(alarm, before, after, reason, time.time())
            _send(OF_ALARM, change, {"previousState": _previous_state(change)})

        return dispatched

    hear_of_contributors(_tell_of_contributor)


def _tell_of_contributor(change: Change) -> None:
    assert change.contributor is not None
    contributor = {"id": change.contributor.identity, "attributes": dict(change.contributor.attributes)}
    _send(OF_CONTRIBUTOR, change, {"alarmContributor": contributor})


def _send(detail_type: str, change: Change, more: Mapping[str, Any]) -> None:
    detail = {
        "alarmName": change.alarm["AlarmName"],
        "state": {"value": change.after, "reason": change.reason, "timestamp": in_milliseconds(change.moment)},
        **more,
        "configuration": _configuration(change.alarm),
    }
    entry = {
        "Source": "aws.cloudwatch",
        "DetailType": detail_type,
        "Resources": [change.alarm["AlarmArn"]],
        "Detail": json.dumps(detail),
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _previous_state(change: Change) -> dict[str, str]:
    """Out of the history, which has the present state as its newest entry about the alarm, and then the one before."""
    name = change.alarm["AlarmName"]
    entries = [each for each in reversed(cloudwatch._history_entries()) if each["AlarmName"] == name]
    if len(entries) < 2:
        return {"value": change.before}
    said = json.loads(entries[1]["HistoryData"])["newState"]
    timestamp = in_milliseconds(cloudwatch._parse_ts(entries[1]["Timestamp"]))
    return {"value": change.before, "reason": said["stateReason"], "timestamp": timestamp}


def _configuration(alarm: Mapping[str, Any]) -> dict[str, Any]:
    described = {"description": alarm["AlarmDescription"]} if alarm.get("AlarmDescription") else {}
    if "AlarmRule" in alarm:
        return {"alarmRule": alarm["AlarmRule"], **described}
    metrics = [_query(each) for each in alarm["Metrics"]] if "Metrics" in alarm else [_metric(alarm)]
    return {"metrics": metrics, **described}


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": query["Id"],
        "expression": query["Expression"],
        **({"label": query["Label"]} if "Label" in query else {}),
        "returnData": query["ReturnData"],
        "period": query["Period"],
    }


def _metric(alarm: Mapping[str, Any]) -> dict[str, Any]:
    metric = {
        "namespace": alarm["Namespace"],
        "name": alarm["MetricName"],
        "dimensions": cloudwatch._dims_from_list(alarm.get("Dimensions") or []),
    }
    stat = {"metric": metric, "period": alarm["Period"], "stat": alarm.get("ExtendedStatistic") or alarm["Statistic"]}
    return {"id": "m1", "metricStat": stat, "returnData": True}
