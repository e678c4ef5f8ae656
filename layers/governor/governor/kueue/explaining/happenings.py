"""The last events of Kueue about a workload, with those that say the same counted as one."""

from collections.abc import Iterable

from governor.kueue.explaining.answer import Told
from governor.kueue.explaining.seen import Event

MOST = 10


def last(events: Iterable[Event], most: int = MOST) -> tuple[Told, ...]:
    """The last of them, the newest at the end."""
    found: dict[tuple[str, str, str], Told] = {}
    for each in sorted(events, key=lambda each: (each.at, each.mark)):
        key = each.about, each.reason, each.message
        before = found.pop(key, None)
        count = each.count + (before.count if before is not None else 0)
        found[key] = Told(each.at, count, each.reason, each.message, each.about, each.type)
    return tuple(found.values())[-most:]
