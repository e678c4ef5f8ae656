"""Kinds of single values: each reads a node, words its own refusals, and describes itself as JSON Schema."""

import math
from collections.abc import Callable
from typing import Any

from governor.policy.limits import Limits, Shape
from governor.policy.nodes import Node, Scalar
from governor.policy.reading import JsonSchema, Kind, Reading, Scope
from governor.policy.source import plain_value
from governor.policy.wording import clipped, listed, shown


class Text(Kind):
    """Free or patterned text with a length limit."""

    def __init__(
        self,
        words: str,
        *,
        accepts: Callable[[str], bool],
        form: str,
        pattern: str | None = None,
        longest: int | None = None,
        because: str = "",
        shape: str | None = None,
        mended: Callable[[str], str] | None = None,
    ) -> None:
        self.words = words
        self._accepts, self._form, self._pattern = accepts, form, pattern
        self._longest, self._because, self._shape, self._mended = longest, because, shape, mended

    def _limit(self, limits: Limits) -> int | None:
        lengths = [self._longest, limits[self._shape].maximum if self._shape else None]
        return min((length for length in lengths if length is not None), default=None)

    def read(self, node: Node, key: str, scope: Scope, reading: Reading) -> Any:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            quotes = f", in quotes: '{node.text}'" if isinstance(node, Scalar) and node.value is not None else ""
            return self.wrong_type(node, key, scope, reading, quotes if len(quotes) < 90 else "")
        text = node.value
        longest = self._limit(reading.limits)
        if longest is not None and len(text) > longest:
            why = f" ({self._because})" if self._because else ""
            return reading.refuse(
                "too-long",
                node.at,
                scope,
                f"{key} {shown(text)} has {len(text)} characters; the most is {longest}{why}: shorten it",
            )
        if not self._accepts(text):
            mended = self._mended(text) if self._mended else ""
            instead = f"; write {shown(mended)}" if mended and self._accepts(mended) else ""
            return reading.refuse("bad-text", node.at, scope, f"{key} {shown(text)} is not {self._form}{instead}")
        return text

    def schema(self, limits: Limits) -> JsonSchema:
        schema: JsonSchema = {"type": "string"}
        if self._pattern:
            schema["pattern"] = self._pattern
        longest = self._limit(limits)
        if longest is not None:
            schema["maxLength"] = longest
        return schema


class Number(Kind):
    """A number in the range that a shape of the service's model sets, named, or one of this format's own."""

    def __init__(self, words: str, shape: str | Shape, *, whole: bool) -> None:
        self.words = words
        self._shape, self._whole = shape, whole

    def _limit(self, limits: Limits) -> Shape:
        return self._shape if isinstance(self._shape, Shape) else limits[self._shape]

    def read(self, node: Node, key: str, scope: Scope, reading: Reading) -> Any:
        limit = self._limit(reading.limits)
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(node, Scalar) or isinstance(value, bool) or not isinstance(value, int | float):
            quoted = (
                isinstance(node, Scalar)
                and not node.plain
                and not isinstance(plain_value(node.text), bool | str | None)
            )
            hint = f": {self._allowed(limit)}{', without quotes' if quoted else ''}"
            return self.wrong_type(node, key, scope, reading, hint)
        if not math.isfinite(value) or not limit.allows(value):
            return reading.refuse(
                "out-of-range", node.at, scope, f"{key} is {clipped(node.text)}; write {self._allowed(limit)}"
            )
        if self._whole and value != int(value):
            return reading.refuse(
                "wrong-type",
                node.at,
                scope,
                f"{key} is {clipped(node.text)}; write {self._allowed(limit)}, without a fraction",
            )
        return int(value) if self._whole else float(value)

    def _allowed(self, limit: Shape) -> str:
        low = "" if limit.minimum is None else f" from {limit.minimum}"
        high = "" if limit.maximum is None else f" to {limit.maximum}"
        return f"a {'whole ' if self._whole else ''}number{low}{high}"

    def schema(self, limits: Limits) -> JsonSchema:
        limit = self._limit(limits)
        schema: JsonSchema = {"type": "integer" if self._whole else "number"}
        if limit.minimum is not None:
            schema["minimum"] = limit.minimum
        if limit.maximum is not None:
            schema["maximum"] = limit.maximum
        return schema


class _OneOf(Kind):
    """One of a few words; where they come from is the subclass's business."""

    def _values(self, limits: Limits) -> tuple[str, ...]:
        raise NotImplementedError

    def read(self, node: Node, key: str, scope: Scope, reading: Reading) -> Any:
        values = self._values(reading.limits)
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, str) and value in values:
            return value
        if not isinstance(node, Scalar) or value is None:
            return self.wrong_type(node, key, scope, reading, f": {listed(values)}")
        near = reading.suggestion(node.text, values)
        return reading.refuse("bad-value", node.at, scope, f"{key} is {shown(node.text)}{near}; write {listed(values)}")

    def schema(self, limits: Limits) -> JsonSchema:
        return {"type": "string", "enum": list(self._values(limits))}


class Choice(_OneOf):
    """One of the values of an enum of the service's model."""

    words = "one of the service's values"

    def __init__(self, shape: str) -> None:
        self._shape = shape

    def _values(self, limits: Limits) -> tuple[str, ...]:
        return limits[self._shape].values


class Word(_OneOf):
    """One of the words that this format itself defines."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self.words = listed(words)

    def _values(self, limits: Limits) -> tuple[str, ...]:  # noqa: ARG002 - the same whatever the service allows
        return self._words


class InstanceType(Kind):
    """An instance type that the service, or at least the cluster, knows."""

    words = "an instance type of the cluster, as 'ml.g5.8xlarge'"

    def read(self, node: Node, key: str, scope: Scope, reading: Reading) -> Any:
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, str):
            return self.wrong_type(node, key, scope, reading)
        known = reading.limits["ClusterInstanceType"].values
        if value in known:
            return value
        if value in reading.present_types:
            reading.found.warning(
                "instance-type-too-new",
                node.at,
                f"{scope.label()}: {key} {shown(value)} is unknown to this version of botocore but present in "
                "the cluster, so it is accepted; update botocore to have it checked",
            )
            return value
        near = reading.suggestion(value, [*known, *reading.present_types])
        return reading.refuse(
            "unknown-instance-type",
            node.at,
            scope,
            f"{key} {shown(value)} is not among the {len(known)} instance types of HyperPod that this version of "
            f"botocore knows{near}; write {self.words}, or update botocore if the type is newer",
        )

    def schema(self, limits: Limits) -> JsonSchema:
        return {"type": "string", "enum": list(limits["ClusterInstanceType"].values)}


class Exactly(Kind):
    """The one value a field may have, such as the version of the format."""

    def __init__(self, value: int) -> None:
        self._value = value
        self.words = str(value)

    def read(self, node: Node, key: str, scope: Scope, reading: Reading) -> Any:
        value = node.value if isinstance(node, Scalar) else None
        if value == self._value and not isinstance(value, bool):
            return self._value
        if isinstance(node, Scalar) and isinstance(value, int | float) and not isinstance(value, bool):
            return reading.refuse(
                "bad-value",
                node.at,
                scope,
                f"{key} is {clipped(node.text)}; this release knows version {self.words}: write {key}: {self.words}",
            )
        return self.wrong_type(node, key, scope, reading, ", without quotes" if isinstance(value, str) else "")

    def schema(self, limits: Limits) -> JsonSchema:  # noqa: ARG002 - one value, whatever the service allows
        return {"const": self._value}
