"""Members of objects that anybody may have written, a status above all: what is not what it should be is left out."""

from collections.abc import Mapping
from typing import Any

from local.kubernetes.errors import JsonObject


def member(obj: Mapping[str, Any] | None, name: str) -> JsonObject:
    """An object within an object; {} where there is none."""
    found = (obj or {}).get(name)
    return found if isinstance(found, dict) else {}


def entries(obj: Mapping[str, Any], name: str) -> list[JsonObject]:
    """The objects in a list within an object."""
    found = obj.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def conditions(obj: Mapping[str, Any] | None) -> list[JsonObject]:
    """The conditions in the status of an object."""
    return [each for each in entries(member(obj, "status"), "conditions") if isinstance(each.get("type"), str)]


def is_true(obj: Mapping[str, Any] | None, condition: str) -> bool:
    """Whether an object says of itself that a condition holds."""
    return any(each["type"] == condition and each.get("status") == "True" for each in conditions(obj))


def controller(obj: Mapping[str, Any] | None) -> tuple[str, str, str] | None:
    """Kind, name and UID of who controls an object; None for nobody's."""
    for owner in entries(member(obj, "metadata"), "ownerReferences"):
        told = owner.get("kind"), owner.get("name"), owner.get("uid")
        if owner.get("controller") and all(isinstance(each, str) for each in told):
            return str(told[0]), str(told[1]), str(told[2])
    return None
