"""The page of costs names every metric that is published, and computes money from how many there are."""

import dataclasses
import logging
import re
from collections.abc import Iterable
from typing import Literal, get_args

import pytest

from governor.aws.usage import Reading
from governor.publish import Declared, Publisher
from governor.records.names import usage_key
from governor.records.usages import UsageSeen
from governor.usage import ClusterUsage
from governor.usage.figures import MOST_PER_TEAM, Batch, Detail
from governor.usage.measures import Measure
from governor.usage.seen import Doors, Seen
from tests.support.buckets import WallClock
from tests.support.cloudformation import properties
from tests.support.desk import Desk
from tests.support.pages import page, rows, section
from tests.support.usage_figures import FLAVORS, RESOURCES, metrics, of_every_kind, of_teams, print_all, published

COST_PAGE = page("cost")
SIZES = (10, 100, 1000)
RUNS = 30 * 24 * 60
KEPT_VERSIONS = 2 * 24 * 60
"""Of a document that is written every minute and kept for a day: S3 takes them away at midnight."""
SECONDS = {10: 2.0, 100: 2.0, 1000: 10.0}
"""What a run takes: assumed, as the page says."""
GIGABYTES = 0.5


@dataclasses.dataclass(frozen=True)
class _Prices:
    """us-east-1, in dollars; the page says where they come from."""

    metrics: tuple[tuple[int, float], ...] = ((10_000, 0.30), (240_000, 0.10))
    analysed_metric: float = 0.10
    log_gigabyte: float = 0.50
    gigabyte_second: float = 0.000_013_333_4
    invocation: float = 0.20 / 1_000_000
    write_or_list: float = 0.005 / 1000
    read: float = 0.0004 / 1000
    stored_gigabyte: float = 0.023


PRICES = _Prices()


def _tiered(number: int) -> float:
    money, left = 0.0, number
    for size, price in PRICES.metrics:
        money += min(left, size) * price
        left -= min(left, size)
    assert left == 0  # the page does not go that far
    return money


def _dollars(money: float) -> str:
    return f"${money:,.0f}" if money >= 9.995 else f"${money:.2f}"


def _metric_rows() -> Iterable[list[str]]:
    for title in ("Of a team", "Of a flavor and resource of a team", "Of a cluster", "Of the stack"):
        yield from rows(section(COST_PAGE, title))


def _told() -> set[tuple[str, frozenset[str], frozenset[str]]]:
    """Names, units and dimensions, a star standing for each measure."""
    found = set()
    for name, unit, dimensions, meaning in _metric_rows():
        assert len(meaning) > 10
        names = [name.strip("`").replace("*", measure) for measure in get_args(Measure)]
        units = frozenset(unit.split(" or "))
        found |= {(each, units, frozenset(re.findall(r"`(\w+)`", dimensions))) for each in names}
    return found


def _units(found: Iterable[Batch]) -> set[tuple[str, frozenset[str], frozenset[str]]]:
    units: dict[tuple[str, frozenset[str]], set[str]] = {}
    for batch in found:
        for figure in batch.figures:
            units.setdefault((figure.name, frozenset(batch.dimensions)), set()).add(figure.unit)
    return {(name, frozenset(seen), dimensions) for (name, dimensions), seen in units.items()}


def test_every_metric_is_on_the_page_with_unit_and_dimensions_and_no_other() -> None:
    assert _told() == _units(of_every_kind())


def test_a_team_has_ten_metrics_at_most() -> None:
    for batch in of_every_kind():
        if set(batch.dimensions) == {"cluster", "team"}:
            assert len(batch.figures) <= MOST_PER_TEAM == 10
    one, two = (len(metrics(published(of_teams(number), "Team"))) for number in (1, 2))
    assert two - one == 10  # of which nothing is missing in the example
    assert "at most ten metrics per team" in " ".join(COST_PAGE.split())


class _Kueue:
    """Any cluster: what is asked of the bucket does not depend on it."""

    def read(self, _cluster_arn: str, _time_left: object) -> Reading:
        return Reading(Seen((), Doors({}, ())), ())


class _Nowhere:
    def publish(self, batch: Batch, reason: str = "") -> None:
        """Nobody looks."""


def _requests() -> dict[str, int]:
    """What a run asks of the bucket for one cluster, once there is something from the minute before."""
    desk = Desk()
    desk.applied()
    publisher = Publisher(
        desk.documents,
        _Kueue(),
        _Nowhere(),
        lambda _force: Declared(),
        logging.getLogger("publish"),
        desk.now,
        lambda: 60.0,
    )
    publisher.run()
    desk.now.advance(minutes=1)
    desk.records.calls.clear()
    publisher.run()
    kinds = [operation for operation, _ in desk.records.calls]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def _size_of(usage: ClusterUsage) -> int:
    """Bytes of the document of usage."""
    desk = Desk()
    seen = UsageSeen(at=WallClock()(), cluster_arn=desk.world.arn, cluster_name="ml-research", usage=usage)
    desk.documents.write(usage_key("abc"), seen, None)
    (listed,) = desk.records.listed(usage_key("abc"))
    return listed.size


def _log_bytes(usage: ClusterUsage, detail: Detail, capsys: pytest.CaptureFixture[str]) -> int:
    """What a run prints."""
    capsys.readouterr()
    print_all(published(usage, detail))
    return len(capsys.readouterr().out.encode())


def _row(number: int, detail: Detail, capsys: pytest.CaptureFixture[str]) -> list[str]:
    usage, requests = of_teams(number), _requests()
    count = len(metrics(published(usage, detail)))
    analysed = 2 * number + 2  # two alarms look at a metric of every team, two at one of every cluster
    s3 = (requests["put"] + requests["list"]) * PRICES.write_or_list + requests["get"] * PRICES.read
    stored = _size_of(usage) * KEPT_VERSIONS / 1e9 * PRICES.stored_gigabyte
    money = [
        _tiered(count),
        analysed * PRICES.analysed_metric,
        _log_bytes(usage, detail, capsys) * RUNS / 1e9 * PRICES.log_gigabyte,
        RUNS * (SECONDS[number] * GIGABYTES * PRICES.gigabyte_second + PRICES.invocation),
        RUNS * s3 + stored,
    ]
    return [f"{number:,}", detail, f"{count:,}", *map(_dollars, money), _dollars(sum(money))]


@pytest.mark.parametrize("detail", get_args(Detail))
@pytest.mark.parametrize("number", SIZES)
def test_the_money_is_computed_from_what_is_published(
    number: int, detail: Literal["Team", "Flavor"], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "hyperpod-governor")
    (told,) = [row for row in rows(section(COST_PAGE, "Money")) if row[:2] == [f"{number:,}", detail]]
    assert told == _row(number, detail, capsys)


def test_the_page_says_what_was_counted(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "hyperpod-governor")
    text = " ".join(COST_PAGE.split())
    assert f"{len(FLAVORS)} flavors × {len(RESOURCES)} resources" in text
    requests = _requests()
    assert f"{requests['list']} list, {requests['get']} reads and {requests['put']} write" in text
    details: tuple[Detail, ...] = get_args(Detail)
    per_team = {detail: _log_bytes(of_teams(100), detail, capsys) / 100 for detail in details}
    assert f"{per_team['Team'] / 1000:.1f} kB per team and run, {per_team['Flavor'] / 1000:.1f} kB with Flavor" in text
    assert f"{RUNS:,} runs" in text


def test_the_alarms_that_are_counted_are_those_of_the_template() -> None:
    queries = [alarm["Metrics"][0] for alarm in properties("AWS::CloudWatch::Alarm").values() if "Metrics" in alarm]
    per_team = [each for each in queries if each["Id"] == "teams"]
    assert (len(per_team), len(queries) - len(per_team)) == (2, 2)
