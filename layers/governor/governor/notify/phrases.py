"""Times, amounts and lists, as messages have them."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from governor.usage.measures import PER_VCPU, Measure

MOST_LINES = 10
"""Of a list in a message; what is beyond is counted."""
MOST_CHARACTERS = 100
"""Of a subject: what SNS takes for an e-mail."""
_UNITS: dict[Measure, str] = {
    "Accelerators": "accelerator",
    "AcceleratorPartitions": "accelerator partition",
    "VCpus": "vCPU",
}


def moment(at: datetime) -> str:
    """A time with its day."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def clock(at: datetime, now: datetime) -> str:
    """A time; with its day, if that is another one."""
    return f"{at:%H:%M} UTC" if at.date() == now.date() else moment(at)


def length(seconds: float) -> str:
    """', 1 h 10 min', or nothing below a minute."""
    minutes = int(seconds) // 60
    if minutes < 1:
        return ""
    return f", {minutes // 60} h {minutes % 60} min" if minutes >= 60 else f", {minutes} min"


def ordinal(number: int) -> str:
    """'2nd'."""
    teen = 10 <= number % 100 <= 20
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def quantity(measure: Measure, amount: int) -> str:
    """'2 accelerators'; vCPU come in thousandths."""
    number = amount / PER_VCPU if measure == "VCpus" else amount
    return f"{number:.10g} {_UNITS[measure]}{'' if number == 1 else 's'}"


def listed(title: str, items: Iterable[str], most: int = MOST_LINES) -> Iterator[str]:
    """A title and what is below it; nothing for no items."""
    found = list(items)
    if not found:
        return
    yield f"{title}:"
    yield from (f"  - {item}" for item in found[:most])
    if len(found) > most:
        yield f"  - and {len(found) - most} more"


def subject(headline: str) -> str:
    """A line of ASCII that SNS takes."""
    text = f"HyperPod Governor: {headline}"
    plain = "".join(char if " " <= char <= "~" else "?" for char in text)
    return plain if len(plain) <= MOST_CHARACTERS else f"{plain[: MOST_CHARACTERS - 3]}..."
