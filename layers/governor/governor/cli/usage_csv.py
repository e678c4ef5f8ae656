"""Usage as comma-separated values: a line for each queue, flavor and resource, in whole numbers with their unit."""

import csv
import io
from collections.abc import Iterable, Iterator

from governor.cli.usage_rows import Row, other_rows, rows, unit_of_resource
from governor.kueue.times import in_utc
from governor.policy.wording import printable
from governor.usage import ClusterUsage, ResourceUsage

COLUMNS = (
    "cluster",
    "at",
    "kind",
    "team",
    "clusterQueue",
    "cohort",
    "state",
    "flavor",
    "resource",
    "unit",
    "guaranteed",
    "used",
    "reserved",
    "borrowed",
    "overQuota",
    "lent",
    "idle",
    "borrowLimit",
    "headroom",
    "pending",
    "admitted",
    "oldestWaiting",
    "weight",
    "weightedShare",
)
_FORMULA = ("=", "+", "-", "@")


def heading() -> str:
    """The line that names the columns."""
    return _text([COLUMNS])


def lines(usage: ClusterUsage) -> str:
    """All lines of one moment, ended as RFC 4180 has it. Times are in UTC; what is not known, or no limit, is empty."""
    return _text(_cells(usage, row, each) for row in (*rows(usage), *other_rows(usage)) for each in row.queue.resources)


def _cells(usage: ClusterUsage, row: Row, each: ResourceUsage) -> Iterator[str]:
    queue = row.queue
    yield from map(
        _harmless,
        (
            usage.cluster,
            in_utc(usage.at),
            row.kind,
            row.name if row.kind == "team" else "",
            queue.cluster_queue,
            queue.cohort,
            queue.state,
            each.flavor,
            each.resource,
            unit_of_resource(each.resource),
        ),
    )
    figures = (each.guaranteed, each.used, each.reserved, each.borrowed, each.over_quota, each.lent, each.idle)
    yield from map(str, figures)
    yield "" if each.borrow_limit is None else str(each.borrow_limit)
    yield from map(str, (each.headroom, queue.pending, queue.admitted))
    yield "" if queue.oldest_waiting is None else in_utc(queue.oldest_waiting)
    yield str(queue.weight)
    yield "unlimited" if queue.share_unlimited else "" if queue.weighted_share is None else str(queue.weighted_share)


def _harmless(text: str) -> str:
    """A name that a spreadsheet would take for a formula is none behind an apostrophe."""
    return printable(f"'{text}" if text.lstrip().startswith(_FORMULA) else text)


def _text(cells: Iterable[Iterable[str]]) -> str:
    found = io.StringIO(newline="")
    csv.writer(found).writerows(cells)
    return found.getvalue()
