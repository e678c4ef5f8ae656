"""The bar of a team in a terminal: what is used, lent and idle of the guarantee, and what is taken beyond it."""

import msgspec
from rich.console import Console
from rich.text import Text

from governor.cli.usage_lines import shows_all
from governor.cli.usage_rows import own
from governor.usage.lending import in_proportion
from governor.usage.measures import Sum

STYLES = {"used": "blue", "lent": "green", "idle": "dim", "borrowed": "yellow", "over quota": "bold red"}
_WITHIN = ("used", "lent", "idle")


class Glyphs(msgspec.Struct, frozen=True):
    """A character for each part of a bar; each can be told from the others without colour."""

    used: str
    lent: str
    idle: str
    borrowed: str
    over: str
    end: str = "|"

    def of(self, part: str) -> str:
        """The character of a part."""
        return str(getattr(self, "over" if part == "over quota" else part))


DRAWN = Glyphs("█", "»", "·", "▒", "!", "│")
PLAIN = Glyphs("#", ">", ".", "+", "!")


def glyphs_of(console: Console) -> Glyphs:
    """Those that the output can show: a pipe and a terminal of another encoding get ASCII."""
    return DRAWN if console.is_terminal and shows_all(console) else PLAIN


def parts_of(found: Sum) -> dict[str, int]:
    """What a bar is made of, from left to right; the end of the guarantee is before ``borrowed``."""
    return {
        "used": own(found),
        "lent": found.lent,
        "idle": found.idle,
        "borrowed": found.borrowed,
        "over quota": found.over_quota,
    }


def cells(found: Sum, width: int) -> dict[str, int]:
    """So many characters in proportion; what is there at all has one at least."""
    parts = parts_of(found)
    there = [name for name, amount in parts.items() if amount]
    spread = in_proportion(width - len(there), [parts[name] * width for name in there])
    return {name: 1 + more for name, more in zip(there, spread, strict=True)}


def bar(found: Sum, glyphs: Glyphs, width: int) -> Text:
    """A bar of this width; the end of the guarantee is one of its characters."""
    if found.is_nothing:
        return Text(" " * width)
    drawn = cells(found, width - 1)
    within = [name for name in _WITHIN if name in drawn]
    beyond = [name for name in drawn if name not in _WITHIN]
    text = Text()
    for name in within:
        text.append(glyphs.of(name) * drawn[name], STYLES[name])
    text.append(glyphs.end)
    for name in beyond:
        text.append(glyphs.of(name) * drawn[name], STYLES[name])
    return text


def legend(glyphs: Glyphs) -> Text:
    """What the characters mean."""
    text = Text()
    for name in ("used", "lent", "idle"):
        text.append(f"{glyphs.of(name)} ", STYLES[name]).append(f"{name}  ", "dim")
    text.append(f"{glyphs.end} ").append("guarantee  ", "dim")
    for name in ("borrowed", "over quota"):
        text.append(f"{glyphs.of(name)} ", STYLES[name]).append(f"{name}  ", "dim")
    text.rstrip()
    return text
