"""What goes back over the wire."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from local.kubernetes.errors import ApiError

JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain; charset=utf-8"
OK = 200
CREATED = 201


@dataclass(frozen=True, slots=True)
class Answer:
    """`lines` is a body that comes bit by bit, in place of `body`."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    lines: Iterable[bytes] | None = None


def json_answer(value: Any, status: int = OK) -> Answer:
    return Answer(status, msgspec.json.encode(value))


def text_answer(text: str, status: int = OK) -> Answer:
    return Answer(status, text.encode(), TEXT_TYPE)


def refusal_answer(error: ApiError) -> Answer:
    """A Status; its `retryAfterSeconds` is a header too."""
    seconds = (error.details or {}).get("retryAfterSeconds")
    headers = {"Retry-After": str(seconds)} if seconds else {}
    return Answer(int(error.code), msgspec.json.encode(error.status()), headers=headers)


def unknown_path() -> Answer:
    return text_answer("404 page not found\n", 404)
