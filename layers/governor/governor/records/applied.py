"""The last applied policies in a bucket: the writer's memory when it runs as a function."""

import contextlib
from collections.abc import Iterator

from governor.errors import ConflictError, PermanentError, TransientError
from governor.plan import Record
from governor.plan.record import FORMAT
from governor.records.documents import LastApplied
from governor.records.names import applied_key, cluster_id
from governor.records.store import Documents


class BucketRecords:
    """Records of one run. No lock: the queue lets one run per cluster work at a time, and should two ever meet,
    the second to write is refused, because the record is not as it has read it.

    ``begun_before`` is the digest of a policy that an earlier run began to apply and did not finish, ``written_before``
    the run that wrote last.
    """

    def __init__(self, documents: Documents, run: str) -> None:
        self._documents, self._run = documents, run
        self._etags: dict[str, str | None] = {}
        self.begun_before = self.written_before = ""

    @contextlib.contextmanager
    def writing(self, cluster_arn: str) -> Iterator[None]:
        """Nothing to hold."""
        del cluster_arn
        yield

    def load(self, cluster_arn: str) -> Record | None:
        """The record; PermanentError where it cannot be trusted, because deleting depends on it."""
        key = applied_key(cluster_id(cluster_arn))
        kept = self._documents.load(key, LastApplied)
        self._etags[cluster_arn] = kept.etag if kept else None
        if kept is None:
            return None
        record = kept.document.record
        self.begun_before = record.begun.digest if record.begun else ""
        self.written_before = kept.document.run
        if record.cluster_arn != cluster_arn or record.format != FORMAT:
            raise PermanentError(
                f"the document {key} is about {record.cluster_arn} in format {record.format}, not about {cluster_arn} "
                f"in format {FORMAT}; put an earlier version of the object back as the newest"
            )
        return record

    def save(self, record: Record) -> None:
        """Replace the record; TransientError when another run has written it since it was read."""
        arn = record.cluster_arn
        if arn not in self._etags:
            self.load(arn)
        key = applied_key(cluster_id(arn))
        try:
            kept = self._documents.write(key, LastApplied(run=self._run, record=record), self._etags[arn])
        except ConflictError as error:
            raise TransientError(f"another run works on {record.cluster_name} at the same time", 30.0) from error
        self._etags[arn] = kept.etag
