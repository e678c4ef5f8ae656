"""The contributors of an alarm over several series: each is in ALARM or OK, and so the alarm is."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from local.aws.runner.alarm_terms import ALARM, OK, Terms, Values, Window

GONE = "No data was returned for this contributor"
MOST_SHOWN = 100
"""How many contributors in ALARM CloudWatch counts in a state's reason."""


@dataclass(frozen=True, slots=True)
class Contributor:
    """One series of an alarm. `attributes` are the GROUP BY keys; it has been in its state `since` (epoch seconds)."""

    identity: str
    attributes: Mapping[str, str]
    state: str
    reason: str
    since: float


Contributors = Mapping[str, Contributor]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an evaluation comes to: the alarm's state (None to keep it), why, and its contributors by id."""

    state: str | None
    reason: str
    contributors: Contributors


@dataclass(frozen=True, slots=True)
class Series:
    attributes: Mapping[str, str]
    values: Values


def contributor_id(alarm_arn: str, attributes: Mapping[str, str]) -> str:
    """16 hexadecimal digits, the same for the same attributes of an alarm."""
    text = json.dumps([alarm_arn, sorted(attributes.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def judge(before: Contributors, series: Mapping[str, Series], terms: Terms, window: Window) -> Verdict:
    """The contributors out of the series by id, and the alarm out of the contributors.

    A contributor begins as OK, and keeps its state where the alarm ignores missing data. Without any series it is the
    treatment of missing data that says what the alarm is.
    """
    contributors = {
        identity: _judged(before.get(identity), identity, each, terms, window) for identity, each in series.items()
    }
    if not contributors:
        return Verdict(terms.state_of_nothing(), "Insufficient Data: the query returned no time series", {})
    alarming = sum(each.state == ALARM for each in contributors.values())
    reason = (
        f"{MOST_SHOWN}+ time series evaluated to ALARM"
        if alarming > MOST_SHOWN
        else f"{alarming} out of {len(contributors)} time series evaluated to ALARM"
    )
    return Verdict(ALARM if alarming else OK, reason, contributors)


def changes(before: Contributors, after: Contributors, moment: float) -> Iterator[tuple[str, Contributor]]:
    """The state before, and the contributor now, of each that changed. One without data any more has become OK."""
    for identity, now in after.items():
        was = before[identity].state if identity in before else OK
        if now.state != was:
            yield was, now
    for identity, was_there in before.items():
        if identity not in after and was_there.state == ALARM:
            yield ALARM, Contributor(identity, was_there.attributes, OK, GONE, moment)


def _judged(before: Contributor | None, identity: str, series: Series, terms: Terms, window: Window) -> Contributor:
    was = before.state if before else OK
    # A series has data in some period, so the state is never INSUFFICIENT_DATA.
    state = terms.state_of(series.values) or was
    if before is not None and state == was:
        return before
    reason = terms.reason_of_series(series.values, window, state)
    return Contributor(identity, series.attributes, state, reason, window.end)
