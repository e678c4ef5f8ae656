"""Alarms evaluated as time passes: on one metric, and on a query over several series."""

import logging
import math
import threading
import time
from typing import Any

from ministack.services import cloudwatch

from local.aws.runner.alarm_contributors import evaluate_query
from local.aws.runner.alarm_series import forget_old_points, kept_seconds, period_of, values_of_metric
from local.aws.runner.alarm_terms import COMPARISONS, Terms, Window
from local.aws.runner.metrics import sample_queues
from local.aws.runner.patching import Function, around
from local.aws.runner.settings import RunnerSettings
from local.aws.runner.tenancy import our_account

logger = logging.getLogger("governor")

FORGET_EVERY_SECONDS = 30

_evaluating = threading.Lock()
"""A change is seen by one thread, or it would be told twice."""


def evaluate_as_time_passes(settings: RunnerSettings) -> None:
    """Alarms heed dimensions, DatapointsToAlarm and missing data, and come back to OK without new data.

    MiniStack evaluates when data is put, over all dimensions at once, as one single period. Here a thread looks
    every second, and samples the queues for it. The periods end at the time of looking rather than at full minutes,
    so that a test need not wait for one. Old datapoints go, which MiniStack keeps for two weeks.
    """
    for name in ("_evaluate_alarm", "_evaluate_all_alarms", "_evict_old_metrics"):
        around(cloudwatch, name)(_not_now)
    threading.Thread(target=_tick, args=(settings.seconds_per_minute,), daemon=True).start()


def evaluate_now(settings: RunnerSettings) -> None:
    with our_account():
        sample_queues(1 / settings.seconds_per_minute)
        _evaluate_all(settings.seconds_per_minute)
        _forget_old_points(settings.seconds_per_minute)


def _not_now(_: Function) -> Function:
    return lambda *_alarm: None


def _tick(seconds_per_minute: float) -> None:
    every = min(1.0, seconds_per_minute / 10)
    sampled = forgot = 0.0
    while True:
        time.sleep(every)
        with our_account():
            try:
                # AWS samples queues once a minute; six times keeps `make local` prompt and its memory small.
                if time.monotonic() - sampled >= seconds_per_minute / 6:
                    sample_queues(1 / seconds_per_minute)
                    sampled = time.monotonic()
                _evaluate_all(seconds_per_minute)
                if time.monotonic() - forgot >= FORGET_EVERY_SECONDS:
                    _forget_old_points(seconds_per_minute)
                    forgot = time.monotonic()
            except Exception:
                logger.exception("the alarms could not be evaluated")


def _forget_old_points(seconds_per_minute: float) -> None:
    with _evaluating:  # two at once would each drop as many, the second of them newer ones
        forget_old_points(time.time() - kept_seconds(seconds_per_minute))


def _evaluate_all(seconds_per_minute: float) -> None:
    with _evaluating:
        for alarm in cloudwatch._alarms.values():
            try:
                _evaluate(alarm, seconds_per_minute / 60)
            except Exception:
                logger.exception("%s could not be evaluated", alarm["AlarmName"])


def _evaluate(alarm: dict[str, Any], scale: float) -> None:
    if alarm["ComparisonOperator"] not in COMPARISONS or not (alarm.get("Metrics") or alarm.get("MetricName")):
        return
    now, period = time.time(), period_of(alarm) * scale
    window = Window(now, period, alarm["EvaluationPeriods"])
    if alarm.get("Metrics"):
        # With the period that is going on: were the periods to move with the time of looking, a point would be in one
        # or another of them, and a series near its limit would ring and be quiet by turns.
        verdict = evaluate_query(alarm, Window(math.ceil(now / period) * period, period, window.count))
        _become(alarm, verdict.state, verdict.reason)
    else:
        terms, values = Terms.of(alarm), values_of_metric(alarm, window)
        _become(alarm, terms.state_of(values), terms.reason_of(values))


def _become(alarm: dict[str, Any], state: str | None, reason: str) -> None:
    before = alarm["StateValue"]
    # One that was updated or deleted meanwhile is looked at again, or never.
    if state is None or state == before or cloudwatch._alarms.get(alarm["AlarmName"]) is not alarm:
        return
    now = int(time.time())
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=now, StateTransitionedTimestamp=now)
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)
