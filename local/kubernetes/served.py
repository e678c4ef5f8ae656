"""Which resources a cluster serves at the moment: the built-in ones and those of its definitions."""

from local.kubernetes.definitions import resource_of
from local.kubernetes.errors import UnknownPathError, unknown_resource
from local.kubernetes.resources import BUILT_IN, BUILT_IN_GROUPS, DEFINITIONS, GroupVersionResource, Resource
from local.kubernetes.store import Store


class Served:
    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[Resource]:
        """Everything, custom resources last."""
        return [*BUILT_IN.values(), *map(resource_of, self._store.listed(DEFINITIONS.key))]

    def resource(self, place: GroupVersionResource) -> Resource:
        """What a resource is like. Raises UnknownPathError or NotFoundError where it is not served."""
        found = BUILT_IN.get(place.resource)
        if found is None:
            definition = self._store.get(DEFINITIONS.key, f"{place.plural}.{place.group}")
            found = resource_of(definition) if definition else None
        if found is None or place.version not in found.versions:
            raise unknown_resource() if place.group in BUILT_IN_GROUPS else UnknownPathError
        return found

    def place_of(self, api_version: str, kind: str) -> GroupVersionResource:
        """The resource of a kind. Raises UnknownPathError."""
        group, _, version = api_version.rpartition("/")
        for resource in self.all():
            if (resource.group, resource.kind) == (group, kind) and version in resource.versions:
                return GroupVersionResource(group, version, resource.plural)
        raise UnknownPathError(f"{api_version} {kind}")
