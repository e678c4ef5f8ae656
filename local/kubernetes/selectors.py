"""Label and field selectors, as in `?labelSelector=` and `?fieldSelector=`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.kubernetes.errors import BadRequestError, JsonObject
from local.kubernetes.resources import Resource

_KEY = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_REQUIREMENT = re.compile(
    rf"""\s*(?:
        (?P<absent>!)\s*(?P<absent_key>{_KEY})
      | (?P<set_key>{_KEY})\s+(?P<set_operator>in|notin)\s*\((?P<values>[^()]*)\)
      | (?P<key>{_KEY})\s*(?:(?P<operator>==|=|!=)\s*(?P<value>{_VALUE}))?
    )\s*(?:,|$)""",
    re.VERBOSE,
)

Test = Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True, slots=True)
class Selector:
    """What a list or watch is narrowed to; without terms, everything. `name` is set where only one can match."""

    labels: tuple[Test, ...] = ()
    fields: tuple[Callable[[JsonObject], bool], ...] = ()
    name: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.labels and not self.fields

    def matches(self, obj: JsonObject) -> bool:
        labels = obj["metadata"].get("labels") or {}
        return all(test(labels) for test in self.labels) and all(test(obj) for test in self.fields)


def selector(resource: Resource, labels: str, fields: str) -> Selector:
    """The selector in two query parameters. Raises BadRequestError for what cannot be read or is not supported."""
    tests = label_tests(labels)
    terms = [_field_term(resource, text) for text in fields.split(",") if text] if fields else []
    name = next((value for key, equal, value in terms if key == "metadata.name" and equal), "")
    return Selector(tests, tuple(_field_test(resource, *term) for term in terms), name)


def label_tests(text: str) -> tuple[Test, ...]:
    """One test for each requirement. Raises BadRequestError."""
    tests: list[Test] = []
    position = 0
    while position < len(text):
        found = _REQUIREMENT.match(text, position)
        if found is None:
            raise BadRequestError(f"unable to parse requirement: found {text[position:]!r}, expected: a requirement")
        tests.append(_label_test(found))
        position = found.end()
    return tuple(tests)


def _label_test(found: re.Match[str]) -> Test:
    if found["absent"]:
        return _absent(found["absent_key"])
    if found["set_key"]:
        values = frozenset(value.strip() for value in found["values"].split(","))
        return _in(found["set_key"], values) if found["set_operator"] == "in" else _not_in(found["set_key"], values)
    if found["operator"] is None:
        return _present(found["key"])
    one = frozenset({found["value"]})
    return _not_in(found["key"], one) if found["operator"] == "!=" else _in(found["key"], one)


def _present(key: str) -> Test:
    return lambda labels: key in labels


def _absent(key: str) -> Test:
    return lambda labels: key not in labels


def _in(key: str, values: frozenset[str]) -> Test:
    return lambda labels: labels.get(key) in values


def _not_in(key: str, values: frozenset[str]) -> Test:
    """Objects without the label match too."""
    return lambda labels: labels.get(key) not in values


def _field_term(resource: Resource, text: str) -> tuple[str, bool, str]:
    found = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", text)
    if found is None:
        raise BadRequestError(f"invalid selector: '{text}'; can't understand '{text}'")
    key, operator, value = found[1].strip(), found[2], found[3].strip()
    if key not in ("metadata.name", "metadata.namespace") and key not in resource.selectable:
        raise BadRequestError(f"field label not supported: {key}")
    return key, operator != "!=", value


def _field_test(resource: Resource, key: str, equal: bool, value: str) -> Callable[[JsonObject], bool]:
    path = resource.selectable.get(key) or tuple(key.split("."))
    return lambda obj: (_at(obj, path) == value) is equal


def _at(obj: JsonObject, path: tuple[str, ...]) -> str:
    value: Any = obj
    for name in path:
        value = value.get(name, "") if isinstance(value, dict) else ""
    return str(value)
