"""`python -m benchmarks`: measures, and prints each figure with its targets. It fails on no figure."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Protocol

from benchmarks import (
    admission,
    applying,
    chain,
    layers,
    nodes,
    parsing,
    planning,
    publishing,
    reading,
    starting,
    usage,
)
from benchmarks.figure import Figure


class _Measure(Protocol):
    def __call__(self, *, quick: bool) -> Sequence[Figure]: ...


FIGURES: dict[str, _Measure] = {
    "parse": parsing.measure,
    "start": starting.measure,
    "plan": planning.measure,
    "read": reading.measure,
    "apply": applying.measure,
    "layers": layers.measure,
    "nodes": nodes.measure,
    "usage": usage.measure,
    "metrics": publishing.measure,
    "admission": admission.measure,
    "chain": chain.measure,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what was asked for; always 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Figures with their targets.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and quotas: under five minutes")
    parser.add_argument("--only", choices=FIGURES, action="append", metavar="NAME", help=f"one of {', '.join(FIGURES)}")
    options = parser.parse_args(argv)
    packages = ", ".join(f"{name} {version(name)}" for name in ("boto3", "msgspec", "PyYAML"))
    python = ".".join(platform.python_version_tuple()[:2])
    _say(f"{os.cpu_count()} cores, Python {python}; {packages}{'; quick' if options.quick else ''}")
    figures: list[Figure] = []
    for name in options.only or FIGURES:
        began = time.perf_counter()
        print(f"{name} …", file=sys.stderr)
        measured = FIGURES[name](quick=options.quick)
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
        for figure in measured:
            _say(f"\n{figure.render()}")
        figures += measured
    targets = [target for figure in figures for target in figure.targets]
    _say(f"\n{sum(target.is_met for target in targets)} of {len(targets)} targets met")
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
