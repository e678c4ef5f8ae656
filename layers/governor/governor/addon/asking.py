"""Asking for several things in turn: every error becomes part of the answer, and none is waited for twice."""

from collections.abc import Callable
from typing import TypeVar

from governor.addon.seen import Missing, Unknown
from governor.errors import GovernorError, NotFoundError, UnauthorizedError, UnreachableError

T = TypeVar("T")


def attempt_to_find(look: Callable[[], T]) -> T | Missing | Unknown:
    """The answer, that there is nothing, or why there is no answer."""
    try:
        return look()
    except NotFoundError as error:
        return Missing(str(error))
    except GovernorError as error:
        return Unknown(str(error))


class Asking:
    """Questions to one server. After an error of ``hopeless`` kind (not reached, nobody let in) the next ones are not
    asked: each would end the same way. Nor are they once ``time_left`` says that there are no seconds left."""

    def __init__(
        self,
        time_left: Callable[[], float] | None = None,
        hopeless: tuple[type[GovernorError], ...] = (UnreachableError, UnauthorizedError),
    ) -> None:
        self._time_left, self._kinds = time_left, hopeless
        self._hopeless: Unknown | None = None

    def ask(self, read: Callable[[], T]) -> T | Unknown:
        """One question."""
        if self._hopeless is None and self._time_left is not None and self._time_left() <= 0:
            self._hopeless = Unknown("what was asked before took all the time that there was")
        if self._hopeless is not None:
            return self._hopeless
        try:
            return read()
        except GovernorError as error:
            told = Unknown(str(error))
            if isinstance(error, self._kinds):
                self._hopeless = told
            return told
