"""The event that CloudWatch sends when a series of a Metrics Insights alarm changes its state."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

from governor.errors import PermanentError
from governor.records.usages import Kind

DETAIL_TYPE = "CloudWatch Alarm Contributor State Change"
_ATTRIBUTES: Mapping[Kind, tuple[str, ...]] = {
    "OverBorrowing": ("cluster", "team"),
    "Starved": ("cluster", "team"),
    "QuotaAboveCapacity": ("cluster",),
    "CouldNotRead": ("cluster",),
}
"""What the alarm about it is grouped by."""


class Transition(msgspec.Struct, frozen=True):
    """Of one alarm about one team, or about a cluster (``team`` "")."""

    kind: Kind
    cluster: str
    team: str
    state: Literal["ALARM", "OK"]
    at: datetime
    reason: str = ""
    muted: bool = False
    """By a mute rule of CloudWatch, which keeps an alarm's actions back, and no events."""


class _Contributor(msgspec.Struct, frozen=True):
    attributes: dict[str, str] = {}


class _State(msgspec.Struct, frozen=True):
    value: str
    timestamp: str
    reason: str = ""


class _Detail(msgspec.Struct, frozen=True, rename="camel"):
    alarm_name: str
    alarm_contributor: _Contributor
    state: _State
    mute_detail: dict[str, Any] | None = None


class _Event(msgspec.Struct, frozen=True):
    detail: _Detail
    detail_type: str = msgspec.field(name="detail-type")


def alarm_kinds(text: str) -> dict[str, Kind]:
    """By the alarm's name what it is about, out of ``Kind=name`` with commas between. PermanentError otherwise."""
    found: dict[str, Kind] = {}
    for part in filter(None, text.split(",")):
        kind, _, name = part.partition("=")
        if kind not in get_args(Kind) or not name:
            raise PermanentError(f"'{part}' names no alarm of usage; the template does: deploy the stack again")
        found[name] = kind  # type: ignore[assignment]
    return found


def transition_of(event: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Transition | None:
    """What the event says; None for a state that is neither ALARM nor OK. PermanentError for another event, and for one
    that does not say whom it is about: then nobody could be told."""
    try:
        found = msgspec.convert(dict(event), _Event)
        at = datetime.strptime(found.detail.state.timestamp, "%Y-%m-%dT%H:%M:%S.%f%z")
    except (msgspec.ValidationError, ValueError) as error:
        raise PermanentError(f"an event that is no change of an alarm's contributor: {error}") from None
    detail = found.detail
    if found.detail_type != DETAIL_TYPE or detail.alarm_name not in kinds:
        raise PermanentError(f"an event of '{detail.alarm_name}' ({found.detail_type}), which is no alarm of usage")
    kind, attributes = kinds[detail.alarm_name], detail.alarm_contributor.attributes
    missing = [each for each in _ATTRIBUTES[kind] if not attributes.get(each)]
    if missing:
        raise PermanentError(
            f"an event of '{detail.alarm_name}' whose contributor has no {' and no '.join(missing)}; its query groups "
            "by them in the template: deploy the stack again"
        )
    if detail.state.value not in ("ALARM", "OK"):
        return None
    return Transition(
        kind=kind,
        cluster=attributes["cluster"],
        team=attributes["team"] if "team" in _ATTRIBUTES[kind] else "",
        state="ALARM" if detail.state.value == "ALARM" else "OK",
        at=at,
        reason=detail.state.reason,
        muted=detail.mute_detail is not None,
    )
