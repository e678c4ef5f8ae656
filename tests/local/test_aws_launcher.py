"""The local AWS begins and ends as it should: ready within a bound, nothing left behind, whoever dies."""

import os
import shutil
import signal
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from local.aws import tools
from local.aws.launcher import LocalAws, wait_for
from local.aws.process import LocalAwsError, ministack
from local.aws.runner.settings import ACCOUNT, REGION, RunnerSettings
from local.aws.temporary import temporary_directory

ROOT = Path(__file__).parents[2]


def test_account_region_and_environment_are_the_control_planes() -> None:
    with LocalAws() as aws:
        environment = aws.env()
        assert aws.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
        assert aws.client("s3").meta.region_name == REGION
        assert environment["AWS_ENDPOINT_URL"] == aws.url
        assert environment["AWS_ENDPOINT_URL_SAGEMAKER"] == environment["AWS_ENDPOINT_URL_EC2"] == aws.plane.url
        arn = aws.plane.add_cluster("ml-research")
        assert arn.startswith(f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:cluster/")
        assert ":" not in aws.url.removeprefix("http://127.0.0.1:")


def test_it_ends_with_everything_it_started() -> None:
    others = set(descendants(os.getpid()))
    with LocalAws() as aws:
        directory = aws.directory
        processes = {each for each in descendants(os.getpid()) if is_running(each)} - others
        assert len(processes) == 3
    assert not directory.exists()
    wait_for(lambda: not any(map(is_running, processes)))


def test_it_ends_when_its_parent_is_killed() -> None:
    """By SIGKILL, in the middle of a handler that would take a minute."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as child:
        assert child.stdout is not None
        directory = Path(child.stdout.readline().decode().strip())
        started = wait_for(lambda: found if len(found := descendants(child.pid)) >= 4 else None)
        child.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(map(is_running, started)))
    wait_for(lambda: not directory.exists())


CHILD = """
import io, json, time, zipfile
from local.aws.launcher import LocalAws
code = io.BytesIO()
with zipfile.ZipFile(code, "w") as archive:
    archive.writestr("slow.py", "import time\\ndef handler(event, context):\\n    time.sleep(60)\\n")
with LocalAws() as aws:
    service = {"Service": "lambda.amazonaws.com"}
    trust = {"Statement": [{"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}]}
    role = aws.client("iam").create_role(RoleName="slow", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    aws.client("lambda").create_function(FunctionName="slow", Runtime="python3.11", Role=role, Handler="slow.handler",
                                         Code={"ZipFile": code.getvalue()}, Timeout=90)
    aws.client("lambda").invoke(FunctionName="slow", InvocationType="Event")
    print(aws.directory, flush=True)
    time.sleep(60)
"""


def test_another_version_of_ministack_is_refused(tmp_path: Path) -> None:
    """The additions reach into private pieces; here the environment has no MiniStack at all."""
    with temporary_directory("test-") as place:
        settings = RunnerSettings(temporary=str(place), worker_python=sys.executable)
        with (
            pytest.raises(LocalAwsError, match="No package metadata was found for ministack"),
            ministack(Path(sys.executable), settings),
        ):
            pass


def test_an_unknown_addition_is_refused() -> None:
    with pytest.raises(LocalAwsError, match="There is no addition nonsense"), LocalAws(without=["nonsense"]):
        pass


def test_the_command_prints_an_environment_that_works() -> None:
    with subprocess.Popen([sys.executable, "-m", "local.aws"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        lines = []
        while not (line := command.stdout.readline()).startswith("#"):
            assert line, "it ended before it was ready"
            lines.append(line.removeprefix("export ").strip())
        environment = dict(line.split("=", 1) for line in lines)
        ask = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
        answer = subprocess.run(
            [sys.executable, "-c", ask], env={**os.environ, **environment}, capture_output=True, check=True
        )
        assert answer.stdout.decode().strip() == ACCOUNT
        started = descendants(command.pid)
        command.send_signal(signal.SIGINT)
        assert command.wait(10) == 0
    wait_for(lambda: not any(map(is_running, started)))


def test_tools_are_installed_once_and_again_when_their_requirements_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[str] = []
    said: list[str] = []
    pins = tmp_path / "pins"
    pins.mkdir()
    for name in ("ministack.txt", "sam.txt"):
        (pins / name).write_text("one==1")
    monkeypatch.setattr(tools, "HERE", pins)
    monkeypatch.setattr(tools, "_install", lambda place, requirements: installed.append(requirements.name))
    monkeypatch.setattr(venv, "create", lambda place, **_: place.mkdir())
    place = tmp_path / "build" / "tools"

    tools.tools(said.append, place)
    tools.tools(said.append, place)
    assert installed == ["ministack.txt", "sam.txt"]
    assert said[0].startswith("Installing MiniStack into build/tools/ministack")

    (pins / "sam.txt").write_text("one==2")
    tools.tools(said.append, place)
    (place / "ministack" / tools.MARKER).unlink()
    shutil.rmtree(place / "worker")
    tools.tools(said.append, place)
    assert installed == ["ministack.txt", "sam.txt", "sam.txt", "ministack.txt"]
    assert (place / "worker" / tools.MARKER).is_file()


def test_an_installation_that_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no network")

    monkeypatch.setattr(venv, "create", lambda place, **_: place.mkdir())
    monkeypatch.setattr(tools, "_install", fail)
    place = tmp_path / "build" / "tools"
    with pytest.raises(RuntimeError, match="no network"):
        tools.tools(lambda _: None, place)
    assert not (place / "ministack" / tools.MARKER).exists()
    monkeypatch.setattr(tools, "_install", lambda *_: None)
    assert tools.tools(lambda _: None, place).sam == place / "sam" / "bin" / "sam"


def test_requirement_files_pin_everything_and_name_no_host() -> None:
    for name in ("ministack.txt", "sam.txt"):
        for line in (ROOT / "local" / "aws" / name).read_text().splitlines():
            assert line.startswith("#") or line.count("==") == 1, line
            assert "//" not in line
            assert not line.startswith("-")


def descendants(pid: int) -> set[int]:
    """Of a process, from /proc."""
    parents = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = each.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(each.parent.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found and child not in found}:
        found |= more
    return found - {pid}


def is_running(pid: int) -> bool:
    """Neither gone nor a zombie, which an init process may take its time to collect."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
