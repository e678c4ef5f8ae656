"""Looking at usage again and again: the last good picture stays, with what has failed since."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from governor.cli.show_usage import Look, Shown, laid_out, show_usage
from governor.cli.usage_rows import Picture
from governor.cli.usage_words import clock, lasting
from governor.errors import GovernorError, TransientError
from governor.policy.wording import counted, printable

DEFAULT, LEAST, MOST = 5, 2, 3600
"""Seconds between two looks."""
_THIRD = 3
"""Of the lines of a terminal so many-th part at least is kept for what stands below the table."""


class Clock(Protocol):
    """What the time is, in seconds since 1970, and waiting."""

    def now(self) -> int:
        """Now."""
        ...

    def pause(self, seconds: float) -> None:
        """Return later."""
        ...


class SystemClock:
    """The machine's."""

    def now(self) -> int:
        """Now."""
        return int(time.time())

    def pause(self, seconds: float) -> None:
        """Return later."""
        time.sleep(seconds)


class Failing:
    """What goes wrong, and since when."""

    def __init__(self, error: GovernorError, since: int) -> None:
        self.error, self.since = error, since

    def words(self, now: int) -> str:
        """E.g. "cannot be read since 2026-11-24 15:43:20 UTC (2 min): …"."""
        return f"cannot be read since {clock(self.since)} ({lasting(now - self.since)}): {printable(str(self.error))}"


class Place(Protocol):
    """Where pictures go."""

    def show(self, picture: Picture) -> None:
        """A new one."""
        ...

    def failed(self, failing: Failing, now: int) -> None:
        """There is no new one."""
        ...


def watch(read: Callable[[], Picture], place: Place, every: int, times: Clock) -> None:
    """Until somebody interrupts it. Raises what fails before there is a picture to keep, unless it may pass."""
    failing: Failing | None = None
    seen = False
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            try:
                picture = read()
            except GovernorError as error:
                if not seen and not isinstance(error, TransientError):
                    raise
                failing = Failing(error, failing.since if failing else times.now())
                place.failed(failing, times.now())
            else:
                failing, seen = None, True
                place.show(picture)
            times.pause(every)


class Lines:
    """Where there is no terminal: one table after the other, each under its time."""

    def __init__(self, console: Console, look: Look) -> None:
        self._console, self._look = console, look
        self._first = True

    def show(self, picture: Picture) -> None:
        """Below the others."""
        if not self._first:
            self._console.print()
        self._first = False
        show_usage(self._console, self._look(self._console, picture))
        self._console.file.flush()

    def failed(self, failing: Failing, now: int) -> None:
        """A line."""
        self._console.print(Text(f"{clock(now)}  {failing.words(now)}"), soft_wrap=True)
        self._console.file.flush()


class Screen:
    """A terminal's own screen, of which every round paints all."""

    def __init__(self, console: Console, look: Look, every: int, live: Live) -> None:
        self._console, self._look, self._every, self._live = console, look, every, live
        self.last: Picture | None = None

    def show(self, picture: Picture) -> None:
        """In place of the last one."""
        self.last = picture
        self._paint(Text(f"every {self._every} s; Ctrl-C ends it", "dim"))

    def failed(self, failing: Failing, now: int) -> None:
        """Above the last one."""
        self._paint(Text(failing.words(now), "bold red"))

    def _paint(self, state: Text) -> None:
        console = self._console
        above = list(state.wrap(console, console.width))
        if self.last is None:
            self._live.update(Text("\n").join(above), refresh=True)
            return
        found = self._look(console, self.last)
        shown = fitting(Shown([*above, *found.head], found.table, found.below), console.height)
        self._live.update(Text("\n", no_wrap=True).join(shown), refresh=True)


def fitting(found: Shown, height: int) -> list[Text]:
    """The lines that go into a terminal: of the table those on top, who needs somebody; of what is below at least a
    third of the screen. What is left out is counted."""
    room = height - len(found.head) - 2
    if len(found.table) + len(found.below) <= room:
        return laid_out(found.head, found.table, found.below)
    below = min(len(found.below), max(height // _THIRD, room - len(found.table)))
    return laid_out(found.head, _cut(found.table, room - below), _cut(found.below, below))[:height]


def _cut(lines: list[Text], room: int) -> list[Text]:
    if len(lines) <= room:
        return lines
    hidden = len(lines) - max(0, room - 1)
    return [*lines[: max(0, room - 1)], Text(f"… {counted(hidden, 'more line')}: a taller window shows them", "dim")]


@contextlib.contextmanager
def screen(console: Console, look: Look, every: int) -> Iterator[Screen]:
    """A screen for the time being; the last picture stays behind, whole."""
    with Live(console=console, screen=True, auto_refresh=False) as live:
        live.update(Text("reading the cluster …", "dim"), refresh=True)
        place = Screen(console, look, every, live)
        yield place
    if place.last is not None:
        show_usage(console, look(console, place.last))
