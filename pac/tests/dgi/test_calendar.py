from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pac.dgi.calendar import (
    PANAMA,
    add_business_days,
    noon_panama,
    panama_date,
    panama_isoformat,
)

FRIDAY = date(2026, 3, 6)


def test_the_evening_in_panama_is_the_next_day_in_utc():
    assert panama_date(datetime(2026, 1, 1, 4, 59, 59, tzinfo=UTC)) == date(2025, 12, 31)
    assert panama_date(datetime(2026, 1, 1, 5, 0, 0, tzinfo=UTC)) == date(2026, 1, 1)


def test_panama_has_no_summer_time():
    offsets = {datetime(2026, month, 1, tzinfo=PANAMA).utcoffset() for month in range(1, 13)}
    assert offsets == {timedelta(hours=-5)}


def test_times_are_written_in_panama_time_with_whole_seconds():
    moment = datetime(2026, 3, 1, 15, 15, 0, 999_999, tzinfo=UTC)
    assert panama_isoformat(moment) == "2026-03-01T10:15:00-05:00"
    tokyo = timezone(timedelta(hours=9))
    assert panama_isoformat(datetime(2026, 3, 2, tzinfo=tokyo)) == "2026-03-01T10:00:00-05:00"


@pytest.mark.parametrize("function", [panama_date, panama_isoformat])
def test_a_moment_without_time_zone_is_refused(function):
    with pytest.raises(ValueError, match="no time zone"):
        function(datetime(2026, 3, 1))  # noqa: DTZ001


def test_noon_is_noon_in_panama():
    assert noon_panama(FRIDAY) == datetime(2026, 3, 6, 17, tzinfo=UTC)
    assert panama_isoformat(noon_panama(FRIDAY)) == "2026-03-06T12:00:00-05:00"


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        (FRIDAY, 0, FRIDAY),
        (FRIDAY, 1, date(2026, 3, 9)),
        (FRIDAY, 2, date(2026, 3, 10)),
        (FRIDAY, 5, date(2026, 3, 13)),
        (date(2026, 3, 7), 0, date(2026, 3, 7)),
        (date(2026, 3, 7), 1, date(2026, 3, 9)),
        (date(2026, 3, 8), 2, date(2026, 3, 10)),
        (date(2026, 3, 4), 2, FRIDAY),
        (date(2026, 12, 31), 1, date(2027, 1, 1)),
    ],
)
def test_business_days_skip_the_weekend(day, n, expected):
    assert add_business_days(day, n) == expected


def test_business_days_are_not_counted_backwards():
    with pytest.raises(ValueError, match="-1 business days"):
        add_business_days(FRIDAY, -1)


@given(st.dates(max_value=date(9000, 1, 1)), st.integers(1, 60))
def test_the_days_counted_are_the_business_days_passed(day, n):
    end = add_business_days(day, n)
    passed = (day + timedelta(days=step) for step in range(1, (end - day).days + 1))
    assert end.isoweekday() <= 5
    assert sum(each.isoweekday() <= 5 for each in passed) == n


@given(st.dates(min_value=date(2, 1, 1), max_value=date(9998, 1, 1)))
def test_noon_belongs_to_its_own_day(day):
    assert panama_date(noon_panama(day).astimezone(UTC)) == day
