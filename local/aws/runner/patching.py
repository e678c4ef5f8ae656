"""How an addition puts itself around a function of MiniStack."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

Function = Callable[..., Any]


def around(owner: ModuleType | type, name: str) -> Callable[[Callable[[Function], Function]], None]:
    """Decorates a function that gets the original and returns what takes its place.

    Fails when the original is not there: the additions are written for one exact version.
    """

    def install(make: Callable[[Function], Function]) -> None:
        setattr(owner, name, make(getattr(owner, name)))

    return install
