"""A change of an alarm's state, or of one of its contributors', as it is told to topics and to EventBridge."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.aws.runner.contributors import Contributor

logger = logging.getLogger("governor")


@dataclass(frozen=True, slots=True)
class Change:
    """`alarm` is MiniStack's record, `moment` in epoch seconds. Without a contributor it is the alarm's own."""

    alarm: Mapping[str, Any]
    before: str
    after: str
    reason: str
    moment: float
    contributor: Contributor | None = None


_listeners: list[Callable[[Change], None]] = []


def hear_of_contributors(listen: Callable[[Change], None]) -> None:
    """Call `listen` with each change of a contributor. MiniStack knows none, so it has no function to stand around."""
    _listeners.append(listen)


def tell_of_contributor(change: Change) -> None:
    for listen in _listeners:
        try:
            listen(change)
        except Exception:
            logger.exception("a change of %s could not be told", change.alarm["AlarmName"])


def in_milliseconds(moment: float) -> str:
    """2025-12-01T13:42:04.919+0000"""
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"
