"""A directory for the files of one run, in memory where the machine offers that, and gone afterwards."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes the directory in it


def memory_directory() -> Path | None:
    """Where files stay in memory; None where there is no such place, and the usual one will do."""
    return IN_MEMORY if IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK | os.X_OK) else None


@contextmanager
def temporary_directory(prefix: str) -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix=prefix, dir=memory_directory()))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
