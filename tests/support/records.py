"""Records in memory, which can be made to fail."""

import contextlib
from collections.abc import Iterator

import msgspec

from governor.plan import Record


class MemoryRecords:
    """Keeps what was saved as JSON, as a real store does; ``saves`` counts."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self.saves = 0

    @contextlib.contextmanager
    def writing(self, cluster_arn: str) -> Iterator[None]:
        """Nobody else writes here."""
        del cluster_arn
        yield

    def load(self, cluster_arn: str) -> Record | None:
        """What was saved last."""
        kept = self._kept.get(cluster_arn)
        return None if kept is None else msgspec.json.decode(kept, type=Record)

    def save(self, record: Record) -> None:
        """Keep it."""
        self.saves += 1
        self._kept[record.cluster_arn] = msgspec.json.encode(record)
