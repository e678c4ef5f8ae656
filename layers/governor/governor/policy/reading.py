"""What reading a file has at hand: limits, the object being read for messages, and what every kind of value can do."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from governor.policy.diagnostics import Diagnostics, Position
from governor.policy.limits import Limits
from governor.policy.nodes import Mapping, Node, Scalar, Sequence
from governor.policy.wording import clipped, nearest, shown
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
    """One kind of value. One that is ``nullable`` may also be a null, written out, which reads as None."""

    words: str
    nullable = False

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
