"""The page of usage: well-formed, alone in the world, readable, and every figure in it."""

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from governor.cli import usage_css as css
from governor.cli import usage_plots as plots
from governor.cli.usage_page import POLICY, page
from governor.cli.usage_rows import Picture, rows
from governor.usage import ClusterUsage, ResourceUsage
from governor.usage.model import Capacity
from tests.unit.cli import usages
from tests.unit.cli.usages import AT, G5, GPU, P5, g5, queue, team

MOST = 2**63 - 1
THREE, SIXTY = usages.three_teams(), usages.sixty_teams()
NOBODY = ClusterUsage("c", AT, ())
EVIL_TEXT = "<script>alert(1)</script>\"'&\x1b\ud800]]>-->"
EVIL = ClusterUsage(
    EVIL_TEXT,
    AT,
    (
        team(
            EVIL_TEXT,
            (ResourceUsage(EVIL_TEXT, EVIL_TEXT, 1, 2, 2, over_quota=1), ResourceUsage(G5, GPU, 1, 0, 0)),
            pending=1,
            reason=EVIL_TEXT,
            state="inactive",
        ),
    ),
    deleting=(EVIL_TEXT,),
    lost=(EVIL_TEXT,),
    capacity=(Capacity(EVIL_TEXT, EVIL_TEXT, 3, 2, 2, 1, 1),),
)
HUGE = ClusterUsage("c", AT, (team("t", (ResourceUsage(G5, GPU, MOST, MOST - 1, 0, headroom=MOST),), pending=MOST),))
ALL = [
    pytest.param(THREE, id="three"),
    pytest.param(SIXTY, id="sixty"),
    pytest.param(NOBODY, id="nobody"),
    pytest.param(EVIL, id="evil"),
    pytest.param(HUGE, id="huge"),
]


def parsed(usage: ClusterUsage, refresh: int = 0, source: str = "EKS cluster a & b") -> ET.Element:
    """As XML, which forgives less than a browser does."""
    text = page(Picture(usage, source, ("nodes: <forbidden>",)), refresh)
    head, _, rest = text.partition("\n")
    assert head == "<!DOCTYPE html>"
    return ET.fromstring(rest)


def text_of(element: ET.Element) -> str:
    return re.sub(r"\s+", " ", " ".join(element.itertext()))


def section(tree: ET.Element, ident: str) -> ET.Element:
    (found,) = [each for each in tree.iter("section") if each.get("id") == ident]
    return found


def bars(element: ET.Element) -> Iterator[ET.Element]:
    return (each for each in element.iter("svg") if each.get("class") == "bar")


@pytest.mark.parametrize("usage", ALL)
def test_it_is_well_formed_and_refers_to_nothing_outside(usage: ClusterUsage) -> None:
    tree = parsed(usage)
    assert {each.tag for each in tree.iter()}.isdisjoint({"script", "link", "img", "iframe", "object", "base", "form"})
    for each in tree.iter():
        for name, value in each.attrib.items():
            assert not name.startswith("on")
            if name in ("href", "src", "style", "action", "data", "srcset", "poster"):
                assert (name, value[0]) == ("href", "#")
    (style,) = tree.iter("style")
    assert style.text is not None
    assert "@import" not in style.text
    assert set(re.findall(r"url\(([^)]*)\)", style.text)) == {"#p-borrowed", "#p-over", "#p-lent"}
    assert "//" not in style.text


@pytest.mark.parametrize("usage", ALL)
def test_every_reference_within_it_leads_somewhere_and_ids_are_given_once(usage: ClusterUsage) -> None:
    tree = parsed(usage)
    ids = [each.get("id", "") for each in tree.iter() if "id" in each.attrib]
    assert len(ids) == len(set(ids))
    for each in tree.iter():
        for ident in each.get("aria-labelledby", "").split():
            assert ident in ids
        if "href" in each.attrib:
            assert each.get("href", "").removeprefix("#") in ids


def test_a_browser_is_told_to_load_nothing() -> None:
    metas = {each.get("http-equiv"): each.get("content") for each in parsed(THREE).iter("meta")}
    assert metas["Content-Security-Policy"] == POLICY
    assert POLICY.startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert "refresh" not in metas
    watched = {each.get("http-equiv"): each.get("content") for each in parsed(THREE, refresh=30).iter("meta")}
    assert watched["refresh"] == "30"


def test_names_are_text_and_nothing_else() -> None:
    tree = parsed(EVIL, source=EVIL_TEXT)
    text = text_of(tree)
    assert text.count("<script>alert(1)</script>\"'&\\x1b\\ud800]]>-->") > 10
    assert "<script" not in page(Picture(EVIL, EVIL_TEXT))


@pytest.mark.parametrize("usage", ALL)
def test_every_bar_is_described_and_its_parts_fill_no_more_than_there_is(usage: ClusterUsage) -> None:
    found = list(bars(parsed(usage)))
    for bar in found:
        assert bar.get("role") == "img"
        assert bar.find("title") is not None
        said = bar.find("desc")
        lanes: dict[str, float] = {}
        for part in bar.iter("rect"):
            words = part.find("title")
            assert words is not None
            assert words.text is not None
            lane = part.get("y", "")
            begin, width = (float(part.get(name, "").removesuffix("%")) for name in ("x", "width"))
            assert begin == pytest.approx(lanes.get(lane, 0.0), abs=0.001)  # side by side, without a gap
            lanes[lane] = begin + width
        assert all(end <= 100.001 for end in lanes.values())
        assert said is not None
        assert said.text
    assert found or not usage.teams


def test_a_bar_shows_used_lent_idle_borrowed_and_over_quota_in_proportion() -> None:
    full = ResourceUsage(G5, GPU, 6, 10, 10, borrowed=3, over_quota=1, borrow_limit=4)
    free = ResourceUsage(P5, GPU, 2, 0, 0, lent=1, borrow_limit=0)
    (row,) = rows(ClusterUsage("c", AT, (team("t", (full, free)),)))
    bar = ET.fromstring(plots.team_bar("x", row, 16))
    widths = {each.get("class"): each.get("width") for each in bar.iter("rect")}
    assert widths == {"used": "37.5%", "lent": "6.25%", "idle": "6.25%", "borrowed": "18.75%", "over": "6.25%"}
    assert {each.get("class"): each.get("x1") for each in bar.iter("line")} == {"guarantee": "50%", "limit": "75%"}
    assert bar.findtext("desc") == (
        "6 GPUs of its guarantee used; 1 GPU lent to others; 1 GPU idle; 3 GPUs borrowed; 1 GPU over quota; "
        "guaranteed 8 GPUs; may have 12 GPUs with what it borrows"
    )


def test_a_scale_makes_room_for_near_limits_only() -> None:
    def scale(limit: int | None) -> int:
        given = ResourceUsage(G5, GPU, 10, 0, 0, borrow_limit=limit)
        return plots.reach(rows(ClusterUsage("c", AT, (team("t", (given,)),))))

    assert [scale(None), scale(0), scale(3), scale(100)] == [10, 10, 13, 10]
    assert plots.reach([]) == 1


@pytest.mark.parametrize("most", [1, 2, 5, 7, 12, 99, 100, 1234, MOST])
def test_ticks_are_few_and_round(most: int) -> None:
    found = plots.ticks(most)
    assert found[0] == 0
    assert found[-1] <= most
    assert 2 <= len(found) <= plots.MOST_TICKS + 1
    assert str(found[1]).rstrip("0") in ("1", "2", "5")


def test_the_headline_has_the_figures_of_the_cluster() -> None:
    groups = [each for each in parsed(THREE).iter("dl") if each.get("class") == "cards"]
    cards = [(text_of(card[0]), text_of(card[1])) for group in groups for card in group]
    assert cards == [
        ("guaranteed", "24"),
        ("used", "21"),
        ("borrowed", "4"),
        ("over quota", "0"),
        ("idle", "3"),
        ("allocatable", "23"),
        ("not in use", "2"),
        ("teams", "3"),
        ("starved teams", "1"),
        ("workloads waiting", "6"),
        ("the oldest for", "2 h 5 min"),
    ]


def test_teams_come_in_the_order_of_attention_with_all_their_figures() -> None:
    items = [text_of(each) for each in section(parsed(THREE), "teams").iter("li")][7:]
    assert [item.split()[0] for item in items] == ["vision", "nlp", "speech"]
    assert "6 of 8 GPUs · lends 2 · headroom 1 · may borrow 8" in items[0]
    assert "12 of 8 GPUs · borrows 4 · headroom 1 · may borrow 8 · share 142" in items[1]
    assert "3 of 8 GPUs · lends 2 · headroom 3 · may borrow 4" in items[2]


def test_what_is_measured_differently_has_a_scale_of_its_own() -> None:
    text = text_of(section(parsed(SIXTY), "teams"))
    assert "Measured by accelerators" in text
    assert "Measured by vCPU" in text
    assert "1.5 of 24 vCPU · headroom" in text
    assert "no borrow limit · share ∞" in text
    assert "Measured by" not in text_of(section(parsed(THREE), "teams"))


def test_who_could_take_back_what_from_whom() -> None:
    assert "vision 1 nvidia.com/gpu in ml.g5.8xlarge 1 from nlp" in text_of(section(parsed(THREE), "reclaim"))
    assert "Nobody waits below the guarantee" in text_of(section(parsed(NOBODY), "reclaim"))


def test_who_waits_longest_comes_first() -> None:
    items = [text_of(each) for each in section(parsed(THREE), "waiting").iter("li")]
    assert items[0].endswith("4 waiting, the oldest for 2 h 5 min; below its guarantee")
    assert items[1].endswith("2 waiting, the oldest for 34 s")
    assert text_of(section(parsed(SIXTY), "waiting")).rstrip().endswith("3 waiting, how long is not known")
    assert "Nobody waits." in text_of(section(parsed(NOBODY), "waiting"))


def test_promises_against_what_is_there() -> None:
    items = [text_of(each) for each in section(parsed(THREE), "capacity").iter("li")]
    assert items[0].startswith("ml.g5.8xlarge nvidia.com/ gpu")  # accelerators first
    assert items[0].endswith("promised 24 · allocatable 23 of 24 present · 1 above")
    assert "promised 768 · ready nodes have 736 · allocatable 724.5 of 768 present · 32 above, not judged" in items[1]
    assert "memory is not compared" in text_of(section(parsed(THREE), "capacity"))
    unread = usages.usage((queue("a", g5(4)),))
    assert "The nodes could not be read" in text_of(section(parsed(unread), "capacity"))
    assert "Nodes were not read" in text_of(parsed(unread))


def test_all_figures_are_exact_or_say_that_they_are_rounded() -> None:
    figures = section(parsed(THREE), "figures")
    text = text_of(figures)
    assert "speech ml.g5.8xlarge cpu 256 91500m 91500m 0 0 62485m 102015m 128 127500m" in text
    rounded = {each.text: each.get("title") for each in figures.iter("td") if "title" in each.attrib}
    assert rounded["≈183.8Gi"] == "197368729695"
    assert all(text is not None and text.startswith("≈") for text in rounded)
    assert str(MOST) in text_of(section(parsed(HUGE), "figures"))
    assert "on-leave stopped ml.g5.8xlarge" in text_of(section(parsed(SIXTY), "figures"))


@pytest.mark.parametrize("usage", ALL)
def test_headings_are_in_order(usage: ClusterUsage) -> None:
    levels = [int(each.tag[1]) for each in parsed(usage).iter() if re.fullmatch("h[1-6]", each.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in itertools.pairwise(levels))


def test_captions_are_there_for_who_cannot_see() -> None:
    captions = list(parsed(THREE).iter("caption"))
    assert len(captions) == 2
    for each in captions:
        assert each.get("class") == "unseen"
        assert "hidden" not in each.attrib
    assert "display:none" not in css.STYLE.partition(".unseen{")[2].partition("}")[0]


def test_what_needs_attention_is_said_in_words() -> None:
    items = [text_of(each).strip() for each in section(parsed(SIXTY), "attention").iter("li")]
    kinds = [item.partition(":")[0] for item in items]
    assert kinds == [
        "over quota",
        "starved",
        "stopped",
        "no queue",
        "promises",
        "waits beside room",
        "not known",
        "being deleted",
        "good to know",
    ]
    assert all("→ " in item for item in items[:7])
    assert "→ governor why JOB --cluster ml-research says" in items[5]


def test_where_nobody_has_to_look_it_says_what_was_looked_at() -> None:
    calm = usages.usage((queue("a", g5(4)),), machines=usages.g5_nodes(5))
    text = text_of(section(ET.fromstring(page(Picture(calm)).partition("\n")[2]), "attention"))
    assert "Nobody is over quota or starved, and no queue is held up." in text
    assert "Nodes have the accelerators that quotas promise" in text
    assert "memory is not compared" in text
    unread = page(Picture(usages.usage((queue("a", g5(4)),))))
    assert "What quotas promise is compared with nothing: nodes were not read." in unread
    assert "Nodes have the accelerators" not in unread
    smt_off = usages.usage(
        (queue("a", g5(1)),), machines=(usages.machine("n", G5, gpu=1, cpu=16_000, memory=usages.GIB),)
    )
    text = page(Picture(smt_off))
    assert "Nobody is over quota or starved" in text
    assert "32 vCPU against 16, 16 above; not judged" in text


def test_what_needs_attention_is_no_longer_than_a_person_reads() -> None:
    over = (ResourceUsage(G5, GPU, 1, 2, 2, over_quota=1),)
    usage = ClusterUsage(
        "c",
        AT,
        tuple(team(f"team-{index:02}", over) for index in range(13)),
        lost=tuple(f"ns-{index}" for index in range(12)),
    )
    found = section(parsed(usage), "attention")
    text = text_of(found)
    assert text.count("is over its quota") == 10
    assert "and 3 lines more of the kind: all of them" in text
    assert text.count("has no queue") == 10
    assert "and 2 lines more of the kind: governor usage --json has all" in text
    assert {each.get("href") for each in found.iter("a")} == {"#figures"}


def test_queues_of_no_team_have_their_own_part_if_there_are_any() -> None:
    assert "idle pool lending" in text_of(section(parsed(SIXTY), "others"))
    assert not [each for each in parsed(THREE).iter("section") if each.get("id") == "others"]


def test_a_promise_that_is_not_judged_is_not_drawn_as_broken() -> None:
    gpu, cpu, _ = bars(section(parsed(THREE), "capacity"))
    assert [each.get("class") for each in gpu.iter("rect")] == ["promised", "over", "busy", "idle", "absent"]
    assert "over" not in [each.get("class") for each in cpu.iter("rect")]


def test_words_say_who_starves_and_who_only_waits() -> None:
    text = text_of(section(parsed(THREE), "words"))
    assert "cannot take what it lacks without somebody who borrows giving it back" in text
    assert "waiting workloads wait for another reason" in text


def test_when_and_where_it_was_read() -> None:
    (foot,) = parsed(THREE).iter("footer")
    assert "Read on 2026-11-24 15:43:20 UTC from EKS cluster a & b, by governor" in text_of(foot)
    (time,) = parsed(THREE).iter("time")
    assert time.get("datetime") == "2026-11-24T15:43:20Z"


def luminance(colour: str) -> float:
    def linear(part: int) -> float:
        value = part / 255
        return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(int(colour[start : start + 2], 16)) for start in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [css.LIGHT, css.DARK])
def test_text_and_bars_can_be_told_from_what_is_behind_them(scheme: dict[str, str]) -> None:
    for ink in css.INKS:
        for ground in ("page", "panel"):
            assert contrast(scheme[ink], scheme[ground]) >= 4.5, (ink, ground)
    for shape in ("promised", "busy", "outline"):
        assert contrast(scheme[shape], scheme["page"]) >= 3, shape


def test_every_class_that_is_coloured_exists_in_the_style() -> None:
    used = {name for each in parsed(SIXTY).iter() for name in each.get("class", "").split()}
    plain = {"scroll", "short", "w", "c-plain", "a-being-deleted", "a-good-to-know", "a-not-known"}
    plain |= {"t-working", "t-idle"}
    assert {name for name in used if f".{name}" not in css.STYLE} <= plain
