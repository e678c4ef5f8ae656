"""A table of text that fits a width: columns are left out, the least important first, rather than folded."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from rich.text import Text

_LEAST = 4
"""Characters below which no column is cut."""
_WAYS = ((2, False), (2, True), (1, True))
"""Gap, and whether headings are short: tried before a column is left out."""


class Column(msgspec.Struct, frozen=True):
    """``drop``: the higher, the sooner it is left out, 0 never. ``least`` is how far it is cut before that."""

    name: str
    short: str = ""
    drop: int = 0
    least: int = 0
    right: bool = False


class Fitted(msgspec.Struct, frozen=True):
    """Lines, the heading first; the names of the columns that there is no room for, and what short headings stand
    for."""

    lines: list[Text]
    left_out: tuple[str, ...] = ()
    short: tuple[tuple[str, str], ...] = ()


def whole(columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> Fitted:
    """Every column and every character: for a pipe."""
    cells = [_heading(columns, short=False), *rows]
    return Fitted(list(_lines(columns, cells, dict(enumerate(_widths(cells))), 2)))


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int, cut: str = "…") -> Fitted:
    """What goes into so many columns of a terminal; ``cut`` stands in for what is taken out of a cell."""
    for gap, short in _WAYS:
        cells = [_heading(columns, short=short), *rows]
        natural = _widths(cells)
        kept = list(range(len(columns)))
        least = [min(found, column.least or found) for found, column in zip(natural, columns, strict=True)]
        if _needed(least, kept, gap) <= width:
            break
    while _needed(least, kept, gap) > width and any(columns[index].drop for index in kept):
        kept.remove(max(kept, key=lambda index: columns[index].drop))
    room = width - gap * (len(kept) - 1)
    widths = _spread(_squeezed({index: least[index] for index in kept}, columns, room), natural, room)
    left_out = tuple(column.name for index, column in enumerate(columns) if index not in kept)
    headings = [(columns[index].short, columns[index].name) for index in kept if short and columns[index].short]
    cut_cells = [[shortened(cell, widths.get(index, 0), cut) for index, cell in enumerate(row)] for row in cells]
    return Fitted(list(_lines(columns, cut_cells, widths, gap)), left_out, tuple(headings))


def shortened(text: Text, width: int, cut: str = "…") -> Text:
    """Cut in the middle to so many cells of a terminal, of which a character may take two: names differ at their ends
    as often as at their beginnings."""
    if text.cell_len <= width or width < 1:
        return text
    tail = _end_of(text, (width - 1) // 2)
    head = text.copy()
    head.truncate(width - 1 - tail.cell_len, overflow="crop")
    return head + Text(cut, "dim") + tail


def _end_of(text: Text, width: int) -> Text:
    begin = len(text)
    while begin and text[begin - 1 :].cell_len <= width:
        begin -= 1
    return text[begin:]


def _squeezed(widths: dict[int, int], columns: Sequence[Column], room: int) -> dict[int, int]:
    """Where even that is too much, columns that may be cut are cut further, the widest first."""
    cut = [index for index in widths if columns[index].least and widths[index] > _LEAST]
    while cut and sum(widths.values()) > room:
        widest = max(cut, key=lambda index: widths[index])
        widths[widest] -= 1
        cut = [index for index in cut if widths[index] > _LEAST]
    return widths


def _spread(widths: dict[int, int], natural: Sequence[int], room: int) -> dict[int, int]:
    """What is left over goes to the columns that were cut."""
    left = room - sum(widths.values())
    for index in widths:
        more = max(0, min(left, natural[index] - widths[index]))
        widths[index] += more
        left -= more
    return widths


def _heading(columns: Sequence[Column], *, short: bool) -> list[Text]:
    return [Text(column.short or column.name if short else column.name, "dim") for column in columns]


def _widths(cells: Sequence[Sequence[Text]]) -> list[int]:
    return [max(cell.cell_len for cell in column) for column in zip(*cells, strict=True)]


def _needed(widths: Sequence[int], kept: Sequence[int], gap: int) -> int:
    return sum(widths[index] for index in kept) + gap * (len(kept) - 1)


def _lines(
    columns: Sequence[Column], cells: Sequence[Sequence[Text]], widths: Mapping[int, int], gap: int
) -> Iterator[Text]:
    for row in cells:
        line = Text()
        for index, width in widths.items():
            cell = row[index]
            room = Text(" " * (width - cell.cell_len))
            line.append_text(room + cell if columns[index].right else cell + room).append(" " * gap)
        line.rstrip()
        yield line
