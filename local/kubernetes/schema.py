"""The part of OpenAPI schemas that custom resources use, on objects: default values, and what is refused. Pure.

Words, order and reasons of refusals are those of kube-apiserver. Patterns are those of Python, which for names and
quantities means the same.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from local.kubernetes.errors import Cause

Schema = Mapping[str, Any]
"""`type`, `properties`, `items`, `default`, `required`, `enum`, `pattern`, `minimum`, `maximum`, `minItems`,
`maxItems`, `maxLength`, `maxProperties`, `keys` (the members by which entries of a list are told apart) and
`quantity`."""

QUANTITY_PATTERN = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}
_BLOCKING = (
    "FieldValueNotSupported",
    "FieldValueRequired",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
)
UNCHECKED_RULES = Cause(
    "<nil>",
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing"
    " errors to complete validation",
)


def defaulted(value: Any, schema: Schema) -> Any:
    """A value with what its schema puts where nothing is; the value itself stays as it is."""
    if isinstance(value, dict):
        filled = dict(value)
        for name, each in schema.get("properties", {}).items():
            if name not in filled and "default" in each:
                filled[name] = each["default"]
            if name in filled:
                filled[name] = defaulted(filled[name], each)
        return filled
    if isinstance(value, list) and "items" in schema:
        return [defaulted(each, schema["items"]) for each in value]
    return value


def problems(value: Any, schema: Schema, path: str = "") -> Iterator[Cause]:
    """What a schema has against a value at a path."""
    if schema.get("quantity"):
        yield from _quantity_problems(value, path)
        return
    wanted = schema.get("type", "")
    if wanted and not _is(value, wanted):
        found = _name_of_type(value)
        told = f'Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"'
        yield Cause(path, told, "FieldValueTypeInvalid")
    elif isinstance(value, dict):
        yield from _object_problems(value, schema, path)
    elif isinstance(value, list):
        yield from _list_problems(value, schema, path)
    else:
        yield from _scalar_problems(value, schema, path)


def blocks_rules(cause: Cause) -> bool:
    """Whether an object with this problem is too far off for its rules to be looked at."""
    return cause.reason in _BLOCKING


def shown(value: Any) -> str:
    """A value as refusals show it."""
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is(value: Any, wanted: str) -> bool:
    return isinstance(value, _TYPES[wanted]) and not (wanted == "integer" and isinstance(value, bool))


def _name_of_type(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, float):
        return "number"
    return next(name for name in ("boolean", *_TYPES) if _is(value, name))


def _object_problems(value: dict[str, Any], schema: Schema, path: str) -> Iterator[Cause]:
    most = schema.get("maxProperties")
    if most is not None and len(value) > most:
        yield Cause(path, f"Too many: {len(value)}: must have at most {most} items", "FieldValueTooMany")
    for name in schema.get("required", ()):
        if name not in value:
            yield Cause(_below(path, name), "Required value", "FieldValueRequired")
    for name, each in schema.get("properties", {}).items():
        if name in value:
            yield from problems(value[name], each, _below(path, name))


def _list_problems(value: list[Any], schema: Schema, path: str) -> Iterator[Cause]:
    most, least = schema.get("maxItems"), schema.get("minItems", 0)
    if most is not None and len(value) > most:
        yield Cause(path, f"Too many: {len(value)}: must have at most {most} items", "FieldValueTooMany")
        return
    if len(value) < least:
        yield Cause(path, f"Invalid value: {len(value)}: {path} in body should have at least {least} items")
    for place, each in enumerate(value):
        yield from problems(each, schema.get("items", {}), f"{path}[{place}]")
    keys = schema.get("keys", ())
    seen: list[list[Any]] = []
    for place, each in enumerate(value):
        if keys and isinstance(each, dict):
            key = [each.get(name) for name in keys]
            if key in seen:
                told = ",".join(f'"{name}":{shown(each.get(name))}' for name in keys)
                yield Cause(f"{path}[{place}]", f"Duplicate value: {{{told}}}", "FieldValueDuplicate")
            seen.append(key)


def _scalar_problems(value: Any, schema: Schema, path: str) -> Iterator[Cause]:
    supported = schema.get("enum")
    if supported is not None and value not in supported:
        words = ", ".join(f'"{each}"' for each in supported)
        yield Cause(path, f"Unsupported value: {shown(value)}: supported values: {words}", "FieldValueNotSupported")
    if isinstance(value, str):
        most = schema.get("maxLength")
        if most is not None and len(value) > most:
            yield Cause(path, f"Too long: may not be more than {most} bytes", "FieldValueTooLong")
        elif "pattern" in schema and not re.search(schema["pattern"], value):
            yield _mismatch(value, schema["pattern"], path)
    least = schema.get("minimum")
    if least is not None and isinstance(value, int) and value < least:
        yield Cause(path, f"Invalid value: {value}: {path} in body should be greater than or equal to {least}")
    greatest = schema.get("maximum")
    if greatest is not None and isinstance(value, int) and value > greatest:
        yield Cause(path, f"Invalid value: {value}: {path} in body should be less than or equal to {greatest}")


def _quantity_problems(value: Any, path: str) -> Iterator[Cause]:
    """A quantity is a number or a text."""
    if isinstance(value, str):
        if not re.search(QUANTITY_PATTERN, value):
            yield _mismatch(value, QUANTITY_PATTERN, path)
    elif not _is(value, "integer"):
        found = _name_of_type(value)
        told = f'Invalid value: "{found}": {path} in body must be of type integer,string: "{found}"'
        yield Cause(path, told, "FieldValueTypeInvalid")


def _mismatch(value: str, pattern: str, path: str) -> Cause:
    return Cause(path, f"Invalid value: {shown(value)}: {path} in body should match '{pattern}'")


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
