"""The policy file as a tree whose every node knows its line and column."""

import msgspec

from governor.policy.diagnostics import Position

Value = str | int | float | bool | None


class Scalar(msgspec.Struct, frozen=True, gc=False):
    """A single value; ``text`` is what the file says, ``plain`` whether it stands there without quotes."""

    value: Value
    text: str
    plain: bool
    at: Position


class Sequence(msgspec.Struct, frozen=True, gc=False):
    """A list."""

    items: list["Node"]
    at: Position


class Mapping(msgspec.Struct, frozen=True, gc=False):
    """A mapping as written: order and duplicates kept."""

    entries: list[tuple["Node", "Node"]]
    at: Position

    def get(self, key: str) -> "Node | None":
        """The first value under a key."""
        for name, value in self.entries:
            if isinstance(name, Scalar) and name.value == key:
                return value
        return None


Node = Scalar | Sequence | Mapping


def locate(root: Node, *path: str | int) -> Position:
    """Where the value at a path stands; where the path ends early, the place it got to."""
    node = root
    for step in path:
        following: Node | None = None
        if isinstance(step, str) and isinstance(node, Mapping):
            following = node.get(step)
        elif isinstance(step, int) and isinstance(node, Sequence) and step < len(node.items):
            following = node.items[step]
        if following is None:
            break
        node = following
    return node.at
