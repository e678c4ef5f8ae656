"""Bodies of requests, read with suspicion, and the bodies of answers about several objects."""

from typing import Any

import msgspec

from local.kubernetes.endings import Preconditions
from local.kubernetes.errors import (
    BadRequestError,
    JsonObject,
    NotAcceptableError,
    TooLargeError,
    UnsupportedMediaTypeError,
)
from local.kubernetes.listing import Page
from local.kubernetes.request import Request
from local.kubernetes.resources import GroupVersionResource, Resource

MOST_BYTES = 3 * 1024 * 1024
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
_JSON_TYPES = ("", "application/json", "application/x-www-form-urlencoded", MERGE_PATCH, STRATEGIC_PATCH)
"""What a body may call itself; the last but two is what curl says of every body."""
_ACCEPTED = ("*/*", "application/*", "application/json")


def too_large() -> TooLargeError:
    return TooLargeError(f"Request entity too large: limit is {MOST_BYTES}")


def object_in(request: Request) -> JsonObject:
    """The object that a request carries. Raises BadRequestError, or UnsupportedMediaTypeError for protobuf."""
    if _media(request) not in _JSON_TYPES:
        raise _unknown_format("application/json")
    try:
        obj: Any = msgspec.json.decode(request.body)
    except msgspec.DecodeError as error:
        raise BadRequestError(f"couldn't get version/kind; json parse error: {error}") from error
    if not isinstance(obj, dict):
        raise BadRequestError("couldn't get version/kind; json parse error: the body is not an object")
    metadata = obj.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise BadRequestError("metadata is not an object")
    for name in ("labels", "annotations"):
        values = (metadata or {}).get(name)
        if values is not None and not _is_text_by_text(values):
            raise BadRequestError(f"metadata.{name} does not map text to text")
    return obj


def patch_in(request: Request, resource: Resource) -> JsonObject:
    """The patch that a request carries. Raises UnsupportedMediaTypeError for another kind than a merge patch.

    A strategic merge patch is one where it can mean nothing else: no lists to merge by key, and no directives.
    """
    media = _media(request)
    if media == STRATEGIC_PATCH and resource.lists_are_whole:
        patch = object_in(request)
        if b'"$' not in request.body:
            return patch
    if media != MERGE_PATCH:
        raise _unknown_format(MERGE_PATCH)
    return object_in(request)


def preconditions_in(request: Request) -> Preconditions:
    """What the DeleteOptions of a request, if it has any, ask to be true."""
    if not request.body:
        return Preconditions()
    given = object_in(request).get("preconditions") or {}
    return Preconditions(str(given.get("uid") or ""), str(given.get("resourceVersion") or ""))


def refuse_other_media(request: Request) -> None:
    """Raises NotAcceptableError for a reader who wants anything but JSON."""
    accept = request.headers.get("accept", "*/*")
    kinds = [kind.partition(";")[0].strip() for kind in accept.split(",")]
    if not any(kind in _ACCEPTED for kind in kinds):
        raise NotAcceptableError("only the following media types are accepted: application/json")


def list_body(place: GroupVersionResource, resource: Resource, page: Page) -> JsonObject:
    """A list: items of built-in resources come without kind and apiVersion, as with the real server."""
    metadata: JsonObject = {"resourceVersion": str(page.version)}
    if page.continued or resource.custom:
        metadata["continue"] = page.continued
    if page.remaining is not None:
        metadata["remainingItemCount"] = page.remaining
    items = page.items
    if not resource.custom:
        items = [{name: item[name] for name in item if name not in ("apiVersion", "kind")} for item in items]
    return {"apiVersion": place.api_version, "items": items, "kind": resource.list_kind, "metadata": metadata}


def gone_body(resource: Resource, obj: JsonObject) -> JsonObject:
    """The answer to the deletion of something that is gone."""
    details = {**resource.key.details(obj["metadata"]["name"]), "uid": obj["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _media(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip()


def _unknown_format(accepted: str) -> UnsupportedMediaTypeError:
    told = "the body of the request was in an unknown format - accepted media types include: "
    return UnsupportedMediaTypeError(f"{told}{accepted}")


def _is_text_by_text(values: Any) -> bool:
    return isinstance(values, dict) and all(isinstance(value, str | None) for value in values.values())
