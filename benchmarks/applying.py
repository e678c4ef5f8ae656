"""100 new quotas: the writer at concurrency 1, 4 and 16 against the bound, and the workshop's shell loop."""

import math
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import workshop
from benchmarks.account import LATENCY_SECONDS, Account, open_account
from benchmarks.figure import Figure, Target, number
from benchmarks.processes import Cost
from benchmarks.samples import Sample
from benchmarks.teams import CLUSTER, policy
from governor.apply import FileRecords, SystemClock, Writer, WriterSettings
from governor.plan import Desired
from governor.quota import bundled_instances

TRANSITION_SECONDS = 2.0
_WRITES, _DESCRIBES, _LISTS = "CreateComputeQuota", "DescribeComputeQuota", "ListComputeQuotas"


@dataclass(frozen=True, slots=True)
class _Applied:
    """One run of the writer."""

    concurrency: int
    quotas: int
    seconds: float
    cpu_seconds: float
    calls: dict[str, int]

    @property
    def bound(self) -> float:
        """Seconds that no writer with so many places can do without: a call, and the wait for its effect."""
        return math.ceil(self.quotas / self.concurrency) * (LATENCY_SECONDS + TRANSITION_SECONDS)


def measure(*, quick: bool) -> Sequence[Figure]:
    """Two figures: the writer against its bound, and the shell loop beside it."""
    runs = ((1, 4), (4, 16), (16, 32)) if quick else ((1, 100), (4, 100), (16, 100))
    loop_size = 2 if quick else 6
    applied: list[_Applied] = []
    loops: list[Cost] = []
    with open_account(latency_seconds=LATENCY_SECONDS, transition_seconds=TRANSITION_SECONDS) as account:
        for concurrency, quotas in reversed(runs):
            _loop(account, loop_size, loops)
            print(f"apply: {quotas} quotas, concurrency {concurrency}", file=sys.stderr)
            applied.append(_apply(account, concurrency, quotas))
        _loop(account, loop_size, loops)
    applied.reverse()
    return [_writer_figure(applied), _comparison(applied, loops, loop_size)]


def _apply(account: Account, concurrency: int, quotas: int) -> _Applied:
    account.empty()
    desired = Desired(policy(1_000).teams[:quotas])
    cluster = account.api.clusters.describe(CLUSTER)
    account.calls()
    with tempfile.TemporaryDirectory() as directory:
        writer = Writer(
            account.api, FileRecords(Path(directory)), SystemClock(), WriterSettings(concurrency=concurrency)
        )
        began, spent = time.perf_counter(), time.process_time()
        outcome = writer.apply(desired, cluster, bundled_instances())
        seconds, cpu = time.perf_counter() - began, time.process_time() - spent
    if outcome.verdict != "Applied":
        raise ValueError(f"{outcome.verdict}: {outcome.reason}")
    return _Applied(concurrency, quotas, seconds, cpu, account.calls())


def _loop(account: Account, size: int, loops: list[Cost]) -> None:
    if workshop.is_installed():
        print(f"apply: shell loop with awscli, {size} quotas", file=sys.stderr)
        account.empty()
        loops.append(workshop.loop(account, 1, size))


def _writer_figure(applied: list[_Applied]) -> Figure:
    return Figure(
        f"apply: new quotas at {LATENCY_SECONDS * 1000:.0f} ms a call and {TRANSITION_SECONDS:.0f} s to become steady",
        ["concurrency", "quotas", "bound s", "took s", "over bound", "creates", "describes", "lists", "CPU ms a quota"],
        [
            [
                str(run.concurrency),
                str(run.quotas),
                number(run.bound),
                number(run.seconds),
                number(run.seconds / run.bound),
                str(run.calls.get(_WRITES, 0)),
                str(run.calls.get(_DESCRIBES, 0)),
                str(run.calls.get(_LISTS, 0)),
                number(run.cpu_seconds / run.quotas * 1000),
            ]
            for run in applied
        ],
        [Target(f"time over bound at concurrency {run.concurrency}", run.seconds / run.bound, 1.5) for run in applied],
        [
            "One run each. The bound is ceil(quotas / concurrency) x (one call + the transition); what was taken "
            "includes reading the live state, planning, and writing the record twice."
        ],
    )


def _comparison(applied: list[_Applied], loops: list[Cost], size: int) -> Figure:
    rows = [
        [
            f"writer, concurrency {run.concurrency}",
            str(run.quotas),
            number(run.seconds / run.quotas),
            number(run.seconds / run.quotas * 100),
            number(run.cpu_seconds / run.quotas * 1000),
            "yes",
        ]
        for run in applied
    ]
    notes = [
        f"The loop ran {len(loops)} times for {size} quotas, before, between and after the writer's runs; its figures "
        "are medians, and those for 100 quotas are extrapolated from the time a quota takes. It ends when the last "
        "call is answered and does not know whether a quota ever became steady."
    ]
    if loops:
        seconds = Sample(tuple(cost.wall_seconds / size for cost in loops))
        cpu = Sample(tuple(cost.cpu_seconds / size for cost in loops)).median
        rows.append(
            [
                "shell loop of aws create-compute-quota",
                str(size),
                f"{number(seconds.median)} ({number(seconds.low)}-{number(seconds.high)})",
                f"{number(seconds.median * 100)}, extrapolated",
                number(cpu * 1000),
                "no",
            ]
        )
    else:
        notes = ["awscli is not installed here, so the shell loop was left out: 'make bench' installs it."]
    return Figure(
        "apply: the workshop's way in the same run",
        ["", "quotas", "s a quota", "s for 100", "CPU ms a quota", "waits until steady"],
        rows,
        notes=notes,
    )
