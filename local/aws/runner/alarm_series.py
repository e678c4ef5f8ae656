"""The datapoints that alarms look at, out of what MiniStack keeps, and the end of those that none looks at any more."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ministack.services import cloudwatch

from local.aws.runner.alarm_terms import Values, Window
from local.aws.runner.contributors import Series, contributor_id
from local.aws.runner.insights_query import Query

MOST_SERIES = 500
HOUR = 3600
MOST_OUT_OF_ORDER = 50

Point = dict[str, Any]


def values_of_metric(alarm: Mapping[str, Any], window: Window) -> Values:
    """The alarm's statistic of its metric in each period."""
    dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    periods: list[list[Point]] = [[] for _ in range(window.count)]
    for point, number in _recent(cloudwatch._metrics.get(key) or [], window):
        periods[number].append(point)
    return [_statistic(within, statistic) for within in periods]


def _recent(points: list[Point], window: Window) -> Iterator[tuple[Point, int]]:
    """The points in the window and the number of their period, from the newest on.

    Alarms look several times a second, at metrics that have an hour's points: those are in the order of time, but for a
    few that somebody has put with a time of their own.
    """
    older = 0
    for at in range(len(points) - 1, -1, -1):  # others add to the end meanwhile
        point = points[at]
        number = window.number(point["Timestamp"])
        if number is not None:
            yield point, number
        elif point["Timestamp"] < window.end - window.count * window.period:
            older += 1
            if older > MOST_OUT_OF_ORDER:
                return


def series_of_query(query: Query, alarm_arn: str, window: Window) -> tuple[Mapping[str, Series], bool]:
    """The series with data in the window by contributor id, in the order of the query; are they all?"""
    groups: dict[tuple[str, ...], list[tuple[float, float]]] = defaultdict(list)
    for group, points in _matching(query):
        groups[group].extend(_highest_values(point for point, _ in _recent(points, window)))
    found = []
    for group, highest in groups.items():
        values = window.highest(highest)
        known = [value for value in values if value is not None]
        if known:
            found.append((max(known), group, values))
    found.sort(key=lambda each: (-each[0] if query.descending else each[0], each[1]))
    series = {}
    for _, group, values in found[:MOST_SERIES]:
        attributes = dict(zip(query.group_by, group, strict=True))
        series[contributor_id(alarm_arn, attributes)] = Series(attributes, values)
    return series, len(found) <= MOST_SERIES


def forget_old_points(before: float) -> None:
    """Drop points from before that moment, where a metric has newer ones; the last one keeps the metric known.

    From the list's beginning and in place: others add to its end meanwhile.
    """
    for points in cloudwatch._metrics.values():
        newer = next((at for at, point in enumerate(points) if point["Timestamp"] >= before), len(points) - 1)
        del points[:newer]


def kept_seconds(seconds_per_minute: float) -> float:
    """How long a point is kept: three hours of the alarms' clock, or what the longest alarm looks at if that is more.

    An hour at least, for those who read metrics while the clock runs fast.
    """
    minute = seconds_per_minute / 60
    longest = max((period_of(alarm) * alarm["EvaluationPeriods"] for alarm in cloudwatch._alarms.values()), default=0)
    return max(3 * HOUR * minute, longest * minute, HOUR)


def period_of(alarm: Mapping[str, Any]) -> int:
    """In seconds of the alarm's clock."""
    period: int = alarm["Metrics"][0]["Period"] if alarm.get("Metrics") else alarm["Period"]
    return period


def _matching(query: Query) -> Iterator[tuple[tuple[str, ...], list[Point]]]:
    for (namespace, metric, _), points in list(cloudwatch._metrics.items()):  # others add to it meanwhile
        if namespace == query.namespace and metric == query.metric and points:
            group = query.group_of(points[0]["Dimensions"])
            if group is not None:
                yield group, points


def _highest_values(points: Iterable[Point]) -> Iterator[tuple[float, float]]:
    for point in points:
        count, _, _, highest = cloudwatch._point_stats(point)
        if count > 0:
            yield point["Timestamp"], highest


def _statistic(points: list[Point], statistic: str) -> float | None:
    stats = cloudwatch._calc_stats(points)
    value: float | None = cloudwatch._stat_value(stats, statistic, points) if stats else None
    return value
