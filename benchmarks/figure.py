"""A figure as it is printed: a plain text table, the targets beside what was measured, and notes."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 110


@dataclass(frozen=True, slots=True)
class Target:
    """Something that should not exceed a limit. A target that is not met is printed, never raised."""

    text: str
    value: float
    limit: float

    @property
    def is_met(self) -> bool:
        """True when the value is at most the limit."""
        return self.value <= self.limit

    def words(self) -> str:
        """E.g. "target: 10,000 teams over 1,000 at most 12: 9.8, met"."""
        return f"target: {self.text} at most {number(self.limit)}: {number(self.value)}, {self.verdict}"

    @property
    def verdict(self) -> str:
        """For a person."""
        return "met" if self.is_met else "NOT MET"


@dataclass(frozen=True, slots=True)
class Figure:
    """One table. The first column is text and stands to the left, the others are numbers and stand to the right."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()

    def render(self) -> str:
        """The figure as text, without a line break at the end."""
        lines = [self.title, *table(self.header, self.rows)]
        lines += [target.words() for target in self.targets]
        for note in self.notes:
            lines += textwrap.wrap(note, WIDTH)
        return "\n".join(lines)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with columns as wide as their widest cell."""
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"a row has {len(row)} cells, the header {len(header)}: {row}")
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    rule = ["-" * width for width in widths]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        for cells in [header, rule, *rows]
    ]


def number(value: float) -> str:
    """Three significant digits, thousands separated, no exponent: 0.834, 12.3, 1,234."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
