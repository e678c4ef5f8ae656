"""Properties of reading and writing policies, on input that nobody thought of."""

import json
import random
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from governor.aws.service_model import service_limits
from governor.checks import PolicyFile
from governor.kueue.times import in_utc
from governor.policy import Parsed, Policy, has_errors, parse_policy
from governor.policy.writing import policy_text
from tests.strategies import policies

LIMITS = service_limits()
TOKENS = [
    *(
        "version: 1\n",
        "cluster: c\n",
        "teams:\n",
        "- name: a\n",
        "  quota: []\n",
        "sharing: ",
        "{",
        "}",
        "[",
        "]",
        ", ",
    ),
    *(": ", "- ", "? ", "&a ", "*a ", "!!str ", "<<: ", "|\n", ">\n", "'", '"', "#", "%TAG ! a\n", "---\n", "...\n"),
    *(
        "\n",
        "\r\n",
        "\t",
        " ",
        "  ",
        "1",
        "-1",
        "1.5",
        ".inf",
        "0x1f",
        "~",
        "true",
        "é",
        "😀",
        "\\ud83d",
        "\0",
        "\u2028",
    ),
]


def _read(data: bytes, name: str = "policy.yaml") -> Parsed:
    """As ``governor validate`` does: reading, then the warnings."""
    return PolicyFile(name, data).parse(service_limits())


def _holds_together(data: bytes, parsed: Parsed) -> None:
    """A policy or at least one error, never both; every message stands inside the file."""
    assert (parsed.policy is None) == has_errors(parsed.diagnostics)
    lines = data.count(b"\n") + data.count(b"\r") + 2
    for item in parsed.diagnostics:
        assert 1 <= item.line <= lines
        assert 1 <= item.column <= len(data) + 2
        assert item.text.isprintable()
        assert item.text


@settings(max_examples=400)
@given(st.binary(max_size=400), st.sampled_from(["policy.yaml", "policy.json"]))
@example(b"\xef\xbb\xbf", "policy.yaml")
@example(b'{"a": "\\ud83d\\ude00', "policy.json")
def test_any_bytes_end_in_a_verdict(data: bytes, name: str) -> None:
    _holds_together(data, _read(data, name))


@settings(max_examples=400)
@given(st.lists(st.sampled_from(TOKENS), max_size=40).map("".join), st.sampled_from(["policy.yaml", "policy.json"]))
def test_text_that_looks_like_yaml_ends_in_a_verdict(text: str, name: str) -> None:
    data = text.encode()
    _holds_together(data, _read(data, name))


@given(policies(), st.data())
def test_a_damaged_policy_ends_in_a_verdict(policy: Policy, data: st.DataObject) -> None:
    text = policy_text(policy).encode()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 12)))
        text = (
            text[:start]
            + data.draw(st.one_of(st.sampled_from(TOKENS).map(str.encode), st.binary(max_size=3)))
            + text[end:]
        )
    _holds_together(text, _read(text))


@given(policies())
def test_what_is_written_reads_back_as_the_same(policy: Policy) -> None:
    parsed = parse_policy(policy_text(policy, ["a comment", "of\ntwo lines"]).encode(), LIMITS)
    assert parsed.diagnostics == ()
    assert parsed.policy == policy


@given(policies())
def test_json_and_yaml_of_a_policy_read_alike(policy: Policy) -> None:
    escaped = json.dumps(_content(policy), ensure_ascii=True).encode()
    plain = (
        json.dumps(_content(policy), ensure_ascii=False, indent=1)
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )
    written = parse_policy(policy_text(policy).encode(), LIMITS)
    assert parse_policy(escaped, LIMITS, json=True).policy == written.policy == policy
    assert parse_policy(plain.encode(), LIMITS, json=True).policy == policy


@given(policies(), st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_nothing(policy: Policy, shuffled: random.Random) -> None:
    content = _reordered(_content(policy), lambda keys: shuffled.sample(keys, len(keys)))
    assert parse_policy(json.dumps(content).encode(), LIMITS, json=True).policy == policy


@given(policies())
def test_warnings_do_not_depend_on_the_order_of_keys(policy: Policy) -> None:
    content = _content(policy)
    backwards = _reordered(content, lambda keys: keys[::-1])
    first, second = (_read(json.dumps(each).encode(), "policy.json") for each in (content, backwards))
    assert sorted((item.code, item.text) for item in first.diagnostics) == sorted(
        (item.code, item.text) for item in second.diagnostics
    )


def _content(policy: Policy) -> dict[str, Any]:
    """The policy as a person would write it in JSON: what is not said is not there."""
    content: dict[str, Any] = msgspec.to_builtins(policy)
    for holder in (content, *content["teams"]):
        borrowing = (holder.get("alarms") or {}).get("borrowing") or {}
        if "muteUntil" in borrowing:
            borrowing["muteUntil"] = in_utc(borrowing["muteUntil"])
    return {"version": 1, **content}


def _reordered(value: Any, order: Callable[[list[str]], list[str]]) -> Any:
    if isinstance(value, dict):
        return {key: _reordered(value[key], order) for key in order(list(value))}
    if isinstance(value, list | tuple):
        return [_reordered(item, order) for item in value]
    return value
