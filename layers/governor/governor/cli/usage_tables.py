"""The tables of the page of usage: who could reclaim from whom, and all figures as they are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from governor.cli.usage_plots import clean
from governor.cli.usage_rows import amount_of, other_rows, plain_of, rounded, rows, worth_showing
from governor.kueue.quantities import shown
from governor.usage import ClusterUsage, Reclaimable, ResourceUsage


def reclaiming(usage: ClusterUsage) -> Iterator[str]:
    """Who could take what back from whom."""
    if not usage.reclaimable:
        yield "<p>Nobody waits below the guarantee while others borrow.</p>"
        return
    found: defaultdict[tuple[str, str, str], list[Reclaimable]] = defaultdict(list)
    for each in usage.reclaimable:
        found[each.team, each.flavor, each.resource].append(each)
    body = []
    for (team, flavor, resource), parts in found.items():
        amount = sum(each.amount for each in parts)
        sources = ", ".join(
            f"{plain_of(resource, each.amount)} from {each.borrower}"
            for each in sorted(parts, key=lambda each: -each.amount)
        )
        body.append(
            f'<tr><th scope="row">{clean(team)}</th><td>{clean(f"{amount_of(resource, amount)} in {flavor}")}</td>'
            f"<td>{clean(sources)}</td></tr>"
        )
    yield _table(
        "Waits below its guarantee|Could come back|From",
        body,
        "Who could reclaim from whom; whether and when is Kueue's to decide",
    )


def figures(usage: ClusterUsage) -> Iterator[str]:
    """All there is; bytes that make no short figure are rounded, and exact for whoever points at them."""
    body = []
    for row in (*rows(usage), *other_rows(usage)):
        for index, each in enumerate(worth_showing(row.queue)):
            first = ' class="first"' if index == 0 else ""
            name = clean(row.name if row.kind == "team" else row.queue.cluster_queue)
            state = "" if row.queue.state == "active" else f' <span class="muted">{row.queue.state}</span>'
            body.append(
                f'<tr{first}><th scope="row">{name}{state}</th><td>{clean(each.flavor)}</td>'
                f"<td>{clean(each.resource).replace('/', '/<wbr/>')}</td>{''.join(_cells(each))}</tr>"
            )
    heads = (
        "Team or queue|Flavor|Resource|n:Guaranteed|n:Used|n:Reserved|n:Borrowed|n:Over quota|n:Lent|n:Idle|"
        "n:Borrow limit|n:Headroom"
    )
    yield _table(heads, body, "Figures of every flavor and resource, as Kubernetes writes quantities; ≈ is rounded")


def _cells(each: ResourceUsage) -> Iterator[str]:
    amounts = (each.guaranteed, each.used, each.reserved, each.borrowed, each.over_quota, each.lent, each.idle)
    yield from (_cell(each.resource, amount) for amount in amounts)
    yield '<td class="n">none</td>' if each.borrow_limit is None else _cell(each.resource, each.borrow_limit)
    yield _cell(each.resource, each.headroom)


def _cell(resource: str, amount: int) -> str:
    exact, figure = shown(resource, amount), rounded(resource, amount)
    title = f' title="{exact}"' if figure != exact else ""
    return f'<td class="n{"" if amount else " zero"}"{title}>{figure}</td>'


def _table(heads: str, body: Iterable[str], caption: str) -> str:
    """Heads are parted by bars; ``n:`` before one marks a column of numbers."""
    cells = "".join(
        f'<th scope="col" class="{"n" if head.startswith("n:") else "w"}">{head.removeprefix("n:")}</th>'
        for head in heads.split("|")
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{clean(caption)}"><table><caption class="unseen">'
        f"{clean(caption)}</caption><thead><tr>{cells}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )
