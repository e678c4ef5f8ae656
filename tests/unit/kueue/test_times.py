"""Times of RFC 3339 are read and written without a calendar of Python's; Python's says what is right."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from governor.kueue.times import in_utc, seconds

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=st.just(UTC)))
def test_any_time_in_utc(time: datetime) -> None:
    text = f"{time:%Y}".zfill(4) + f"{time:-%m-%dT%H:%M:%S}"
    expected = int(time.replace(microsecond=0).timestamp())
    assert seconds(f"{text}Z") == seconds(f"{text}.{time:%f}Z") == seconds(f"{text}+00:00") == expected


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=OFFSETS))  # noqa: DTZ001
def test_any_offset(time: datetime) -> None:
    assert seconds(time.replace(microsecond=0).isoformat()) == int(time.replace(microsecond=0).timestamp())


@given(st.datetimes(timezones=st.just(UTC)))
@example(datetime(1, 1, 1, tzinfo=UTC))
@example(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC))
@example(datetime(2000, 2, 29, tzinfo=UTC))
@example(datetime(2100, 12, 31, tzinfo=UTC))
@example(datetime(9999, 12, 31, tzinfo=UTC))
def test_any_time_is_written_as_it_is_read(time: datetime) -> None:
    written = in_utc(int(time.replace(microsecond=0).timestamp()))
    assert datetime.fromisoformat(written) == time.replace(microsecond=0)
    assert in_utc(seconds(written)) == written


NO_TIMES: tuple[object, ...] = (
    *("", "2026-11-24", "2026-11-24T03:51:21", "2026-11-24 03:51:21Z", "2026-11-24T03:51:21Z ", "26-11-24T03:51:21Z"),
    *("2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z"),
    *("2026-01-00T00:00:00Z", "2026-11-24T24:00:00Z", "2026-11-24T00:60:00Z", "2026-11-24T00:00:60Z"),
    *("2026-11-24T00:00:00+24:00", "2026-11-24T00:00:00+0100", "2026-11-24T00:00:00.Z", None, 0, [], b"x"),
)


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time(text: object) -> None:
    with pytest.raises(ValueError, match=r"^expected "):
        seconds(text)
