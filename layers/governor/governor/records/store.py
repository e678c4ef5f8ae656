"""Typed documents in a bucket: read, change, write conditionally, so that no writer undoes another's work."""

import contextlib
import random
import time
import uuid
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from governor.errors import ConflictError, PermanentError, TransientError
from governor.records.documents import FORMAT, Document
from governor.records.ports import Objects, Stored

D = TypeVar("D", bound=Document)
MAX_TRIES = 12
JSON = "application/json"


class Kept(msgspec.Struct, Generic[D], frozen=True):
    """A document and the ETag that it was read with."""

    document: D
    etag: str


class _Head(msgspec.Struct):
    format: int = 0


class Documents:
    """The documents of one bucket. ``pause`` waits between tries, in seconds."""

    def __init__(self, objects: Objects, pause: Callable[[float], None] = time.sleep) -> None:
        self.objects = objects
        self._pause = pause

    def load(self, key: str, kind: type[D]) -> Kept[D] | None:
        """The document; None where there is none. PermanentError where it cannot be understood."""
        stored = self.objects.get(key)
        return None if stored is None else Kept(_decoded(key, stored.data, kind), stored.etag)

    def update(
        self, key: str, kind: type[D], change: Callable[[D | None], D | None], *, derived: bool = False
    ) -> D | None:
        """Change a document, seeing what is there now; None from ``change`` leaves it. Returns what is then there.

        A ``derived`` document, which can be made again, is replaced where it is damaged. TransientError when others
        change it all the time.
        """
        for attempt in range(MAX_TRIES):
            stored = self.objects.get(key)
            there = self._understood(key, stored, kind, derived=derived)
            wanted = change(there)
            if wanted is None:
                return there
            try:
                return self.write(key, wanted, stored.etag if stored else None).document
            except (ConflictError, TransientError) as error:
                if isinstance(error, TransientError) and attempt >= MAX_TRIES // 3:
                    raise
                self._pause(random.uniform(0, 0.05 * 2 ** min(attempt, 5)))  # noqa: S311 - no secret, only apart
        raise TransientError(f"the document {key} is being changed by others all the time", 10.0)

    def _understood(self, key: str, stored: Stored | None, kind: type[D], *, derived: bool) -> D | None:
        if stored is None:
            return None
        try:
            return _decoded(key, stored.data, kind)
        except PermanentError:
            if derived:
                return None
            raise

    def append(self, key: str, document: Document) -> None:
        """Write what is written once. Something there already is this very document: its key names it, and whoever
        appends need not be allowed to read."""
        data = msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
        with contextlib.suppress(ConflictError):
            self.objects.put(key, data, JSON, None)

    def write(self, key: str, document: D, expected: str | None) -> Kept[D]:
        """Write once; ConflictError when it is not as expected. A lost answer to an own write is no conflict."""
        mine = msgspec.structs.replace(document, write=uuid.uuid4().hex)
        data = _encoded(mine)
        try:
            return Kept(mine, self.objects.put(key, data, JSON, expected, only_newest=document.only_newest))
        except ConflictError:
            there = self.objects.get(key)
            if there is None or there.data != data:
                raise
            return Kept(mine, there.etag)


def _encoded(document: Document) -> bytes:
    """Indented for people; what is written every minute is kept small instead."""
    data = msgspec.json.encode(document)
    return data if document.only_newest else msgspec.json.format(data, indent=2) + b"\n"


def _decoded(key: str, data: bytes, kind: type[D]) -> D:
    try:
        found = msgspec.json.decode(data, type=_Head).format
        if found != FORMAT:
            raise PermanentError(
                f"the document {key} has format {found}, this release knows {FORMAT}; deploy the release that wrote it"
            )
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PermanentError(
            f"the document {key} is damaged ({error}); put an earlier version of the object back as the newest"
        ) from error
