"""How objects end: at once, or when their finalizers are off and what they hold is gone."""

from dataclasses import dataclass

from local.kubernetes.definitions import resource_of
from local.kubernetes.errors import JsonObject, MethodNotAllowedError, conflict, forbidden, not_found
from local.kubernetes.listing import key_of_object
from local.kubernetes.resources import DEFINITIONS, NAMESPACES, Resource
from local.kubernetes.served import Served
from local.kubernetes.store import Store
from local.kubernetes.writing import deleting, is_ending


@dataclass(frozen=True, slots=True)
class Preconditions:
    """What must be true of an object for it to be deleted; empty is anything."""

    uid: str = ""
    version: str = ""


NO_CONDITIONS = Preconditions()


@dataclass(frozen=True, slots=True)
class Deletion:
    """`object` is what went, or what waits for its finalizers if it is not `gone`."""

    object: JsonObject
    gone: bool


class Endings:
    """Callers hold the store's lock."""

    def __init__(self, store: Store, served: Served) -> None:
        self._store = store
        self._served = served

    def delete(self, resource: Resource, old: JsonObject, conditions: Preconditions, now: str) -> Deletion:
        """Delete an object and, with a namespace or a definition, what it holds. Raises ConflictError."""
        _refuse_unmet(resource, old, conditions)
        for held in self._contents(resource, old):
            self.end(*held, now)
        return self.end(resource, old, now)

    def end(self, resource: Resource, old: JsonObject, now: str) -> Deletion:
        """Remove an object, or mark it as ending while something holds it."""
        key = key_of_object(old)
        if not old["metadata"].get("finalizers") and not self._contents(resource, old):
            gone = self._store.remove(resource.key, key)
            self._end_holders(resource, gone, now)
            return Deletion(gone, gone=True)
        if is_ending(old):
            return Deletion(old, gone=False)
        ending = deleting(old, now)
        if resource.key == NAMESPACES.key:
            ending = {**ending, "status": {**ending.get("status", {}), "phase": "Terminating"}}
        return Deletion(self._store.put(resource.key, key, ending), gone=False)

    def refuse_new_content(self, resource: Resource, name: str, namespace: str) -> None:
        """Raises ApiError where the namespace is missing, or the namespace or the definition is ending."""
        if resource.namespaced:
            found = self._store.get(NAMESPACES.key, namespace)
            if found is None:
                raise not_found(NAMESPACES.key, namespace)
            if is_ending(found):
                told = f"unable to create new content in namespace {namespace} because it is being terminated"
                raise forbidden(resource.key, name, told)
        definition = self._store.get(DEFINITIONS.key, str(resource.key)) if resource.custom else None
        if definition is not None and is_ending(definition):
            told = "create not allowed while custom resource definition is terminating"
            raise MethodNotAllowedError(told, resource.key.details())

    def _contents(self, resource: Resource, obj: JsonObject) -> list[tuple[Resource, JsonObject]]:
        """What a namespace or a definition holds."""
        if resource.key == NAMESPACES.key:
            inside = [each for each in self._served.all() if each.namespaced]
            name = obj["metadata"]["name"]
            return [(each, held) for each in inside for held in self._store.listed(each.key, name)]
        if resource.key == DEFINITIONS.key:
            defined = resource_of(obj)
            return [(defined, held) for held in self._store.listed(defined.key)]
        return []

    def _end_holders(self, resource: Resource, gone: JsonObject, now: str) -> None:
        """A namespace or a definition that waited for this object may go now."""
        definition = str(resource.key) if resource.custom else ""
        for holder, name in ((NAMESPACES, gone["metadata"].get("namespace", "")), (DEFINITIONS, definition)):
            held = self._store.get(holder.key, name) if name else None
            if held is not None and is_ending(held):
                self.end(holder, held, now)


def _refuse_unmet(resource: Resource, old: JsonObject, conditions: Preconditions) -> None:
    metadata = old["metadata"]
    for what, asked, found in (
        ("UID", conditions.uid, metadata["uid"]),
        ("ResourceVersion", conditions.version, metadata["resourceVersion"]),
    ):
        if asked and asked != found:
            told = f"Precondition failed: {what} in precondition: {asked}, {what} in object meta: {found}"
            raise conflict(resource.key, metadata["name"], told)
