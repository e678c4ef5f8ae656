"""One object in several versions of its group: by default they differ in nothing but the apiVersion.

A group whose versions differ in more puts a converter into CONVERTERS.
"""

from collections.abc import Callable

from local.kubernetes.errors import JsonObject
from local.kueue import conversion as kueue

Converter = Callable[[JsonObject, str], JsonObject]
"""Gets an object, which it must not change, and the apiVersion wanted; returns the object in that version."""

CONVERTERS: dict[str, Converter] = {"kueue.x-k8s.io": kueue.converted}
"""By group."""


def converted(obj: JsonObject, wanted: str) -> JsonObject:
    """The object in another version of its group; itself if it is in that version."""
    if obj.get("apiVersion") == wanted:
        return obj
    converter = CONVERTERS.get(wanted.rpartition("/")[0])
    return converter(obj, wanted) if converter else {**obj, "apiVersion": wanted}
