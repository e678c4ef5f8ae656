"""How many bytes of metrics a team costs: the lines that publish_metrics writes. `python -m benchmarks.publishing`."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import get_args

from benchmarks.figure import Figure, number
from benchmarks.processes import ROOT
from governor.observability import publish
from governor.usage import ClusterUsage, ResourceUsage, TeamUsage
from governor.usage.alarming import Borrowing
from governor.usage.figures import Detail, batches, heartbeat, readable

_TEAMS = 100
_RUNS = 30 * 24 * 60
_AT = 1_795_500_000
_FLAVORS = ("ml.g5.8xlarge", "ml.p5.48xlarge")
_RESOURCES = ("cpu", "ephemeral-storage", "memory", "nvidia.com/gpu", "vpc.amazonaws.com/efa")


def measure(*, quick: bool) -> Sequence[Figure]:  # noqa: ARG001 - it is quick
    """One figure, counted and not timed."""
    rows = []
    for detail in get_args(Detail):
        one, two, all_ = (_lines(detail, teams) for teams in (1, 2, _TEAMS))
        size, per_run = len(two) - len(one), len(all_)
        lines = two.count(b"\n") - one.count(b"\n")
        rows.append([f"detail {detail}", f"{lines}", f"{size:,}", f"{per_run:,}", number(per_run * _RUNS / 10**9)])
    return [
        Figure(
            f"metrics: bytes that are written to the log, and GB a month of {_TEAMS} teams with a run each minute",
            ["", "lines a team", "bytes a team", f"bytes a run of {_TEAMS} teams", "GB a month"],
            rows,
            notes=[
                f"Teams with {len(_FLAVORS)} flavors of {len(_RESOURCES)} resources each and names of 14 characters, "
                "which have all ten metrics of a team. A run has the lines of its cluster and its heartbeat too."
            ],
        )
    ]


def _lines(detail: Detail, teams: int) -> bytes:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.publishing", detail, str(teams)],
        env={**os.environ, "POWERTOOLS_SERVICE_NAME": "hyperpod-governor"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


def _usage(teams: int) -> tuple[ClusterUsage, list[Borrowing]]:
    """Teams that use half of what they are guaranteed, and wait; an alarm on each."""
    names = [f"research-{each:05}" for each in range(1, teams + 1)]
    resources = tuple(
        ResourceUsage(flavor, each, 64_000, 32_000, 32_000, headroom=32_000)
        for flavor in _FLAVORS
        for each in _RESOURCES
    )
    usage = ClusterUsage(
        cluster="ml-research",
        at=_AT + 60,
        teams=tuple(
            TeamUsage(
                cluster_queue=f"hyperpod-ns-{name}-clusterqueue",
                cohort="hyperpod",
                state="active",
                reason="",
                pending=1,
                admitted=1,
                resources=resources,
                oldest_waiting=_AT,
                weighted_share=500,
                name=name,
                namespaces=(f"hyperpod-ns-{name}",),
            )
            for name in names
        ),
        capacity=(),
    )
    return usage, [Borrowing(name, "Accelerators", 0, 64_000, 0.0, 50, over=False) for name in names]


def write(detail: Detail, teams: int) -> None:
    """What one run writes to the log of a function: to standard output."""
    usage, borrowing = _usage(teams)
    for batch in (readable(usage.cluster, sound=True), *batches(usage, borrowing, detail), heartbeat(1)):
        figures = ((each.name, each.value, each.unit) for each in batch.figures)
        publish("HyperPod/TaskGovernance", batch.dimensions, figures, "")


if __name__ == "__main__":
    write("Flavor" if sys.argv[1] == "Flavor" else "Team", int(sys.argv[2]))
