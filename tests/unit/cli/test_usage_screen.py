"""The table in a terminal and in a pipe: it fits, every figure is there, and bars are what they stand for."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from governor.cli import usage_bar as bars
from governor.cli.show_usage import Look, by_flavor, by_team, show_usage
from governor.cli.usage_rows import Picture
from governor.cli.usage_table import Column, fitted, shortened, whole
from governor.usage import Capacity, ClusterUsage, CohortUsage, Reclaimable, ResourceUsage, TeamUsage
from governor.usage.measures import Sum
from governor.usage.seen import Fund
from tests.unit.cli import usages
from tests.unit.cli.usages import AT, G5, GPU, queue, team

MOST = 2**63 - 1


def plain(picture: Picture, look: Look = by_team) -> str:
    """As in a pipe."""
    return _shown(picture, look, Console(file=io.StringIO(), width=200, markup=False, highlight=False))


def terminal(picture: Picture, width: int, look: Look = by_team) -> str:
    """As on a terminal so wide, with its escape codes."""
    file = io.StringIO()
    return _shown(picture, look, Console(file=file, width=width, force_terminal=True, markup=False, highlight=False))


def _shown(picture: Picture, look: Look, console: Console) -> str:
    show_usage(console, look(console, picture))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def uncoloured(text: str) -> str:
    return Text.from_ansi(text).plain


def test_a_pipe_gets_plain_text_with_all_figures() -> None:
    text = plain(Picture(usages.three_teams()))
    assert "\x1b" not in text
    lines = text.splitlines()
    assert lines[0] == "Usage of ml-research  2026-11-24 15:43:20 UTC"
    assert lines[1] == (
        "GPUs: 24 guaranteed, 21 used (4 borrowed), 3 idle; nodes have 24, of them 23 allocatable and 2 not in use"
    )
    assert lines[3].split() == (
        ["team", "state", "bar", "used/guaranteed", "borrowed", "lent", "headroom", "pending", "oldest", "share"]
    )
    assert lines[4].split()[:3] == ["vision", "starved", "##############>>>>>|"]
    assert lines[4].split()[3:] == ["6/8", "0", "2", "1", "4", "2", "h", "5", "min", "0"]
    assert lines[5].split()[:3] == ["nlp", "borrowing", "############|+++++++"]
    assert lines[5].split()[3:] == ["12/8", "4", "0", "1", "2", "34", "s", "142"]
    assert lines[6].split()[3:] == ["3/8", "0", "2", "3", "0", "–", "0"]
    assert lines[8] == "# used  > lent  . idle  | guarantee  + borrowed  ! over quota  in GPUs"
    assert lines[9] == (
        "! vision waits below its guarantee; 1 nvidia.com/gpu in ml.g5.8xlarge could come back from nlp"
    )
    assert lines[10].startswith("  → governor why JOB --cluster ml-research says what a job waits for; ")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize("look", [by_team, by_flavor])
def test_a_terminal_gets_lines_that_fit(width: int, look: Look) -> None:
    for usage in (usages.three_teams(), usages.sixty_teams()):
        text = uncoloured(terminal(Picture(usage), width, look))
        assert max(map(len, text.splitlines())) <= width


def test_columns_that_have_no_room_are_named_and_short_headings_explained() -> None:
    text = uncoloured(terminal(Picture(usages.three_teams()), 50))
    assert "used/of = used/guaranteed, borr. = borrowed, pend.\n= pending" in text
    assert "room = " not in text  # which is left out
    assert "borr. =" not in uncoloured(terminal(Picture(usages.three_teams()), 120))
    assert "resv. = reserved" in uncoloured(terminal(Picture(usages.three_teams()), 100, by_flavor))
    assert "no room for lent, headroom, oldest, share" in text.replace("\n", " ")
    assert "no room" not in uncoloured(terminal(Picture(usages.three_teams()), 80))
    assert "no room" not in uncoloured(terminal(Picture(usages.sixty_teams()), 120))


def test_the_bar_is_explained_where_there_is_one() -> None:
    narrow = uncoloured(terminal(Picture(usages.three_teams()), 30))
    assert "bar" in narrow[narrow.index("no room for") :]
    assert "guarantee  " not in narrow
    assert "\nin GPUs\n" in narrow
    assert "│ guarantee  " in uncoloured(terminal(Picture(usages.three_teams()), 80))


def test_sixty_teams_have_a_line_each_and_their_names_can_be_told_apart() -> None:
    usage = usages.sixty_teams()
    lines = plain(Picture(usage)).splitlines()
    for each in usage.teams:
        assert sum(line.startswith(f"{each.name} ") for line in lines) == 1
    narrow = uncoloured(terminal(Picture(usage), 80)).splitlines()
    first = narrow.index(next(line for line in narrow if line.startswith("team ")))
    names = [line[:14] for line in narrow[first + 1 : first + 1 + len(usage.teams)]]
    assert len(set(names)) == len(usage.teams)


def test_all_that_can_be_the_matter_is_said() -> None:
    text = plain(Picture(usages.sixty_teams(), notes=("nodes: forbidden",)))
    for part in (
        "accelerators: 422 guaranteed (6 of it the idle pool's), 374 used (26 borrowed, 16 over quota), 65 idle; nodes",
        "vCPU: 12064 guaranteed, 10192.5 used",
        "! protein-folding is over its quota by 16 nvidia.com/gpu in ml.p5.48xlarge",
        "! the queue of on-leave is stopped: stopPolicy Hold",
        "  → to let it work: activation Enabled in the policy",
        "  hyperpod-ns-gone-clusterqueue is being deleted",
        "! namespace hyperpod-ns-new-team has no queue",
        "! quotas promise more of ml.g5.8xlarge than its ready nodes have: ",
        " teams wait although there is room: ",
        "  cohort research has 2 nvidia.com/gpu in ml.g5.8xlarge of its own",
        "? nodes: forbidden",
        "not of a team:",
        "\nidle pool ",
        "\nbatch-of-others ",
    ):
        assert part in text
    etl = next(line for line in text.splitlines() if line.startswith("etl ")).split()
    assert etl[3:5] == ["1.5/24", "vCPU"]
    assert next(line for line in text.splitlines() if line.startswith("scavengers ")).endswith(" ∞")
    assert next(line for line in text.splitlines() if line.startswith("trainium ")).endswith(" –")


def test_more_sentences_than_a_person_reads_are_counted_on_a_terminal_only() -> None:
    over = (ResourceUsage(G5, GPU, 1, 2, 2, over_quota=1),)
    usage = ClusterUsage("c", AT, tuple(team(f"team-{index:02}", over) for index in range(13)))
    assert plain(Picture(usage)).count("is over its quota") == 13
    text = uncoloured(terminal(Picture(usage), 200))
    assert text.count("is over its quota") == 10
    assert "and 3 lines more of the kind; --json has all" in text


def test_flavors_are_shown_in_exact_quantities() -> None:
    lines = plain(Picture(usages.three_teams()), by_flavor).splitlines()
    nlp = next(line for line in lines if line.startswith("nlp") and " cpu " in line)
    assert nlp.split() == (["nlp", G5, "cpu", "256", "366", "366", "110", "0", "0", "0", "256", "59"])
    speech = next(line for line in lines if line.startswith("speech") and "cpu" in line)
    assert "91500m" in speech.split()
    memory = next(line for line in lines if line.startswith("nlp") and "memory" in line)
    assert memory.split()[3:7] == ["1Ti", "1440Gi", "1440Gi", "416Gi"]
    lent = next(line for line in lines if line.startswith("vision") and "memory" in line)
    assert "197368729695" in lent.split()


def test_bytes_are_rounded_on_a_terminal_so_that_more_columns_have_room() -> None:
    text = uncoloured(terminal(Picture(usages.three_teams()), 80, by_flavor))
    assert "≈183.8Gi" in text
    assert "197368729695" not in text
    assert "no room for reserved, idle, borrow limit: " in text


def test_flavors_without_a_limit_say_so_and_what_is_nothing_is_left_out() -> None:
    given = (ResourceUsage(G5, GPU, 4, 0, 0), ResourceUsage(G5, "aws.amazon.com/neurondevice", 0, 0, 0))
    text = plain(Picture(ClusterUsage("c", AT, (team("t", given),))), by_flavor)
    assert "no limit" in text
    assert "neurondevice" not in text


def test_no_team_at_all() -> None:
    text = plain(Picture(ClusterUsage("c", AT, ())))
    assert text.splitlines() == [
        "Usage of c  2026-11-24 15:43:20 UTC",
        "",
        "There is no queue in this cluster.",
    ]
    assert plain(Picture(ClusterUsage("c", AT, ())), by_flavor).splitlines() == ["Usage of c  2026-11-24 15:43:20 UTC"]


def test_names_are_shown_as_they_are_and_do_nothing() -> None:
    evil = team("[red]x[/red]\x1b[2J\n", (ResourceUsage("f[b]", GPU, 1, 2, 2, over_quota=1),))
    usage = ClusterUsage("c\x1b[31m", AT, (evil,), lost=("a\x1b]0;owned\x07",))
    for look in (by_team, by_flavor):
        text = plain(Picture(usage), look)
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "[red]x[/red]\\x1b[2J\\n" in text
        assert "Usage of c\\x1b[31m" in text
        assert "a\\x1b]0;owned\\x07" in text
        assert "\x1b[2J" not in terminal(Picture(usage), 100, look)


def test_enormous_numbers_are_whole_in_a_pipe_and_rounded_on_a_terminal() -> None:
    usage = ClusterUsage("c", AT, (team("t", (ResourceUsage(G5, GPU, MOST, 3, 3, headroom=MOST - 3),)),))
    assert f"3/{MOST}" in plain(Picture(usage))
    text = uncoloured(terminal(Picture(usage), 120))
    assert "3/≈9.2e18" in text
    assert str(MOST) in uncoloured(terminal(Picture(usage), 120)).splitlines()[1]


def test_a_state_that_another_one_hides_is_told_too() -> None:
    usage = usages.usage((queue("a", (Fund(G5, GPU, 4, 6, 6, 0, 0),), state="stopped"),))
    assert "over quota, stopped" in plain(Picture(usage))


_AMOUNTS = st.integers(0, 50) | st.sampled_from([10**6, MOST])


@given(_AMOUNTS, _AMOUNTS, _AMOUNTS, _AMOUNTS, _AMOUNTS, st.integers(6, 60))
def test_a_bar_is_as_wide_as_asked_and_shows_all_that_is_there(
    own: int, lent: int, idle: int, borrowed: int, over: int, width: int
) -> None:
    found = Sum("Accelerators")
    found.guaranteed, found.used = own + lent + idle, own + borrowed + over
    found.borrowed, found.over_quota, found.lent, found.idle = borrowed, over, lent, idle
    drawn = bars.bar(found, bars.PLAIN, width).plain
    assert len(drawn) == width
    if found.is_nothing:
        assert drawn.isspace()
        return
    within, _, beyond = drawn.partition("|")
    amounts = {"#": own, ">": lent, ".": idle, "+": borrowed, "!": over}
    assert {mark for mark in "#>." if amounts[mark]} == set(within)
    assert {mark for mark in "+!" if amounts[mark]} == set(beyond)
    cells = bars.cells(found, width - 1)
    assert sum(cells.values()) == width - 1
    parts = bars.parts_of(found)
    assert all(cells[one] <= cells[other] for one in cells for other in cells if parts[one] < parts[other])


def test_bars_are_drawn_with_what_the_output_has() -> None:
    def glyphs(encoding: str, *, is_terminal: bool) -> bars.Glyphs:
        file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        return bars.glyphs_of(Console(file=file, force_terminal=is_terminal))

    assert glyphs("utf-8", is_terminal=True) == bars.DRAWN
    assert glyphs("iso8859-1", is_terminal=True) == bars.PLAIN
    assert glyphs("utf-8", is_terminal=False) == bars.PLAIN
    for each in (bars.DRAWN, bars.PLAIN):
        marks = [each.used, each.lent, each.idle, each.borrowed, each.over, each.end]
        assert len(set(marks)) == len(marks)


def test_a_table_leaves_out_the_least_important_first() -> None:
    columns = (Column("name", least=6), Column("long heading", "lh", drop=1, right=True), Column("x", drop=2))
    rows = [[Text("abcdefghij"), Text("1"), Text("yy")]]
    assert [line.plain for line in whole(columns, rows).lines] == [
        "name        long heading  x",
        "abcdefghij             1  yy",
    ]
    assert fitted(columns, rows, 30) == whole(columns, rows)
    assert [line.plain for line in fitted(columns, rows, 20).lines] == ["name        lh  x", "abcdefghij   1  yy"]
    assert [line.plain for line in fitted(columns, rows, 12).lines] == ["name   lh x", "abc…ij  1 yy"]
    narrow = fitted(columns, rows, 9)
    assert [line.plain for line in narrow.lines] == ["name   lh", "abc…ij  1"]
    assert narrow.left_out == ("x",)
    assert fitted(columns, rows, 4).left_out == ("long heading", "x")


def test_an_output_without_utf8_gets_ascii() -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="iso8859-1")
    given = (ResourceUsage(G5, GPU, 1, 3, 3, borrowed=2, headroom=MOST), ResourceUsage(G5, "memory", 10**11, 0, 0))
    usage = ClusterUsage("c", AT, (team("a-very-long-name-of-a-team", given, share_unlimited=True),), lost=("n",))
    console = Console(file=file, width=84, force_terminal=True, markup=False, highlight=False)
    for look in (by_team, by_flavor):
        show_usage(console, look(console, Picture(usage)))
    file.flush()
    assert isinstance(file.buffer, io.BytesIO)
    text = uncoloured(file.buffer.getvalue().decode("ascii"))
    lines = text.splitlines()
    row = next(line for line in lines if line.startswith("a-very-"))
    assert "~" in row.split()[0]
    assert row.split()[-4:] == ["~9.2e18", "0", "-", "inf"]
    assert "  -> see whether" in text
    assert "~93.1Gi" in text
    assert max(map(len, lines)) <= 84


def test_names_are_cut_in_the_middle() -> None:
    assert shortened(Text("weather-research-09"), 11).plain == "weath…ch-09"
    assert shortened(Text("short"), 11).plain == "short"
    assert shortened(Text("weather-research-09"), 11, "~").plain == "weath~ch-09"


@pytest.mark.parametrize("width", range(4, 12))
def test_names_of_wide_characters_are_cut_by_what_they_take(width: int) -> None:
    cut = shortened(Text("研究チーム画像認識"), width)
    assert width - 1 <= cut.cell_len <= width
    assert cut.plain.startswith("研")
    assert "…" in cut.plain
    assert shortened(Text("チーム"), 6).plain == "チーム"


def test_a_table_of_wide_names_is_straight() -> None:
    columns = (Column("team", least=6), Column("n", right=True))
    rows = [[Text("研究チーム画像認識"), Text("1")], [Text("a"), Text("22")]]
    lines = fitted(columns, rows, 10).lines
    assert [line.cell_len for line in lines[1:]] == [10, 10]


@pytest.mark.parametrize("page", ["usage.md", "commands.md"])
def test_the_documentation_shows_what_is_shown(page: str) -> None:
    text = (Path(__file__).parents[3] / "docs" / page).read_text()
    example = text.partition("$ governor usage ml-research\n")[2].partition("\n```")[0].splitlines()
    lines = [line.rstrip() for line in uncoloured(terminal(Picture(usages.three_teams()), 200)).splitlines()]
    assert example == lines[: len(example)]
    assert len(example) >= len(lines) - 1


def test_the_documentation_names_every_member_of_the_document() -> None:
    text = (Path(__file__).parents[3] / "docs" / "usage.md").read_text()
    kinds = (ClusterUsage, TeamUsage, CohortUsage, ResourceUsage, Reclaimable, Capacity)
    members = {name for kind in kinds for name in kind.__struct_encode_fields__}
    assert {name for name in members if f"`{name}" not in text} == set()
