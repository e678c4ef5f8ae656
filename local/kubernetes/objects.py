"""The objects of one cluster: read, written, deleted and followed with Kubernetes' own rules, without HTTP.

Refusals are those of `errors`. What is returned is the caller's own: changing it changes nothing here.
"""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from local.hyperpod.clock import Clock
from local.kubernetes.admission import Admission
from local.kubernetes.conversion import converted
from local.kubernetes.definitions import checked
from local.kubernetes.endings import NO_CONDITIONS, Deletion, Endings, Preconditions
from local.kubernetes.errors import BadRequestError, JsonObject, already_exists, not_found
from local.kubernetes.listing import EVERYTHING, ListOptions, Page, key_of_object, page
from local.kubernetes.resources import DEFINITIONS, NAMESPACES, GroupVersionResource, Resource
from local.kubernetes.served import Served
from local.kubernetes.store import Change, Store, key_of
from local.kubernetes.writing import created, is_ending, merge_patched, status_updated, timestamp, updated

SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""What the server makes names of: no vowels, so no words."""

Write = Callable[[Resource, JsonObject, JsonObject], JsonObject]


class Objects:
    """Safe to use from several threads; `store.lock` may be held to make one step of several calls."""

    def __init__(self, clock: Clock) -> None:
        self.store = Store()
        self.served = Served(self.store)
        self.admission = Admission()
        self._endings = Endings(self.store, self.served)
        self._clock = clock

    def get(self, place: GroupVersionResource, name: str, namespace: str = "") -> JsonObject:
        with self.store.lock:
            return shown(place, self._found(self.served.resource(place), name, namespace))

    def list(self, place: GroupVersionResource, options: ListOptions = EVERYTHING) -> Page:
        """A page of the objects in the order of namespace and name; without options, all of them."""
        found = page(self.store, self.served.resource(place), options)
        return replace(found, items=[shown(place, obj) for obj in found.items])

    def create(self, place: GroupVersionResource, obj: JsonObject, namespace: str = "") -> JsonObject:
        with self.store.lock:
            resource = self.served.resource(place)
            given = _addressed(place, resource, _named(obj), namespace)
            name, within = given["metadata"].get("name", ""), given["metadata"].get("namespace", "")
            self._endings.refuse_new_content(resource, name, within)
            given = self.admission.prepared(resource, given, None)
            self.admission.review(resource, given, None)
            new = created(resource, given, str(uuid.uuid4()), self._now())
            if self.store.get(resource.key, key_of(within, name)) is not None:
                raise already_exists(resource.key, name)
            return shown(place, self._kept(resource, new))

    def update(self, place: GroupVersionResource, obj: JsonObject, namespace: str = "") -> JsonObject:
        """Replace an object, except for its status where that is a resource of its own."""
        return self._written(place, obj, namespace, self._replaced)

    def update_status(self, place: GroupVersionResource, obj: JsonObject, namespace: str = "") -> JsonObject:
        """Replace the status of an object."""
        return self._written(place, obj, namespace, status_updated)

    def patch(self, place: GroupVersionResource, name: str, patch: JsonObject, namespace: str = "") -> JsonObject:
        """Merge into an object (RFC 7386), except for its status where that is a resource of its own."""
        return self._patched(place, name, patch, namespace, self._replaced)

    def patch_status(
        self, place: GroupVersionResource, name: str, patch: JsonObject, namespace: str = ""
    ) -> JsonObject:
        """Merge into the status of an object."""
        return self._patched(place, name, patch, namespace, status_updated)

    def delete(
        self,
        place: GroupVersionResource,
        name: str,
        namespace: str = "",
        conditions: Preconditions = NO_CONDITIONS,
    ) -> Deletion:
        """Delete an object, and with a namespace or a definition what it holds; finalizers hold all of them back."""
        with self.store.lock:
            resource = self.served.resource(place)
            old = self._found(resource, name, namespace)
            ended = self._endings.delete(resource, old, conditions, self._now())
            return replace(ended, object=shown(place, ended.object))

    def delete_collection(self, place: GroupVersionResource, options: ListOptions = EVERYTHING) -> Page:
        """Delete everything that a list would show; returns that list."""
        with self.store.lock:
            found = self.list(place, options)
            for item in found.items:
                self.delete(place, item["metadata"]["name"], item["metadata"].get("namespace", ""))
            return found

    def load(self, manifest: JsonObject) -> None:
        """Put an object, or a list of them, as it is: with its status, uid, times and finalizers.

        What is there already is replaced, a namespace that is not is made. Raises UnknownPathError for a kind that
        is not served.
        """
        kind, api_version = manifest["kind"], manifest["apiVersion"]
        if "items" in manifest:
            for item in manifest["items"]:
                self.load({"kind": kind.removesuffix("List"), "apiVersion": api_version, **item})
            return
        with self.store.lock:
            resource = self.served.resource(self.served.place_of(api_version, kind))
            metadata = {name: value for name, value in manifest["metadata"].items() if name != "managedFields"}
            namespace = metadata.get("namespace", "")
            if namespace and self.store.get(NAMESPACES.key, namespace) is None:
                self.load({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            new = created(resource, manifest, str(uuid.uuid4()), self._now())
            self._kept(resource, copied({**new, **manifest, "metadata": {**new["metadata"], **metadata}}))

    def subscribe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Have every change given to a callback, see `Store.subscribe`; objects come as they are stored."""
        return self.store.subscribe(callback)

    def _now(self) -> str:
        return timestamp(self._clock.now())

    def _found(self, resource: Resource, name: str, namespace: str) -> JsonObject:
        found = self.store.get(resource.key, key_of(namespace if resource.namespaced else "", name))
        if found is None:
            raise not_found(resource.key, name)
        return found

    def _patched(
        self, place: GroupVersionResource, name: str, patch: JsonObject, namespace: str, write: Write
    ) -> JsonObject:
        with self.store.lock:
            merged: Any = merge_patched(self.get(place, name, namespace), patch)
            return self._written(place, merged, namespace, write)

    def _written(self, place: GroupVersionResource, obj: JsonObject, namespace: str, write: Write) -> JsonObject:
        with self.store.lock:
            resource = self.served.resource(place)
            given = _addressed(place, resource, obj, namespace)
            stored = self._found(resource, given["metadata"].get("name", ""), given["metadata"].get("namespace", ""))
            old = converted(stored, place.api_version)
            new = write(resource, old, given)
            return shown(place, stored if new == old else self._kept(resource, new))

    def _replaced(self, resource: Resource, old: JsonObject, given: JsonObject) -> JsonObject:
        new = updated(resource, old, self.admission.prepared(resource, given, old))
        self.admission.review(resource, new, old)
        return new

    def _kept(self, resource: Resource, new: JsonObject) -> JsonObject:
        """Put an object into the store, or let it go if the last of its finalizers went."""
        new = converted(new, resource.storage_api_version)
        if resource.key == DEFINITIONS.key:
            new = checked(new)
        kept = self.store.put(resource.key, key_of_object(new), new)
        return self._endings.end(resource, kept, self._now()).object if is_ending(kept) else kept


def shown(place: GroupVersionResource, obj: JsonObject) -> JsonObject:
    """A stored object in the version of a request, as the caller's own."""
    in_version: JsonObject = copied(converted(obj, place.api_version))
    return in_version


def copied(value: Any) -> Any:
    """A JSON value that shares nothing with the original."""
    if isinstance(value, dict):
        return {name: copied(each) for name, each in value.items()}
    if isinstance(value, list):
        return [copied(each) for each in value]
    return value


def _named(obj: JsonObject) -> JsonObject:
    """The object with a name made of its generateName, if it has no other."""
    metadata = obj.get("metadata") or {}
    if metadata.get("name") or not metadata.get("generateName"):
        return obj
    suffix = "".join(secrets.choice(SUFFIX_LETTERS) for _ in range(5))
    return {**obj, "metadata": {**metadata, "name": f"{metadata['generateName']}{suffix}"}}


def _addressed(place: GroupVersionResource, resource: Resource, obj: JsonObject, namespace: str) -> JsonObject:
    """A copy with the kind, version and namespace of where it is written. Raises BadRequestError for other ones."""
    given = obj.get("apiVersion") or place.api_version
    if given != place.api_version:
        told = f"the API version in the data ({given}) does not match the expected API version ({place.api_version})"
        raise BadRequestError(told)
    kind = obj.get("kind") or resource.kind
    if kind != resource.kind:
        raise BadRequestError(f"the kind in the data ({kind}) does not match the expected kind ({resource.kind})")
    metadata = dict(obj.get("metadata") or {})
    within = metadata.pop("namespace", "") or namespace
    if resource.namespaced:
        if namespace not in ("", within):
            told = "the namespace of the provided object does not match the namespace sent on the request"
            raise BadRequestError(told)
        if not within:
            raise BadRequestError("an empty namespace may not be set during creation")
        metadata["namespace"] = within
    addressed = {**obj, "apiVersion": place.api_version, "kind": resource.kind, "metadata": metadata}
    copy: JsonObject = copied(addressed)
    return copy
