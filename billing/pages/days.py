"""Days on the pages are those of the site's time zone, in the language of the pages."""

from datetime import datetime

from django.utils import timezone, translation
from django.utils.formats import date_format

LANGUAGE = "en"


def day(at: datetime, pattern: str = "j F Y") -> str:
    """Return "1 December 2026", whatever language the request asked for."""
    with translation.override(LANGUAGE):
        return date_format(timezone.localtime(at), pattern)


def period(start: datetime, end: datetime) -> str:
    return f"{day(start, 'j M Y')} – {day(end, 'j M Y')}"
