"""From JSON, or what was decoded of it, to the shape that an object has on the wire; an error names the place.

Shapes are private to the modules that read them. Members that both API versions have are declared once; where one
version has another name for a member, both names are: an API server answers with one of them.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, TypeVar

import msgspec

from governor.errors import PermanentError
from governor.kueue import times
from governor.kueue.quantities import Quantity, counted, parsed

Source = bytes | str | msgspec.Raw | Mapping[str, Any]
"""One object: JSON, or decoded."""
Count = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]

GROUP = "kueue.x-k8s.io"
_VERSIONS = ("v1alpha1", "v1beta1", "v1beta2")
_MOST_SHOWN = 80


class ReadingError(PermanentError):
    """Something is not the object it should be; says which object, which member, and what was found there."""


class WrongShapeError(ValueError):
    """Names the member and what was found there."""


class Shape(msgspec.Struct, frozen=True, rename="camel"):
    """What part of an object looks like on the wire."""


class Measure:
    """A quantity on the wire."""

    __slots__ = ("quantity",)

    def __init__(self, quantity: Quantity) -> None:
        self.quantity = quantity

    def of(self, resource: str) -> int:
        """As Kueue counts the resource."""
        return counted(resource, self.quantity)


class Allowance(Measure):
    """A quantity on the wire that must not be negative, such as a quota or a weight."""

    __slots__ = ()


class Moment:
    """A time on the wire, in seconds since 1970."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds


Measures = dict[str, Measure]
"""By resource."""


class Owner(Shape, frozen=True):
    name: str
    uid: str = ""
    controller: bool | None = None


class Metadata(Shape, frozen=True):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    namespace: str | None = None
    uid: str | None = None
    creation_timestamp: Moment | None = None
    owner_references: list[Owner] | None = None


class Manifest(Shape, frozen=True, kw_only=True):
    """What every object has."""

    api_version: str | None = None
    kind: str | None = None
    metadata: Metadata


class InNamespace(Metadata, frozen=True, kw_only=True):
    """Metadata of an object that is in a namespace."""

    namespace: Annotated[str, msgspec.Meta(min_length=1)]


_Shape = TypeVar("_Shape", bound=Shape)
_Manifest = TypeVar("_Manifest", bound=Manifest)


def decoded(source: Source, kind: str, shape: type[_Manifest]) -> _Manifest:
    """The object in its shape. Raises ReadingError."""
    try:
        manifest = shaped(source, shape)
    except WrongShapeError as error:
        raise ReadingError(f"{_called(source, kind)} cannot be read: {error}") from None
    group, _, version = (manifest.api_version or f"{GROUP}/{_VERSIONS[-1]}").partition("/")
    if (manifest.kind or kind) != kind or group != GROUP:
        found = _short(f"{manifest.kind} of {manifest.api_version}")
        raise ReadingError(f"{_called(source, kind)} cannot be read: expected {kind} of {GROUP}, got {found}")
    if version not in _VERSIONS:
        raise ReadingError(
            f"{_called(source, kind)} cannot be read: expected one of {', '.join(_VERSIONS)}, got {_short(version)}"
        )
    return manifest


def shaped(source: Any, shape: type[_Shape]) -> _Shape:
    """What is said, in its shape. Raises WrongShapeError."""
    try:
        if isinstance(source, (bytes, str, msgspec.Raw)):
            manifest: _Shape = _decoder(shape).decode(source)
            return manifest
        return msgspec.convert(source, shape, dec_hook=_hook)
    except msgspec.ValidationError as error:
        raise WrongShapeError(_told(str(error))) from None
    except msgspec.DecodeError as error:
        raise WrongShapeError(str(error)) from None
    except UnicodeError:
        raise WrongShapeError("it is not UTF-8") from None
    except RecursionError:
        raise WrongShapeError("it is nested too deeply") from None


@lru_cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape, dec_hook=_hook)


def _hook(wanted: type, found: Any) -> Any:
    """The values that JSON has no type for. Raises ValueError, to which msgspec adds the place."""
    if wanted is Moment:
        return Moment(times.seconds(found))
    quantity = parsed(found)
    if wanted is Allowance and quantity.nano < 0:
        raise ValueError(f"expected 0 or more, got {quantity}")
    return wanted(quantity)


def _told(message: str) -> str:
    """What msgspec says, the member first."""
    found, _, place = message.partition(" - at `")
    member = place.rpartition("$")[2].strip("`.")
    said = found[:1].lower() + found[1:]
    return f"{member}: {said}" if member else said


class _Labelled(Shape, frozen=True):
    metadata: dict[str, Any] | None = None


def _called(source: Any, kind: str) -> str:
    """What to call an object in which something is wrong, maybe its name as well."""
    try:
        metadata = shaped(source, _Labelled).metadata or {}
    except WrongShapeError:
        metadata = {}
    names = [each for each in (metadata.get("namespace"), metadata.get("name")) if isinstance(each, str) and each]
    return f"{kind} {_short('/'.join(names))}" if names else f"A {kind}"


def _short(text: str) -> str:
    """One line of it, and not all of a long one."""
    line = text if text.isprintable() else repr(text)
    return line if len(line) <= _MOST_SHOWN else f"{line[:_MOST_SHOWN]}…"
