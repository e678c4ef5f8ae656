"""Usage as metrics: which figures, under which dimensions. docs/cost.md says what they cost.

Every set of dimensions makes a metric of its own, and each is paid for: a team has at most ten (``MOST_PER_TEAM``).
Nothing without a figure is a metric: an unlimited share, an unlimited borrow limit, a percentage of nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from governor.usage.alarming import Borrowing
from governor.usage.capacity import promises_too_much
from governor.usage.measures import PER_VCPU, Measure, Sum, counted, governing, sums
from governor.usage.model import ClusterUsage, ResourceUsage, TeamUsage

Unit = Literal["Count", "Seconds", "Bytes", "None"]
Detail = Literal["Team", "Flavor"]
MOST_PER_TEAM = 10
_MOST_SHARE = 2**53
"""Above this a float is no whole number any more, and a share is none that says anything."""


class Figure(msgspec.Struct, frozen=True):
    """One figure."""

    name: str
    value: float
    unit: Unit = "Count"


class Batch(msgspec.Struct, frozen=True):
    """Figures under the same dimensions."""

    dimensions: Mapping[str, str]
    figures: tuple[Figure, ...]


def batches(usage: ClusterUsage, borrowing: Iterable[Borrowing], detail: Detail) -> Iterator[Batch]:
    """All of one cluster."""
    over = {each.team: each.over for each in borrowing}
    starved = {each.team for each in usage.reclaimable}
    for team in usage.teams:
        yield Batch(
            {"cluster": usage.cluster, "team": team.name},
            tuple(_team(team, usage, over.get(team.name), starves=team.name in starved)),
        )
        if detail == "Flavor":
            for each in team.resources:
                yield Batch(
                    {"cluster": usage.cluster, "flavor": each.flavor, "resource": each.resource, "team": team.name},
                    tuple(_resource(each)),
                )
    yield Batch({"cluster": usage.cluster}, tuple(_cluster(usage, len(starved))))


def readable(cluster: str, *, sound: bool) -> Batch:
    """Whether all of a cluster could be read; where it could not, this stands alone."""
    return Batch({"cluster": cluster}, (Figure("CouldNotRead", int(not sound)),))


def heartbeat(clusters: int) -> Batch:
    """Of one run for all clusters: that it came to its end."""
    return Batch({}, (Figure("Heartbeat", 1), Figure("Clusters", clusters)))


def _team(team: TeamUsage, usage: ClusterUsage, over: bool | None, *, starves: bool) -> Iterator[Figure]:
    yield from _amounts(governing(team))
    yield Figure("PendingWorkloads", team.pending)
    oldest = _age(team.pending, team.oldest_waiting, usage)
    if oldest is not None:
        yield Figure("OldestPendingSeconds", oldest, "Seconds")
    if team.weighted_share is not None and team.weighted_share < _MOST_SHARE:
        yield Figure("WeightedShare", team.weighted_share, "None")
    yield Figure("Starved", int(starves))
    if over is not None:
        yield Figure("OverBorrowing", int(over))


def _amounts(found: Sum) -> Iterator[Figure]:
    for name, amount in (
        ("Guaranteed", found.guaranteed),
        ("Used", found.used),
        ("Borrowed", found.borrowed),
        ("Lent", found.lent),
        ("OverQuota", found.over_quota),
    ):
        yield Figure(f"{name}{found.measure}", in_units(found.measure, amount))


def in_units(measure: Measure, amount: int) -> float:
    """Devices, partitions, or vCPUs with their thousandths."""
    return amount / PER_VCPU if measure == "VCpus" else amount


def _age(pending: int, oldest: int | None, usage: ClusterUsage) -> int | None:
    """Seconds; 0 where nothing waits, None where it is not known. A workload from the future has just come."""
    if not pending:
        return 0
    return None if oldest is None else max(0, usage.at - oldest)


def _resource(each: ResourceUsage) -> Iterator[Figure]:
    if each.resource == "cpu":
        scale, unit = PER_VCPU, "Count"
    else:
        scale, unit = 1, "Bytes" if each.resource == "memory" else "Count"
    for name, amount in (
        ("Guaranteed", each.guaranteed),
        ("Used", each.used),
        ("Reserved", each.reserved),
        ("Borrowed", each.borrowed),
        ("Lent", each.lent),
        ("Headroom", each.headroom),
    ):
        yield Figure(name, amount / scale, "Bytes" if unit == "Bytes" else "Count")


def _cluster(usage: ClusterUsage, starved: int) -> Iterator[Figure]:
    found = sums(each for queue in usage.queues for each in queue.resources)
    main = next((each for each in found.values() if not each.is_nothing), found["VCpus"])
    yield from _amounts(main)
    pending = sum(queue.pending for queue in usage.queues)
    waiting = [queue.oldest_waiting for queue in usage.queues if queue.oldest_waiting is not None]
    yield Figure("PendingWorkloads", pending)
    oldest = _age(pending, min(waiting, default=None), usage)
    if oldest is not None:
        yield Figure("OldestPendingSeconds", oldest, "Seconds")
    yield Figure("Teams", len(usage.teams))
    yield Figure("StarvedTeams", starved)
    yield Figure("QueuesNotActive", sum(queue.state != "active" for queue in usage.queues))
    yield Figure("QueuesDeleting", len(usage.deleting))
    if usage.capacity is not None:
        kinds = counted(tuple(each for queue in usage.queues for each in queue.resources))
        of_nodes = [each for each in usage.capacity if kinds.get(each.resource) == main.measure]
        yield Figure(f"Allocatable{main.measure}", in_units(main.measure, sum(each.allocatable for each in of_nodes)))
        yield Figure(f"Idle{main.measure}", in_units(main.measure, sum(each.idle for each in of_nodes)))
        yield Figure("QuotaAboveCapacity", int(promises_too_much(usage.capacity)))
