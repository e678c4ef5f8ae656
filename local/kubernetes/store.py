"""Objects by resource and key, one counter of versions for all of them, and the changes that led to the present.

It knows nothing of what objects mean. What is in it is never changed, only replaced: callers keep to that too.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from local.kubernetes.errors import GroupResource, JsonObject

CHANGES_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """`object` is as it is now, or as it was when it went; `previous` is None for a new one."""

    version: int
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    resource: GroupResource
    key: str
    object: JsonObject
    previous: JsonObject | None


class CompactedError(Exception):
    """What happened since that version is no longer known."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(f"too old resource version: {asked} ({oldest})")


def key_of(namespace: str, name: str) -> str:
    """Keys are sorted as text, so that lists come in the order of the real server."""
    return f"{namespace}/{name}" if namespace else name


class Store:
    """`lock` may be held by callers over several calls; it is the same for all threads that come in."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.version = 0
        self._changed = threading.Condition(self.lock)
        self._closed = False
        self._objects: defaultdict[GroupResource, dict[str, JsonObject]] = defaultdict(dict)
        self._changes: deque[Change] = deque()
        self._oldest = 0
        self._subscribers: list[Callable[[Change], None]] = []

    def get(self, resource: GroupResource, key: str) -> JsonObject | None:
        with self.lock:
            return self._objects[resource].get(key)

    def put(self, resource: GroupResource, key: str, obj: JsonObject) -> JsonObject:
        """Keep an object under the next version; returns it with that version."""
        with self.lock:
            previous = self._objects[resource].get(key)
            kept = self._versioned(obj)
            self._objects[resource][key] = kept
            self._record(Change(self.version, "MODIFIED" if previous else "ADDED", resource, key, kept, previous))
            return kept

    def remove(self, resource: GroupResource, key: str) -> JsonObject:
        """Let an object go; returns it as it was, with the version of its end."""
        with self.lock:
            previous = self._objects[resource].pop(key)
            gone = self._versioned(previous)
            self._record(Change(self.version, "DELETED", resource, key, gone, previous))
            return gone

    def listed(self, resource: GroupResource, namespace: str = "", version: int | None = None) -> list[JsonObject]:
        """Objects in the order of their keys, now or as they were at a version. Raises CompactedError."""
        with self.lock:
            found = self._objects[resource]
            if version is not None and version != self.version:
                found = dict(found)
                for change in reversed(self.changes_since(version)):
                    if change.resource != resource:
                        continue
                    if change.previous is None:
                        del found[change.key]
                    else:
                        found[change.key] = change.previous
            within = f"{namespace}/" if namespace else ""
            return [obj for key, obj in sorted(found.items()) if key.startswith(within)]

    def changes_since(self, version: int) -> list[Change]:
        """What happened after a version, in order. Raises CompactedError."""
        with self.lock:
            if version < self._oldest:
                raise CompactedError(version, self._oldest)
            recent = []
            for change in reversed(self._changes):
                if change.version <= version:
                    break
                recent.append(change)
            return recent[::-1]

    def wait_for_change(self, version: int, seconds: float) -> bool:
        """Wait until something happened after a version, at most so long; False once the store is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self.version > version, seconds)
            return not self._closed

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Have every change from now on given to a callback, in order; returns what ends that.

        The callback runs in the thread that writes, which holds the lock: it hands the change over and returns.
        """
        with self.lock:
            self._subscribers.append(callback)
        return lambda: self._unsubscribe(callback)

    def compact(self) -> None:
        """Forget how the present came about."""
        with self.lock:
            self._changes.clear()
            self._oldest = self.version

    def close(self) -> None:
        """Let everybody who waits go on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _versioned(self, obj: JsonObject) -> JsonObject:
        self.version += 1
        return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}

    def _record(self, change: Change) -> None:
        self._changes.append(change)
        if len(self._changes) > CHANGES_KEPT:
            self._oldest = self._changes.popleft().version
        self._changed.notify_all()
        for callback in tuple(self._subscribers):
            callback(change)

    def _unsubscribe(self, callback: Callable[[Change], None]) -> None:
        with self.lock:
            self._subscribers.remove(callback)
