"""Every message about a file, held in tests/golden/messages.txt: what it says is a decision, not an accident."""

import ast
import difflib
import os
import re
from pathlib import Path

import governor
from governor.aws.service_model import service_limits
from governor.policy import Diagnostics, Position, parse_policy
from tests.golden.messages import GOLDEN, written
from tests.golden.scenarios import Scenario, scenarios

ROOMS = ("policy", "checks", "plan")
"""Rooms that word messages about a file. What is not found by a scenario there is not held by the golden file."""
TAKES_A_CODE = {
    "refuse": 0,
    "error": 0,
    "warning": 0,
    "Finding": 1,
    "Diagnostic": 1,
    "_RefusedSourceError": 0,
    "Unique": 0,
    "_warning": 0,
}
"""Calls that are given the code of a message, and at which place."""


def test_the_messages_are_as_in_the_golden_file() -> None:
    now = written()
    if os.environ.get("GOVERNOR_REWRITE_GOLDEN"):
        GOLDEN.write_text(now, "utf-8")
    held = GOLDEN.read_text("utf-8")
    difference = "".join(difflib.unified_diff(held.splitlines(True), now.splitlines(True), "golden", "now", n=2))
    assert not difference, f"'python -m tests.golden.messages' writes it again:\n{difference}"


def test_every_code_in_the_source_has_a_scenario() -> None:
    package = Path(governor.__file__).parent
    sources = [path for room in ROOMS for path in sorted((package / room).glob("*.py"))]
    in_source = {code for path in sources for code in _codes(ast.parse(path.read_text("utf-8")))}
    produced = {item.code for scenario in scenarios() for item in scenario.diagnostics()}
    assert len(in_source) > 40
    assert produced == in_source


def _codes(tree: ast.AST) -> set[str]:
    """Codes are the words with hyphens that a call for a message is given at the place for a code."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        place = TAKES_A_CODE.get(name)
        if place is None or len(node.args) <= place:
            continue
        argument = node.args[place]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            found.add(argument.value)
    return found


def test_each_scenario_says_something_and_has_a_name_of_its_own() -> None:
    names = [scenario.name for scenario in scenarios()]
    assert len(names) == len(set(names))
    assert [scenario.name for scenario in scenarios() if not scenario.diagnostics()] == []


def test_each_message_is_one_printable_line_and_says_what_to_do() -> None:
    advice = re.compile(
        "write|remove|save|put|add|lower|shorten|mend|wait|name a cluster|update|allow|check|look|indent|compare"
        "|must start in the same column|takes 2|give it|is missing here"
    )
    for scenario in scenarios():
        for item in scenario.diagnostics():
            assert item.text.isprintable(), item
            assert advice.search(item.text), item
            assert len(item.text) < 600, item


def test_the_file_itself_never_reaches_the_message_raw() -> None:
    hostile = Scenario("", b'version: 1\ncluster: c\nteams: []\n"\\e[31m\\r\\u202e": 1\n')
    (item,) = (each for each in hostile.diagnostics() if each.code == "unknown-key")
    assert "\\x1b[31m\\r\\u202e" in item.text
    assert item.text.isprintable()


def test_messages_beyond_the_bound_are_left_out_and_keep_their_severity() -> None:
    for severity in ("warning", "error"):
        found = Diagnostics()
        for line in range(1003):
            found.warning("some-code", Position(line + 1, 1), "text")
        if severity == "error":
            found.error("some-code", Position(2000, 1), "text")
        *first, last = found.listed()
        assert len(first) == 1000
        assert (last.code, last.severity) == ("too-many-messages", severity)


def test_a_thousand_warnings_do_not_hide_an_error() -> None:
    types = [f"ml.new{n}.xlarge" for n in range(1100)]
    teams = "".join(
        f"  - {{name: t{n}, quota: [{{instanceType: {each}, count: 1}}]}}\n" for n, each in enumerate(types)
    )
    text = f"version: 1\ncluster: c\nteams:\n{teams}  - {{name: A, quota: []}}\n"
    parsed = parse_policy(text.encode(), service_limits(), present_types=types)
    assert parsed.policy is None
    assert [item.severity for item in parsed.diagnostics] == ["warning"] * 1000 + ["error"]
