"""MiniStack as a child process: started in a group of its own, ready within a bound, and ended with certainty."""

import contextlib
import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from local.aws.runner.settings import RunnerSettings
from local.aws.tools import ROOT

START_SECONDS = 60
LINES_SHOWN = 40


class LocalAwsError(RuntimeError):
    """The local AWS did not start, or a tool that worked against it failed."""


@contextmanager
def ministack(python: Path, settings: RunnerSettings) -> Iterator[str]:
    """The URL of a MiniStack with the additions. Everything it started ends with the context, or with this process.

    The environment is empty but for what is said here, so no variable of a person's shell changes what it does.
    """
    place = Path(settings.temporary)
    settings.write(place / "settings.json")
    log_path = place / "ministack.log"
    with (
        log_path.open("w") as log,
        subprocess.Popen(
            [python, "-m", "local.aws.runner", place / "settings.json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=place,
            env={"PATH": os.defpath, "TMPDIR": str(place), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "TZ": "UTC"},
            process_group=0,
            text=True,
        ) as process,
    ):
        try:
            yield _listening(process, log_path)
        finally:
            _end_group(process)


def _listening(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    word, _, url = process.stdout.readline().strip().partition(" ")
    while word == "listening" and time.monotonic() < deadline:
        if _is_ready(url):
            return url
        time.sleep(0.02)
    raise LocalAwsError(f"MiniStack did not start:\n{last_lines(log)}")


def _is_ready(url: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=START_SECONDS)
    try:
        connection.request("GET", "/_ministack/ready")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _end_group(process: subprocess.Popen[str]) -> None:
    """MiniStack and its workers are one process group, which no worker leaves.

    A kill alone would miss a worker that is being started at this moment; the second one, after MiniStack is gone,
    does not.
    """
    for _ in range(2):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(START_SECONDS)


def last_lines(log: Path, count: int = LINES_SHOWN) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
