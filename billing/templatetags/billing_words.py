"""`{% load billing_words %}` writes days and names as readers of the active language write them."""

from datetime import datetime

from django import template

from billing import localized

register = template.Library()


@register.filter
def own_words(text: str) -> str:
    """Write the name of what is sold in the reader's language, where a catalogue has it."""
    return localized.own_words(text)


@register.filter
def day(at: datetime | None) -> str:
    """Write "December 1, 2026", for a sentence; nothing without a date."""
    return localized.day(at) if at else ""


@register.filter
def short_day(at: datetime | None) -> str:
    """Write "Dec 1, 2026", for a table; nothing without a date."""
    return localized.short_day(at) if at else ""


@register.filter
def short_moment(at: datetime | None) -> str:
    """Write "Dec 1, 2026, 2:30 PM UTC"; nothing without a date."""
    return localized.short_moment(at) if at else ""
