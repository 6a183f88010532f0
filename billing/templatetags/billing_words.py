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
    """Write "December 1, 2026"; nothing without a date."""
    return localized.day(at) if at else ""


@register.filter
def moment(at: datetime | None) -> str:
    """Write "December 1, 2026, 2:30 PM UTC"; nothing without a date."""
    return localized.moment(at) if at else ""
