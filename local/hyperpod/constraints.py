"""Ranges, lengths, enumerations and patterns of the service model, refused in the words AWS uses."""

from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from local.hyperpod.errors import ApiError, validation
from local.hyperpod.patterns import CHECKS


def out_of_bounds(shape: Shape, value: Any) -> ApiError | None:
    """The ValidationException for a value whose types fit the shape, None when nothing is wrong with it."""
    failures = list(failures_of(shape, value))
    if not failures:
        return None
    noun = "error" if len(failures) == 1 else "errors"
    return validation(f"{len(failures)} validation {noun} detected: {'; '.join(failures)}")


def failures_of(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """Every constraint that the value fails, each as one clause. Values of a wrong type are passed over."""
    if isinstance(shape, StructureShape):
        if isinstance(value, dict):
            for name, item in value.items():
                member = shape.members.get(name)
                if member is not None:
                    yield from failures_of(member, item, _joined(path, name[:1].lower() + name[1:]))
    elif isinstance(shape, ListShape):
        if isinstance(value, list):
            yield from length_failures(shape, value, path)
            for number, item in enumerate(value, start=1):
                yield from failures_of(shape.member, item, f"{path}.{number}.member")
    elif isinstance(shape, MapShape):
        if isinstance(value, dict):
            for key, item in value.items():
                yield from failures_of(shape.key, key, f"{path}.{key}.key")
                yield from failures_of(shape.value, item, f"{path}.{key}.value")
    elif isinstance(value, str):
        yield from _text(shape, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _range(shape, value, path)


def length_failures(shape: Shape, value: str | list[Any], path: str) -> Iterator[str]:
    """The limits of the length that a text or a list fails."""
    if len(value) < shape.metadata.get("min", 0):
        yield _clause(value, path, f"have length greater than or equal to {shape.metadata['min']}")
    if len(value) > shape.metadata.get("max", len(value)):
        yield _clause(value, path, f"have length less than or equal to {shape.metadata['max']}")


def _text(shape: Shape, value: str, path: str) -> Iterator[str]:
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield _clause(value, path, f"satisfy enum value set: [{', '.join(shape.enum)}]")
    yield from length_failures(shape, value, path)
    check = CHECKS.get(shape.name)
    if check is not None and not check(value):
        yield _clause(value, path, f"satisfy regular expression pattern: {shape.metadata['pattern']}")


def _range(shape: Shape, value: float, path: str) -> Iterator[str]:
    if value < shape.metadata.get("min", value):
        yield _clause(value, path, f"have value greater than or equal to {shape.metadata['min']}")
    if value > shape.metadata.get("max", value):
        yield _clause(value, path, f"have value less than or equal to {shape.metadata['max']}")


def _clause(value: Any, path: str, requirement: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {requirement}"


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
