"""What the commands print to: a terminal with colours and width, or plain text that can be piped."""

import os
import sys
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from governor.policy import Diagnostic

PLAIN_WIDTH = 200
"""Columns where there is no terminal: lines stay whole for grep and for logs."""

STYLES = {"error": "bold red", "warning": "yellow"}


def make_console(*, stderr: bool = False) -> Console:
    """Plain where the output is no terminal; nothing in a value is ever taken for markup."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "FORCE_COLOR" in os.environ else PLAIN_WIDTH
    return Console(file=stream, markup=False, highlight=False, emoji=False, width=width, soft_wrap=False)


def print_diagnostics(console: Console, path: str, diagnostics: Iterable[Diagnostic]) -> None:
    """``path:line:column: error: text``, one a line, never wrapped."""
    for item in diagnostics:
        line = Text(f"{path}:{item.line}:{item.column}: ")
        line.append(f"{item.severity}:", STYLES[item.severity])
        line.append(f" {item.text}")
        console.print(line, soft_wrap=True)


def bar(share: float, width: int = 20) -> Text:
    """A bar that is full at 1 and turns red beyond."""
    filled = min(width, max(0, round(share * width)))
    style = "red" if share > 1 else "green"
    return Text("█" * filled, style) + Text("░" * (width - filled), "dim")
