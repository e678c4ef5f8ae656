"""What a Job is made of, as far as others rely on it: what is of another type cannot be read, in a Go server's words.

As for every reader in Go, a member that is null is one that is not there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

INT32 = "int32"
_GREATEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Struct:
    """A type of Kubernetes by its name in Go; members that are not named may be anything."""

    name: str
    members: Mapping[str, "Type"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list, all of whose entries are of one type."""

    entry: "Type"


@dataclass(frozen=True, slots=True)
class MapOf:
    """Values by names; `name` is what Go calls it."""

    name: str
    value: str = ""


Type = Struct | ListOf | MapOf | str
"""A text is the name of a simple type: `string`, `bool` or `int32`."""

_TEXTS = MapOf("map[string]string", "string")
_AMOUNTS = MapOf("v1.ResourceList")
_METADATA = Struct("v1.ObjectMeta", {"labels": _TEXTS, "annotations": _TEXTS})
_RESOURCES = Struct("v1.ResourceRequirements", {"limits": _AMOUNTS, "requests": _AMOUNTS})
_CONTAINERS = ListOf(Struct("v1.Container", {"name": "string", "image": "string", "resources": _RESOURCES}))
_POD = Struct(
    "v1.PodSpec",
    {
        "containers": _CONTAINERS,
        "initContainers": _CONTAINERS,
        "nodeSelector": _TEXTS,
        "tolerations": ListOf(
            Struct("v1.Toleration", dict.fromkeys(("key", "operator", "value", "effect"), "string")),
        ),
        "affinity": Struct("v1.Affinity"),
        "overhead": _AMOUNTS,
        "resources": _RESOURCES,
    },
)
JOB = Struct(
    "v1.Job",
    {
        "spec": Struct(
            "v1.JobSpec",
            {
                **dict.fromkeys(("parallelism", "completions", "backoffLimit"), INT32),
                "suspend": "bool",
                "manualSelector": "bool",
                "completionMode": "string",
                "template": Struct("v1.PodTemplateSpec", {"metadata": _METADATA, "spec": _POD}),
            },
        )
    },
)


def mismatch(value: Any, wanted: Type, path: str = "", owner: str = "") -> str:
    """Why a Go server cannot read a value, "" if it can; `owner` is the type that the path's last member is of."""
    if value is None:
        return ""
    found = _name_of_type(value, wanted)
    if found:
        place = f"Go struct field {owner.removeprefix('v1.')}.{path}" if path else "Go value"
        return f"json: cannot unmarshal {found} into {place} of type {_go_name(wanted)}"
    if isinstance(wanted, Struct):
        told = (
            mismatch(value.get(name), each, f"{path}.{name}" if path else name, wanted.name)
            for name, each in wanted.members.items()
        )
    elif isinstance(wanted, ListOf):
        told = (mismatch(each, wanted.entry, path, owner) for each in value)
    elif isinstance(wanted, MapOf) and wanted.value:
        told = (mismatch(each, wanted.value, path, owner) for each in value.values())
    else:
        return ""
    return next(filter(None, told), "")


def without_nulls(value: Any) -> Any:
    """A value whose members that are null are not there; entries of lists stay."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return value


def _name_of_type(value: Any, wanted: Type) -> str:
    """What a value is for Go, "" if it is what it should be."""
    if isinstance(wanted, Struct | MapOf):
        fits = isinstance(value, dict)
    elif isinstance(wanted, ListOf):
        fits = isinstance(value, list)
    elif wanted == INT32:
        fits = isinstance(value, int) and not isinstance(value, bool) and -_GREATEST - 1 <= value <= _GREATEST
    else:
        fits = isinstance(value, bool if wanted == "bool" else str)
    if fits:
        return ""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return f"number {value}" if wanted == INT32 else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _go_name(wanted: Type) -> str:
    if isinstance(wanted, str):
        return wanted
    return f"[]{_go_name(wanted.entry)}" if isinstance(wanted, ListOf) else wanted.name
