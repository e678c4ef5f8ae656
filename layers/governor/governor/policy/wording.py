"""How values and suggestions appear in messages: short, printable, harmless on a terminal."""

import difflib
from collections.abc import Iterable

MAX_SHOWN = 60


def shown(value: object) -> str:
    """A value as a message shows it: quoted when it is text, control characters escaped, cut when long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return clipped(str(value))
    return f"'{clipped(value)}'"


def clipped(text: str) -> str:
    """Text made printable and cut to a length a message can carry."""
    head = printable(text[:MAX_SHOWN])
    return head if len(text) <= MAX_SHOWN else f"{head}… ({len(text)} characters)"


def printable(text: str) -> str:
    """Text whose control characters are escaped: it can be shown on a terminal and encoded."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate somebody most likely meant, if one is near."""
    if not 0 < len(word) <= MAX_SHOWN:
        return None
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def listed(words: Iterable[str]) -> str:
    """'A, B or C'."""
    *first, last = [*words] or ["nothing"]
    return f"{', '.join(first)} or {last}" if first else last


def counted(number: int, noun: str) -> str:
    """'1 team', '2 teams'."""
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun.endswith("ss") else f"{noun}s"
    return f"{number} {plural}"
