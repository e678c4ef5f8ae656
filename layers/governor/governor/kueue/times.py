"""Times of RFC 3339, as Kubernetes writes them and a policy may, in whole seconds since 1970."""

import re

_PATTERN = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,9})?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS_IN_400_YEARS = 146_097


def seconds(text: object) -> int:
    """Seconds since 1970, without their fraction. Raises ValueError."""
    found = _PATTERN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("expected a time such as 2026-11-24T03:51:21Z")
    year, month, day, hour, minute, second = (int(each) for each in found.groups()[:6])
    ahead = int(found[8] or 0), int(found[9] or 0)
    if not 1 <= month <= 12 or not 1 <= day <= _days_in(year, month):
        raise ValueError("expected a day that there is")
    if hour > 23 or minute > 59 or second > 59 or ahead[0] > 23 or ahead[1] > 59:
        raise ValueError("expected a time of day")
    east = -60 if found[7] == "-" else 60
    return ((_day(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - (ahead[0] * 60 + ahead[1]) * east


def in_utc(moment: int) -> str:
    """The time of so many seconds since 1970, such as 2026-11-24T03:51:21Z; of the years 1 to 9999."""
    minutes, second = divmod(moment, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    year = 1969 + days * 400 // _DAYS_IN_400_YEARS  # the year before, on average, so never too late
    while _day(year + 1, 1, 1) <= days:
        year += 1
    month, day = 1, days - _day(year, 1, 1) + 1
    while day > _days_in(year, month):
        day -= _days_in(year, month)
        month += 1
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"


def _days_in(year: int, month: int) -> int:
    return _DAYS[month - 1] + (month == 2 and _is_leap(year))


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _day(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01."""
    before = year - 1
    to_year = before * 365 + before // 4 - before // 100 + before // 400
    to_month = sum(_days_in(year, each) for each in range(1, month))
    return to_year + to_month + day - 1 - 719162
