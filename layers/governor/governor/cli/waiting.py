"""Waiting for the verdict of what was just put into the bucket, with progress."""

import argparse
import time
from collections.abc import Callable

import msgspec
from rich.console import Console
from rich.text import Text

from governor.cli.show import VERDICT_STYLES
from governor.errors import TransientError
from governor.policy.wording import printable

DEFAULT_WAIT = 300.0
POLL = 2.0
"""Seconds between two looks: a verdict takes seconds to minutes, a look two small reads."""

EXIT_STATUS = {"Applied": 0, "Unchanged": 0, "Released": 0, "Rejected": 1, "Failed": 1, "Held": 3}
STILL_AT_WORK = 4

EXIT_WORDS = """\
exit status: 0 applied, unchanged or released, 1 rejected, failed or refused, 3 held for an approval,
4 no verdict yet (--no-wait, the time to wait is over, or it is Waiting)"""


class Seen(msgspec.Struct, frozen=True):
    """What a look has found: the verdict, why, and whether it is the last word."""

    verdict: str
    reason: str
    ended: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long to wait."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--wait",
        type=_seconds,
        default=DEFAULT_WAIT,
        metavar="SECONDS",
        help=f"wait so long for the verdict (default {DEFAULT_WAIT:.0f})",
    )
    group.add_argument(
        "--no-wait", dest="wait", action="store_const", const=0.0, help="return as soon as it is on its way"
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds from 0 up")
    return seconds


def wait_for(console: Console, look: Callable[[], Seen | None], seconds: float, then: str) -> int:
    """Look until there is a verdict, showing what is new; the exit status. ``then`` is what to type later."""
    if seconds <= 0:
        console.print(Text(f"On its way. To see what became of it: {then}"), soft_wrap=True)
        return STILL_AT_WORK
    seen = _watch(console, look, seconds)
    if seen is None or not seen.ended:
        words = "No verdict yet" if seen is None else f"{seen.verdict}: {printable(seen.reason)}"
        console.print(Text(f"{words}. It goes on by itself; to see what becomes of it: {then}", "cyan"), soft_wrap=True)
        return STILL_AT_WORK
    line = Text(seen.verdict, VERDICT_STYLES.get(seen.verdict, "default"))
    line.append(f": {printable(seen.reason)}", "default")
    console.print(line, soft_wrap=True)
    return EXIT_STATUS.get(seen.verdict, STILL_AT_WORK)


def _watch(console: Console, look: Callable[[], Seen | None], seconds: float) -> Seen | None:
    began, last = time.monotonic(), None
    with console.status("waiting for the function to take it up") as spinner:
        while True:
            seen = _tried(look, last)
            if seen is not None and seen != last:
                last = seen
                if seen.ended:
                    return seen
                if console.is_terminal:
                    spinner.update(Text(f"{seen.verdict}: {printable(seen.reason)}"))
                else:
                    console.print(f"{seen.verdict}: {printable(seen.reason)}", soft_wrap=True)
            left = began + seconds - time.monotonic()
            if left <= 0:
                return last
            time.sleep(min(POLL, left))


def _tried(look: Callable[[], Seen | None], last: Seen | None) -> Seen | None:
    try:
        return look()
    except TransientError:
        return last  # the next look comes soon
