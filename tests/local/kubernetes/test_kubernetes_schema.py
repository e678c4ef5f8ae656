"""Defaults and refusals of schemas, beside those that Kueue's objects show."""

from typing import Any

import pytest

from local.kubernetes.schema import defaulted, problems

NESTED = {
    "type": "object",
    "properties": {
        "outer": {
            "type": "object",
            "default": {},
            "properties": {"inner": {"type": "integer", "default": 3, "minimum": 2}},
        },
        "list": {"type": "array", "items": {"type": "object", "properties": {"name": {"default": "main"}}}},
    },
}


def test_defaults_fill_what_they_make_themselves() -> None:
    given: dict[str, Any] = {"list": [{}, {"name": "own"}]}
    assert defaulted(given, NESTED) == {"outer": {"inner": 3}, "list": [{"name": "main"}, {"name": "own"}]}
    assert given == {"list": [{}, {"name": "own"}]}


def test_what_is_there_is_not_replaced() -> None:
    given = {"outer": {"inner": 7}, "more": 1}
    assert defaulted(given, NESTED) == given


def test_a_default_is_a_copy_each_time() -> None:
    first = defaulted({}, NESTED)
    first["outer"]["inner"] = 9
    assert defaulted({}, NESTED) == {"outer": {"inner": 3}}


@pytest.mark.parametrize(
    ("value", "schema", "message"),
    [
        (None, {"type": "object"}, 'Invalid value: "null": at in body must be of type object: "null"'),
        (1.0, {"type": "integer"}, 'Invalid value: "number": at in body must be of type integer: "number"'),
        (True, {"type": "integer"}, 'Invalid value: "boolean": at in body must be of type integer: "boolean"'),
        ({"a": 1, "b": 2}, {"type": "object", "maxProperties": 1}, "Too many: 2: must have at most 1 items"),
        (1, {"type": "integer", "minimum": 2}, "Invalid value: 1: at in body should be greater than or equal to 2"),
        (True, {"enum": ("yes",)}, 'Unsupported value: true: supported values: "yes"'),
    ],
)
def test_what_is_wrong_with_a_value(value: Any, schema: dict[str, Any], message: str) -> None:
    assert [(each.field, each.message) for each in problems(value, schema, "at")] == [("at", message)]


@pytest.mark.parametrize("quantity", [0, "1", "+1.5Gi", ".5", "5.", "1e3", "-1n"])
def test_quantities(quantity: Any) -> None:
    assert list(problems(quantity, {"quantity": True}, "at")) == []


@pytest.mark.parametrize("quantity", ["", "Gi", "1 Gi", "1KiB", None, 1.5, False, []])
def test_what_is_no_quantity(quantity: Any) -> None:
    assert [each.field for each in problems(quantity, {"quantity": True}, "at")] == ["at"]
