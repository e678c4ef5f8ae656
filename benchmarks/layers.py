"""The functions as they are built: how large, and what a cold start costs against boto3 with one client."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks import custodian
from benchmarks.figure import Figure, Target, number
from benchmarks.processes import ROOT, Cost, run
from benchmarks.samples import Sample, interleaved

_PEER = """
import boto3
boto3.client("sagemaker", region_name="us-west-2", aws_access_key_id="a", aws_secret_access_key="b")
"""
_KUBERNETES = "; import kubernetes.client.configuration, kubernetes.client.rest"
_HANDLERS = (
    ("receive_policy", "four clients", ""),
    ("apply_policy", "five clients", ""),
    ("verify_addon", "five clients", ""),
    ("verify_addon", "five clients and Kubernetes's", _KUBERNETES),
    ("publish_metrics", "three clients", ""),
    ("publish_metrics", "three clients and Kubernetes's", _KUBERNETES),
    ("notify_usage", "two clients", ""),
)
_BOTO3 = "import boto3, make a SageMaker client"
_HERE = f"python3.{sys.version_info.minor}"


def measure(*, quick: bool) -> Sequence[Figure]:
    """Build for this interpreter and measure; build for others and weigh."""
    with tempfile.TemporaryDirectory(prefix="governor-layers-") as name:
        directory = Path(name)
        built = _build(directory / "here", _HERE, "x86_64")
        if not quick:
            custodian.install()
        figures = [_starts(built, 3 if quick else 11)]
        targets = [(_HERE, "x86_64"), ("python3.13", "arm64")]
        if not quick:
            targets += [("python3.13", "x86_64"), ("python3.12", "arm64")]
        weighed = [_weigh(directory / f"{runtime}-{machine}", runtime, machine) for runtime, machine in targets]
    figures.append(
        Figure(
            "layers: MiB as Lambda counts them (unzipped) and as they are uploaded (zipped)",
            ["runtime, architecture", "dependencies", "zipped", "package", "zipped", "compiled"],
            weighed,
            notes=["Compiled files are shipped where an interpreter of the runtime's version is at hand."],
        )
    )
    return figures


def _build(directory: Path, runtime: str, architecture: str) -> Path:
    environment = {**os.environ, "GOVERNOR_RUNTIME": runtime, "GOVERNOR_ARCHITECTURE": architecture}
    environment["PYTHONPATH"] = str(ROOT / "layers")
    for layer in ("dependencies", "governor"):
        (directory / layer).mkdir(parents=True)
        command = [sys.executable, "-m", "building", layer, str(directory / layer)]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    return directory


def _starts(built: Path, rounds: int) -> Figure:
    commands: dict[str, tuple[list[str], Mapping[str, str] | None]] = {
        "python -c pass": ([sys.executable, "-c", "pass"], None),
        _BOTO3: ([sys.executable, "-c", _PEER], None),
    }
    if custodian.is_installed():
        commands[custodian.NAME] = custodian.start(_environment(built))
    for function, clients, more in _HANDLERS:
        code = f"import sys; sys.path.insert(0, {str(ROOT / 'functions' / function)!r}); import app{more}"
        commands[f"{function}: import of the handler, {clients}"] = (
            [sys.executable, "-S", "-c", code],  # -S: nothing but the layers
            _environment(built),
        )
    for command, environment in commands.values():
        run(command, environment)
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    cpu = interleaved(
        rounds,
        {name: partial(_cpu, command, environment, costs[name]) for name, (command, environment) in commands.items()},
    )
    memory = {name: Sample(tuple(cost.peak_mib for cost in costs[name])) for name in commands}
    rows, targets = [], []
    for name, sample in cpu.items():
        ms, over = sample.scaled(1000), sample.over(cpu[_BOTO3]).median
        mib = memory[name].over(memory[_BOTO3]).median
        rows.append([name, *(number(each) for each in (ms.low, ms.median, ms.high, over, memory[name].median, mib))])
        if ": import" in name:
            word = name.partition(":")[0] + (", Kubernetes too" if "Kubernetes" in name else "")
            targets += [Target(f"{word} over boto3 with a client", over, 1.3), Target(f"{word}, memory", mib, 1.0)]
        if name.startswith("publish_metrics") and custodian.NAME in cpu:
            over, mib = (of[name].over(of[custodian.NAME]).median for of in (cpu, memory))
            targets += [Target(f"{word} over c7n", over, 1.0), Target(f"{word} over c7n, memory", mib, 1.0)]
    return Figure(
        "cold: CPU ms and peak MiB of a cold start from the built layers",
        ["", "min", "median", "max", "over boto3", "MiB", "over boto3"],
        rows,
        targets,
        [
            f"{rounds} interleaved rounds after one to warm up; compiled by the same interpreter, as it is deployed. "
            "c7n is Cloud Custodian, with its own boto3."
        ],
    )


def _environment(built: Path) -> dict[str, str]:
    layers = os.pathsep.join(str(built / layer / "python") for layer in ("dependencies", "governor"))
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": layers,
        "AWS_DEFAULT_REGION": "us-west-2",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_SERVICE_NAME": "governor",
        "POWERTOOLS_METRICS_NAMESPACE": "HyperPodGovernor",
    }


def _cpu(command: list[str], environment: Mapping[str, str] | None, costs: list[Cost]) -> float:
    costs.append(run(command, environment))
    return costs[-1].cpu_seconds


def _weigh(directory: Path, runtime: str, architecture: str) -> list[str]:
    built = _build(directory, runtime, architecture)
    cells = [f"{runtime}, {architecture}"]
    for layer in ("dependencies", "governor"):
        files = [path for path in sorted((built / layer).rglob("*")) if path.is_file()]
        archive = directory / f"{layer}.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in files:
                zipped.write(path, path.relative_to(built / layer))
        cells += [number(sum(path.stat().st_size for path in files) / 2**20), number(archive.stat().st_size / 2**20)]
    compiled = any((built / "governor").rglob("*.pyc"))
    shutil.rmtree(directory)
    return [*cells, "yes" if compiled else "no"]
