"""The parts of the page of usage with bars: headline, a bar for each team, who waits."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from governor.cli import usage_plots as plots
from governor.cli import usage_words as words
from governor.cli.usage_plots import clean
from governor.cli.usage_rows import (
    Row,
    Total,
    borrow_limit,
    other_rows,
    plain,
    rows,
    totals,
)
from governor.usage import ClusterUsage
from governor.usage.measures import Measure

_LONG = 5
"""Characters of a headline figure that is written smaller."""
_MEASURES: dict[Measure, str] = {
    "Accelerators": "accelerators",
    "AcceleratorPartitions": "partitions of accelerators",
    "VCpus": "vCPU",
}


def headline(usage: ClusterUsage) -> Iterator[str]:
    """The figures of the whole cluster."""
    for index, total in enumerate(totals(usage)):
        yield f"<h3>{clean(total.unit)}</h3>"
        yield _cards(_figures(total))
        yield f"<figure>{plots.total_bar(f'total-{index}', total)}{_total_caption(total)}</figure>"
    pending = sum(queue.pending for queue in usage.queues)
    since = [queue.oldest_waiting for queue in usage.queues if queue.oldest_waiting is not None]
    oldest = words.lasting(usage.at - min(since)) if since else "not known" if pending else "–"
    starved = len({each.team for each in usage.reclaimable})
    yield "<h3>Workloads</h3>"
    yield _cards(
        [
            ("", "teams", str(len(usage.teams))),
            ("", "starved teams", str(starved)),
            ("", "workloads waiting", str(pending)),
            ("", "the oldest for", oldest),
        ]
    )


def _figures(total: Total) -> Iterator[tuple[str, str, str]]:
    found = total.sum
    yield "", "guaranteed", plain(found.measure, found.guaranteed)
    yield "", "used", plain(found.measure, found.used)
    yield "borrowed" if found.borrowed else "", "borrowed", plain(found.measure, found.borrowed)
    yield "over" if found.over_quota else "", "over quota", plain(found.measure, found.over_quota)
    yield "", "idle", plain(found.measure, found.idle)
    if total.present is not None and total.allocatable is not None and total.unused is not None:
        yield "", "allocatable", plain(found.measure, total.allocatable)
        yield "", "not in use", plain(found.measure, total.unused)


def _cards(figures: Iterable[tuple[str, str, str]]) -> str:
    cards = "".join(
        f'<div class="c-{kind or "plain"}"><dt>{clean(name)}</dt>'
        f'<dd class="{"long" if len(figure) > _LONG else "short"}">{clean(figure)}</dd></div>'
        for kind, name, figure in figures
    )
    return f'<dl class="cards">{cards}</dl>'


def _total_caption(total: Total) -> str:
    measure = total.sum.measure
    pool = f", {plain(measure, total.pool)} of it the idle pool's" if total.pool else ""
    told = f"Used of own guarantees, borrowed, over quota, and not in use; the line is what is guaranteed{pool}."
    if total.present is None:
        told += " Nodes were not read: not in use is what of guarantees is idle."
    elif total.present != total.allocatable:
        told += f" All nodes have {plain(measure, total.present)}, also those that are not ready or cordoned."
    return f'<figcaption class="small">{clean(told)}</figcaption>'


def bars(usage: ClusterUsage) -> Iterator[str]:
    """A bar for each team; those that are measured alike on one scale."""
    found = rows(usage)
    if not found:
        yield "<p>There is no team in this cluster.</p>"
        return
    yield _legend()
    by_measure: defaultdict[Measure, list[Row]] = defaultdict(list)
    for row in found:
        by_measure[row.sum.measure].append(row)
    for measure, name in _MEASURES.items():
        if measure in by_measure:
            yield f"<h3>Measured by {name}</h3>" if len(by_measure) > 1 else ""
            yield _bar_list(by_measure[measure], measure)


def others(usage: ClusterUsage) -> Iterator[str]:
    """Bars of the queues that are no team's."""
    by_measure: defaultdict[Measure, list[Row]] = defaultdict(list)
    for row in other_rows(usage):
        by_measure[row.sum.measure].append(row)
    for measure, found in by_measure.items():
        yield _bar_list(found, measure)


def _bar_list(found: list[Row], measure: Measure) -> str:
    most = plots.reach(found)
    kind = found[0].kind
    items = "".join(
        f'<li><div class="who">{clean(row.name)} {_tag(row)}</div>'
        f"{plots.team_bar(f'{kind}-{measure}-{index}', row, most)}"
        f'<div class="what">{_what(row)}</div></li>'
        for index, row in enumerate(found)
    )
    scale = f'<div class="scale"><span></span>{plots.axis(most, measure)}<span></span></div>'
    return f'<div class="bars">{scale}<ol class="bars">{items}</ol></div>'


def _tag(row: Row) -> str:
    more = f", {row.queue.state}" if row.queue.state not in ("active", row.standing) else ""
    return f'<span class="tag t-{row.standing.replace(" ", "-")}">{row.standing}{more}</span>'


def _what(row: Row) -> str:
    found = row.sum
    if found.is_nothing:
        return "nothing guaranteed, nothing used"
    limit = borrow_limit(row.queue)
    told = [f"{row.plain(found.used)} of {row.amount(found.guaranteed)}"]
    if found.borrowed:
        told.append(f"borrows {row.plain(found.borrowed)}")
    if found.over_quota:
        told.append(f"{row.plain(found.over_quota)} over quota")
    if found.lent:
        told.append(f"lends {row.plain(found.lent)}")
    told.append(f"headroom {row.plain(found.headroom)}")
    told.append("no borrow limit" if limit is None else f"may borrow {row.plain(limit)}" if limit else "may not borrow")
    if row.queue.share_unlimited or row.queue.weighted_share:
        told.append(f"share {words.share(row.queue)}")
    return clean(" · ".join(told))


_RECT = '<rect class="{kind}" width="22" height="14"/>'
_STROKE = '<line class="{kind}" x1="11" x2="11" y1="-2" y2="16"/>'
_LEGEND = (
    (_RECT, "used", "used of the guarantee"),
    (_RECT, "lent", "lent to others"),
    (_RECT, "idle", "idle"),
    (_RECT, "borrowed", "borrowed"),
    (_RECT, "over", "over quota"),
    (_STROKE, "guarantee", "end of the guarantee"),
    (_STROKE, "limit", "as far as it may borrow"),
)


def _legend() -> str:
    items = "".join(
        f'<li><svg width="22" height="14" aria-hidden="true">{shape.format(kind=kind)}</svg>{meaning}</li>'
        for shape, kind, meaning in _LEGEND
    )
    return f'<ul class="legend">{items}</ul>'


def waiting(usage: ClusterUsage) -> Iterator[str]:
    """Who waits, the longest first."""
    found = [row for row in (*rows(usage), *other_rows(usage)) if row.queue.pending]
    if not found:
        yield "<p>Nobody waits.</p>"
        return
    found.sort(key=lambda row: (row.queue.oldest_waiting is None, row.queue.oldest_waiting or 0, row.name))
    most = max(row.queue.pending for row in found)
    yield '<ol class="bars">'
    for index, row in enumerate(found):
        bar = plots.count_bar(f"waiting-{index}", f"waiting workloads of {row.name}", row.queue.pending, most)
        age = words.oldest(row.queue, usage)
        oldest = "how long is not known" if age == "?" else f"the oldest for {age}"
        what = f"{row.queue.pending} waiting, {oldest}{'; below its guarantee' if row.starved else ''}"
        yield f'<li><div class="who">{clean(row.name)}</div>{bar}<div class="what">{clean(what)}</div></li>'
    yield "</ol>"
