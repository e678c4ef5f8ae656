"""What keeping records needs of a bucket."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

import msgspec


class Stored(msgspec.Struct, frozen=True):
    """An object as it was read. ``version`` is empty in a bucket without versions."""

    data: bytes
    etag: str
    modified: datetime
    version: str = ""
    metadata: Mapping[str, str] = {}
    size: int = 0


class Listed(msgspec.Struct, frozen=True):
    """An object as a list tells it."""

    key: str
    etag: str
    modified: datetime
    size: int = 0


class Objects(Protocol):
    """One bucket. All methods raise the package's errors."""

    def get(self, key: str, most: int | None = None) -> Stored | None:
        """The newest version, no more than ``most`` bytes of it; None where there is none or it was deleted."""
        ...

    def head(self, key: str) -> Stored | None:
        """The same without the data."""
        ...

    def put(
        self,
        key: str,
        data: bytes,
        kind: str,
        expected: str | None,
        metadata: Mapping[str, str] | None = None,
        *,
        only_newest: bool = False,
    ) -> str:
        """Write and return the ETag. ``expected`` is the ETag that must be there, None for an object that must not.
        With ``only_newest`` earlier versions may be let go soon.

        ConflictError when something else is there (412), or nothing is where something should be (404);
        TransientError when another write is under way (409).
        """
        ...

    def listed(self, prefix: str) -> Iterator[Listed]:
        """All objects under a prefix, page by page."""
        ...
