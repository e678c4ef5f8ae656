"""The contract: requests and answers judged by botocore's own model of the service.

botocore's validator knows members, types and minimums. What it lets pass and the wire does not (true where
a number is due, a timestamp that is no number) is added here; bounds of answers are judged too, while a
request out of bounds is the caller's mistake and answered as such (`constraints`).
"""

import functools
import json
import math
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from local.hyperpod.constraints import failures_of, length_failures
from local.hyperpod.request import JsonObject

_BOUNDS = ("Invalid value for parameter", "Invalid length for parameter")


@functools.cache
def service_model() -> ServiceModel:
    """SageMaker's model, read once per process."""
    return botocore.session.get_session().get_service_model("sagemaker")


def operation_model(operation: str) -> OperationModel:
    return service_model().operation_model(operation)


def statuses() -> list[str]:
    """The statuses a compute quota or a cluster policy can have."""
    shape = service_model().shape_for("SchedulerResourceStatus")
    return list(shape.enum) if isinstance(shape, StringShape) else []


def answers_nothing(operation: str) -> bool:
    """True for operations without an answer shape, whose answers have an empty body."""
    return operation_model(operation).output_shape is None


def request_violation(operation: str, body: Any) -> str | None:
    """What the request has that the model does not allow, or lacks that it requires. Bounds are not judged."""
    shape = operation_model(operation).input_shape
    lines = [line for line in _reports(shape, body) if not line.startswith(_BOUNDS)]
    return "; ".join(lines) or None


def answer_violation(operation: str, body: JsonObject) -> str | None:
    """What the answer has or lacks against the model, bounds included."""
    shape = operation_model(operation).output_shape
    if shape is None:
        return f"Unknown parameter in input: {', '.join(body)}, the operation answers nothing" if body else None
    lists = {
        name: items
        for name, items in body.items()
        if isinstance(items, list) and isinstance(shape.members.get(name), ListShape)
    }
    breaches = _breaches(shape, {**body, **{name: [] for name in lists}})
    for name, items in lists.items():
        breaches += length_failures(shape.members[name], items, name)
        for index, item in enumerate(items):
            breach = _item_breach(operation, name, json.dumps(item))
            if breach is not None:
                breaches.append(f"{name}[{index}]: {breach}")
    return "; ".join(breaches) or None


def error_violation(code: str, body: JsonObject) -> str | None:
    """What is wrong with the members of an error answer. Codes the model does not list carry a text only."""
    shape = next((each for each in service_model().error_shapes if each.name == code), None)
    if shape is None:
        return None if isinstance(body.get("Message"), str) else "Invalid type for parameter Message"
    return "; ".join(_breaches(shape, body)) or None


@functools.lru_cache(maxsize=20_000)
def _item_breach(operation: str, member: str, text: str) -> str | None:
    """The verdict on one item of a list, remembered: a thousand summaries change one at a time."""
    shape = operation_model(operation).output_shape
    assert shape is not None
    items = shape.members[member]
    assert isinstance(items, ListShape)
    return "; ".join(_breaches(items.member, json.loads(text))) or None


def _breaches(shape: Shape, value: Any) -> list[str]:
    return [*_reports(shape, value), *failures_of(shape, value)]


def _reports(shape: Shape | None, value: Any) -> list[str]:
    if shape is None:
        return ["Unknown parameter in input"] if value else []
    report = ParamValidator().validate(value, shape).generate_report()
    return [*(report.split("\n") if report else []), *_wire_types(shape, value, "")]


def _wire_types(shape: Shape, value: Any, name: str) -> Iterator[str]:
    """Values that botocore takes from Python and JSON does not carry for this type."""
    if isinstance(shape, StructureShape):
        if isinstance(value, dict):
            for key, item in value.items():
                member = shape.members.get(key)
                if member is not None:
                    yield from _wire_types(member, item, f"{name}.{key}".lstrip("."))
    elif isinstance(shape, ListShape):
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _wire_types(shape.member, item, f"{name}[{index}]")
    elif isinstance(shape, MapShape):
        if isinstance(value, dict):
            for key, item in value.items():
                yield from _wire_types(shape.value, item, f"{name}.{key}")
    elif shape.type_name in {"integer", "long", "float", "double", "timestamp"}:
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number:
            yield f"Invalid type for parameter {name}, value: {value!r}, a finite number is due"
