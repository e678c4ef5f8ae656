"""Looking at usage again and again: the last good picture stays, with what has failed since."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Literal, Protocol

import msgspec
from rich.console import Console
from rich.live import Live
from rich.text import Text

from governor.cli.show_usage import Look, Shown, laid_out, show_usage
from governor.cli.usage_rows import Picture
from governor.cli.usage_signals import Ended
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


class Failing(msgspec.Struct, frozen=True):
    """What goes wrong, and since when. ``what`` cannot be done: it cannot be read, or not be written."""

    error: GovernorError
    since: int
    what: Literal["read", "written"] = "read"

    def words(self, now: int) -> str:
        """E.g. "cannot be read since 2026-11-24 15:43:20 UTC (2 min): …"."""
        return f"cannot be {self.what} since {clock(self.since)} ({lasting(now - self.since)}): {self._reason}"

    def remark(self, at: int) -> str:
        """What stands beside figures of ``at`` that are looked at later."""
        return f"could not be {self.what} since {clock(self.since)}, these figures are of {clock(at)}: {self._reason}"

    @property
    def _reason(self) -> str:
        return printable(str(self.error))


class Place(Protocol):
    """Where pictures go."""

    def show(self, picture: Picture) -> None:
        """A new one. The package's errors if it cannot be written."""
        ...

    def failed(self, failing: Failing, now: int) -> None:
        """There is no new one, or it is not written."""
        ...

    def ended(self, now: int) -> None:
        """Nobody looks any more."""
        ...


def watch(read: Callable[[], Picture], place: Place, every: int, times: Clock) -> None:
    """Until somebody interrupts it. Raises what fails before a picture is shown, unless it may pass; and Ended."""
    failing: Failing | None = None
    seen = False
    doing: Literal["read", "written"]
    try:
        while True:
            doing = "read"
            try:
                picture = read()
                doing = "written"
                place.show(picture)
            except GovernorError as error:
                if not seen and not isinstance(error, TransientError):
                    raise
                since = failing.since if failing is not None and failing.what == doing else times.now()
                failing = Failing(error, since, doing)
                place.failed(failing, times.now())
            else:
                failing, seen = None, True
            times.pause(every)
    except KeyboardInterrupt:
        place.ended(times.now())
    except Ended:
        place.ended(times.now())
        raise


class Lines:
    """Where there is no screen of its own: one table after the other, each under its time."""

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

    def ended(self, now: int) -> None:
        """All is said."""


class Screen:
    """A terminal's own screen, of which every round paints all."""

    def __init__(self, console: Console, look: Look, every: int, live: Live) -> None:
        self._console, self._look, self._every, self._live = console, look, every, live
        self._last: Picture | None = None
        self._failing: Failing | None = None

    def show(self, picture: Picture) -> None:
        """In place of the last one."""
        self._last, self._failing = picture, None
        self._paint(Text(f"every {self._every} s; Ctrl-C ends it", "dim"))

    def failed(self, failing: Failing, now: int) -> None:
        """Above the last one."""
        self._failing = failing
        self._paint(Text(failing.words(now), "bold red"))

    def ended(self, now: int) -> None:
        """What stays behind is left when the screen is."""

    def leave(self) -> None:
        """The last picture on the terminal as it was before, whole; and if it is old, since when."""
        if self._last is None:
            return
        if self._failing is not None:
            text = Text(self._failing.remark(self._last.usage.at), "bold red")
            self._console.print(text, soft_wrap=True)
        show_usage(self._console, self._look(self._console, self._last))

    def _paint(self, state: Text) -> None:
        console = self._console
        above = list(state.wrap(console, console.width))
        if self._last is None:
            self._live.update(Text("\n").join(above), refresh=True)
            return
        found = self._look(console, self._last)
        shown = fitting(Shown([*above, *found.head], found.table, found.below), console.height)
        self._live.update(Text("\n", no_wrap=True).join(shown), refresh=True)


def fitting(found: Shown, height: int) -> list[Text]:
    """The lines that go into a terminal: of the table those on top, who needs somebody; of what is below a third of the
    screen, but no more than half of what there is. What is left out is counted."""
    room = height - len(found.head) - 2
    if len(found.table) + len(found.below) <= room:
        return laid_out(found.head, found.table, found.below)
    kept = min(height // _THIRD, max(0, room) // 2)
    below = min(len(found.below), max(kept, room - len(found.table)))
    return laid_out(found.head, _cut(found.table, room - below), _cut(found.below, below))[:height]


def _cut(lines: list[Text], room: int) -> list[Text]:
    if len(lines) <= room:
        return lines
    hidden = len(lines) - max(0, room - 1)
    return [*lines[: max(0, room - 1)], Text(f"and {counted(hidden, 'more line')}: a taller window shows them", "dim")]


def has_screen(console: Console) -> bool:
    """Whether it is a real terminal that can be painted: no pipe that is to be coloured, and none that is dumb."""
    return console.file.isatty() and console.is_terminal and not console.is_dumb_terminal


@contextlib.contextmanager
def screen(console: Console, look: Look, every: int) -> Iterator[Screen]:
    """A screen for the time being; the last picture stays behind, however it ends."""
    live = Live(console=console, screen=True, auto_refresh=False)
    place = Screen(console, look, every, live)
    try:
        with live:
            live.update(Text("reading the cluster", "dim"), refresh=True)
            yield place
    finally:
        place.leave()
