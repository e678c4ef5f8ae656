"""Pages of the documentation, taken apart by headings and tables."""

import re

from tests.support.cloudformation import ROOT


def page(name: str) -> str:
    """A page of docs."""
    return (ROOT / "docs" / f"{name}.md").read_text()


def section(text: str, title: str) -> str:
    """What stands below a heading, up to the next one that is no deeper than three."""
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,3}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[2]


def table(text: str) -> list[list[str]]:
    """The cells of a table's rows, its head first."""
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return [rows[0], *rows[2:]]


def rows(text: str) -> list[list[str]]:
    """The cells of a table's rows, without its head."""
    return table(text)[1:]


def actions(text: str) -> set[str]:
    """The IAM actions that are named."""
    return set(re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", text))
