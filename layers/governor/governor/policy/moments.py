"""Points in time in a policy: a day, or a time with its zone, as seconds since 1970. No clock is asked."""

import re
from typing import Any

from governor.kueue.times import seconds
from governor.policy.limits import Limits
from governor.policy.nodes import Node, Scalar
from governor.policy.reading import JsonSchema, Kind, Reading, Scope
from governor.policy.wording import shown

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[-+][0-9]{2}:[0-9]{2}))?")
_FIRST_YEAR, _LAST_YEAR = "1970", "2100"
_PAST_THE_LAST = seconds("2101-01-01T00:00:00Z")
_SCHEMA_PATTERN = (
    "^(19[7-9][0-9]|20[0-9]{2}|2100)-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[-+]([01][0-9]|2[0-3]):[0-5][0-9]))?$"
)
"""Lets a February of 31 days pass: which days there are is more than a pattern can say."""


class Moment(Kind):
    """A day, meant from its beginning in UTC, or a time of RFC 3339 with its zone; read as seconds since 1970."""

    words = "a day, as 2027-01-31, or a time with its zone, as 2027-01-31T08:00:00Z"

    def read(self, node: Node, key: str, scope: Scope, reading: Reading) -> Any:
        text = node.value if isinstance(node, Scalar) else None
        if not isinstance(text, str):
            return self.wrong_type(node, key, scope, reading)
        if not _FORM.fullmatch(text):
            likely = _likely(text)
            hint = f" (did you mean {shown(likely)}?)" if likely else ""
            return reading.refuse("bad-text", node.at, scope, f"{key} is {shown(text)}{hint}; write {self.words}")
        moment = _moment(text)
        if moment is None:
            return reading.refuse(
                "bad-text",
                node.at,
                scope,
                f"{key} is {shown(text)}, and there is no such day or time; write {self.words}",
            )
        if not _FIRST_YEAR <= text[:4] <= _LAST_YEAR or not 0 <= moment < _PAST_THE_LAST:
            years = f"from {_FIRST_YEAR} to {_LAST_YEAR}, in UTC"
            return reading.refuse(
                "out-of-range", node.at, scope, f"{key} is {shown(text)}; write a day or a time {years}"
            )
        return moment

    def schema(self, limits: Limits) -> JsonSchema:  # noqa: ARG002 - the same whatever the service allows
        return {"type": "string", "pattern": _SCHEMA_PATTERN}


def _moment(text: str) -> int | None:
    try:
        return seconds(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    except ValueError:
        return None


def _likely(text: str) -> str:
    """What was meant by a time whose zone or seconds are missing, or that has a blank for its T; "" for others."""
    begun = text[:40].upper().replace(" ", "T", 1)
    whole = (f"{begun}{end}" for end in ("", "Z", ":00Z"))
    return next((each for each in whole if _FORM.fullmatch(each) and _moment(each) is not None), "")
