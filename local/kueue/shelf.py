"""Kueue's objects in one cluster as its controller works with them: in v1beta2, whatever they are stored in."""

from collections.abc import Iterable, Iterator

from local.kubernetes.endings import Deletion
from local.kubernetes.errors import GroupResource, JsonObject, NotFoundError, UnknownPathError
from local.kubernetes.objects import Objects
from local.kubernetes.resources import BUILT_IN, GroupVersionResource
from local.kubernetes.store import key_of
from local.kueue.conversion import converted
from local.kueue.names import GROUP, HUB, IN_USE


class Shelf:
    """Objects that are read are those of the store: they are not to be changed. Writing raises ApiError."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self.store = objects.store

    def get(self, resource: GroupResource, key: str) -> JsonObject | None:
        """An object by its key in the store."""
        found = self.store.get(resource, key)
        return None if found is None else _seen(found)

    def all(self, resource: GroupResource) -> Iterator[tuple[str, JsonObject]]:
        """All objects with their keys."""
        for obj in self.store.listed(resource):
            yield key_of(obj["metadata"].get("namespace", ""), obj["metadata"]["name"]), _seen(obj)

    def serves(self, resource: GroupResource) -> bool:
        """Whether there is such a resource at the moment."""
        try:
            self._place(resource)
        except (UnknownPathError, NotFoundError):
            return False
        return True

    def has_new_version(self) -> bool:
        """Whether v1beta2 is served, which knows more than the versions before it."""
        return self._place(GroupResource(GROUP, "workloads")).version == "v1beta2"

    def create(self, resource: GroupResource, obj: JsonObject) -> JsonObject:
        """Make an object."""
        place = self._place(resource)
        return _seen(self._objects.create(place, _kept(obj, place), obj["metadata"].get("namespace", "")))

    def replace(self, resource: GroupResource, obj: JsonObject) -> JsonObject:
        """Write everything of an object but its status."""
        place = self._place(resource)
        return _seen(self._objects.update(place, _kept(obj, place)))

    def replace_status(self, resource: GroupResource, obj: JsonObject) -> JsonObject:
        """Write the status of an object alone."""
        place = self._place(resource)
        return _seen(self._objects.update_status(place, _kept(obj, place)))

    def delete(self, resource: GroupResource, obj: JsonObject) -> Deletion:
        """Delete an object, and take Kueue's finalizer off it."""
        metadata = obj["metadata"]
        place = self._place(resource)
        ended = self._objects.delete(place, metadata["name"], metadata.get("namespace", ""))
        if not ended.gone:
            self.release(resource, ended.object)
        return ended

    def release(self, resource: GroupResource, obj: JsonObject) -> None:
        """Take Kueue's finalizer off an object."""
        metadata = obj["metadata"]
        key = key_of(metadata.get("namespace", ""), metadata["name"])
        found = self.get(resource, key)
        if found is not None and IN_USE in (found["metadata"].get("finalizers") or ()):
            self.replace(resource, without_finalizer(found))

    def _place(self, resource: GroupResource) -> GroupVersionResource:
        """The resource in the version that its objects are stored in. Raises UnknownPathError."""
        if resource in BUILT_IN:
            return GroupVersionResource(resource.group, BUILT_IN[resource].storage, resource.plural)
        for version in ("v1beta2", "v1beta1", "v1alpha1"):
            try:
                found = self._objects.served.resource(GroupVersionResource(resource.group, version, resource.plural))
            except UnknownPathError:
                continue
            return GroupVersionResource(resource.group, found.storage, resource.plural)
        raise UnknownPathError(str(resource))


def without_finalizer(obj: JsonObject) -> JsonObject:
    """An object that Kueue no longer needs; finalizers of others stay."""
    finalizers: Iterable[str] = obj["metadata"].get("finalizers") or ()
    return {**obj, "metadata": {**obj["metadata"], "finalizers": [each for each in finalizers if each != IN_USE]}}


def _seen(obj: JsonObject) -> JsonObject:
    """As of v1beta2, if it is Kueue's."""
    return converted(obj, HUB) if str(obj["apiVersion"]).startswith(f"{GROUP}/") else obj


def _kept(obj: JsonObject, place: GroupVersionResource) -> JsonObject:
    return converted(obj, place.api_version) if place.group == GROUP else obj
