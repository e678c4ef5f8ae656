"""What is built for: a runtime, an architecture, and the interpreter that can compile for it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RUNTIMES = ("python3.11", "python3.12", "python3.13")
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
DEFAULT_RUNTIME, DEFAULT_ARCHITECTURE = "python3.13", "arm64"
_GLIBC = {"python3.11": (17, 24, 26)}  # Amazon Linux 2
_NEWER_GLIBC = (17, 24, 26, 27, 28, 31, 34)  # Amazon Linux 2023
EARLIEST = 315_619_200
"""1980-01-02: a zip file knows no earlier time; the same one for all files, so that equal content is an equal zip."""


class BuildError(Exception):
    """The build cannot be what it was asked to be. The message is for a person."""


@dataclass(frozen=True)
class Target:
    """A runtime of Lambda, e.g. python3.13, and an architecture, arm64 or x86_64."""

    runtime: str
    architecture: str

    @property
    def version(self) -> str:
        """E.g. "3.13"."""
        return self.runtime.removeprefix("python")

    @property
    def platforms(self) -> tuple[str, ...]:
        """Tags of wheels that the runtime's C library can load."""
        machine = MACHINES[self.architecture]
        minors = _GLIBC.get(self.runtime, _NEWER_GLIBC)
        return (f"manylinux2014_{machine}", *(f"manylinux_2_{minor}_{machine}" for minor in minors))

    def interpreter(self) -> Path | None:
        """A Python of the same minor version on this machine: only that one writes bytecode the runtime can read."""
        names = [sys.executable, f"python{self.version}", "python3", "python"]
        # A shim of pyenv answers only for the versions that are switched on; those that are installed lie here.
        pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
        installed = map(str, sorted(pyenv.glob(f"{self.version}.*/bin/python{self.version}")))
        for found in filter(None, (shutil.which(name) for name in [*names, *installed])):
            asked = [found, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
            answer = subprocess.run(asked, capture_output=True, text=True, check=False)
            if answer.returncode == 0 and answer.stdout.strip() == self.version:
                return Path(found)
        return None


def target_from_environment() -> Target:
    """GOVERNOR_RUNTIME and GOVERNOR_ARCHITECTURE, or what the template takes by default."""
    runtime = os.environ.get("GOVERNOR_RUNTIME") or DEFAULT_RUNTIME
    architecture = os.environ.get("GOVERNOR_ARCHITECTURE") or DEFAULT_ARCHITECTURE
    if runtime not in RUNTIMES:
        raise BuildError(f"GOVERNOR_RUNTIME is '{runtime}'; write one of {', '.join(RUNTIMES)}")
    if architecture not in MACHINES:
        raise BuildError(f"GOVERNOR_ARCHITECTURE is '{architecture}'; write arm64 or x86_64")
    return Target(runtime, architecture)


def finish(directory: Path, layer: str, target: Target) -> None:
    """Compile, write the record of the build, and make it the same every time."""
    for unwanted in [*directory.rglob("__pycache__"), directory / "python" / "bin"]:
        shutil.rmtree(unwanted, ignore_errors=True)
    compiled = _compile(directory / "python", target)
    record = {"layer": layer, "runtime": target.runtime, "architecture": target.architecture, "bytecode": compiled}
    (directory / "python" / f"{layer}-build.json").write_text(json.dumps(record) + "\n")
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (EARLIEST, EARLIEST))


def _compile(directory: Path, target: Target) -> bool:
    interpreter = target.interpreter()
    if interpreter is None:
        print(
            f"build: WARNING: no Python {target.version} on this machine, so the layer ships no compiled files: every "
            f"cold start takes 2.8 to 4.8 times as long. Put python{target.version} on the PATH and build again.",
            flush=True,  # to standard output: SAM shows what a build says on the other one only when it fails
        )
        return False
    run(
        [
            str(interpreter),
            "-m",
            "compileall",
            "-q",
            "--invalidation-mode",
            "unchecked-hash",  # a layer never changes, and its times mean nothing
            "-s",
            str(directory),
            "-p",
            "/opt/python",
            str(directory),
        ]
    )
    return True


def run(command: Sequence[str]) -> None:
    """Run a command; BuildError with what it said when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(command[:4])} … failed:\n{done.stdout}")
