"""Bars of usage as inline SVG: in percent of their width, so that they fit a phone and a wall without a script.

Every part has a pattern of its own beside its colour, and says in words what it is.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

import msgspec

from governor.cli.usage_bar import parts_of
from governor.cli.usage_rows import Row, Total, borrow_limit, own, plain
from governor.policy.wording import printable
from governor.usage import Capacity
from governor.usage.measures import Measure

HEIGHT, LANE = 22, 11
"""Pixels."""
MOST_TICKS = 5
_FAR = 1.35
"""A limit so many times beyond the longest bar is said in words only: drawn, it would leave no room for the bars."""

PATTERNS = """\
<svg class="patterns" width="0" height="0" aria-hidden="true"><defs>
<pattern id="p-borrowed" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect class="f-borrowed" width="7" height="7"/><rect class="f-ink" width="2.5" height="7"/></pattern>
<pattern id="p-over" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect class="f-over" width="7" height="7"/><path class="s-ink" d="M0 3.5H7M3.5 0V7"/></pattern>
<pattern id="p-lent" width="7" height="7" patternUnits="userSpaceOnUse">
<rect class="f-lent" width="7" height="7"/><circle class="f-ink" cx="2" cy="2" r="1.3"/>
<circle class="f-ink" cx="5.5" cy="5.5" r="1.3"/></pattern>
</defs></svg>
"""


class Part(msgspec.Struct, frozen=True):
    """``kind`` is the class that it is drawn as."""

    kind: str
    amount: int
    words: str


class Mark(msgspec.Struct, frozen=True):
    """A line across a bar."""

    kind: str
    at: int
    words: str


class Lane(msgspec.Struct, frozen=True):
    """Parts side by side, so many pixels from the top."""

    parts: tuple[Part, ...]
    top: int = 0
    height: int = HEIGHT


def clean(text: str) -> str:
    """Text as it may stand anywhere in a page."""
    return escape(printable(text))


def drawn(ident: str, title: str, lanes: Sequence[Lane], marks: Iterable[Mark], most: int) -> str:
    """A bar; ``most`` is what its whole width stands for. What it shows is said for who cannot see it."""
    told = [mark for mark in marks if mark.at <= most]
    said = [part.words for lane in lanes for part in lane.parts] + [mark.words for mark in told]
    shapes = [shape for lane in lanes for shape in _lane(lane, most)] + [_line(mark, most) for mark in told]
    height = max((lane.top + lane.height for lane in lanes), default=HEIGHT)
    return (
        f'<svg class="bar" role="img" aria-labelledby="{ident}-t {ident}-d" width="100%" height="{height}">'
        f'<title id="{ident}-t">{clean(title)}</title><desc id="{ident}-d">{clean("; ".join(said) or "nothing")}</desc>'
        f"{''.join(shapes)}</svg>"
    )


def _lane(lane: Lane, most: int) -> Iterator[str]:
    begin = 0
    for part in lane.parts:
        if not part.amount:
            continue
        yield (
            f'<rect class="{part.kind}" x="{percent(begin, most)}" y="{lane.top}" '
            f'width="{percent(part.amount, most)}" height="{lane.height}"><title>{clean(part.words)}</title></rect>'
        )
        begin += part.amount


def _line(mark: Mark, most: int) -> str:
    at = percent(mark.at, most)
    return (
        f'<line class="{mark.kind}" x1="{at}" x2="{at}" y1="-3" y2="{HEIGHT + 3}">'
        f"<title>{clean(mark.words)}</title></line>"
    )


def percent(amount: int, most: int) -> str:
    """E.g. 62.5%; exact numbers of any size go in."""
    figure = f"{100 * amount / most if most else 0:.4f}"
    return f"{figure.rstrip('0').rstrip('.')}%"


def reach(found: Sequence[Row]) -> int:
    """What the width of the bars of several rows stands for, so that they can be compared."""
    longest = max((_length(row) for row in found), default=0)
    limits = [limit for row in found if (limit := _limit(row)) is not None and limit <= longest * _FAR]
    return max([longest, *limits, 1])


def _length(row: Row) -> int:
    return row.sum.guaranteed + row.sum.borrowed + row.sum.over_quota


def _limit(row: Row) -> int | None:
    limit = borrow_limit(row.queue)
    return None if limit is None else row.sum.guaranteed + limit


def team_bar(ident: str, row: Row, most: int) -> str:
    """Of the guarantee what is used, lent and idle; beyond it what is borrowed and over quota."""
    kinds = {"used": "used", "lent": "lent", "idle": "idle", "borrowed": "borrowed", "over quota": "over"}
    words = {"used": "of its guarantee used", "lent": "lent to others"}
    parts = tuple(
        Part(kinds[name], amount, f"{row.amount(amount)} {words.get(name, name)}")
        for name, amount in parts_of(row.sum).items()
        if amount
    )
    marks = [Mark("guarantee", row.sum.guaranteed, f"guaranteed {row.amount(row.sum.guaranteed)}")]
    limit = _limit(row)
    if limit is not None and limit > row.sum.guaranteed:
        marks.append(Mark("limit", limit, f"may have {row.amount(limit)} with what it borrows"))
    return drawn(ident, f"{row.name}: {row.standing}", [Lane(parts)], marks, most)


def total_bar(ident: str, total: Total) -> str:
    """The whole cluster: what is used and how, and what nodes have that nobody uses."""
    found, measure, unit = total.sum, total.sum.measure, total.unit
    parts = [
        Part("used", own(found), f"{plain(measure, own(found))} {unit} used of own guarantees"),
        Part("borrowed", found.borrowed, f"{plain(measure, found.borrowed)} borrowed"),
        Part("over", found.over_quota, f"{plain(measure, found.over_quota)} over quota"),
    ]
    idle = found.idle if total.unused is None else total.unused
    parts.append(Part("idle", idle, f"{plain(measure, idle)} not in use"))
    there = tuple(part for part in parts if part.amount)
    marks = [Mark("guarantee", found.guaranteed, f"guaranteed {plain(measure, found.guaranteed)}")]
    most = max(sum(part.amount for part in there), found.guaranteed, 1)
    return drawn(ident, f"{unit} of the cluster", [Lane(there)], marks, most)


def capacity_bar(ident: str, each: Capacity, words: dict[str, str], beyond: str) -> str:
    """Above, what quotas promise; below, what nodes have. ``words`` are the figures by their names, ``beyond`` is what
    a promise is drawn as where it is above what is there."""
    promised = [Part("promised", each.promised - each.above, f"promised {words['promised']}")]
    if each.above:
        promised.append(Part(beyond, each.above, f"above what is there by {words['above']}"))
    busy = each.allocatable - each.idle
    nodes = [
        Part("busy", busy, f"in use {words['busy']}"),
        Part("idle", each.idle, f"not in use {words['idle']}"),
        Part("absent", max(0, each.present - each.allocatable), f"not allocatable {words['absent']}"),
    ]
    lanes = [Lane(tuple(promised), 0, LANE - 1), Lane(tuple(part for part in nodes if part.amount), LANE, LANE)]
    title = f"{each.resource} in {each.flavor}: promised and present"
    return drawn(ident, title, lanes, [], max(each.promised, each.present, each.allocatable, 1))


def count_bar(ident: str, title: str, count: int, most: int) -> str:
    """So many of at most so many."""
    return drawn(ident, title, [Lane((Part("waiting", count, f"{count} waiting"),), 4, HEIGHT - 8)], [], max(most, 1))


def axis(most: int, measure: Measure) -> str:
    """A scale for the eye; the figures stand beside every bar."""
    labels = "".join(
        f'<line class="tick" x1="{percent(at, most)}" x2="{percent(at, most)}" y1="14" y2="19"/>'
        f'<text x="{percent(at, most)}" y="11" text-anchor="{"start" if at == 0 else "middle"}">'
        f"{_label(measure, at)}</text>"
        for at in ticks(most)
    )
    return f'<svg class="axis" aria-hidden="true" width="100%" height="20">{labels}</svg>'


def ticks(most: int) -> list[int]:
    """From 0 on, in steps of 1, 2 or 5 with zeros."""
    step = 1
    while most // step > MOST_TICKS:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return list(range(0, most + 1, step))


def _label(measure: Measure, amount: int) -> str:
    exact = plain(measure, amount)
    return exact if len(exact) <= 6 else f"{float(exact):.0e}".replace("e+", "e")
