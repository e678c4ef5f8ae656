"""Reading a policy of 1,000 and of 10,000 teams, against PyYAML's C loader alone on the same bytes."""

import gc
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import yaml

from benchmarks.figure import Figure, Target, number
from benchmarks.processes import python
from benchmarks.samples import Sample, interleaved
from benchmarks.teams import BOUNDS, policy_text
from governor.aws.service_model import service_limits
from governor.checks import check_policy
from governor.policy import parse_policy
from governor.quota import bundled_instances

_MEMORY = """
import sys
from pathlib import Path
import msgspec
from governor.policy import Bounds, Shape, parse_policy
from governor.quota import bundled_instances
limits = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=dict[str, Shape])
data, instances = Path(sys.argv[2]).read_bytes(), bundled_instances()
if sys.argv[3] == "read":
    read = parse_policy(data, limits, instances=instances, bounds=Bounds(size=1 << 24, nodes=10_000_000))
    assert read.policy is not None
"""
_MEMORY_OF_LOADER = """
import sys
from pathlib import Path
import yaml
data = Path(sys.argv[2]).read_bytes()
if sys.argv[3] == "read":
    read = yaml.load(data, yaml.CSafeLoader)
"""


def measure(*, quick: bool) -> Sequence[Figure]:
    """Both figures: CPU time in this process, memory in fresh ones."""
    gc.collect()
    gc.freeze()  # what the benchmark itself holds is nobody's to collect: a lean process has none of it
    try:
        time_figure = _time(3 if quick else 11, 1 if quick else 5)
    finally:
        gc.unfreeze()
    return [time_figure, _memory(1 if quick else 5)]


def _time(rounds: int, rounds_of_many: int) -> Figure:
    small, large = policy_text(1_000), policy_text(10_000)
    taken = interleaved(
        rounds,
        {
            "CSafeLoader alone": partial(_cpu, _load, small),
            "CSafeLoader alone, collector off": partial(_cpu, _load_uncollected, small),
            "parse_policy": partial(_cpu, _parse, small),
            "parse_policy and check_policy": partial(_cpu, _parse_and_check, small),
        },
    )
    many = interleaved(
        rounds_of_many,
        {
            "parse_policy, 1,000 teams": partial(_cpu, _parse, small),
            "parse_policy, 10,000 teams": partial(_cpu, _parse, large),
            "CSafeLoader alone, 10,000 teams": partial(_cpu, _load, large),
        },
    )
    loader = taken["CSafeLoader alone"]
    ratio = taken["parse_policy"].over(loader).median
    uncollected = taken["parse_policy"].over(taken["CSafeLoader alone, collector off"]).median
    growth = many["parse_policy, 10,000 teams"].over(many["parse_policy, 1,000 teams"]).median
    return Figure(
        f"parse: a policy of 1,000 teams ({len(small):,} bytes) and of 10,000 ({len(large):,} bytes), CPU ms",
        ["", "teams", "min", "median", "max", "over CSafeLoader"],
        [
            *(_row(name, "1,000", sample, loader) for name, sample in taken.items()),
            *(
                _row(name.partition(",")[0], "10,000", many[name], many["CSafeLoader alone, 10,000 teams"])
                for name in ("CSafeLoader alone, 10,000 teams", "parse_policy, 10,000 teams")
            ),
        ],
        [
            Target("parse_policy over CSafeLoader, 1,000 teams,", ratio, 1.0),
            Target("parse_policy of 10,000 teams over 1,000", growth, 12.0),
        ],
        [
            f"{rounds} interleaved rounds for 1,000 teams, {rounds_of_many} for 10,000; ratios are medians of the "
            "ratios within a round. parse_policy knows line and column of every value, CSafeLoader of none. "
            f"It switches the garbage collector off while it reads; over a loader with the collector off it is "
            f"{number(uncollected)}."
        ],
    )


def _row(name: str, teams: str, sample: Sample, base: Sample) -> list[str]:
    ms = sample.scaled(1000)
    return [name, teams, number(ms.low), number(ms.median), number(ms.high), number(sample.over(base).median)]


def _cpu(work: Callable[[bytes], Any], data: bytes) -> float:
    """CPU seconds of one call; what it leaves behind is cleared away outside."""
    gc.collect()
    began = time.process_time()
    made = work(data)
    spent = time.process_time() - began
    del made
    return spent


def _load(data: bytes) -> Any:
    return yaml.load(data, yaml.CSafeLoader)


def _load_uncollected(data: bytes) -> Any:
    gc.disable()
    try:
        return _load(data)
    finally:
        gc.enable()


def _parse(data: bytes) -> Any:
    parsed = parse_policy(data, service_limits(), bounds=BOUNDS)
    assert parsed.policy is not None
    return parsed


def _parse_and_check(data: bytes) -> Any:
    parsed = _parse(data)
    return parsed, check_policy(parsed.policy, bundled_instances())


def _memory(rounds: int) -> Figure:
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        limits = Path(directory, "limits.json")
        limits.write_bytes(msgspec.json.encode(dict(service_limits())))
        for teams in (1_000, 10_000):
            file = Path(directory, f"{teams}.yaml")
            file.write_bytes(policy_text(teams))
            codes = {"CSafeLoader alone": _MEMORY_OF_LOADER, "parse_policy": _MEMORY}
            taken = interleaved(
                rounds,
                {
                    f"{name}, {what}": partial(_peak, code, str(limits), str(file), what)
                    for name, code in codes.items()
                    for what in ("start", "read")
                },
            )
            for name in codes:
                start, read = taken[f"{name}, start"], taken[f"{name}, read"]
                added = read.median - start.median
                cells = [number(start.median), number(read.median), number(added)]
                rows.append([name, f"{teams:,}", *cells, number(added / file.stat().st_size * 2**20)])
    return Figure(
        "parse: peak memory of a fresh process, MiB",
        ["", "teams", "before reading", "peak", "added", "per file byte"],
        rows,
        notes=[
            f"Medians over {rounds} rounds, each in a process of its own, as the kernel counts resident memory. "
            "'Before reading' is the same process with everything imported and the file's bytes in memory."
        ],
    )


def _peak(code: str, *arguments: str) -> float:
    return python(code, *arguments).peak_mib
