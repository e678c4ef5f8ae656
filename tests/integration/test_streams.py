"""The command in a shell: closed pipes, full disks, closed streams, terminals without the characters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GOVERNOR = Path(sys.executable).parent / "governor"
ROOT = Path(__file__).parents[2]


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command],
        env={**os.environ, "GOVERNOR": str(GOVERNOR), **environment},
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ('"$GOVERNOR" schema | head -c 10', ""),
        ('"$GOVERNOR" schema > /dev/full', "the output cannot be written"),
        ('"$GOVERNOR" validate policies/workshop.yaml >&-', ""),
        ('printf "version: 2\\n" | "$GOVERNOR" validate - | grep -q "<stdin>:1:10: error: "', ""),
    ],
)
def test_no_stream_ends_in_a_traceback(command: str, said: str) -> None:
    ended = shell(command)

    assert "Traceback" not in ended.stderr
    assert said in ended.stderr


def test_a_terminal_without_the_characters_still_gets_its_answer() -> None:
    ended = shell('"$GOVERNOR" --help', PYTHONIOENCODING="ascii")

    assert ended.returncode == 0
    assert "usage: governor" in ended.stdout


def test_lines_stay_whole_in_a_pipe_however_narrow_the_terminal_was() -> None:
    ended = shell('printf "version: 2\\n" | "$GOVERNOR" validate -', COLUMNS="40")

    assert len(ended.stdout.splitlines()) == 3
