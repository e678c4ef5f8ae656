"""The virtual environments of the tools: MiniStack's, the SAM CLI's, and the clean one that Lambda workers run in.

Three, because MiniStack, the SAM CLI and the product pin different versions of the same libraries, and because a
handler that could see any of them would hide a dependency missing from its layer.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOOLS = ROOT / "build" / "tools"
MARKER = "installed"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tools:
    """The interpreters and commands that the local AWS is made of."""

    ministack_python: Path
    sam: Path
    cfn_lint: Path
    worker_python: Path


def tools(progress: Progress = print, place: Path = TOOLS) -> Tools:
    """All environments, made now where one is missing or its requirements have changed.

    Safe to call from several processes, and again after a call that was killed half-way.
    """
    place.mkdir(parents=True, exist_ok=True)
    with _alone(place / "lock"):
        ministack = _environment(place / "ministack", HERE / "ministack.txt", "MiniStack", progress)
        sam = _environment(place / "sam", HERE / "sam.txt", "the SAM CLI", progress)
        worker = _environment(place / "worker", None, "a clean interpreter", progress)
    return Tools(
        ministack_python=ministack / "bin" / "python",
        sam=sam / "bin" / "sam",
        cfn_lint=sam / "bin" / "cfn-lint",
        worker_python=worker / "bin" / "python",
    )


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _environment(place: Path, requirements: Path | None, name: str, progress: Progress) -> Path:
    """The environment at `place`; what it was made from stands in the marker, which is written last."""
    wanted = _fingerprint(place, requirements)
    marker = place / MARKER
    if marker.is_file() and marker.read_text() == wanted:
        return place
    began = time.monotonic()
    progress(f"Installing {name} into {place.relative_to(place.parents[2])} …")
    shutil.rmtree(place, ignore_errors=True)
    venv.create(place, with_pip=requirements is not None)
    if requirements is not None:
        _install(place, requirements)
    marker.write_text(wanted)
    progress(f"Installed {name} in {time.monotonic() - began:.0f} s.")
    return place


def _fingerprint(place: Path, requirements: Path | None) -> str:
    """What the environment depends on: its path too, because the scripts in it carry it."""
    parts = [str(place.resolve()), sys.version, requirements.read_text() if requirements else ""]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _install(place: Path, requirements: Path) -> None:
    command: list[str | Path] = [
        place / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        requirements,
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip could not install {requirements.name}:\n{done.stdout}")


if __name__ == "__main__":
    tools()
