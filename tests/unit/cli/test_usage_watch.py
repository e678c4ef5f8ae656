"""Looking again and again: the last good picture stays, what fails is said with its time, Ctrl-C ends it well."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console
from rich.text import Text

from governor.cli.show_usage import Shown, by_team
from governor.cli.usage_rows import Picture
from governor.cli.usage_watch import Failing, Lines, Place, fitting, screen, watch
from governor.errors import AccessError, GovernorError, UnreachableError
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


THREE = Picture(usages.three_teams())
GONE = UnreachableError("no answer\x1b[2J")


def test_rounds_follow_each_other_until_somebody_interrupts() -> None:
    place, times = Told(), Rounds(3)
    watch(Answers(THREE, THREE, THREE), place, 7, times)
    assert place.told == ["ml-research"] * 3
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
    ]


def test_what_may_pass_is_waited_for_from_the_beginning_and_what_will_not_is_raised() -> None:
    place = Told()
    watch(Answers(GONE, THREE), place, 60, Rounds(2))
    assert [each.split(" ")[0] for each in place.told] == ["cannot", "ml-research"]
    with pytest.raises(AccessError):
        watch(Answers(AccessError("not allowed")), Told(), 60, Rounds(2))


def test_an_interrupt_in_the_middle_of_a_read_ends_it_as_well() -> None:
    def read() -> Picture:
        raise KeyboardInterrupt

    watch(read, Told(), 60, Rounds(1))


def test_without_a_terminal_a_table_a_round_under_its_time() -> None:
    file = io.StringIO()
    watch(Answers(THREE, GONE, THREE), Lines(Console(file=file, width=200, markup=False), by_team), 60, Rounds(3))
    text = file.getvalue()
    assert "\x1b" not in text
    assert text.count("Usage of ml-research  2026-11-24 15:43:20 UTC\n") == 2
    failure = "2026-11-24 15:44:20 UTC  cannot be read since 2026-11-24 15:44:20 UTC (0 s): no answer"
    assert sum(line.startswith(failure) for line in text.splitlines()) == 1


def on_a_screen(height: int, every: int, times: Rounds, *answers: Picture | GovernorError) -> str:
    file = io.StringIO()
    console = Console(file=file, width=100, height=height, force_terminal=True, markup=False, highlight=False)
    with screen(console, by_team, every) as place:
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
    assert Text.from_ansi(after).plain.startswith("Usage of ml-research")
    assert "cannot be read" not in after


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
    assert [line for line in painted if line.startswith("…")] == [
        "… 48 more lines: a taller window shows them",
        "… 21 more lines: a taller window shows them",
    ]
