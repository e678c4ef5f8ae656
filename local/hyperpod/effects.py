"""What the fault rules acting on one call add up to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.hyperpod.errors import ApiError, conflict, throttled
from local.hyperpod.faults import (
    AddMember,
    AnyRule,
    BumpVersion,
    Conflict,
    DropConnection,
    DropMember,
    Error,
    Fail,
    Slow,
    Stuck,
    Throttle,
)
from local.hyperpod.request import Ending, JsonObject


@dataclass(frozen=True, slots=True)
class Effects:
    """`error` answers the call unhandled; `foreign_updates` come first; `breaks` spoil the answer."""

    delay: float = 0.0
    error: ApiError | None = None
    dropped: bool = False
    foreign_updates: tuple[Mapping[str, Any], ...] = ()
    ending: Ending | None = None
    breaks: tuple[DropMember | AddMember, ...] = ()

    def broken(self, answer: JsonObject) -> JsonObject:
        """A copy of the answer with members dropped or added, the answer itself where nothing is to break."""
        for each in self.breaks:
            answer = _with_break(answer, each.member.split("."), each)
        return answer


def effects_of(rules: Iterable[AnyRule]) -> Effects:
    rules = list(rules)
    return Effects(
        delay=sum(rule.seconds for rule in rules if isinstance(rule, Slow)),
        error=next((error for error in map(_error, rules) if error is not None), None),
        dropped=any(isinstance(rule, DropConnection) for rule in rules),
        foreign_updates=tuple(rule.changes for rule in rules if isinstance(rule, BumpVersion)),
        ending=next((ending for ending in map(_ending, rules) if ending is not None), None),
        breaks=tuple(rule for rule in rules if isinstance(rule, DropMember | AddMember)),
    )


def _error(rule: AnyRule) -> ApiError | None:
    match rule:
        case Throttle():
            return throttled()
        case Error():
            return ApiError(rule.code, rule.message, rule.http_status)
        case Conflict():
            return conflict("Another request changes the resource.")
        case DropConnection(when="before"):
            return ApiError("ConnectionDropped", "The connection closed before the call was handled.")
    return None


def _ending(rule: AnyRule) -> Ending | None:
    match rule:
        case Stuck():
            return Ending(status=None)
        case Fail():
            return Ending(rule.status, rule.reason)
    return None


def _with_break(value: Any, path: list[str], rule: DropMember | AddMember) -> Any:
    """A copy of the value with the member at the path dropped or added; unchanged where no path leads."""
    here, rest = path[0], path[1:]
    if isinstance(value, list) and here.isdecimal() and int(here) < len(value):
        index = int(here)
        return [*value[:index], _with_break(value[index], rest, rule), *value[index + 1 :]]
    if not isinstance(value, dict):
        return value
    if rest:
        return value | {here: _with_break(value[here], rest, rule)} if here in value else value
    if isinstance(rule, AddMember):
        return value | {here: rule.value}
    return {name: item for name, item in value.items() if name != here}
