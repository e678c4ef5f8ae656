"""Who else has a say in what is written, as schemas and admission webhooks have with a real server."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from local.kubernetes.errors import Cause, JsonObject, invalid
from local.kubernetes.resources import Resource
from local.kubernetes.writing import name_causes


class Plugin(Protocol):
    """Gets objects in the version of the request, which it must not change, while the store's lock is held.

    It is asked in this order. The status of an object is nothing it is asked about.
    """

    def prepared(self, resource: Resource, new: JsonObject, old: JsonObject | None, /) -> JsonObject:
        """The object with what is added to it. `old` is None for a new one. Raises ApiError."""

    def causes(self, resource: Resource, new: JsonObject, old: JsonObject | None, /) -> list[Cause]:
        """What is wrong with an object by its schema."""

    def review(self, resource: Resource, new: JsonObject, old: JsonObject | None, /) -> None:
        """Raises ApiError for an object that may not be written."""


@dataclass(slots=True)
class Admission:
    """The plugins of one cluster."""

    plugins: Sequence[Plugin] = ()

    def prepared(self, resource: Resource, new: JsonObject, old: JsonObject | None) -> JsonObject:
        """The object with what all plugins add. Raises ApiError."""
        for plugin in self.plugins:
            new = plugin.prepared(resource, new, old)
        return new

    def review(self, resource: Resource, new: JsonObject, old: JsonObject | None) -> None:
        """Raises ApiError for an object that may not be written: InvalidError with everything that is wrong with it."""
        name = new["metadata"].get("name", "")
        causes = name_causes(resource, name) if old is None else []
        for plugin in self.plugins:
            causes += plugin.causes(resource, new, old)
        if causes:
            raise invalid(resource.group, resource.kind, name, causes)
        for plugin in self.plugins:
            plugin.review(resource, new, old)
