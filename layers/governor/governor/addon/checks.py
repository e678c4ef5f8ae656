"""A check of the preflight: one question, a verdict, why, and what would make it pass."""

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from governor.addon.seen import Unknown

_REQUEST = re.compile(r" \(request [^)]*\)")
CheckVerdict = Literal["pass", "fail", "unknown"]


class Check(msgspec.Struct, frozen=True):
    """``remedy`` is empty where the check passes."""

    name: str
    verdict: CheckVerdict
    reason: str
    remedy: str = ""


def passed(name: str, reason: str) -> Check:
    """It is as it has to be."""
    return Check(name, "pass", reason)


def failed(name: str, reason: str, remedy: str) -> Check:
    """It is not."""
    return Check(name, "fail", reason, remedy)


def unknown(name: str, what: Unknown) -> Check:
    """Nobody could look, and that is no pass."""
    return Check(name, "unknown", what.reason, what.remedy)


def standing_in_the_way(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Those that do not pass."""
    return tuple(check for check in checks if check.verdict != "pass")


def in_words(checks: Iterable[Check]) -> str:
    """Checks that do not pass, for a verdict: each with its remedy; what nobody could look at, once per reason."""
    told: dict[tuple[str, str, str], list[str]] = {}
    for check in checks:
        reason = _REQUEST.sub("", check.reason)  # the same answer twice has two ids
        told.setdefault((check.verdict, reason, check.remedy), []).append(check.name)
    return "; ".join(
        f"{', '.join(names)}: {'could not look: ' if verdict == 'unknown' else ''}{reason}"
        + (f" → {remedy}" if remedy else "")
        for (verdict, reason, remedy), names in told.items()
    )
