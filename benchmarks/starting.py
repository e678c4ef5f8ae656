"""What it costs to start: imports and clients in fresh processes, against importing boto3 alone."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.figure import Figure, number
from benchmarks.processes import ROOT, Cost, run
from benchmarks.samples import Sample, interleaved

_BASE = "import boto3"
_CLIENT = """
import boto3
boto3.client("sagemaker", region_name="us-west-2", aws_access_key_id="a", aws_secret_access_key="b")
"""
_VALIDATE = """
import governor.checks, governor.policy
from governor.aws.service_model import service_limits
service_limits()
"""
_APPLY = """
import boto3, governor.apply, governor.plan
from governor.aws.sagemaker import Governance
from governor.aws.session import Aws
Governance(Aws(boto3.Session("a", "b", region_name="us-west-2")).sagemaker)
"""


def measure(*, quick: bool) -> Sequence[Figure]:
    """One figure, processes in turn."""
    rounds = 3 if quick else 11
    governor = str(Path(sys.executable).parent / "governor")
    commands = {
        "python -c pass": _code("pass"),
        "import json, urllib3": _code("import json, urllib3"),
        _BASE: _code(_BASE),
        "boto3 and a SageMaker client": _code(_CLIENT),
        "validate path: policy, checks, limits": _code(_VALIDATE),
        "apply path: apply, plan, SageMaker client": _code(_APPLY),
        "governor validate workshop.yaml": [governor, "validate", str(ROOT / "policies" / "workshop.yaml")],
    }
    for command in commands.values():
        run(command)  # the first time compiles, and brings files into memory
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    cpu = interleaved(rounds, {name: partial(_cpu, command, costs[name]) for name, command in commands.items()})
    return [
        Figure(
            "start: CPU ms and peak MiB of fresh processes",
            ["", "min", "median", "max", "over import boto3", "MiB"],
            [
                _row(name, sample, cpu[_BASE], Sample(tuple(cost.peak_mib for cost in costs[name])))
                for name, sample in cpu.items()
            ],
            notes=[f"{rounds} interleaved rounds after one to warm up; bare interpreter included in every row."],
        )
    ]


def _code(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _cpu(command: list[str], costs: list[Cost]) -> float:
    costs.append(run(command))
    return costs[-1].cpu_seconds


def _row(name: str, sample: Sample, base: Sample, memory: Sample) -> list[str]:
    ms = sample.scaled(1000)
    ratio = number(sample.over(base).median)
    return [name, number(ms.low), number(ms.median), number(ms.high), ratio, number(memory.median)]
