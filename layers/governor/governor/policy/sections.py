"""Lists and mappings of a policy: known keys, required ones, none twice, no item twice."""

from collections.abc import Callable
from typing import Any

import msgspec

from governor.policy.diagnostics import Position
from governor.policy.limits import Limits
from governor.policy.nodes import Mapping, Node, Scalar, Sequence
from governor.policy.reading import INVALID, JsonSchema, Kind, Reading, Scope, kind_of
from governor.policy.wording import counted, shown


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
            earlier = first.get(identity) if identity else None
            if earlier is None:
                first[identity] = child
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


def _is_null(node: Node) -> bool:
    """True for a null that somebody wrote: behind a key whose value was forgotten stands nothing."""
    return isinstance(node, Scalar) and node.value is None and bool(node.text)


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


def _or_null(field: Field) -> str:
    return f", or '{field.key}: null' for none" if field.kind.nullable else ""


Check = Callable[[Any, Mapping, Scope, Reading], None]


class Section(Kind):
    """A mapping with known keys, or null where that is allowed.

    ``fewest`` keys are for the schema; a check says it in better words.
    """

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
        nullable: bool = False,
    ) -> None:
        self.words = f"{words}, or null" if nullable else words
        self.nullable = nullable
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
            return None if self.nullable and _is_null(node) else self.wrong_type(node, key, scope, reading)
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
                if value_node.value is None and not (field.kind.nullable and _is_null(value_node)):
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
                reading.refuse(
                    "missing-key",
                    node.at,
                    scope,
                    f"{field.key} is missing; write '{field.example}'{_or_null(field)}",
                )
        if not sound:
            return INVALID
        built = self._build(**values)
        for check in self._checks:
            check(built, node, scope, reading)
        return built

    def _refuse_empty(self, field: Field, node: Node, scope: Scope, reading: Reading) -> None:
        otherwise = _or_null(field) or ("" if field.required else ", or remove the key")
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
        schema: JsonSchema = {
            "type": ["object", "null"] if self.nullable else "object",
            "additionalProperties": False,
            "properties": properties,
        }
        required = [field.key for field in self._required]
        if required:
            schema["required"] = required
        if self._fewest:
            schema["minProperties"] = self._fewest
        return schema
