"""Lines of text about usage: folded on a terminal, whole in a pipe, in characters that the output has."""

from rich.console import Console
from rich.text import Text

from governor.cli.usage_matters import CALM, Kind, Matter
from governor.policy.wording import counted

_PLAIN = str.maketrans({"–": "-", "≈": "~", "∞": "inf", "…": "...", "→": "->"})
_LEADS: dict[Kind, str] = {"not known": "? ", **dict.fromkeys(CALM, "  ")}
_STYLES: dict[Kind, str] = {
    "over quota": "bold red",
    "starved": "magenta",
    "stopped": "red",
    "inactive": "red",
    "no queue": "red",
    "promises": "yellow",
    "waits beside room": "cyan",
    "not known": "magenta",
}


def shows_all(console: Console) -> bool:
    """Whether the output can show more than ASCII."""
    return console.encoding.lower().startswith("utf")


def spelled(console: Console, text: str) -> str:
    """The same, with our signs in ASCII where the output has no others."""
    return text if shows_all(console) else text.translate(_PLAIN)


def wrapped(console: Console, text: Text) -> list[Text]:
    """A text of its own, in as many lines as it takes."""
    return list(text.wrap(console, console.width)) if console.is_terminal else [text]


def put(console: Console, lead: str, body: str, style: str = "") -> list[Text]:
    """A line; where it is too long for a terminal, the rest of it stands below its beginning. In a pipe it is whole."""
    mark, text = Text(spelled(console, lead), style or "dim"), Text(spelled(console, body), style)
    if not console.is_terminal:
        return [mark + text]
    parts = text.wrap(console, max(20, console.width - mark.cell_len))
    return [(Text(" " * mark.cell_len) if position else mark) + part for position, part in enumerate(parts)]


def told(console: Console, matter: Matter) -> list[Text]:
    """Its sentences, on a terminal not more than one reads, and what to do."""
    lead, style = _LEADS.get(matter.kind, "! "), _STYLES.get(matter.kind, "")
    found = []
    for sentence in matter.told if console.is_terminal else matter.sentences:
        found += put(console, lead, sentence, style)
    if matter.untold and console.is_terminal:
        found.append(Text(f"{lead}and {counted(matter.untold, 'line')} more of the kind; --json has all", "dim"))
    if matter.action:
        found += put(console, "  → ", matter.action, "dim")
    return found
