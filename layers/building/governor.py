"""The layer of the package itself, without the command line."""

import shutil
from pathlib import Path

from building.target import Target, finish

PACKAGE = Path(__file__).parents[1] / "governor" / "governor"


def build(directory: Path, target: Target) -> None:
    """Fill a directory."""
    python = directory / "python"
    shutil.rmtree(python, ignore_errors=True)
    shutil.copytree(PACKAGE, python / "governor", ignore=shutil.ignore_patterns("__pycache__", "cli", "*.pyc"))
    finish(directory, "governor", target)
