"""Records in files: for the command line, one JSON file per cluster ARN."""

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from governor.errors import PermanentError, TransientError
from governor.plan import Record
from governor.plan.record import FORMAT


class _Format(msgspec.Struct):
    format: int


class FileRecords:
    """Each record is replaced atomically; a lock beside it keeps a second writer on this machine out."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path_of(self, cluster_arn: str) -> Path:
        """Where the record of a cluster lies; the ARN is the identity, so a name that comes back finds nothing."""
        cluster_id = cluster_arn.rpartition("/")[2]
        digest = hashlib.sha256(cluster_arn.encode()).hexdigest()[:12]
        return self._directory / f"{cluster_id}-{digest}.json"

    @contextlib.contextmanager
    def writing(self, cluster_arn: str) -> Iterator[None]:
        """Holds the lock of this cluster; the kernel lets it go even if the process is killed."""
        path = self.path_of(cluster_arn).with_suffix(".lock")
        self._make_directory()
        with contextlib.ExitStack() as held:
            try:
                lock = held.enter_context(path.open("a"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TransientError(
                    f"another process is applying a policy to {cluster_arn} (lock {path}); wait until it is done"
                ) from None
            except OSError as error:
                raise PermanentError(
                    f"the lock {path} cannot be taken: {error.strerror or error}; set GOVERNOR_STATE_DIR"
                ) from error
            yield

    def load(self, cluster_arn: str) -> Record | None:
        """The record; PermanentError where the file cannot be trusted, because deleting depends on it."""
        path = self.path_of(cluster_arn)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PermanentError(f"the record {path} cannot be read: {error}") from error
        try:
            found = msgspec.json.decode(data, type=_Format).format
            if found != FORMAT:
                raise PermanentError(
                    f"the record {path} has format {found}, this release knows {FORMAT}; use the release that wrote it"
                )
            record = msgspec.json.decode(data, type=Record)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise PermanentError(
                f"the record {path} is damaged ({error}); restore it, or move it away: then nothing counts as "
                "applied before, and nothing will be deleted"
            ) from error
        if record.cluster_arn != cluster_arn:
            raise PermanentError(f"the record {path} is about {record.cluster_arn}, not {cluster_arn}; move it away")
        return record

    def save(self, record: Record) -> None:
        """Writes beside and renames, so that a reader sees the old record or the new one, never half of one."""
        path = self.path_of(record.cluster_arn)
        self._make_directory()
        try:
            handle, temporary = tempfile.mkstemp(dir=self._directory, prefix=".record-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise PermanentError(f"the record {path} cannot be written: {error}") from error

    def _make_directory(self) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise PermanentError(
                f"the directory for records {self._directory} cannot be made: {error}; set GOVERNOR_STATE_DIR"
            ) from error
