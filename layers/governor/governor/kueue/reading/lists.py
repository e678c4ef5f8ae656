"""Lists of objects as an API server answers them, whole or page by page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from governor.kueue.reading.wire import ReadingError, Shape, Source, WrongShapeError, shaped

_Object = TypeVar("_Object")


@dataclass(frozen=True, slots=True)
class Page(Generic[_Object]):
    """The objects of a list, or of a page of it; ``more`` asks for the next page, "" if this is the last."""

    items: tuple[_Object, ...]
    resource_version: str = ""
    more: str = ""


class _ListMeta(Shape, frozen=True):
    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _Json(Shape, frozen=True, kw_only=True):
    metadata: _ListMeta = _ListMeta()
    items: list[msgspec.Raw] | None


class _Decoded(Shape, frozen=True, kw_only=True):
    metadata: _ListMeta = _ListMeta()
    items: list[Any] | None


def page(source: Source, read: Callable[[Source], _Object]) -> Page[_Object]:
    """A list, each of its objects read by ``read``, such as ``page(answer, workload)``. Raises ReadingError."""
    shape: type[_Json] | type[_Decoded] = _Json if isinstance(source, (bytes, str, msgspec.Raw)) else _Decoded
    try:
        found = shaped(source, shape)
    except WrongShapeError as error:
        raise ReadingError(f"A list cannot be read: {error}") from None
    items = tuple(read(each) for each in found.items or ())
    return Page(items, found.metadata.resource_version, found.metadata.continue_)
