"""A message stands at the first character of the key or value that is wrong, however the file is written.

Each file marks the place with « in front of the offending token; the mark is taken out before reading.
"""

import pytest

from governor.aws.service_model import service_limits
from governor.checks import PolicyFile
from governor.policy import Bounds, Diagnostic, parse_policy

MARK = "«"
HEAD = "version: 1\ncluster: c\n"
SOUND = "quota: [{instanceType: ml.g5.8xlarge, count: 2}]"

ERRORS = {
    "unknown-key": HEAD + f"teams:\n  - name: a\n    {SOUND}\n    «wieght: 5\n",
    "unknown-key in the middle of a line": HEAD + f"teams: [{{name: a, «wieght: 5, {SOUND}}}]\n",
    "unknown-key that is a list": HEAD + "teams: []\n? «[a]\n: 1\n",
    "duplicate-key": HEAD + "teams: []\n«cluster: d\n",
    "merge-key": HEAD + f"teams:\n  - name: a\n    {SOUND}\n    «<<: {{}}\n",
    "not-yet": HEAD + "«drift: {remediate: Never}\nteams: []\n",
    "missing-key": HEAD + f"teams:\n  - «{SOUND}\n",
    "missing-key in flow style": HEAD + f"teams: [ «{{{SOUND}}}]\n",
    "missing-key of the file": "«version: 1\nteams: []\n",
    "wrong-type": HEAD + f"teams:\n  - name: «12\n    {SOUND}\n",
    "wrong-type of a list": HEAD + "teams:   «x\n",
    "wrong-type of a mapping in a list": HEAD + "teams:\n  -   «x\n",
    "wrong-type of a number": HEAD + "teams: [{name: a, quota: [{instanceType: ml.g5.8xlarge, count: «two}]}]\n",
    "empty-value": HEAD + "teams:«\n",
    "bad-value": HEAD + "clusterPolicy: {fairShare:    «On}\nteams: []\n",
    "bad-value of the version": "version: «2\ncluster: c\nteams: []\n",
    "bad-text": HEAD + f"teams:\n  - name: «Team A\n    {SOUND}\n",
    "bad-text in quotes": HEAD + f"teams:\n  - name: «'Team A'\n    {SOUND}\n",
    "bad-text of the cluster": "version: 1\ncluster: «a_b\nteams: []\n",
    "too-long": HEAD + f"teams:\n  - {SOUND}\n    name: «{'a' * 41}\n",
    "out-of-range": HEAD + f"teams:\n  - name: a\n    fairShareWeight: «101\n    {SOUND}\n",
    "too-many": HEAD
    + "teams: []\nclusterPolicy:\n  priorityClasses:\n"
    + "".join(f"    - {'«' if n == 10 else ''}{{name: c{n}, weight: {n}}}\n" for n in range(12)),
    "unknown-instance-type": HEAD + "teams: [{name: a, quota: [{count: 1, instanceType: «ml.cray}]}]\n",
    "empty-quota": HEAD + "teams: [{name: a, quota: [ «{instanceType: ml.g5.8xlarge}]}]\n",
    "no-accelerators": HEAD + "teams: [{name: a, quota: [{accelerators: «2, instanceType: ml.m5.4xlarge}]}]\n",
    "no-accelerators by partition": HEAD + "teams: [{name: a, quota: [{instanceType: ml.m5.4xlarge, "
    "acceleratorPartition: «{type: mig-1g.10gb, count: 1}}]}]\n",
    "duplicate-team": HEAD + f"teams:\n  - {{name: a, {SOUND}}}\n  - {{{SOUND}, name: «a}}\n",
    "duplicate-quota-name": HEAD + f"teams:\n  - {{name: a, {SOUND}}}\n  - {{{SOUND}, name: b, quotaName: «a-quota}}\n",
    "duplicate-quota-name by default": HEAD
    + f"teams:\n  - {{{SOUND}, name: b, quotaName: a-quota}}\n  - «{{name: a, {SOUND}}}\n",
    "duplicate-priority-class": HEAD
    + "teams: []\nclusterPolicy: {priorityClasses: [{name: x, weight: 1}, {weight: 2, name: «x}]}\n",
    "duplicate-entry": HEAD + "teams:\n  - name: a\n    quota:\n      - {instanceType: ml.g5.8xlarge, count: 1}\n"
    "      - {count: 1, instanceType: «ml.g5.8xlarge}\n",
    "missing-key of a team's alarms": HEAD + f"teams: [{{name: a, {SOUND}, alarms: «{{}}}}]\n",
    "missing-key of an alarm": HEAD + f"teams: [{{name: a, {SOUND}, alarms: {{borrowing: «{{}}}}}}]\n",
    "unknown-key of an alarm": HEAD + "alarms:\n  borrowing:\n    percent: 5\n    «mute: 2027-01-31\nteams: []\n",
    "duplicate-key of alarms": HEAD + "alarms:\n  borrowing: null\n  «borrowing: null\nteams: []\n",
    "empty-value of alarms": HEAD + "alarms:«\nteams: []\n",
    "empty-value of a team's alarms": HEAD + f"teams:\n  - name: a\n    alarms:«\n    {SOUND}\n",
    "out-of-range of a percentage": HEAD + "alarms: {borrowing: {percent: «0}}\nteams: []\n",
    "out-of-range of a year": HEAD + "alarms: {borrowing: {percent: 5, muteUntil: «2101-01-01}}\nteams: []\n",
    "bad-text of a day": HEAD + "alarms: {borrowing: {percent: 5, muteUntil:   «2027-02-30}}\nteams: []\n",
    "bad-text of a time": HEAD
    + f"teams: [{{name: a, {SOUND}, alarms: {{borrowing: {{percent: 5, muteUntil: «'2027-01-31T08:00:00'}}}}}}]\n",
    "wrong-type of a day": HEAD + "alarms: {borrowing: {percent: 5, muteUntil: «2027}}\nteams: []\n",
    "yaml-tag": "version: «!!int 1\n",
    "yaml-tag on a list": "teams: «!!seq []\n",
    "yaml-tag as a directive": "# a\n«%TAG ! x\n---\na: 1\n",
    "several-documents": "version: 1\n«---\nversion: 1\n",
    "bad-alias": "teams: [a, «*b]\n",
    "too-deep": "a: " + "[" * 31 + "«[",
    "control-character": "version: 1\ncluster: a«\x07b\n",
    "unseen-line-break": "version: 1\ncluster: a«\u2028b\n",
    "not-yaml: quote that is never closed": "version: 1\ncluster: «'a\nteams: []\n",
    "not-yaml: key without a colon": "version: 1\n«cluster\nteams: []\n",
    "not-yaml: two colons": "version: 1\ncluster: a«: b\n",
    "not-yaml: tab": "teams:\n«\t- a\n",
    "not-yaml: forbidden start": "version: 1\ncluster: «@a\n",
    "not-yaml: missing comma": "teams: [{name: a «{}]\n",
    "not-yaml: key in the wrong column": "teams:\n  - name: a\n «cluster: b\n",
}

WARNINGS = {
    "fewer-than-two-teams": HEAD + f"teams:\n  «- {{name: a, fairShareWeight: 1, {SOUND}}}\n",
    "guarantees-nothing": HEAD + "teams:\n  - {name: a, fairShareWeight: 1, quota: «[]}\n"
    f"  - {{name: b, fairShareWeight: 1, {SOUND}}}\n",
    "weight-zero": HEAD + f"teams:\n  - {{name: a, fairShareWeight: «0, {SOUND}}}\n"
    f"  - {{name: b, fairShareWeight: 1, {SOUND}}}\n",
    "weight-zero by default": HEAD + f"teams:\n  - {{name: «a, {SOUND}}}\n"
    f"  - {{name: b, fairShareWeight: 1, {SOUND}}}\n",
    "limit-without-borrowing": HEAD
    + f"teams:\n  - {{name: a, {SOUND}, sharing: {{strategy: Lend, borrowLimit: «5}}}}\n"
    f"  - {{name: b, fairShareWeight: 1, {SOUND}}}\n",
}


def _read(text: str, name: str = "policy.yaml") -> tuple[Diagnostic, ...]:
    return PolicyFile(name, text.encode()).parse(service_limits()).diagnostics


def _place(text: str) -> tuple[str, int, int]:
    """The file without the mark, and the mark's line and column."""
    assert text.count(MARK) == 1
    before, after = text.split(MARK)
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return before + after, len(lines), len(lines[-1]) + 1


def _places(text: str, code: str, name: str = "policy.yaml") -> list[tuple[int, int]]:
    return [(item.line, item.column) for item in _read(text, name) if item.code == code]


CASES = {**ERRORS, **WARNINGS}


@pytest.mark.parametrize("name", CASES)
def test_the_place_is_that_of_the_token(name: str) -> None:
    text, line, column = _place(CASES[name])
    assert _places(text, name.split()[0].rstrip(":")) == [(line, column)]


@pytest.mark.parametrize("name", CASES)
def test_a_byte_order_mark_and_windows_line_ends_do_not_move_it(name: str) -> None:
    text, line, column = _place(CASES[name])
    code = name.split()[0].rstrip(":")
    assert _places("\ufeff" + text, code) == [(line, column)]
    assert _places(text.replace("\n", "\r\n"), code) == [(line, column)]
    assert _places(text.replace("\n", "\r"), code) == [(line, column)]


@pytest.mark.parametrize("name", [name for name in CASES if "directive" not in name])
def test_comments_with_characters_of_many_bytes_only_add_lines(name: str) -> None:
    text, line, column = _place(CASES[name])
    assert _places(f"# Größe: 价格 😀\n\n{text}", name.split()[0].rstrip(":")) == [(line + 2, column)]


@pytest.mark.parametrize(
    "text",
    [
        HEAD + f"teams:\n  - {{description: 'Größe 价格 😀 é', fairShareWeight: «x, name: a, {SOUND}}}\n",
        HEAD + f"teams:\n  - {{description: 'a\tb', fairShareWeight: «x, name: a, {SOUND}}}\n",
        HEAD + f"teams:\n  - {{description:\t'ab', fairShareWeight:\t«x, name: a, {SOUND}}}\n",
        HEAD
        + f"teams:\n  - description: |\n      two\n      lines\n    fairShareWeight: «x\n    name: a\n    {SOUND}\n",
        HEAD
        + f"teams:\n  - description: >-\n      two\n\n      lines\n    fairShareWeight: «x\n    name: a\n    {SOUND}\n",
        HEAD + f"teams:\n  - description: 'two\n      lines'\n    fairShareWeight: «x\n    name: a\n    {SOUND}\n",
        HEAD + f'teams:\n  - description: "\\u00e9\\\n      é"\n    fairShareWeight: «x\n    name: a\n    {SOUND}\n',
        HEAD + f"teams:\n  - &a {{name: a, {SOUND}, fairShareWeight: «x}}\n",
    ],
)
def test_what_comes_before_it_does_not_move_it(text: str) -> None:
    text, line, column = _place(text)
    (place,) = {(item.line, item.column) for item in _read(text) if "fairShareWeight" in item.text}
    assert place == (line, column)


@pytest.mark.parametrize(
    "text",
    [
        '{"version": 1, "cluster": "c", "teams": [{"name": «"A", "quota": []}]}',
        '{"version":1,"cluster":"c","teams":[{"name":«"A","quota":[]}]}',
        '{\n\t"version": 1,\n\t"cluster": "c",\n\t"teams": [\n\t\t{"name": «"A", "quota": []}\n\t]\n}\n',
        '{"version": 1, "cluster": "c", "teams": [{"description": "\\ud83d\\ude00é", "name": «"A", "quota": []}]}',
        '{"version": 1, "cluster": "c", "teams": [{"description": "\\\\\\ud83d\\ude00\\"", "name": «"A"}]}',
        '{"version": 1, "cluster": "c", "teams": [{"description": "\\ud83d\\ude00 \\ud83d\\ude00", "name": «"A"}]}',
        '{"version": 1, "cluster": "c", "teams": [{"description": "\\\\ud83d\\\\ude00", "name": «"A", "quota": []}]}',
        '{"version": 1, "\\ud83d\\ude00" : 2, "cluster": "c", "teams": [{"name": «"A", "quota": []}]}',
        '\ufeff{"version": 1, "cluster": "c", "teams": [{"description": "价\\/格", "name": «"A", "quota": []}]}',
    ],
)
def test_places_in_json(text: str) -> None:
    text, line, column = _place(text)
    column -= text.startswith("\ufeff") and line == 1
    assert _places(text, "bad-text", "policy.json") == [(line, column)]
    assert _places(text, "bad-text", "<stdin>") == [(line, column)]


def test_the_place_of_bytes_that_are_no_utf_8_counts_characters() -> None:
    (item,) = parse_policy("version: 1\r\ncluster: é价😀".encode() + b"\xff\n", service_limits()).diagnostics
    assert (item.code, item.line, item.column) == ("not-utf-8", 2, 13)


def test_the_place_of_too_many_values_is_where_they_become_too_many() -> None:
    text, line, column = _place("a: &a [1, 2, 3, 4]\nb: [*a, «*a]\n")
    (item,) = parse_policy(text.encode(), service_limits(), bounds=Bounds(nodes=14)).diagnostics
    assert (item.code, item.line, item.column) == ("too-many-values", line, column)


def test_messages_come_in_the_order_of_the_file_and_all_at_once() -> None:
    text = "version: 2\ncluster: a_b\nteams:\n  - {name: A, quota: x}\n  - {name: b, quota: [{}], zzz: 1}\n"
    places = [(item.line, item.column) for item in _read(text)]
    assert places == sorted(places)
    assert {line for line, _ in places} == {1, 2, 4, 5}
