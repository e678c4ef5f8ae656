"""Reading many documents: reading is waiting, so several are read side by side."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

PARALLEL = 8

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(items: Iterable[T], read: Callable[[T], R]) -> Iterator[tuple[T, R]]:
    """Each item with what was read of it, in the order of the items."""
    listed = list(items)
    with ThreadPoolExecutor(PARALLEL) as pool:
        yield from zip(listed, pool.map(read, listed), strict=True)
