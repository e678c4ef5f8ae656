"""What happened: every call with its outcome, and every breach of the contract."""

from dataclasses import dataclass, field
from typing import Any

READS = ("Describe", "List")


@dataclass(frozen=True, slots=True)
class Call:
    """One answered call. `resource_id` and `name` are empty where a call is about nothing in particular."""

    operation: str
    time: float
    access_key: str
    status: int
    error_code: str | None
    resource_id: str
    name: str
    request: Any

    @property
    def is_read(self) -> bool:
        return self.operation.startswith(READS)


@dataclass(frozen=True, slots=True)
class Violation:
    operation: str
    side: str
    message: str
    time: float


@dataclass(slots=True)
class Journal:
    calls: list[Call] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
