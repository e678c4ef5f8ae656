"""What is said about a policy file, each at its line and column."""

from typing import Literal

import msgspec

Severity = Literal["error", "warning"]

MAX_DIAGNOSTICS = 1000


class Position(msgspec.Struct, frozen=True, gc=False):
    """A place in a file; line and column count from 1."""

    line: int
    column: int


class Diagnostic(msgspec.Struct, frozen=True):
    """One message. ``code`` is stable across releases, ``text`` is for a person."""

    severity: Severity
    code: str
    line: int
    column: int
    text: str


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something to say about a place in the policy; ``path`` leads there (keys and list positions)."""

    severity: Severity
    code: str
    path: tuple[str | int, ...]
    text: str


class Diagnostics:
    """Collects the messages of one file, bounded, so that a hostile file cannot fill the memory."""

    def __init__(self) -> None:
        self._items: list[Diagnostic] = []
        self._left_out = 0

    def error(self, code: str, at: Position, text: str) -> None:
        """Something that must be changed before the file can be used."""
        self._add("error", code, at, text)

    def warning(self, code: str, at: Position, text: str) -> None:
        """Something that works, and probably not as the author expects."""
        self._add("warning", code, at, text)

    def _add(self, severity: Severity, code: str, at: Position, text: str) -> None:
        if len(self._items) < MAX_DIAGNOSTICS:
            self._items.append(Diagnostic(severity, code, at.line, at.column, text))
        else:
            self._left_out += 1

    @property
    def is_full(self) -> bool:
        """True when further messages are only counted: no need to word them."""
        return len(self._items) >= MAX_DIAGNOSTICS

    def listed(self) -> tuple[Diagnostic, ...]:
        """All messages in the order of the file."""
        items = sorted(self._items, key=lambda item: (item.line, item.column))
        if self._left_out:
            last = items[-1]
            items.append(
                Diagnostic(
                    "error",
                    "too-many-messages",
                    last.line,
                    last.column,
                    f"{self._left_out} more messages are left out; mend the first {MAX_DIAGNOSTICS} and try again",
                )
            )
        return tuple(items)


def has_errors(diagnostics: tuple[Diagnostic, ...]) -> bool:
    """True when at least one message is an error."""
    return any(item.severity == "error" for item in diagnostics)
