"""Changes as a stream of JSON lines, as a watch shows them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec

from local.kubernetes.errors import ExpiredError, JsonObject
from local.kubernetes.listing import ListOptions
from local.kubernetes.objects import Objects, shown
from local.kubernetes.resources import GroupVersionResource
from local.kubernetes.selectors import Selector, selector
from local.kubernetes.store import Change, CompactedError

_Event = Callable[[Change], tuple[str, JsonObject] | None]

BREATH_SECONDS = 0.25
"""How long nothing comes at most; then comes an empty line, by which who writes it out may notice an end."""


def lines(
    objects: Objects,
    place: GroupVersionResource,
    options: ListOptions,
    *,
    seconds: float,
    initial_events_end: bool = False,
) -> Iterator[bytes]:
    """Changes after the version in `options` until the time is over; without a version, what there is comes first.

    Lines may be empty: nothing happened. `initial_events_end` puts a bookmark behind what there is.
    Raises ApiError before the first line.
    """
    resource = objects.served.resource(place)
    chosen = selector(resource, options.labels, options.fields)
    start = options.version if options.version not in ("", "0") else ""
    present = objects.list(place, replace(options, limit=0, continued=""))
    began = int(start) if start else present.version

    def stream() -> Iterator[bytes]:
        if not start:
            for item in present.items:
                yield _line("ADDED", item)
            if initial_events_end:
                yield _line("BOOKMARK", _bookmark(place, resource.kind, began))
        namespace = options.namespace if resource.namespaced else ""
        wanted = _filter(place, namespace, chosen)
        yield from _changes(objects, wanted, began, time.monotonic() + seconds)

    return stream()


def _changes(objects: Objects, wanted: _Event, seen: int, deadline: float) -> Iterator[bytes]:
    open_still = True
    while open_still:
        try:
            recent = objects.store.changes_since(seen)
        except CompactedError as error:
            yield _line("ERROR", ExpiredError(str(error)).status())
            return
        for change in recent:
            seen = change.version
            event = wanted(change)
            if event is not None:
                yield _line(*event)
        yield b""
        left = deadline - time.monotonic()
        open_still = left > 0 and objects.store.wait_for_change(seen, min(left, BREATH_SECONDS))


def _filter(place: GroupVersionResource, namespace: str, chosen: Selector) -> _Event:
    """A change as this watch sees it: an object that no longer matches has gone for it."""

    def event(change: Change) -> tuple[str, JsonObject] | None:
        if change.resource != place.resource:
            return None
        if namespace and change.object["metadata"].get("namespace") != namespace:
            return None
        was = change.previous is not None and chosen.matches(change.previous)
        matches = change.type != "DELETED" and chosen.matches(change.object)
        kind = {(False, True): "ADDED", (True, True): "MODIFIED", (True, False): "DELETED"}.get((was, matches))
        return (kind, shown(place, change.object)) if kind else None

    return event


def _bookmark(place: GroupVersionResource, kind: str, version: int) -> JsonObject:
    metadata = {"annotations": {"k8s.io/initial-events-end": "true"}, "resourceVersion": str(version)}
    return {"apiVersion": place.api_version, "kind": kind, "metadata": metadata}


def _line(kind: str, obj: JsonObject) -> bytes:
    return msgspec.json.encode({"type": kind, "object": obj}) + b"\n"
