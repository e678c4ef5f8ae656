"""How usage looks on the screen: totals, a table that shows who needs attention first, and in words what is behind."""

from collections.abc import Callable, Iterable

import msgspec
from rich.console import Console
from rich.text import Text

from governor.cli import usage_words as words
from governor.cli.usage_bar import Glyphs, bar, glyphs_of, legend
from governor.cli.usage_lines import put, shows_all, spelled, told, wrapped
from governor.cli.usage_matters import matters
from governor.cli.usage_rows import Picture, Row, Standing, Total, plain, rounded, rows, totals, worth_showing
from governor.cli.usage_rows import other_rows as others
from governor.cli.usage_table import Column, Fitted, fitted, whole
from governor.kueue.quantities import shown
from governor.policy.wording import printable
from governor.usage import ClusterUsage, ResourceUsage

NARROW = 110
"""Columns of a terminal below which bars are short and ages written closely."""
MOST_DIGITS = 9
_UNITS = {"accelerators": "accel.", "partitions": "parts"}

STYLES: dict[Standing, str] = {
    "over quota": "bold red",
    "borrowing": "yellow",
    "starved": "bold magenta",
    "inactive": "red",
    "stopped": "red",
    "waiting": "cyan",
    "lending": "green",
    "working": "green",
    "idle": "dim",
    "no quota": "dim",
}


class Shown(msgspec.Struct, frozen=True):
    """The lines of one picture. Of ``table`` the first is the heading."""

    head: list[Text]
    table: list[Text]
    below: list[Text]


Look = Callable[[Console, Picture], Shown]


def laid_out(*parts: list[Text]) -> list[Text]:
    """Lines under each other, parted by empty ones."""
    lines: list[Text] = []
    for part in filter(None, parts):
        lines += [*([Text()] if lines else []), *part]
    return lines


def show_usage(console: Console, found: Shown) -> None:
    """All of it."""
    for line in laid_out(found.head, found.table, found.below):
        console.print(line, soft_wrap=True)


def by_team(console: Console, picture: Picture) -> Shown:
    """A row for each team, and for each queue that is no team's."""
    usage, glyphs = picture.usage, glyphs_of(console)
    teams, rest = rows(usage), others(usage)
    units = {row.unit for row in (*teams, *rest) if not row.sum.is_nothing}
    cells = [_team(console, row, usage, glyphs) for row in (*teams, *rest)]
    table = _fit(console, _TEAM if len(units) > 1 else _without(_TEAM, "unit"), cells)
    if rest:
        table.lines.insert(1 + len(teams), Text("not of a team:", "dim"))
    notes = _legend(console, glyphs, units, table) if cells else [Text("There is no queue in this cluster.")]
    return Shown(_head(console, picture), table.lines, [*notes, *_below(console, picture, table)])


def by_flavor(console: Console, picture: Picture) -> Shown:
    """A row for each flavor and resource, in exact quantities."""
    cells = []
    for row in (*rows(picture.usage), *others(picture.usage)):
        for index, each in enumerate(worth_showing(row.queue)):
            repeated = index > 0 and console.is_terminal
            cells.append(_flavor(console, "" if repeated else row.name, each))
    table = _fit(console, _FLAVOR, cells)
    return Shown(_head(console, picture), table.lines, _below(console, picture, table))


_TEAM = (
    Column("team", least=14),
    Column("state", drop=1, least=10),
    Column("bar", drop=4),
    Column("used/guaranteed", "used/of", right=True),
    Column("unit"),
    Column("borrowed", "borr.", drop=3, right=True),
    Column("lent", drop=7, right=True),
    Column("headroom", "room", drop=6, right=True),
    Column("pending", "pend.", drop=2, right=True),
    Column("oldest", drop=5, right=True),
    Column("share", drop=8, right=True),
)
_FLAVOR = (
    Column("team", least=14),
    Column("flavor", least=14),
    Column("resource", least=14),
    Column("guaranteed", "guar.", right=True),
    Column("used", right=True),
    Column("reserved", "resv.", drop=6, right=True),
    Column("borrowed", "borr.", drop=1, right=True),
    Column("over quota", "over", drop=2, right=True),
    Column("lent", drop=3, right=True),
    Column("idle", drop=5, right=True),
    Column("borrow limit", "limit", drop=7, right=True),
    Column("headroom", "room", drop=4, right=True),
)


def _without(columns: Iterable[Column], name: str) -> tuple[Column, ...]:
    return tuple(column for column in columns if column.name != name)


def _fit(console: Console, columns: tuple[Column, ...], cells: list[dict[str, Text]]) -> Fitted:
    found = [[cell[column.name] for column in columns] for cell in cells]
    if not found:
        return Fitted([])
    if not console.is_terminal:
        return whole(columns, found)
    return fitted(columns, found, console.width, "…" if shows_all(console) else "~")


def _legend(console: Console, glyphs: Glyphs, units: set[str], table: Fitted) -> list[Text]:
    """What the bar is made of, where there is room for it, and what is counted, where it is the same for all."""
    text = Text() if "bar" in table.left_out else legend(glyphs)
    if len(units) == 1:
        text.append(f"{'  ' if text else ''}in {min(units)}", "dim")
    return wrapped(console, text) if text else []


def _team(console: Console, row: Row, usage: ClusterUsage, glyphs: Glyphs) -> dict[str, Text]:
    found, queue = row.sum, row.queue
    state = Text(row.standing, STYLES[row.standing])
    if queue.state not in ("active", row.standing):
        state.append(f", {queue.state}", "red")
    oldest, share = words.oldest(queue, usage), words.share(queue)
    if _is_narrow(console):
        oldest = oldest.replace(" min", "m").replace(" ", "")
    unit = _UNITS.get(row.unit, row.unit) if console.is_terminal else row.unit
    return {
        "team": Text(row.name, "bold" if row.needs_attention else ""),
        "state": state,
        "bar": bar(found, glyphs, 10 if _is_narrow(console) else 20),
        "used/guaranteed": Text(f"{_cell(console, row, found.used)}/{_cell(console, row, found.guaranteed)}"),
        "unit": Text("" if found.is_nothing else unit, "dim"),
        "borrowed": _number(_cell(console, row, found.borrowed), "yellow"),
        "lent": _number(_cell(console, row, found.lent), "green"),
        "headroom": _number(_cell(console, row, found.headroom), ""),
        "pending": _number(str(queue.pending), "cyan"),
        "oldest": Text(oldest or spelled(console, "–"), "cyan" if oldest else "dim"),
        "share": Text(spelled(console, _short(console, share)), "dim" if share in ("–", "0") else ""),
    }


def _is_narrow(console: Console) -> bool:
    return console.is_terminal and console.width < NARROW


def _cell(console: Console, row: Row, amount: int) -> str:
    return _short(console, row.plain(amount))


def _short(console: Console, figure: str) -> str:
    """A figure that no terminal has room for is rounded; a pipe has all its digits."""
    if len(figure) <= MOST_DIGITS or not console.is_terminal:
        return figure
    mantissa, _, exponent = f"{float(figure):.1e}".partition("e+")
    return spelled(console, f"≈{mantissa}e{int(exponent)}")


def _number(figure: str, style: str) -> Text:
    return Text(figure, "dim" if figure == "0" else style)


def _quantity(console: Console, resource: str, amount: int) -> str:
    """Exactly in a pipe; on a terminal, bytes that make no short figure are rounded."""
    return spelled(console, rounded(resource, amount)) if console.is_terminal else shown(resource, amount)


def _flavor(console: Console, name: str, each: ResourceUsage) -> dict[str, Text]:
    limit = "no limit" if each.borrow_limit is None else _quantity(console, each.resource, each.borrow_limit)
    figures = {
        "guaranteed": each.guaranteed,
        "used": each.used,
        "reserved": each.reserved,
        "borrowed": each.borrowed,
        "over quota": each.over_quota,
        "lent": each.lent,
        "idle": each.idle,
        "headroom": each.headroom,
    }
    styles = {"borrowed": "yellow", "over quota": "bold red", "lent": "green"}
    return {
        "team": Text(name),
        "flavor": Text(printable(each.flavor)),
        "resource": Text(printable(each.resource)),
        **{
            what: _number(_quantity(console, each.resource, amount), styles.get(what, ""))
            for what, amount in figures.items()
        },
        "borrow limit": Text(limit, "dim"),
    }


def _head(console: Console, picture: Picture) -> list[Text]:
    usage = picture.usage
    title = Text.assemble((f"Usage of {printable(usage.cluster)}", "bold"), (f"  {words.clock(usage.at)}", "dim"))
    found = wrapped(console, title)
    for total in totals(usage):
        found += put(console, f"{total.unit}: ", total_words(total))
    return found


def total_words(total: Total) -> str:
    """One measure of the whole cluster in a line."""
    found, measure = total.sum, total.sum.measure
    pool = f" ({plain(measure, total.pool)} of it the idle pool's)" if total.pool else ""
    over = f", {plain(measure, found.over_quota)} over quota" if found.over_quota else ""
    line = (
        f"{plain(measure, found.guaranteed)} guaranteed{pool}, {plain(measure, found.used)} used "
        f"({plain(measure, found.borrowed)} borrowed{over}), {plain(measure, found.idle)} idle"
    )
    if total.present is None or total.allocatable is None or total.unused is None:
        return line
    return (
        f"{line}; nodes have {plain(measure, total.present)}, of them {plain(measure, total.allocatable)} allocatable "
        f"and {plain(measure, total.unused)} not in use"
    )


def _below(console: Console, picture: Picture, table: Fitted) -> list[Text]:
    """What the headings mean and what is left out, then what needs somebody, then what is good to know."""
    found: list[Text] = []
    if table.short:
        found += put(console, "", ", ".join(f"{short} = {name}" for short, name in table.short), "dim")
    if table.left_out:
        found += put(console, "", f"no room for {', '.join(table.left_out)}: a wider terminal, or a pipe", "dim")
    for matter in matters(picture):
        found += told(console, matter)
    return found
