"""A versioned bucket in memory with S3's rules for conditional writes, and a FIFO queue; both can be made to fail."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from governor.errors import ConflictError, GovernorError
from governor.records.announcing import Announcement
from governor.records.ports import Listed, Stored

R = TypeVar("R")


@dataclass
class WallClock:
    """Tells the time that the test sets."""

    time: datetime = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **amount: float) -> None:
        """Let time pass."""
        self.time += timedelta(**amount)


@dataclass
class MemoryBucket:
    """Objects with versions. ``before`` and ``after`` are called around every operation and may raise or interfere;
    what ``after`` raises is an answer that got lost."""

    now: Callable[[], datetime]
    before: Callable[[str, str], None] = lambda _operation, _key: None
    after: Callable[[str, str], None] = lambda _operation, _key: None
    calls: list[tuple[str, str]] = field(default_factory=list)
    _versions: dict[str, list[Stored | None]] = field(default_factory=dict)
    _count: int = 0

    def get(self, key: str, most: int | None = None) -> Stored | None:
        return self._around("get", key, lambda: self._newest(key, most))

    def head(self, key: str) -> Stored | None:
        return self._around("head", key, lambda: self._newest(key, 0))

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
        def write() -> str:
            there = self._newest(key, 0)
            if (there.etag if there else None) != expected:
                raise ConflictError(f"{key} is not as it was read")
            return self.upload(key, data, metadata).etag

        return self._around("put", key, write)

    def listed(self, prefix: str) -> Iterator[Listed]:
        self._around("list", prefix, lambda: None)
        for key in sorted(self._versions):
            newest = self._newest(key, 0)
            if key.startswith(prefix) and newest is not None:
                yield Listed(key, newest.etag, newest.modified, newest.size)

    def upload(self, key: str, data: bytes | str, metadata: Mapping[str, str] | None = None) -> Stored:
        """What a person does: no condition."""
        content = data.encode() if isinstance(data, str) else data
        self._count += 1
        etag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        stored = Stored(
            content, etag, self.now().replace(microsecond=0), f"v{self._count}", metadata or {}, len(content)
        )
        self._versions.setdefault(key, []).append(stored)
        return stored

    def delete(self, key: str) -> None:
        """A delete marker."""
        self._versions.setdefault(key, []).append(None)

    def rename_newest(self, key: str, version: str) -> Stored:
        """The newest version under another id."""
        newest = self._versions[key][-1]
        assert newest is not None
        self._versions[key][-1] = msgspec.structs.replace(newest, version=version)
        return msgspec.structs.replace(newest, version=version)

    def drop_newest(self, key: str) -> None:
        """The newest version, or the delete marker, is deleted for good."""
        self._versions[key].pop()

    def keys(self, prefix: str = "") -> list[str]:
        """All keys."""
        return [key for key in sorted(self._versions) if key.startswith(prefix) and self._newest(key, 0) is not None]

    def json(self, key: str) -> dict[str, object]:
        """A document as a program reads it."""
        newest = self._newest(key, None)
        assert newest is not None, f"there is no {key}"
        found: dict[str, object] = json.loads(newest.data)
        return found

    def text(self, key: str) -> str:
        """A document as a person reads it."""
        newest = self._newest(key, None)
        assert newest is not None, f"there is no {key}"
        return newest.data.decode()

    def versions(self, key: str) -> list[Stored]:
        """All versions, the oldest first."""
        return [version for version in self._versions.get(key, []) if version is not None]

    def _newest(self, key: str, most: int | None) -> Stored | None:
        versions = self._versions.get(key) or [None]
        newest = versions[-1]
        if newest is None:
            return None
        return Stored(newest.data[:most], newest.etag, newest.modified, newest.version, newest.metadata, newest.size)

    def _around(self, operation: str, key: str, action: Callable[[], R]) -> R:
        self.calls.append((operation, key))
        self.before(operation, key)
        result = action()
        self.after(operation, key)
        return result


@dataclass
class MemoryQueue:
    """A FIFO queue that remembers deduplication ids for ever."""

    messages: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    fails: list[GovernorError] = field(default_factory=list)

    def send(self, group: str, deduplication: str, body: str) -> None:
        if self.fails:
            raise self.fails.pop(0)
        if deduplication in self.ids:
            return
        self.ids.append(deduplication)
        self.groups.append(group)
        self.messages.append(body)

    def forget(self) -> None:
        """Five minutes are over."""
        self.ids.clear()


@dataclass
class Told:
    """Announcements and notifications as they were made."""

    announcements: list[Announcement] = field(default_factory=list)
    notifications: list[Announcement] = field(default_factory=list)
    fails: list[GovernorError] = field(default_factory=list)

    def announce(self, announcement: Announcement, *, notify: bool) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.announcements.append(announcement)
        if notify:
            self.notifications.append(announcement)

    @property
    def verdicts(self) -> list[str]:
        """The words."""
        return [each.verdict for each in self.announcements]
