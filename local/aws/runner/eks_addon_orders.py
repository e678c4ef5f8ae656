"""What tests have ordered about an add-on: how its next transition ends."""

import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CREATE, UPDATE, DELETE = "create", "update", "delete"
ENDS: Mapping[str, tuple[str, ...]] = {
    CREATE: ("ACTIVE", "DEGRADED", "CREATE_FAILED"),
    UPDATE: ("ACTIVE", "DEGRADED", "UPDATE_FAILED"),
    DELETE: ("DELETE_FAILED",),
}
"""The statuses in which each operation can leave an add-on."""


@dataclass(frozen=True, slots=True)
class Issue:
    """A health issue."""

    code: str
    message: str
    resources: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "resourceIds": list(self.resources)}

    @classmethod
    def read(cls, shown: Mapping[str, Any]) -> "Issue":
        return cls(shown["code"], shown["message"], tuple(shown.get("resourceIds", ())))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a transition ends."""

    status: str
    issues: tuple[Issue, ...] = ()

    @property
    def failed(self) -> bool:
        return self.status.endswith("_FAILED")


class Orders:
    """One outcome for each transition to come, in the order they were ordered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: defaultdict[tuple[str, str, str], deque[Outcome]] = defaultdict(deque)

    def add(self, cluster: str, addon: str, operation: str, outcome: Outcome) -> None:
        """Raises ValueError for a status that the operation cannot end in."""
        ends = ENDS.get(operation)
        if ends is None:
            raise ValueError(f"operation is one of {', '.join(ENDS)}.")
        if outcome.status not in ends:
            raise ValueError(f"{operation} does not end {outcome.status}, but in one of {', '.join(ends)}.")
        with self._lock:
            self._outcomes[cluster, addon, operation].append(outcome)

    def take(self, cluster: str, addon: str, operation: str) -> Outcome | None:
        with self._lock:
            waiting = self._outcomes[cluster, addon, operation]
            return waiting.popleft() if waiting else None


orders = Orders()
