"""Kinds of value in a policy: each reads a node, words its own refusals, and describes itself as JSON Schema."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import msgspec

from governor.policy.diagnostics import Diagnostics, Position
from governor.policy.limits import Limits, Shape
from governor.policy.nodes import Mapping, Node, Scalar, Sequence
from governor.policy.source import plain_value
from governor.policy.wording import clipped, counted, listed, nearest, shown
from governor.quota import Catalogue

INVALID: Any = object()
"""What a kind returns after it has said what is wrong."""

JsonSchema = dict[str, Any]

MAX_SUGGESTIONS = 50


class Reading:
    """What one reading of a file needs: the limits, the known instance types, and where messages go."""

    def __init__(self, limits: Limits, instances: Catalogue, present_types: frozenset[str], found: Diagnostics) -> None:
        self.limits = limits
        self.instances = instances
        self.present_types = present_types
        self.found = found
        self._suggestions = MAX_SUGGESTIONS

    def refuse(self, code: str, at: Position, scope: "Scope", text: str) -> Any:
        """Record an error about an object and return INVALID."""
        self.found.error(code, at, "" if self.found.is_full else f"{scope.label()}: {text}")
        return INVALID

    def suggestion(self, word: str, candidates: Any) -> str:
        """' (did you mean 'x'?)' where one is near; a file full of mistakes gets only so many."""
        if self._suggestions <= 0:
            return ""
        self._suggestions -= 1
        near = nearest(word, candidates)
        return f" (did you mean {shown(near)}?)" if near else ""


class Scope:
    """The object that is being read, for messages; worded only when something is wrong with it."""

    __slots__ = ("_index", "_node", "_parent", "_title")

    def __init__(
        self, title: Callable[[Node, int], str], node: Node, index: int = 0, parent: "Scope | None" = None
    ) -> None:
        self._title, self._node, self._index, self._parent = title, node, index, parent

    def label(self) -> str:
        """E.g. "team 'vision', quota 'ml.g5.8xlarge'"."""
        own = self._title(self._node, self._index)
        outer = self._parent.label() if self._parent and self._parent._parent else ""
        return f"{outer}, {own}" if outer else own


def kind_of(node: Node) -> str:
    """What a node is, in words."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    if node.value is None:
        return "empty"
    if isinstance(node.value, str):
        return f"the text {shown(node.value)}"
    return f"the {_TYPE_WORDS[type(node.value)]} {clipped(node.text)}"


_TYPE_WORDS = {int: "number", float: "number", bool: "truth value"}


class Kind(ABC):
    """One kind of value."""

    words: str

    @abstractmethod
    def read(self, node: Node, key: str, scope: Scope, reading: Reading) -> Any:
        """The value, or INVALID after saying what is wrong."""

    @abstractmethod
    def schema(self, limits: Limits) -> JsonSchema:
        """The same rules as JSON Schema (draft 2020-12)."""

    def wrong_type(self, node: Node, key: str, scope: Scope, reading: Reading, hint: str = "") -> Any:
        """Record that a value is of another kind."""
        if isinstance(node, Scalar) and node.value is None:
            return reading.refuse(
                "empty-value", node.at, scope, f"{key} is empty; write {self.words}{hint}, or remove it"
            )
        return reading.refuse("wrong-type", node.at, scope, f"{key} is {kind_of(node)}; write {self.words}{hint}")


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
    """A number in the range that a shape of the service's model sets."""

    def __init__(self, words: str, shape: str, *, whole: bool) -> None:
        self.words = words
        self._shape, self._whole = shape, whole

    def read(self, node: Node, key: str, scope: Scope, reading: Reading) -> Any:
        limit = reading.limits[self._shape]
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
        limit = limits[self._shape]
        schema: JsonSchema = {"type": "integer" if self._whole else "number"}
        if limit.minimum is not None:
            schema["minimum"] = limit.minimum
        if limit.maximum is not None:
            schema["maximum"] = limit.maximum
        return schema


class Choice(Kind):
    """One of the values of an enum of the service's model."""

    def __init__(self, shape: str) -> None:
        self._shape = shape
        self.words = "one of the service's values"

    def read(self, node: Node, key: str, scope: Scope, reading: Reading) -> Any:
        values = reading.limits[self._shape].values
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, str) and value in values:
            return value
        if not isinstance(node, Scalar) or value is None:
            return self.wrong_type(node, key, scope, reading, f": {listed(values)}")
        near = reading.suggestion(node.text, values)
        return reading.refuse("bad-value", node.at, scope, f"{key} is {shown(node.text)}{near}; write {listed(values)}")

    def schema(self, limits: Limits) -> JsonSchema:
        return {"type": "string", "enum": list(limits[self._shape].values)}


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


class ListOf(Kind):
    """A list of sections, at most as long as a shape of the service's model allows."""

    def __init__(self, words: str, item: "Section", shape: str | None = None) -> None:
        self.words = words
        self.item = item
        self._shape = shape

    def read(self, node: Node, key: str, scope: Scope, reading: Reading) -> Any:
        if not isinstance(node, Sequence):
            hint = ", each item behind '- '" if isinstance(node, Mapping) else ""
            return self.wrong_type(node, key, scope, reading, hint)
        longest = reading.limits[self._shape].maximum if self._shape else None
        item = self.item
        values = []
        for index, child in enumerate(node.items):
            if reading.found.is_hopeless:
                reading.found.stop()
                return INVALID
            values.append(item.read(child, f"{key}[{index}]", Scope(item.title, child, index, scope), reading))
        if longest is not None and len(values) > longest:
            return reading.refuse(
                "too-many",
                node.items[longest].at,
                scope,
                f"{key} has {counted(len(values), 'item')}; the most is {longest}: remove {len(values) - longest}",
            )
        _refuse_repeated(node, key, item, scope, reading)
        return tuple(value for value in values if value is not INVALID)

    def schema(self, limits: Limits) -> JsonSchema:
        schema: JsonSchema = {"type": "array", "items": self.item.schema(limits)}
        if self._shape and limits[self._shape].maximum is not None:
            schema["maxItems"] = limits[self._shape].maximum
        return schema


class Unique(msgspec.Struct, frozen=True):
    """Something that no two items of a list may share; ``identity`` gives it, "" where there is none."""

    code: str
    what: str
    field: str
    identity: Callable[[Mapping], str]
    remedy: str


def _refuse_repeated(node: Sequence, key: str, item: "Section", scope: Scope, reading: Reading) -> None:
    """Looks at the nodes, so that a repeated item is seen even where something else in it is wrong."""
    mappings = [child for child in node.items if isinstance(child, Mapping)]
    for unique in item.unique:
        first: dict[str, Mapping] = {}
        fresh = []
        for child in mappings:
            identity = unique.identity(child)
            earlier = first.setdefault(identity, child) if identity else child
            if earlier is child:
                fresh.append(child)
                continue
            reading.refuse(
                unique.code,
                _place(child, unique.field),
                scope,
                f"{key} has {unique.what} {shown(identity)} again (first at line "
                f"{_place(earlier, unique.field).line}); {unique.remedy}",
            )
        mappings = fresh


def text_at(node: Mapping, *path: str) -> str:
    """The text of a scalar under a path of keys, "" where there is none."""
    inner: Node | None = node
    for key in path:
        inner = inner.get(key) if isinstance(inner, Mapping) else None
    return inner.text if isinstance(inner, Scalar) else ""


def _place(node: Mapping, field: str) -> Position:
    inner = node.get(field)
    return inner.at if inner is not None else node.at


class Field(msgspec.Struct, frozen=True):
    """One key of a section: its kind, what it means, and an example for the reference."""

    key: str
    attribute: str
    kind: Kind
    meaning: str
    example: str
    required: bool = False


Check = Callable[[Any, Mapping, Scope, Reading], None]


class Section(Kind):
    """A mapping with known keys. ``fewest`` keys are for the schema; a check says it in better words."""

    def __init__(
        self,
        words: str,
        fields: tuple[Field, ...],
        build: Callable[..., Any],
        title: Callable[[Node, int], str],
        *,
        fewest: int = 0,
        unique: tuple[Unique, ...] = (),
        checks: tuple[Check, ...] = (),
        upcoming: tuple[str, ...] = (),
    ) -> None:
        self.words = words
        self.fields = {field.key: field for field in fields}
        self._required = [field for field in fields if field.required]
        self._nested = {field.key: field.kind.title for field in fields if isinstance(field.kind, Section)}
        self._build = build
        self.title: Callable[[Node, int], str] = title
        self._fewest = fewest
        self.unique = unique
        self._checks = checks
        self._upcoming = upcoming

    def read(self, node: Node, key: str, scope: Scope, reading: Reading) -> Any:
        if not isinstance(node, Mapping):
            return self.wrong_type(node, key, scope, reading)
        fields = self.fields
        values: dict[str, Any] = {}
        seen: dict[object, Position] = {}
        sound = True
        for name_node, value_node in node.entries:
            name = name_node.value if isinstance(name_node, Scalar) else None
            field = fields.get(name) if isinstance(name, str) else None
            if field is None:
                sound = False
                self._refuse_key(name_node, scope, reading)
                continue
            if name in seen:
                sound = False
                reading.refuse(
                    "duplicate-key",
                    name_node.at,
                    scope,
                    f"the key {shown(name)} stands here again (first at line {seen[name].line}); remove one",
                )
                continue
            seen[name] = name_node.at
            inner = scope
            if isinstance(value_node, Scalar):
                if value_node.value is None:
                    sound = False
                    self._refuse_empty(field, value_node, scope, reading)
                    continue
            elif name in self._nested and isinstance(value_node, Mapping):
                inner = Scope(self._nested[name], value_node, 0, scope)
            value = field.kind.read(value_node, field.key, inner, reading)
            if value is INVALID:
                sound = False
            else:
                values[field.attribute] = value
        for field in self._required:
            if field.key not in seen:
                sound = False
                reading.refuse("missing-key", node.at, scope, f"{field.key} is missing; write '{field.example}'")
        if not sound:
            return INVALID
        built = self._build(**values)
        for check in self._checks:
            check(built, node, scope, reading)
        return built

    def _refuse_empty(self, field: Field, node: Node, scope: Scope, reading: Reading) -> None:
        otherwise = "" if field.required else ", or remove the key"
        reading.refuse("empty-value", node.at, scope, f"{field.key} is empty; write e.g. '{field.example}'{otherwise}")

    def _refuse_key(self, node: Node, scope: Scope, reading: Reading) -> None:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            reading.refuse(
                "unknown-key",
                node.at,
                scope,
                f"a key is {kind_of(node)}; write one of {', '.join(self.fields)}",
            )
        elif node.value == "<<" and node.plain:
            reading.refuse(
                "merge-key",
                node.at,
                scope,
                "merge keys ('<<') are not allowed in a policy; write the keys out",
            )
        elif node.value in self._upcoming:
            reading.refuse(
                "not-yet",
                node.at,
                scope,
                f"nothing acts on {shown(node.value)} in this release, so it is refused rather than ignored; remove it",
            )
        else:
            near = reading.suggestion(node.value, self.fields)
            reading.refuse(
                "unknown-key",
                node.at,
                scope,
                f"the key {shown(node.value)} is unknown{near}; write one of {', '.join(self.fields)}",
            )

    def schema(self, limits: Limits) -> JsonSchema:
        properties = {
            field.key: {"description": field.meaning, **field.kind.schema(limits)} for field in self.fields.values()
        }
        schema: JsonSchema = {"type": "object", "additionalProperties": False, "properties": properties}
        required = [field.key for field in self._required]
        if required:
            schema["required"] = required
        if self._fewest:
            schema["minProperties"] = self._fewest
        return schema
