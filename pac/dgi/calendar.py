"""Dates as the DGI counts them: Panama is UTC-5 all year, without summer time.

No function here reads the clock; the moment is always the caller's.
"""

from datetime import date, datetime, time, timedelta, timezone
from typing import Final

PANAMA: Final = timezone(timedelta(hours=-5), "Panama")

_SATURDAY: Final = 5


def panama_date(moment: datetime) -> date:
    """The date in Panama at this moment. Raises ValueError for a naive datetime."""
    return _in_panama(moment).date()


def panama_isoformat(moment: datetime) -> str:
    """``2026-03-01T10:15:00-05:00``: Panama time, whole seconds (the rest is cut, not rounded).

    Raises ValueError for a naive datetime.
    """
    return _in_panama(moment).isoformat(timespec="seconds")


def noon_panama(day: date) -> datetime:
    """Noon in Panama on that day: the same date in every time zone from UTC-12 to UTC+6."""
    return datetime.combine(day, time(12), PANAMA)


def add_business_days(day: date, n: int) -> date:
    """The n-th business day (Monday to Friday) after ``day``; ``day`` itself where n is 0.

    Public holidays count as business days: the DGI publishes no list of them. Raises ValueError
    for a negative n.
    """
    if n < 0:
        raise ValueError(f"cannot count {n} business days")
    while n > 0:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            n -= 1
    return day


def _in_panama(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(PANAMA)
