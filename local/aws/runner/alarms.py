"""Alarms on one metric, evaluated as time passes."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt
from types import MappingProxyType
from typing import Any

from ministack.services import cloudwatch, sns

from local.aws.runner.metrics import sample_queues
from local.aws.runner.patching import Function, around
from local.aws.runner.principals import key_lets_in, lets_in
from local.aws.runner.settings import RunnerSettings
from local.aws.runner.tenancy import our_account

logger = logging.getLogger("governor")

ALARM, OK, INSUFFICIENT = "ALARM", "OK", "INSUFFICIENT_DATA"
CLOUDWATCH = "cloudwatch.amazonaws.com"
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "GreaterThanOrEqualToThreshold": ge,
        "GreaterThanThreshold": gt,
        "LessThanThreshold": lt,
        "LessThanOrEqualToThreshold": le,
    }
)


@dataclass(frozen=True, slots=True)
class Reading:
    """The datapoints of the evaluated periods, newest first; None where a period has no data."""

    values: tuple[float | None, ...]
    breaching: int
    missing: int


def evaluate_as_time_passes(settings: RunnerSettings) -> None:
    """Alarms heed dimensions, DatapointsToAlarm and missing data, and come back to OK without new data.

    MiniStack evaluates when data is put, over all dimensions at once, as one single period. Here a thread looks
    every second, and samples the queues for it. The periods end at the time of looking rather than at full minutes,
    so that a test need not wait for one.
    """
    scale = settings.seconds_per_minute / 60

    @around(cloudwatch, "_evaluate_alarm")
    def evaluated(_: Function) -> Function:
        return lambda alarm: _evaluate(alarm, scale)

    every = min(1.0, settings.seconds_per_minute / 10)
    threading.Thread(target=_tick, args=(every, scale), daemon=True).start()


def evaluate_now(settings: RunnerSettings) -> None:
    with our_account():
        sample_queues(1 / settings.seconds_per_minute)
        cloudwatch._evaluate_all_alarms()


def _tick(every: float, scale: float) -> None:
    sampled = 0.0
    while True:
        time.sleep(every)
        with our_account():
            try:
                # AWS samples queues once a minute; six times keeps `make local` prompt and its memory small.
                if time.monotonic() - sampled >= 10 * scale:
                    sample_queues(1 / (60 * scale))
                    sampled = time.monotonic()
                cloudwatch._evaluate_all_alarms()
            except Exception:
                logger.exception("the alarms could not be evaluated")


def _evaluate(alarm: dict[str, Any], scale: float) -> None:
    if not alarm.get("MetricName") or alarm["ComparisonOperator"] not in COMPARISONS:
        return
    reading = _read(alarm, scale)
    state = _state_of(alarm, reading)
    if state is None or state == alarm["StateValue"]:
        return
    before, alarm["StateValue"] = alarm["StateValue"], state
    shown = [f"{value:g}" if value is not None else "no data" for value in reading.values]
    reason = (
        f"Threshold Crossed: {reading.breaching} of {len(reading.values)} datapoints [{', '.join(shown)}] breach "
        f"{alarm['ComparisonOperator']} {alarm['Threshold']:g}."
    )
    alarm["StateReason"] = reason
    alarm["StateUpdatedTimestamp"] = int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _read(alarm: dict[str, Any], scale: float) -> Reading:
    dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    points = cloudwatch._metrics.get(key) or []
    period, now = alarm["Period"] * scale, time.time()
    statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    values: list[float | None] = []
    for number in range(alarm["EvaluationPeriods"]):
        end = now - number * period
        within = [point for point in points if end - period < point["Timestamp"] <= end]
        stats = cloudwatch._calc_stats(within)
        values.append(cloudwatch._stat_value(stats, statistic, within) if stats else None)
    compare = COMPARISONS[alarm["ComparisonOperator"]]
    known = [value for value in values if value is not None]
    breaching = sum(compare(value, alarm["Threshold"]) for value in known)
    return Reading(tuple(values), breaching, len(values) - len(known))


def _state_of(alarm: dict[str, Any], reading: Reading) -> str | None:
    """The state that the reading asks for; None to keep the one there is."""
    needed = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    treatment = alarm.get("TreatMissingData") or "missing"
    breaching = reading.breaching + (reading.missing if treatment == "breaching" else 0)
    if breaching >= needed:
        return ALARM
    if reading.missing == len(reading.values) and treatment in ("missing", "ignore"):
        return INSUFFICIENT if treatment == "missing" else None
    return OK


def publish_only_where_allowed(_: RunnerSettings) -> None:
    """An alarm reaches a topic whose policy and whose key's policy let CloudWatch in; MiniStack asks neither."""

    @around(cloudwatch, "_dispatch_alarm_actions")
    def dispatch(act: Function) -> Function:
        def acted(alarm: dict[str, Any], *change: Any) -> None:
            arn = alarm["AlarmArn"]
            reached = {
                field: [action for action in alarm.get(field) or [] if _reaches(action, arn)]
                for field in ("AlarmActions", "OKActions", "InsufficientDataActions")
            }
            act({**alarm, **reached}, *change)

        return acted


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
