"""Files that somebody made to hurt: each is refused clearly, before it costs much time or memory."""

import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from governor.aws.service_model import service_limits
from governor.checks import PolicyFile
from governor.policy import Diagnostic
from governor.policy.diagnostics import MAX_DIAGNOSTICS
from governor.policy.source import plain_value

MOST = 1 << 20
SECONDS = 6.0
"""The slowest of these takes about 0.7 s, and anything that is not linear takes minutes. CPU time,
so that a busy machine does not fail the test."""
MEBIBYTES = 200
"""More address space than before: a quarter of a million nodes at some 200 bytes each, and a few copies of the text."""


def _filled(unit: str, start: str = "", end: str = "") -> Callable[[], bytes]:
    """One MiB of the same, between a start and an end; made when it is needed."""

    def data() -> bytes:
        room = MOST - len(start.encode()) - len(end.encode())
        return (start + unit * (room // len(unit.encode())) + end).encode()

    return data


HEAD = "version: 1\ncluster: c\nteams:\n"
UNITS = (
    *(":", ": ", "- ", "-\n", "- - ", "? ", "? a\n", "&a ", "&a", "*a ", "*a,", "!!", "! ", "!<a> ", "<<: "),
    *("{", "[", "}", "]", "{:", "[:", "[,", "{a: ", "[a, ", "[a: b, ", "? [", "{? ", "&a [", '{"a":', '["'),
    *('"', "'", "''", '""', '"a" ', "|\n", ">\n", "- |\n", "%", "%a\n", "%YAML 1.1\n", "%TAG ! a\n", "@", "`"),
    *("#", "\\", '"\\', "\t", " ", "\n", "\r", "a\n", "a: ", "---\n", "...\n", "0", "9", "1e", "0x", "."),
    *("é", "😀", "\ufeff", "~", "null ", "{}\n", "[]\n", "&a a: *a\n", "- &a a\n", "- *a\n"),
)  # fmt: skip
IN_QUOTES = ("\n", " \n", "\\\n", "\\", "\\u0041", "a ")
ITEMS = ("1", "~", "a", "[]", "{}", "{a}", "{a: 1}")

FILES: dict[str, bytes | Callable[[], bytes]] = {
    **{f"{unit!r} over and over": _filled(unit) for unit in UNITS},
    **{f"{unit!r} over and over in a list": _filled(unit, "[") for unit in UNITS[::3]},
    **{f"{unit!r} over and over in quotes": _filled(unit, '"') for unit in IN_QUOTES},
    **{f"a list of {item!r}": _filled(f"{item},", HEAD + " [", "]") for item in ITEMS},
    "bytes of zero": b"\0" * MOST,
    "bytes of 255": b"\xff" * MOST,
    "UTF-16": b"\xff\xfe" + "version: 1\n".encode("utf-16-le") * 40_000,
    "not UTF-8 at the very end": b"a" * (MOST - 1) + b"\xff",
    "a control character at the very end": b"\n" * (MOST - 1) + b"\x07",
    "a byte too many": b"#" * (MOST + 1),
    "laughs": "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'lol'}]\n" for n in range(25)
    ).encode(),
    "laughs in keys": "".join(
        f"a{n}: &a{n} {{{', '.join(f'k{k}: *a{n - 1}' for k in range(9)) if n else 'a: lol'}}}\n" for n in range(25)
    ).encode(),
    "one wide anchor, many aliases": _filled("*a,", f"a: &a [{'1,' * 1000}]\nb: [", "]"),
    "a hundred aliases of a wide anchor": f"a: &a [{'1,' * 100_000}]\nb: [{'*a,' * 100}]\n".encode(),
    "an alias of itself": b"teams: &a [*a]",
    "an alias of itself as a key": b"&a {*a : 1}",
    "aliased teams, each with mistakes": (
        "version: 1\ncluster: c\nx: &t {name: A, quota: [{instanceType: ml.foo}, {instanceType: ml.bar}], z: 1}\n"
        f"teams: [{'*t,' * 20_000}]"
    ).encode(),
    "an aliased mapping of 2000 unknown keys": (
        f"version: 1\ncluster: c\nx: &m {{{','.join(f'k{n}' for n in range(2000))}}}\nteams: [{'*m,' * 60}]"
    ).encode(),
    "90,000 unknown keys": "".join(f"k{n}: 1\n" for n in range(90_000)).encode(),
    "a million unknown keys": b"{" + b"a," * (MOST // 2 - 1) + b"}",
    "200,000 duplicate keys": b"a: 1\n" * 200_000,
    "95,000 versions": b"version: 1\n" * 95_000,
    "90,000 anchors": b"[" + b",".join(b"&a%d a" % n for n in range(90_000)) + b"]",
    "60,000 tag handles": b"".join(b"%%TAG !a%d! b\n" % n for n in range(60_000)) + b"--- a",
    "60,000 tag handles, old Macintosh": b"".join(b"%%TAG !a%d! b\r" % n for n in range(60_000)) + b"--- a",
    "teams that are nearly right": _filled(" - {name: A}\n", HEAD),
    "instance types that are nearly right": _filled(
        "{instanceType: ml.g5.xlarg},", HEAD + " - {name: a, quota: [", "]}"
    ),
    "a quota with thousands of entries": _filled(
        "{instanceType: ml.g5.xlarge},", HEAD + " - {name: a, quota: [", "]}"
    ),
    "a key of a MiB": _filled("a", "? ", "\n: 1"),
    "a key of a MiB without '?'": _filled("a", "", ": 1"),
    "a name of a MiB": _filled("a-", HEAD + " - {name: '", "!'}"),
    "a description of a MiB": _filled("a ", HEAD + " - {description: '", "\t'}"),
    "a cluster of a MiB": _filled("a-", "version: 1\ncluster: arn:aws"),
    "an instance type of a MiB": _filled("m", HEAD + " - {quota: [{instanceType: ", "}]}"),
    "a whole number of a MiB": _filled("9", "version: "),
    "a fraction of a MiB": _filled("9", "version: 0."),
    "an exponent of a MiB": _filled("9", "version: 1e"),
    "a hexadecimal number of a MiB": _filled("f", "version: 0x"),
    "an octal number of a MiB": _filled("7", "version: 0o"),
    "nearly a number of a MiB": _filled("9", "version: ", "x"),
    "a tag of a MiB": _filled("a", "!", " x"),
    "an anchor of a MiB": _filled("a", "&", " x"),
    "an alias of a MiB": _filled("a", "*"),
    "indentation of a MiB": _filled(" ", "a:\n", "b"),
    "block text of a MiB": _filled(" x\n", "a: |\n"),
    "folded text of a MiB": _filled(" x\n\n", "a: >\n"),
    "plain text of a MiB over many lines": _filled("x\n ", "a: "),
    "mappings within mappings": "".join(" " * depth + "a:\n" for depth in range(1400)).encode(),
    "JSON: surrogate pairs": _filled("\\ud83d\\ude00", '{"a": "', '"}'),
    "JSON: high surrogates alone": _filled("\\ud83d", '{"a": "', '"}'),
    "JSON: low surrogates alone": _filled("\\ude00", '{"a": "', '"}'),
    "JSON: a pair, then backslashes": _filled("\\", '{"a": "\\ud83d\\ude00'),
    "JSON: a pair, then escaped quotes": _filled('\\"', '{"a": "\\ud83d\\ude00'),
    "JSON: a pair, then quotes": _filled('"', '{"a": "\\ud83d\\ude00'),
}  # fmt: skip


def _read(name: str) -> tuple[Diagnostic, ...]:
    data = FILES[name]
    file = PolicyFile("policy.json" if name.startswith("JSON") else "policy.yaml", data() if callable(data) else data)
    parsed = file.parse(service_limits())
    assert parsed.policy is None
    return parsed.diagnostics


CODES = {
    "bytes of zero": "control-character",
    "bytes of 255": "not-utf-8",
    "UTF-16": "not-utf-8",
    "a byte too many": "too-large",
    "a control character at the very end": "control-character",
    "laughs": "too-many-values",
    "laughs in keys": "too-many-values",
    "a hundred aliases of a wide anchor": "too-many-values",
    "an alias of itself": "bad-alias",
    "an alias of itself as a key": "bad-alias",
    "'*a ' over and over": "bad-alias",
    "'{' over and over": "too-deep",
    "'[' over and over": "too-deep",
    "'- ' over and over": "too-deep",
    "'{a: ' over and over": "too-deep",
    "mappings within mappings": "too-deep",
    "'!!' over and over": "yaml-tag",
    "'%TAG ! a\\n' over and over": "yaml-tag",
    "60,000 tag handles": "yaml-tag",
    "60,000 tag handles, old Macintosh": "yaml-tag",
    "a tag of a MiB": "yaml-tag",
    "'---\\n' over and over": "several-documents",
    "'\"' over and over": "not-yaml",
    "':' over and over": "not-yaml",
    "'\\n' over and over": "empty-file",
    "a key of a MiB without '?'": "not-yaml",
    "a million unknown keys": "too-many-values",
    "a whole number of a MiB": "bad-value",
    "a hexadecimal number of a MiB": "bad-value",
    "JSON: high surrogates alone": "not-yaml",
    "JSON: low surrogates alone": "not-yaml",
}


@pytest.mark.parametrize("name", FILES)
def test_it_is_refused_quickly_and_clearly(name: str) -> None:
    begun = time.process_time()
    diagnostics = _read(name)
    assert time.process_time() - begun < SECONDS
    assert 1 <= len(diagnostics) <= MAX_DIAGNOSTICS + 1
    codes = {item.code for item in diagnostics if item.severity == "error"}
    assert CODES.get(name) in codes if name in CODES else codes
    for item in diagnostics:
        assert item.text.isprintable()
        assert 10 < len(item.text) < 700


HUNGRY = (
    *("a list of '{}'", "a list of '{a}'", "a list of '~'", "laughs"),
    *("200,000 duplicate keys", "90,000 unknown keys", "a million unknown keys", "teams that are nearly right"),
    *("one wide anchor, many aliases", "90,000 anchors", "'[' over and over", "JSON: surrogate pairs"),
    "a description of a MiB",
)  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to RLIMIT_AS")
def test_they_are_refused_in_little_memory() -> None:
    """In a process that gets no more: a file that needs more ends in a MemoryError there."""
    root = Path(__file__).parents[3]
    child = subprocess.run(
        [sys.executable, __file__], cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr
    assert child.stdout.split("\n")[:-1] == list(HUNGRY)


def _read_in_little_memory() -> None:
    service_limits()  # the service's model is large, and no file has a part in that
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    most = pages * resource.getpagesize() + (MEBIBYTES << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for name in HUNGRY:
        _read(name)
        print(name, flush=True)


def test_the_reasons_are_for_files_that_exist() -> None:
    assert set(CODES) <= set(FILES)
    assert set(HUNGRY) <= set(FILES)


@pytest.mark.parametrize("depth", [31, 32, 33])
def test_the_bound_of_depth(depth: int) -> None:
    flow = PolicyFile("a.yaml", b"[" * depth + b"]" * depth).parse(service_limits()).diagnostics
    block = PolicyFile("a.yaml", b"- " * depth + b"a").parse(service_limits()).diagnostics
    expected = ["too-deep"] if depth > 32 else ["wrong-type"]
    assert [item.code for item in flow] == [item.code for item in block] == expected


@pytest.mark.parametrize("size", [MOST, MOST + 1])
def test_the_bound_of_size(size: int) -> None:
    sound = b"version: 1\ncluster: c\nteams: []\n#"
    codes = [item.code for item in PolicyFile("a.yaml", sound.ljust(size, b"x")).parse(service_limits()).diagnostics]
    assert codes == (["too-large"] if size > MOST else ["fewer-than-two-teams"])


def test_aliases_in_reason_are_welcome() -> None:
    text = """\
version: 1
cluster: c
teams:
  - name: a
    fairShareWeight: 50
    quota: &two [{instanceType: ml.g5.8xlarge, count: 2}]
    sharing: &share {strategy: LendAndBorrow, borrowLimit: 50}
  - {name: b, fairShareWeight: 50, quota: *two, sharing: *share}
"""
    parsed = PolicyFile("a.yaml", text.encode()).parse(service_limits())
    assert parsed.diagnostics == ()
    assert parsed.policy is not None
    first, second = parsed.policy.teams
    assert (first.quota, first.sharing) == (second.quota, second.sharing)


def test_suggestions_stay_few_in_a_file_full_of_mistakes() -> None:
    diagnostics = _read("instance types that are nearly right")
    suggested = [item for item in diagnostics if re.search("did you mean", item.text)]
    assert 0 < len(suggested) <= 50


def _numbers() -> Iterator[tuple[str, object]]:
    yield from (("0", 0), ("007", 7), ("+1", 1), ("-1", -1), ("0o17", 15), ("0x1F", 31), ("1.5", 1.5), (".5", 0.5))
    yield from (("1.", 1.0), ("1e3", 1000.0), ("1E-3", 0.001), ("-.5e+1", -5.0), (".inf", float("inf")))
    yield from (("yes", "yes"), ("no", "no"), ("on", "on"), ("12:30", "12:30"), ("1_000", "1_000"), ("0b1", "0b1"))
    yield from (("0o8", "0o8"), ("-0x1", "-0x1"), ("1e", "1e"), (".", "."), ("-", "-"), ("2026-11-24", "2026-11-24"))
    yield from (("true", True), ("FALSE", False), ("tRue", "tRue"), ("null", None), ("~", None), ("", None))


@pytest.mark.parametrize(("text", "value"), [*_numbers()])
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    read = plain_value(text)
    assert (type(read), read) == (type(value), value)


if __name__ == "__main__":
    _read_in_little_memory()
