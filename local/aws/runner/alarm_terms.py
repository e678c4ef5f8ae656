"""When a series of datapoints is in ALARM: threshold, M of N periods, and what missing data means."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from types import MappingProxyType
from typing import Any

ALARM, OK, INSUFFICIENT = "ALARM", "OK", "INSUFFICIENT_DATA"

Values = Sequence[float | None]
"""The datapoints of the evaluated periods, newest first; None where a period has no data."""

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "GreaterThanOrEqualToThreshold": ge,
        "GreaterThanThreshold": gt,
        "LessThanThreshold": lt,
        "LessThanOrEqualToThreshold": le,
    }
)
_IN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "GreaterThanOrEqualToThreshold": "greater than or equal to",
        "GreaterThanThreshold": "greater than",
        "LessThanThreshold": "less than",
        "LessThanOrEqualToThreshold": "less than or equal to",
    }
)
_TREATED_AS = MappingProxyType({"breaching": "Breaching", "notBreaching": "NonBreaching"})


@dataclass(frozen=True, slots=True)
class Window:
    """The evaluated periods; they end at `end`. In real seconds, however fast the clock of the alarms runs."""

    end: float
    period: float
    count: int

    def number(self, moment: float) -> int | None:
        """Which period a moment is in, the newest being 0; None when it is in none."""
        number = (self.end - moment) // self.period
        return int(number) if 0 <= number < self.count else None

    def highest(self, points: Iterable[tuple[float, float]]) -> list[float | None]:
        """The highest value in each period, of points with a moment and a value."""
        values: list[float | None] = [None] * self.count
        for moment, value in points:
            number = self.number(moment)
            if number is not None:
                before = values[number]
                values[number] = value if before is None else max(before, value)
        return values


@dataclass(frozen=True, slots=True)
class Terms:
    """What an alarm says of one series."""

    comparison: str
    threshold: float
    periods: int
    needed: int
    missing: str

    @classmethod
    def of(cls, alarm: Mapping[str, Any]) -> "Terms":
        periods = alarm["EvaluationPeriods"]
        needed = alarm.get("DatapointsToAlarm") or periods
        missing = alarm.get("TreatMissingData") or "missing"
        return cls(alarm["ComparisonOperator"], alarm["Threshold"], periods, needed, missing)

    def breaches(self, value: float) -> bool:
        return COMPARISONS[self.comparison](value, self.threshold)

    def state_of(self, values: Values) -> str | None:
        """The state that the datapoints ask for; None to keep the one there is."""
        known = [value for value in values if value is not None]
        missing = len(values) - len(known)
        breaching = sum(map(self.breaches, known)) + (missing if self.missing == "breaching" else 0)
        if breaching >= self.needed:
            return ALARM
        return self.state_of_nothing() if not known else OK

    def state_of_nothing(self) -> str | None:
        """The state where there is no data at all; None to keep the one there is."""
        states = {"breaching": ALARM, "notBreaching": OK, "missing": INSUFFICIENT}
        return states.get(self.missing)

    def reason_of(self, values: Values) -> str:
        """Why a metric's alarm is in the state that `state_of` gives, with all datapoints."""
        shown = [f"{value:g}" if value is not None else "no data" for value in values]
        breaching = sum(self.breaches(value) for value in values if value is not None)
        return (
            f"Threshold Crossed: {breaching} of {len(values)} datapoints [{', '.join(shown)}] breach "
            f"{self.comparison} {self.threshold:g}."
        )

    def reason_of_series(self, values: Values, window: Window, state: str) -> str:
        """Why one of several series is in that state: as short as CloudWatch says it of a contributor."""
        deciding = [
            (number, value)
            for number, value in enumerate(values)
            if value is not None and self.breaches(value) == (state == ALARM)
        ]
        if not deciding:
            missing = sum(value is None for value in values)
            treated = f"treated as [{_TREATED_AS.get(self.missing, 'Missing')}]"
            return (
                f"Threshold Crossed: no datapoints were received for {_counted(missing, 'period')} and "
                f"{_counted(missing, 'missing datapoint')} {_were(missing)} {treated}."
            )
        number, newest = deciding[0]
        at = datetime.fromtimestamp(window.end - (number + 1) * window.period, UTC)
        negation = "" if state == ALARM else "not "
        return (
            f"Threshold Crossed: {_counted(len(deciding), 'datapoint')} {_were(len(deciding))} {negation}"
            f"{_IN_WORDS[self.comparison]} the threshold ({self.threshold:.1f}). The most recent datapoint which "
            f"crossed the threshold: [{newest:.1f} ({at:%d/%m/%y %H:%M:%S})]."
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
