"""Fresh processes and what each of them cost: CPU time, memory at its peak, wall time.

Run as a script, this file is the small process in between: a child's peak memory as the kernel reports it
includes that of the process it was forked from, and the benchmark itself is a large one.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process cost, processes that it waited for included."""

    cpu_seconds: float
    wall_seconds: float
    peak_mib: float
    status: int


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end, with its output discarded. Raises RuntimeError when it fails."""
    answer = subprocess.run(
        [sys.executable, "-I", "-S", __file__, *command],
        env=None if environment is None else dict(environment),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    cost = Cost(**json.loads(answer.stdout))
    if cost.status:
        raise RuntimeError(f"{command[0]} ended with status {cost.status}: {answer.stderr[-2000:]}")
    return cost


def python(code: str, *arguments: str) -> Cost:
    """Run Python code in a fresh interpreter of this environment."""
    return run([sys.executable, "-c", code, *arguments])


def _measure(command: list[str]) -> Cost:
    began = time.perf_counter()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, nowhere, 1)])
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - began
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * unit / 2**20, os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    print(json.dumps(asdict(_measure(sys.argv[1:]))))
