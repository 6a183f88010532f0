"""Billing periods count months from the anchor, so that the 31st comes back after February."""

import calendar
from datetime import UTC, datetime, timedelta
from typing import Any

DAY = 86400


def add(anchor: int, interval: str, count: int) -> int:
    """Return the instant `count` intervals after the anchor; a day that the month lacks becomes its last one."""
    if interval in ("day", "week"):
        return anchor + count * (DAY if interval == "day" else 7 * DAY)
    start = datetime.fromtimestamp(anchor, UTC)
    months = start.year * 12 + start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = divmod(months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def end_of(anchor: int, start: int, recurring: dict[str, Any]) -> int:
    """Return the first instant of the anchor's rhythm after `start`."""
    return add(anchor, recurring["interval"], _steps(anchor, start, recurring) * recurring["interval_count"])


def around(anchor: int, instant: int, recurring: dict[str, Any]) -> tuple[int, int]:
    """Return the period of the anchor's rhythm that an instant falls into."""
    interval, count = recurring["interval"], recurring["interval_count"]
    steps = _steps(anchor, instant, recurring)
    return add(anchor, interval, (steps - 1) * count), add(anchor, interval, steps * count)


def _steps(anchor: int, start: int, recurring: dict[str, Any]) -> int:
    interval, step = recurring["interval"], recurring["interval_count"]
    count = 0
    while add(anchor, interval, (count - 1) * step) > start:
        count -= 1
    if start > anchor:
        longest = {"day": 1, "week": 7, "month": 31, "year": 366}[interval] * step * DAY
        count = (start - anchor) // longest
    while add(anchor, interval, count * step) <= start:
        count += 1
    return count


def day(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%-d %b %Y}"


def days(count: float) -> int:
    return int(timedelta(days=count).total_seconds())
