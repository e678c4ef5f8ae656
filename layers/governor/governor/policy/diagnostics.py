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
        self._has_errors = False
        self._left_out = False

    def error(self, code: str, at: Position, text: str) -> None:
        """Something that must be changed before the file can be used."""
        self.add(Diagnostic("error", code, at.line, at.column, text))

    def warning(self, code: str, at: Position, text: str) -> None:
        """Something that works, and probably not as the author expects."""
        self.add(Diagnostic("warning", code, at.line, at.column, text))

    def add(self, item: Diagnostic) -> None:
        """A message as it is."""
        if item.severity == "error":
            self._has_errors = True
        if self.is_full:
            self._left_out = True
        else:
            self._items.append(item)

    @property
    def is_full(self) -> bool:
        """True when further messages are left out: no need to word them."""
        return len(self._items) >= MAX_DIAGNOSTICS

    @property
    def is_hopeless(self) -> bool:
        """True when there is an error and no room for another: no need to read on."""
        return self._has_errors and self.is_full

    def stop(self) -> None:
        """Reading ends early, so there may be more to say."""
        self._left_out = True

    def listed(self) -> tuple[Diagnostic, ...]:
        """All messages in the order of the file."""
        items = sorted(self._items, key=lambda item: (item.line, item.column))
        if self._left_out:
            last = items[-1]
            text = f"more messages are left out; mend the first {MAX_DIAGNOSTICS} and try again"
            severity: Severity = "error" if self._has_errors else "warning"
            items.append(Diagnostic(severity, "too-many-messages", last.line, last.column, text))
        return tuple(items)


def has_errors(diagnostics: tuple[Diagnostic, ...]) -> bool:
    """True when at least one message is an error."""
    return any(item.severity == "error" for item in diagnostics)
