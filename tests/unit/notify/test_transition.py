"""Events about one series of an alarm: what they say, and what is none of them."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from governor.errors import PermanentError
from governor.notify import Transition, alarm_kinds, transition_of

EVENTS = Path(__file__).parents[3] / "events"
ALARM = "hyperpod-governor-OverBorrowingAlarm-1A2B3C4D5E6F"
KINDS = alarm_kinds(f"OverBorrowing={ALARM},CouldNotRead=unread")


def event(name: str = "alarm-contributor-state-change") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def changed(**detail: Any) -> dict[str, Any]:
    """The sample with other members of its detail; None takes one away."""
    found = event()
    found["detail"] = {key: value for key, value in (found["detail"] | detail).items() if value is not None}
    return found


def state(**members: Any) -> dict[str, Any]:
    there = event()["detail"]["state"] | members
    return changed(state={key: value for key, value in there.items() if value is not None})


def test_the_sample_says_which_team_of_which_cluster_and_when() -> None:
    found = transition_of(event(), KINDS)
    assert found is not None
    assert found.reason.startswith("Threshold Crossed: 3 datapoints")
    at = datetime(2026, 11, 24, 13, 42, 4, 919_000, tzinfo=UTC)
    assert found == Transition("OverBorrowing", "ml-research", "vision", "ALARM", at, found.reason)


def test_an_alarm_about_clusters_names_no_team() -> None:
    contributor = {"id": "1", "attributes": {"cluster": "ml-research"}}
    found = transition_of(changed(alarmName="unread", alarmContributor=contributor), KINDS)
    assert found is not None
    assert (found.kind, found.cluster, found.team) == ("CouldNotRead", "ml-research", "")


@pytest.mark.parametrize("value", ["ALARM", "OK"])
def test_both_states_are_told_apart_and_a_reason_may_be_missing(value: str) -> None:
    found = transition_of(state(value=value, reason=None), KINDS)
    assert found is not None
    assert (found.state, found.reason) == (value, "")


def test_times_have_zones_of_their_own() -> None:
    found = transition_of(state(timestamp="2026-11-24T15:42:04.919+0200"), KINDS)
    assert found is not None
    assert found.at == datetime(2026, 11, 24, 15, 42, 4, 919_000, tzinfo=timezone(timedelta(hours=2)))


def test_a_state_that_says_nothing_of_a_team_is_none() -> None:
    assert transition_of(state(value="INSUFFICIENT_DATA"), KINDS) is None


@pytest.mark.parametrize(
    ("contributor", "missing"),
    [
        ({"id": "1", "attributes": {}}, "no cluster and no team"),
        ({"id": "1"}, "no cluster and no team"),
        ({"id": "1", "attributes": {"team": "vision"}}, "no cluster;"),
        ({"id": "1", "attributes": {"cluster": "", "team": "vision"}}, "no cluster;"),
        ({"id": "1", "attributes": {"cluster": "ml-research"}}, "no team;"),
    ],
)
def test_an_event_that_does_not_say_whom_it_is_about_is_refused(contributor: dict[str, Any], missing: str) -> None:
    with pytest.raises(PermanentError, match=missing):
        transition_of(changed(alarmContributor=contributor), KINDS)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"detail": {}},
        changed(alarmName="another"),
        changed(alarmName=None),
        changed(alarmContributor=None),
        changed(alarmContributor={"id": "1", "attributes": {"cluster": 5}}),
        changed(state=None),
        state(timestamp=None),
        state(timestamp=""),
        state(timestamp="2026-11-24T13:42:04.919"),
        state(timestamp="soon"),
        state(value=None),
        event() | {"detail-type": "CloudWatch Alarm State Change"},
        {key: value for key, value in event().items() if key != "detail-type"},
    ],
)
def test_what_is_no_such_event_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(PermanentError):
        transition_of(bad, KINDS)


@pytest.mark.parametrize("name", sorted(path.stem for path in EVENTS.glob("*.json")))
def test_of_all_sample_events_it_is_one(name: str) -> None:
    if name == "alarm-contributor-state-change":
        assert transition_of(event(name), KINDS) is not None
        return
    with pytest.raises(PermanentError):
        transition_of(event(name), KINDS)


def test_alarms_are_known_by_their_names() -> None:
    assert alarm_kinds("") == {}
    assert alarm_kinds("Starved=stack-StarvedAlarm-1,QuotaAboveCapacity=a=b") == {
        "stack-StarvedAlarm-1": "Starved",
        "a=b": "QuotaAboveCapacity",
    }


@pytest.mark.parametrize("text", ["Starved", "Starved=", "=name", "starved=name", "Other=name", "Starved=a,b"])
def test_an_alarm_of_no_kind_is_refused(text: str) -> None:
    with pytest.raises(PermanentError, match="names no alarm of usage"):
        alarm_kinds(text)
