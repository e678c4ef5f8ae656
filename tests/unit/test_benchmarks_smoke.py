"""The benchmarks' statistics, tables and inputs: that they add up, not how fast anything is."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import custodian, publishing
from benchmarks.figure import Figure, Target, number, table
from benchmarks.fleet import Fleet
from benchmarks.samples import Sample, interleaved
from benchmarks.serving import Place
from benchmarks.teams import live_after, policy, policy_text
from benchmarks.ways import spent
from governor.plan import desired_by, plan


def test_a_sample_tells_its_smallest_middle_and_largest_value() -> None:
    sample = Sample((3.0, 1.0, 2.0, 10.0))

    assert (sample.low, sample.median, sample.high) == (1.0, 2.5, 10.0)
    assert sample.scaled(1000).high == 10_000


def test_a_ratio_is_taken_round_by_round() -> None:
    # The second round was slow for both; the ratio of the medians would be 2 x 30 / 16.
    assert Sample((2.0, 60.0, 2.0)).over(Sample((1.0, 30.0, 1.0))).values == (2.0, 2.0, 2.0)


def test_a_sample_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Sample(())


def test_every_other_round_goes_backwards() -> None:
    order: list[str] = []

    def measure(name: str) -> float:
        order.append(name)
        return float(len(order))

    taken = interleaved(3, {"a": lambda: measure("a"), "b": lambda: measure("b")})

    assert order == ["a", "b", "b", "a", "a", "b"]
    assert taken == {"a": Sample((1.0, 4.0, 5.0)), "b": Sample((2.0, 3.0, 6.0))}


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (12, "12"), (0.8344, "0.834"), (1.256, "1.26"), (12.34, "12.3"), (831.4, "831"), (12345.6, "12,346")],
)
def test_numbers_have_three_digits(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_table_has_text_on_the_left_and_numbers_on_the_right() -> None:
    assert table(["", "teams"], [["parse", "1"], ["CSafeLoader", "1,000"]]) == [
        "             teams",
        "-----------  -----",
        "parse            1",
        "CSafeLoader  1,000",
    ]


def test_a_row_with_a_cell_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="1 cells, the header 2"):
        table(["a", "b"], [["1"]])


def test_a_target_that_is_not_met_is_printed_and_nothing_else() -> None:
    targets = [Target("time over bound", 1.5, 1.5), Target("time over bound", 1.61, 1.5)]

    assert Figure("apply: s", ["a"], [["1"]], targets, ["One run."]).render().splitlines() == [
        "apply: s",
        "a",
        "-",
        "1",
        "target: time over bound at most 1.50: 1.50, met",
        "target: time over bound at most 1.50: 1.61, NOT MET",
        "One run.",
    ]


def test_the_policies_measured_are_accepted_and_lead_to_a_state_that_needs_no_step() -> None:
    small = policy(20)
    made = plan(desired_by(small), live_after(small), None)

    assert len(small.teams) == 20
    assert 250 < len(policy_text(1_000)) / 1_000 < 350  # bytes a team
    assert made.steps == ()
    assert made.unchanged == 21  # the cluster policy too


@pytest.mark.parametrize(("plural", "kilobytes"), [("clusterqueues", 4.6), ("localqueues", 3.0), ("namespaces", 0.8)])
def test_a_list_by_pages_has_every_team_once_and_the_size_that_an_api_server_writes(
    plural: str, kilobytes: float
) -> None:
    fleet, start, size = Fleet(12), "0", 0
    items: list[dict[str, Any]] = []
    while start:
        body = fleet.page(plural, int(start), 5)
        page = json.loads(body)
        assert len(page["items"]) <= 5
        items, size = items + page["items"], size + len(body)
        start = page["metadata"].get("continue", "")

    assert len({each["metadata"]["name"] for each in items}) == len(items) == 12
    assert all(each["metadata"]["managedFields"] for each in items)
    assert size / 12 / 1000 == pytest.approx(kilobytes, rel=0.1)


def test_nobody_waits_where_there_are_no_workloads() -> None:
    pending = {
        workloads: sum(
            each["status"]["pendingWorkloads"]
            for each in json.loads(Fleet(8, workloads).page("clusterqueues", 0, 500))["items"]
        )
        for workloads in (0, 40)
    }

    assert pending[0] == 0
    assert pending[40] > 0


@pytest.fixture(scope="module")
def server() -> Iterator[Place]:
    with Place.served() as place:
        yield place


@pytest.mark.parametrize(("way", "seen"), [("usage", 24), ("client, all lists", 24), ("oldest", 8)])
def test_the_ways_that_are_compared_see_the_whole_cluster(server: Place, way: str, seen: int) -> None:
    # Of six workloads in turn the fourth and the fifth wait: of 24 teams, eight have one.
    found = spent(way, server, 24, 48 if way == "oldest" else 0)

    assert found.objects == seen
    assert found.cpu_seconds > 0


def test_the_metrics_that_are_weighed_are_all_that_a_team_has(capsys: pytest.CaptureFixture[str]) -> None:
    publishing.write("Flavor", 2)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    one = [line["_aws"]["CloudWatchMetrics"][0] for line in lines if line.get("team") == "research-00001"]
    assert [len(each["Metrics"]) for each in one] == [10, *[6] * 10]  # 2 flavors of 5 resources
    assert len(lines) == 2 * 11 + 3


def test_the_peer_of_the_cold_start_is_started_with_nothing_but_its_own_packages() -> None:
    command, environment = custodian.start({"PYTHONPATH": "ours", "AWS_DEFAULT_REGION": "us-west-2"})

    assert "-S" in command
    assert "ours" not in environment["PYTHONPATH"]
    assert environment["AWS_DEFAULT_REGION"] == "us-west-2"
