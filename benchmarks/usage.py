"""A run of publish_metrics: reading a cluster of 1,000 teams, and the oldest of many workloads."""

from collections.abc import Mapping, Sequence
from functools import partial

from benchmarks.figure import Figure, Target, number
from benchmarks.samples import Sample, interleaved
from benchmarks.serving import Place
from benchmarks.ways import PAGE, Spent, spent

_TEAMS = 1_000
_TEAMS_THAT_QUEUE = 100
_OURS, _CLIENTS, _CLIENTS_ALL = "governor: all lists, usage", "client: ClusterQueues", "client: all lists"
_OF_QUEUES = "governor: ClusterQueues, usage"
_RUN = {
    "governor: ClusterQueues": "queues",
    _OF_QUEUES: "queues, usage",
    _OURS: "usage",
    "governor: the same and metrics, detail Team": "figures",
    "governor: the same and metrics, detail Flavor": "figures by flavor",
    _CLIENTS: "client, ClusterQueues",
    _CLIENTS_ALL: "client, all lists",
}
_HEADER = ["min", "median", "max"]


def measure(*, quick: bool) -> Sequence[Figure]:
    """Two figures: a run without workloads that wait, and the workloads."""
    rounds = 2 if quick else 9
    sizes = (5_000, 10_000) if quick else (10_000, 50_000)
    with Place.served() as server:
        return [_run(server, rounds), _workloads(server, rounds, sizes)]


def _run(server: Place, rounds: int) -> Figure:
    cpu, memory = _measured(server, rounds, {name: (way, _TEAMS, 0) for name, way in _RUN.items()})
    lists = cpu[_CLIENTS_ALL]
    rows = []
    for name, sample in cpu.items():
        over = (sample.over(cpu[_CLIENTS]).median, sample.over(lists).median)
        rows.append([name, *_times(sample), number(over[0]), number(over[1]), number(memory[name].median)])
    return Figure(
        f"usage: CPU ms of one run over {_TEAMS:,} ClusterQueues, and MiB by which memory grows",
        ["", *_HEADER, "over the client's ClusterQueues", "over its lists", "MiB"],
        rows,
        [
            Target(
                "usage of ClusterQueues over the client's list of them", cpu[_OF_QUEUES].over(cpu[_CLIENTS]).median, 0.4
            ),
            Target("a whole run over the client's lists of the same", cpu[_OURS].over(lists).median, 0.4),
            Target("MiB by which a run grows memory", memory[_OURS].median, 10),
        ],
        [
            f"{rounds} interleaved rounds, each in a fresh process after a small cluster to warm up; pages of {PAGE}, "
            "TLS. A ClusterQueue has 4.6 KB, a LocalQueue 3.0, a Namespace 0.8, all with managedFields; one Cohort, "
            "two ResourceFlavors, no node. A fourth of the teams borrows, nobody waits. The client is the official "
            "one: CustomObjectsApi, and CoreV1Api for namespaces and nodes. Metrics are written into nothing.",
        ],
    )


def _workloads(server: Place, rounds: int, sizes: tuple[int, int]) -> Figure:
    few, many = sizes
    loads = f"{few:,} workloads: json.loads of the same bytes"
    ours = {size: f"{size:,} workloads: the oldest that waits, by queue" for size in sizes}
    ways = {ours[size]: ("oldest", _TEAMS_THAT_QUEUE, size) for size in sizes}
    ways[loads] = ("json.loads", _TEAMS_THAT_QUEUE, few)
    ways[f"{few:,} workloads: reading them, and json.loads"] = ("json.loads, read", _TEAMS_THAT_QUEUE, few)
    cpu, memory = _measured(server, rounds, ways)
    over, growth = cpu[ours[few]].over(cpu[loads]).median, memory[ours[many]].median - memory[ours[few]].median
    return Figure(
        "workloads: CPU ms of looking for the oldest that wait, and MiB by which memory grows",
        ["", *_HEADER, "over json.loads", "MiB"],
        [
            [name, *_times(sample), number(sample.over(cpu[loads]).median), number(memory[name].median)]
            for name, sample in cpu.items()
        ],
        [
            Target(f"{few:,} workloads over json.loads alone", over, 0.25),
            Target(f"MiB that {many:,} workloads need more than {few:,}", max(0.0, growth), 2),
        ],
        [
            f"{rounds} interleaved rounds as above. A workload has 5 KB, of six one waits and one waits again after "
            "it was preempted. What is looked for is read over TLS and includes the lists of queues and namespaces of "
            f"{_TEAMS_THAT_QUEUE} teams; json.loads finds its bytes, pages of {PAGE}, in memory.",
        ],
    )


def _measured(
    server: Place, rounds: int, ways: Mapping[str, tuple[str, int, int]]
) -> tuple[dict[str, Sample], dict[str, Sample]]:
    """By name CPU seconds, and MiB."""
    taken: dict[str, list[Spent]] = {name: [] for name in ways}
    cpu = interleaved(rounds, {name: partial(_once, server, *asked, taken[name]) for name, asked in ways.items()})
    return cpu, {name: Sample(tuple(each.grown_mib for each in taken[name])) for name in ways}


def _once(server: Place, way: str, teams: int, workloads: int, taken: list[Spent]) -> float:
    taken.append(spent(way, server, teams, workloads))
    return taken[-1].cpu_seconds


def _times(sample: Sample) -> list[str]:
    ms = sample.scaled(1000)
    return [number(ms.low), number(ms.median), number(ms.high)]
