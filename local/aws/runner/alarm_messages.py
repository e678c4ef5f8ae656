"""What an alarm tells its SNS topics, if they let it."""

import json
import logging
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import cloudwatch, sns

from local.aws.runner.alarm_changes import Change, hear_of_contributors, in_milliseconds
from local.aws.runner.alarm_terms import ALARM, INSUFFICIENT, OK
from local.aws.runner.patching import Function, around
from local.aws.runner.principals import key_lets_in, lets_in
from local.aws.runner.settings import RunnerSettings

logger = logging.getLogger("governor")

CLOUDWATCH = "cloudwatch.amazonaws.com"
ACTIONS: Mapping[str, str] = MappingProxyType(
    {ALARM: "AlarmActions", OK: "OKActions", INSUFFICIENT: "InsufficientDataActions"}
)


def tell_topics(_: RunnerSettings) -> None:
    """An alarm reaches a topic whose policy and whose key's policy let CloudWatch in; MiniStack asks neither.

    The message has all that AWS puts into it, and that of a contributor tells which. Both the alarm and its
    contributors perform the actions.
    """

    @around(cloudwatch, "_dispatch_alarm_actions")
    def dispatch(_: Function) -> Function:
        def dispatched(alarm: dict[str, Any], before: str, after: str, reason: str) -> None:
            _publish(Change(alarm, before, after, reason, time.time()))

        return dispatched

    hear_of_contributors(_publish)


def _publish(change: Change) -> None:
    alarm = change.alarm
    if not alarm.get("ActionsEnabled", True):
        return
    subject = f'{change.after}: "{alarm["AlarmName"]}" in {get_region()}'[:100]
    for action in alarm.get(ACTIONS[change.after]) or []:
        if cloudwatch._is_sns_action_arn(action) and _reaches(action, alarm["AlarmArn"]):
            try:
                sns._fanout(action, new_uuid(), json.dumps(_message(change)), subject)
            except Exception:
                logger.exception("%s could not tell %s", alarm["AlarmName"], action)


def _message(change: Change) -> dict[str, Any]:
    alarm = change.alarm
    message = {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription") or None,
        "AWSAccountId": get_account_id(),
        "NewStateValue": change.after,
        "NewStateReason": change.reason,
        "StateChangeTime": in_milliseconds(change.moment),
        "Region": get_region(),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": change.before,
        **{name: list(alarm.get(name) or []) for name in ("OKActions", "AlarmActions", "InsufficientDataActions")},
    }
    if change.contributor is not None:
        message["AlarmContributorId"] = change.contributor.identity
        message["AlarmContributorAttributes"] = dict(change.contributor.attributes)
    if "AlarmRule" in alarm:
        return {**message, "AlarmRule": alarm["AlarmRule"]}
    updated = in_milliseconds(alarm["AlarmConfigurationUpdatedTimestamp"])
    return {**message, "AlarmConfigurationUpdatedTimestamp": updated, "Trigger": _trigger(alarm)}


def _trigger(alarm: Mapping[str, Any]) -> dict[str, Any]:
    terms = {
        "EvaluationPeriods": alarm["EvaluationPeriods"],
        "ComparisonOperator": alarm["ComparisonOperator"],
        "Threshold": alarm["Threshold"],
        "TreatMissingData": alarm.get("TreatMissingData") or "missing",
        **{name: alarm[name] for name in ("DatapointsToAlarm",) if name in alarm},
    }
    if alarm.get("Metrics"):
        return {"Period": alarm["Metrics"][0]["Period"], **terms, "Metrics": alarm["Metrics"]}
    return {
        "MetricName": alarm["MetricName"],
        "Namespace": alarm["Namespace"],
        "StatisticType": "ExtendedStatistic" if alarm.get("ExtendedStatistic") else "Statistic",
        "Statistic": alarm.get("ExtendedStatistic") or alarm["Statistic"].upper(),
        "Unit": alarm.get("Unit"),
        "Dimensions": [{"name": each["Name"], "value": each["Value"]} for each in alarm.get("Dimensions") or []],
        "Period": alarm["Period"],
        **terms,
    }


def _reaches(action: str, alarm: str) -> bool:
    topic = sns._topics.get(action)
    if topic is None:
        return True
    attributes = topic["attributes"]
    allowed = lets_in(attributes.get("Policy") or "", CLOUDWATCH, "sns:Publish", action, alarm) and key_lets_in(
        attributes.get("KmsMasterKeyId"), CLOUDWATCH, alarm
    )
    if not allowed:
        logger.warning("%s may not publish to %s", alarm, action)
    return allowed
