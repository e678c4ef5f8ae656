"""From the bytes of a policy file to a Policy, with everything that is wrong at its line and column."""

import contextlib
import gc
from collections.abc import Iterable, Iterator

import msgspec

from governor.policy.diagnostics import Diagnostic, Diagnostics, Position, has_errors
from governor.policy.fields import POLICY
from governor.policy.limits import Limits
from governor.policy.model import Policy
from governor.policy.nodes import Mapping, Node, locate
from governor.policy.reading import INVALID, Reading, Scope
from governor.policy.sections import text_at
from governor.policy.source import Bounds, read_source
from governor.quota import Catalogue, bundled_instances


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Reading makes many objects and no cycle; the collector would walk them again and again for nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Parsed(msgspec.Struct, frozen=True):
    """The outcome of reading a file: a policy without errors, or None, and all messages."""

    policy: Policy | None
    diagnostics: tuple[Diagnostic, ...]
    root: Node | None = None

    def position(self, *path: str | int) -> Position:
        """Where the value at a path stands in the file."""
        return locate(self.root, *path) if self.root is not None else Position(1, 1)

    def text(self, *path: str) -> str:
        """What the file says under a path of keys, even where the policy as a whole has errors."""
        return text_at(self.root, *path) if isinstance(self.root, Mapping) else ""


def parse_policy(
    data: bytes,
    limits: Limits,
    *,
    json: bool = False,
    present_types: Iterable[str] = (),
    instances: Catalogue | None = None,
    bounds: Bounds | None = None,
) -> Parsed:
    """Read a policy file: format, types, ranges, names, duplicates; all errors of the file at once.

    ``limits`` are the service's own; ``present_types`` are instance types seen in the cluster, accepted with
    a warning where the service's model does not know them yet. Never raises on any input.
    """
    found = Diagnostics()
    with _no_collection():
        root = read_source(data, found, json=json, bounds=bounds)
        policy = None
        if root is not None:
            catalogue = bundled_instances() if instances is None else instances
            reading = Reading(limits, catalogue, frozenset(present_types), found)
            value = POLICY.read(root, "the file", Scope(POLICY.title, root), reading)
            policy = None if value is INVALID else value
    diagnostics = found.listed()
    return Parsed(None if has_errors(diagnostics) else policy, diagnostics, root)
