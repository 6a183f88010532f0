"""Days on the pages are those of the site's time zone, as readers of the active language write them."""

from datetime import datetime

from billing.localized import day

__all__ = ["day", "period"]


def period(start: datetime, end: datetime) -> str:
    return f"{day(start)} – {day(end)}"
