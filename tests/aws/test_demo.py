"""The demo that the README promises: every scene is seen, and nothing is left running."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 180
"""What the README's readers are promised; far from what it takes, and no figure of speed."""


def test_the_demo_sees_every_scene_and_leaves_nothing_running() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "local.demo"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as demo:
        said, _ = demo.communicate(timeout=LIMIT_SECONDS)
    assert demo.returncode == 0, said
    assert "NOT SEEN" not in said
    assert said.count("✓ seen") >= 49
    assert _members(demo.pid) == []


def _members(session: int) -> list[str]:
    """Processes of a session that still run; one that has ended and that nobody has asked about has no command line."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                command = (process / "cmdline").read_text()
                if command and os.getsid(int(process.name)) == session:
                    found.append(command)
            except (ProcessLookupError, FileNotFoundError, PermissionError):
                continue
    return found
