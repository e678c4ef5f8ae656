"""Looking again and again: the last good picture stays, what fails is said with its time, Ctrl-C ends it well."""

import io
import signal
from collections.abc import Callable

import pytest
from rich.console import Console
from rich.text import Text

from governor.cli.show_usage import Shown, by_team
from governor.cli.usage_rows import Picture
from governor.cli.usage_signals import Ended, unwinding
from governor.cli.usage_watch import Failing, Lines, Place, fitting, has_screen, screen, watch
from governor.errors import AccessError, GovernorError, PermanentError, UnreachableError
from tests.unit.cli import usages
from tests.unit.cli.usages import AT


class Rounds:
    """A clock that somebody interrupts after so many rounds; a round is as long as it is asked to be."""

    def __init__(self, rounds: int, happens: Callable[[], object] = lambda: None) -> None:
        self._left, self._happens = rounds, happens
        self.at, self.pauses = AT, list[float]()

    def now(self) -> int:
        return self.at

    def pause(self, seconds: float) -> None:
        self._happens()
        self.pauses.append(seconds)
        self.at += int(seconds)
        self._left -= 1
        if not self._left:
            raise KeyboardInterrupt


class Answers:
    """A picture or an error a round."""

    def __init__(self, *answers: Picture | GovernorError) -> None:
        self._answers = list(answers)

    def __call__(self) -> Picture:
        found = self._answers.pop(0)
        if isinstance(found, GovernorError):
            raise found
        return found


class Told:
    """What a place was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def show(self, picture: Picture) -> None:
        self.told.append(picture.usage.cluster)

    def failed(self, failing: Failing, now: int) -> None:
        self.told.append(failing.words(now))

    def ended(self, now: int) -> None:
        self.told.append(f"ended {now - AT}")


class Full(Told):
    """A place that cannot be written in some of its rounds."""

    def __init__(self, *rounds: int) -> None:
        super().__init__()
        self._rounds, self._round = rounds, 0

    def show(self, picture: Picture) -> None:
        self._round += 1
        if self._round in self._rounds:
            raise PermanentError("a.html cannot be written: No space left on device")
        super().show(picture)


THREE = Picture(usages.three_teams())
GONE = UnreachableError("no answer\x1b[2J")


def test_rounds_follow_each_other_until_somebody_interrupts() -> None:
    place, times = Told(), Rounds(3)
    watch(Answers(THREE, THREE, THREE), place, 7, times)
    assert place.told == [*["ml-research"] * 3, "ended 21"]
    assert times.pauses == [7, 7, 7]


def test_what_fails_is_said_since_when_and_begins_anew_after_a_good_round() -> None:
    place = Told()
    watch(Answers(THREE, GONE, GONE, THREE, AccessError("expired")), place, 60, Rounds(5))
    assert place.told == [
        "ml-research",
        "cannot be read since 2026-11-24 15:44:20 UTC (0 s): no answer\\x1b[2J",
        "cannot be read since 2026-11-24 15:44:20 UTC (1 min): no answer\\x1b[2J",
        "ml-research",
        "cannot be read since 2026-11-24 15:47:20 UTC (0 s): expired",
        "ended 300",
    ]


def test_what_cannot_be_written_after_it_could_is_tried_again() -> None:
    place = Full(2, 3)
    watch(Answers(THREE, THREE, THREE, GONE, THREE), place, 60, Rounds(5))
    full = "a.html cannot be written: No space left on device"
    assert place.told == [
        "ml-research",
        f"cannot be written since 2026-11-24 15:44:20 UTC (0 s): {full}",
        f"cannot be written since 2026-11-24 15:44:20 UTC (1 min): {full}",
        "cannot be read since 2026-11-24 15:46:20 UTC (0 s): no answer\\x1b[2J",
        "ml-research",
        "ended 300",
    ]


def test_what_cannot_be_written_the_first_time_is_raised() -> None:
    place = Full(1)
    with pytest.raises(PermanentError, match="No space left"):
        watch(Answers(THREE), place, 60, Rounds(1))
    assert place.told == []


def test_what_may_pass_is_waited_for_from_the_beginning_and_what_will_not_is_raised() -> None:
    place = Told()
    watch(Answers(GONE, THREE), place, 60, Rounds(2))
    assert [each.split(" ")[0] for each in place.told] == ["cannot", "ml-research", "ended"]
    with pytest.raises(AccessError):
        watch(Answers(AccessError("not allowed")), Told(), 60, Rounds(2))


def test_an_interrupt_in_the_middle_of_a_read_ends_it_as_well() -> None:
    def read() -> Picture:
        raise KeyboardInterrupt

    place = Told()
    watch(read, place, 60, Rounds(1))
    assert place.told == ["ended 0"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_end_from_outside_leaves_the_screen_with_the_last_picture_below(number: int, status: int) -> None:
    file = io.StringIO()
    before = signal.getsignal(number)
    with pytest.raises(Ended) as ended, unwinding(), screen(on_terminal(file, 30), by_team, 5) as place:
        watch(Answers(THREE), place, 5, Rounds(2, lambda: signal.raise_signal(number)))
    assert ended.value.status == status
    assert signal.getsignal(number) is before
    _, _, after = file.getvalue().rpartition("\x1b[?1049l")
    assert "\x1b[?25h" in file.getvalue()
    assert "Usage of ml-research" in Text.from_ansi(after).plain


def test_what_is_unwound_already_is_not_interrupted_and_what_is_ignored_stays_so() -> None:
    calls = []

    def end() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGTERM)
            calls.append("put back")

    with pytest.raises(Ended), unwinding():
        end()
    assert calls == ["put back"]
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with unwinding():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_without_a_terminal_a_table_a_round_under_its_time() -> None:
    file = io.StringIO()
    watch(Answers(THREE, GONE, THREE), Lines(Console(file=file, width=200, markup=False), by_team), 60, Rounds(3))
    text = file.getvalue()
    assert "\x1b" not in text
    assert text.count("Usage of ml-research  2026-11-24 15:43:20 UTC\n") == 2
    failure = "2026-11-24 15:44:20 UTC  cannot be read since 2026-11-24 15:44:20 UTC (0 s): no answer"
    assert sum(line.startswith(failure) for line in text.splitlines()) == 1


def on_terminal(file: io.StringIO, height: int) -> Console:
    return Console(file=file, width=100, height=height, force_terminal=True, markup=False, highlight=False)


def on_a_screen(height: int, every: int, times: Rounds, *answers: Picture | GovernorError) -> str:
    file = io.StringIO()
    with screen(on_terminal(file, height), by_team, every) as place:
        _watch_on(place, every, times, answers)
    return file.getvalue()


def _watch_on(place: Place, every: int, times: Rounds, answers: tuple[Picture | GovernorError, ...]) -> None:
    watch(Answers(*answers), place, every, times)


def test_a_terminal_gets_its_own_screen_back_and_the_last_picture_below() -> None:
    text = on_a_screen(30, 5, Rounds(2), THREE, GONE)
    before, own, after = text.replace("\x1b[?1049l", "\0").replace("\x1b[?1049h", "\0").split("\0")
    assert before == ""
    assert "every 5 s; Ctrl-C ends it" in own
    assert "cannot be read since" in own
    assert own.count("Usage of ml-research") == 2  # the picture of before stays while it cannot be read
    left = Text.from_ansi(after).plain.splitlines()
    assert left[0] == (
        "could not be read since 2026-11-24 15:43:25 UTC, "
        "these figures are of 2026-11-24 15:43:20 UTC: no answer\\x1b[2J"
    )
    assert left[1].startswith("Usage of ml-research")


def test_what_could_be_read_at_last_is_not_said_to_be_old() -> None:
    _, _, after = on_a_screen(30, 5, Rounds(3), THREE, GONE, THREE).rpartition("\x1b[?1049l")
    assert Text.from_ansi(after).plain.startswith("Usage of ml-research")


@pytest.mark.parametrize(
    ("is_terminal", "environment", "painted"),
    [
        (True, {"TERM": "xterm-256color"}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "unknown"}, False),
        (True, {"TERM": "xterm", "TTY_COMPATIBLE": "0"}, False),
        (False, {"TERM": "xterm", "FORCE_COLOR": "1"}, False),
        (False, {"TERM": "xterm"}, False),
    ],
)
def test_a_screen_of_its_own_is_for_a_real_terminal(
    is_terminal: bool, environment: dict[str, str], painted: bool
) -> None:
    class File(io.StringIO):
        def isatty(self) -> bool:
            return is_terminal

    assert has_screen(Console(file=File(), _environ=environment)) == painted


def test_a_screen_says_what_fails_before_there_is_a_picture() -> None:
    text = on_a_screen(30, 5, Rounds(1), GONE)
    assert "reading the cluster" in text
    assert "no answer\\x1b[2J" in text
    assert "Usage of" not in text


def lines(count: int, name: str) -> list[Text]:
    return [Text(f"{name} {index}") for index in range(count)]


@pytest.mark.parametrize("height", [8, 12, 20, 24, 50, 100])
@pytest.mark.parametrize(("table", "below"), [(0, 1), (4, 3), (63, 2), (63, 30), (5, 60)])
def test_what_is_painted_fits_the_screen(height: int, table: int, below: int) -> None:
    found = Shown(lines(3, "head"), lines(table, "team"), lines(below, "note"))
    painted = [line.plain for line in fitting(found, height)]
    assert len(painted) <= height
    assert painted[:3] == ["head 0", "head 1", "head 2"]
    all_there = table + below + 5 <= height
    assert ("a taller window" in "\n".join(painted)) == (not all_there)


def test_who_is_on_top_stays_and_what_is_said_below_has_a_third() -> None:
    painted = [line.plain for line in fitting(Shown(lines(2, "head"), lines(63, "team"), lines(30, "note")), 30)]
    assert painted[3:6] == ["team 0", "team 1", "team 2"]
    assert [line for line in painted if line.startswith("note")] == [f"note {index}" for index in range(9)]
    assert [line for line in painted if line.startswith("and")] == [
        "and 48 more lines: a taller window shows them",
        "and 21 more lines: a taller window shows them",
    ]


@pytest.mark.parametrize("height", [10, 12, 16, 24])
def test_on_a_small_screen_those_who_need_somebody_are_seen(height: int) -> None:
    found = Shown(lines(3, "head"), [Text("heading"), *lines(63, "team")], lines(30, "note"))
    painted = [line.plain for line in fitting(found, height)]
    assert painted[4:6] == ["heading", "team 0"]
    assert "note 0" in painted or height < 12
