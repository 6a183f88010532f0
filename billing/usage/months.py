"""Limits are per month, counted from a day: that of the billing cycle, or the first (UTC)."""

import calendar
from datetime import UTC, datetime

Period = tuple[datetime, datetime]


def month_of(anchor: datetime, at: datetime) -> Period:
    """Return start and end of the month around `at`, counted from `anchor`: 31 January, 28 February, 31 March."""
    months = (at.year - anchor.year) * 12 + at.month - anchor.month
    if _months_after(anchor, months) > at:
        months -= 1
    return _months_after(anchor, max(months, 0)), _months_after(anchor, max(months, 0) + 1)


def _months_after(anchor: datetime, months: int) -> datetime:
    """Return the same day of a later month, or its last day if that month is shorter."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    return anchor.replace(year=year, month=month + 1, day=day)


def month_start(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
