"""The JSON Schema: valid itself, and of one mind with the reader about everything it can express."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given

from governor.aws.service_model import service_limits
from governor.checks import PolicyFile
from governor.policy import Policy, has_errors, parse_policy
from governor.policy.schema import policy_schema
from governor.policy.sections import ListOf, Section
from governor.policy.source import plain_value
from governor.policy.writing import policy_text
from local.reference import BEGIN, PAGE, Row, page, rows
from tests.strategies import policies

ROOT = Path(__file__).parents[3]
SCHEMA = policy_schema(service_limits())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
ROWS = list(rows())
TOLD_ELSEWHERE = ("teams[].sharing.absoluteBorrowLimits[].", "teams[].alarms.")
"""Sections with the same keys as another, to which the page refers."""


class _Loader(yaml.SafeLoader):
    """PyYAML's constructors with plain scalars of YAML 1.2, as editors that validate with a schema read them."""


def _plain(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    return plain_value(node.value) if node.style is None else node.value


for _tag in ("bool", "int", "float", "null", "str", "timestamp"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _plain)


def _schema_accepts(text: str) -> bool:
    return bool(VALIDATOR.is_valid(yaml.load(text, _Loader)))


def _reader_accepts(text: str) -> bool:
    return not has_errors(parse_policy(text.encode(), service_limits()).diagnostics)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@given(policies())
def test_the_schema_accepts_every_sound_policy(policy: Policy) -> None:
    assert list(VALIDATOR.iter_errors(yaml.load(policy_text(policy), _Loader))) == []


SOUND = """\
version: 1
cluster: ml-research
onDelete: Remove
clusterPolicy:
  name: my-policy
  priorityClasses: [{name: high, weight: 9}]
  fairShare: Enabled
  idleResourceSharing: Disabled
alarms:
  borrowing: {percent: 50, muteUntil: 2027-01-31}
teams:
  - name: a
    quotaName: A-quota
    description: What the team does
    fairShareWeight: 50
    preemptTeamTasks: Never
    activation: Enabled
    sharing:
      strategy: LendAndBorrow
      borrowLimit: 50
      absoluteBorrowLimits: [{instanceType: ml.p5.48xlarge, accelerators: 1}]
    quota:
      - {instanceType: ml.p5.48xlarge, acceleratorPartition: {type: mig-1g.10gb, count: 3}}
      - {instanceType: ml.g5.8xlarge, count: 2, vCpu: 8.5, memoryInGiB: 1e2}
    alarms: {borrowing: {percent: 80}}
"""

MISTAKES = [
    *[("version: 1\n", f"version: {value}\n") for value in ("2", "'1'", "true", "null", "[1]", "1.5")],
    ("version: 1\n", ""),
    *[("cluster: ml-research", f"cluster: {value}") for value in ("-a", "a_b", "12", "''", "a" * 64, "[a]")],
    ("cluster: ml-research", "cluster: arn:aws:x"),
    ("cluster: ml-research\n", ""),
    *[("onDelete: Remove", f"onDelete: {value}") for value in ("remove", "Delete", "", "[Remove]", "true")],
    ("name: my-policy", "name: my_policy"),
    ("name: my-policy", f"name: {'p' * 64}"),
    ("{name: high, weight: 9}", "{name: High, weight: 9}"),
    ("{name: high, weight: 9}", f"{{name: {'h' * 55}, weight: 9}}"),
    ("{name: high, weight: 9}", "{weight: 9}"),
    ("{name: high, weight: 9}", "{name: high}"),
    ("{name: high, weight: 9}", "high"),
    ("[{name: high, weight: 9}]", "{name: high, weight: 9}"),
    ("[{name: high, weight: 9}]", "[" + ", ".join(f"{{name: h{n}, weight: 9}}" for n in range(11)) + "]"),
    *[("weight: 9}", f"weight: {value}}}") for value in ("101", "-1", "1.5", "'9'", "true", "null", ".inf", ".nan")],
    *[("fairShare: Enabled", f"fairShare: {value}") for value in ("enabled", "true", "", "[]", "Yes")],
    ("idleResourceSharing: Disabled", "idleResourceSharing: Off"),
    *[("- name: a\n", f"- name: {value}\n") for value in ("A", "a b", "1", "a-", "''", "t" * 41, "{a: b}", "no!")],
    ("quotaName: A-quota", "quotaName: A quota"),
    ("description: What the team does", 'description: "two\\nlines"'),
    ("description: What the team does", f"description: {'d' * 1025}"),
    ("description: What the team does", "description: 12"),
    *[("fairShareWeight: 50", f"fairShareWeight: {value}") for value in ("101", "-1", "high", "5.5", "'50'")],
    ("preemptTeamTasks: Never", "preemptTeamTasks: Always"),
    ("activation: Enabled", "activation: on"),
    ("strategy: LendAndBorrow", "strategy: Borrow"),
    ("      strategy: LendAndBorrow\n", ""),
    *[("borrowLimit: 50", f"borrowLimit: {value}") for value in ("10001", "-1", "50%", "0.5")],
    ("accelerators: 1}", "accelerators: 1.5}"),
    ("{instanceType: ml.p5.48xlarge, accelerators: 1}", "{instanceType: ml.p5.48xlarge}"),
    ("{type: mig-1g.10gb, count: 3}", "{type: mig-1g, count: 3}"),
    ("{type: mig-1g.10gb, count: 3}", "{type: mig-1g.10gb}"),
    ("{type: mig-1g.10gb, count: 3}", "{count: 3}"),
    ("{type: mig-1g.10gb, count: 3}", "3"),
    *[("ml.g5.8xlarge", value) for value in ("g5.8xlarge", "ml.g5.8XLARGE", "8", "[]")],
    *[("count: 2", f"count: {value}") for value in ("-1", "10000001", "two", "2.5", "'2'")],
    *[("vCpu: 8.5", f"vCpu: {value}") for value in ("-0.5", "1e8", "lots", "false")],
    *[("memoryInGiB: 1e2", f"memoryInGiB: {value}") for value in ("-1", ".inf", "100GiB")],
    ("instanceType: ml.g5.8xlarge, count: 2", "count: 2"),
    (", count: 2, vCpu: 8.5, memoryInGiB: 1e2", ""),
    ("version: 1\n", "version: 1\ndrift: {}\n"),
    *[("alarms: {borrowing: {percent: 80}}", f"alarms: {value}") for value in ("{}", "[]", "off", "80", "''", "false")],
    *[("{borrowing: {percent: 80}}", f"{{borrowing: {value}}}") for value in ("{}", "80", "off", "[percent]", "''")],
    *[("{percent: 80}", value) for value in ("{muteUntil: 2027-01-31}", "{percent: 80, until: 2027-01-31}")],
    *[("percent: 80", f"percent: {value}") for value in ("0", "10001", "-1", "0.5", "80%", "'80'", "null", "true")],
    *[
        ("muteUntil: 2027-01-31", f"muteUntil: {value}")
        for value in (
            *("null", "2027", "true", "soon", "''", "2027-13-01", "2027-01-32", "2027-00-01", "2027-1-31", "1.1.2027"),
            *("2101-01-01", "1969-12-31", "2027-01-31T08:00:00", "2027-01-31T08:00Z", "2027-01-31 08:00:00Z"),
            *("2027-01-31T24:00:00Z", "2027-01-31T08:60:00Z", "2027-01-31T08:00:60Z", "2027-01-31T08:00:00+0100"),
            *("2027-01-31T08:00:00+24:00", "2027-01-31t08:00:00z", "2027-01-31T08:00:00.Z"),
        )
    ],
    ("    quotaName:", "    quotaname:"),
    ("  fairShare:", "  zzz: 1\n  fairShare:"),
    ("borrowLimit:", "limit:"),
    ("count: 3}", "count: 3, profile: x}"),
    ("teams:\n", "team:\n"),
]  # fmt: skip

FINE = [
    *[("cluster: ml-research", f"cluster: {value}") for value in ("a", "'12'", "a" * 63, "no", "1-2")],
    ("cluster: ml-research", "cluster: arn:aws:sagemaker:us-west-2:123456789012:cluster/abcdefghij01"),
    *[("weight: 9}", f"weight: {value}}}") for value in ("0", "100", "9.0", "0x9", "+9")],
    *[("- name: a\n", f"- name: {value}\n") for value in ("'1'", "'1e3'", "a--b", "t" * 40, "no", "0b1")],
    ("version: 1", "version: 1.0"),
    ("description: What the team does", 'description: ""'),
    ("priorityClasses: [{name: high, weight: 9}]", "priorityClasses: []"),
    ("count: 2, vCpu", "count: 10000000, vCpu"),
    *[
        ("    alarms: {borrowing: {percent: 80}}", f"    alarms: {value}")
        for value in ("null", "~", "{borrowing: null}")
    ],
    *[("  borrowing: {percent: 50, muteUntil: 2027-01-31}\nt", f"  {value}\nt") for value in ("null", "borrowing: ~")],
    *[("percent: 80", f"percent: {value}") for value in ("1", "10000", "80.0", "0x50")],
    *[
        ("muteUntil: 2027-01-31", f"muteUntil: {value}")
        for value in (
            *(
                "1970-01-01",
                "2100-12-31",
                "2028-02-29",
                "'2027-01-31'",
                '"2027-01-31T08:00:00Z"',
                "2027-01-31T08:00:00Z",
            ),
            *("2027-01-31T08:00:00+01:00", "2027-01-31T23:59:59-14:00", "2027-01-31T08:00:00.123456789Z"),
        )
    ],
]


def test_the_corpus_starts_from_a_sound_policy() -> None:
    assert _schema_accepts(SOUND)
    assert _reader_accepts(SOUND)


@pytest.mark.parametrize(("right", "wrong"), MISTAKES)
def test_schema_and_reader_refuse_the_same(right: str, wrong: str) -> None:
    text = SOUND.replace(right, wrong, 1)
    assert text != SOUND
    assert (_schema_accepts(text), _reader_accepts(text)) == (False, False)


@pytest.mark.parametrize(("right", "other"), FINE)
def test_schema_and_reader_accept_the_same(right: str, other: str) -> None:
    text = SOUND.replace(right, other, 1)
    assert text != SOUND
    assert (_schema_accepts(text), _reader_accepts(text)) == (True, True)


@pytest.mark.parametrize("row", ROWS, ids=[row.path for row in ROWS])
def test_every_field_is_described_and_its_example_reads(row: Row) -> None:
    assert row.field.meaning.endswith(".")
    assert len(row.field.meaning) > 10
    assert row.field.example.startswith(f"{row.field.key}: ")
    assert _schema_of(row)["description"] == row.field.meaning
    assert f"| `{row.path}` |" in PAGE.read_text("utf-8") or row.path.startswith(TOLD_ELSEWHERE)
    text = _around(row)
    assert parse_policy(text.encode(), service_limits()).diagnostics == ()
    assert _schema_accepts(text)


def _schema_of(row: Row) -> dict[str, Any]:
    schema: dict[str, Any] = SCHEMA
    for step in row.path.split("."):
        schema = schema["properties"][step.removesuffix("[]")]
        schema = schema["items"] if step.endswith("[]") else schema
    return schema


def _around(row: Row) -> str:
    """The smallest policy that holds a field's example: the required neighbours, in flow style, level by level."""
    *outer, _ = row.path.split(".")
    inner = _with_required(row.section, row.field.example)
    for depth in range(len(outer), 0, -1):
        step = outer[depth - 1]
        value = f"[{{{inner}}}]" if step.endswith("[]") else f"{{{inner}}}"
        section = next(each.section for each in ROWS if each.path == ".".join(outer[:depth]).removesuffix("[]"))
        inner = _with_required(section, f"{step.removesuffix('[]')}: {value}")
    return f"{{{inner}}}"


def _with_required(section: Section, entry: str) -> str:
    key = entry.partition(":")[0]
    needed = [field.example for field in section.fields.values() if field.required and field.key != key]
    if key == "instanceType":
        needed.append("count: 1")
    return ", ".join([*needed, entry])


def test_every_section_of_the_format_is_walked() -> None:
    paths = {row.path for row in ROWS}
    assert {
        "version",
        "teams[].quota[].acceleratorPartition.type",
        "teams[].sharing.absoluteBorrowLimits[].vCpu",
    } <= paths
    assert len(paths) == len(ROWS)
    for row in ROWS:
        kind = row.field.kind
        inner = kind if isinstance(kind, Section) else kind.item if isinstance(kind, ListOf) else None
        for key in inner.fields if inner else ():
            assert f"{row.path}{'[]' if isinstance(kind, ListOf) else ''}.{key}" in paths


def test_the_policy_page_is_what_the_generator_writes() -> None:
    text = PAGE.read_text("utf-8")
    assert page(text, service_limits()) == text, "'python -m local.reference' writes it again"
    assert text.count("| key | kind and limits |") == 10


def test_the_generator_refuses_a_page_without_its_markers() -> None:
    with pytest.raises(ValueError, match="lacks the markers"):
        page(f"# no end\n{BEGIN}\n", service_limits())


def test_the_policy_page_names_only_codes_that_exist() -> None:
    golden = (ROOT / "tests" / "golden" / "messages.txt").read_text("utf-8")
    known = set(re.findall(r"^\d+:\d+: (?:error|warning): ([-a-z0-9]+):", golden, re.MULTILINE))
    table = PAGE.read_text("utf-8").partition("## Messages")[2]
    named = re.findall(r"^\| `([-a-z]+)`", table, re.MULTILINE)
    assert len(named) > 10
    assert set(named) <= known


def _examples() -> list[tuple[str, str]]:
    """Every policy in policies/, and every YAML block of the documentation that is one."""
    found = [(str(path.relative_to(ROOT)), path.read_text("utf-8")) for path in sorted((ROOT / "policies").iterdir())]
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for number, block in enumerate(
            re.findall(r"^```ya?ml\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        ):
            without_comments = re.sub(r"\A(?:\s*#.*\n)*", "", block)
            if without_comments.startswith("version: 1"):
                found.append((f"{path.relative_to(ROOT)} block {number + 1}", block))
    return found


EXAMPLES = _examples()


def test_there_are_examples() -> None:
    names = [name for name, _ in EXAMPLES]
    assert len([name for name in names if name.startswith("policies/")]) >= 4
    assert any(name.startswith("docs/policy.md") for name in names)


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_every_example_is_sound_and_says_why_where_it_warns(name: str, text: str) -> None:
    parsed = PolicyFile(name, text.encode()).parse(service_limits())
    assert not has_errors(parsed.diagnostics), parsed.diagnostics
    assert _schema_accepts(text)
    for item in parsed.diagnostics:
        assert f"# {item.code}:" in text, f"{name} warns without saying why: {item}"


def test_the_example_policies_govern_a_cluster_each() -> None:
    texts = [text for name, text in EXAMPLES if name.startswith("policies/")]
    clusters = [policy.cluster for text in texts if (policy := parse_policy(text.encode(), service_limits()).policy)]
    assert len(set(clusters)) == len(texts)
