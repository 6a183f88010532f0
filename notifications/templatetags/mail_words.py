"""These filters write amounts, dates and names in the active language, for HTML and for plain text."""

import unicodedata
from datetime import datetime

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.translation import gettext, ngettext

from billing import localized

register = template.Library()

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
FROM_RIGHT_TO_LEFT = frozenset({"R", "AL"})


@register.filter
def money(minor: int, currency: str) -> str:
    """Write an amount in minor units: `{{ amount|money:currency }}`."""
    return localized.amount(minor, currency)


@register.filter
def day(iso: str) -> str:
    """Write the date of an ISO time in our time zone, or an ISO date: `{{ ends_at|day }}`. Without a date it writes
    nothing."""
    if not iso:
        return ""
    at = datetime.fromisoformat(iso)
    return localized.day(at)


@register.filter
def less(amount: str) -> str:
    """Write an amount that is taken off: `{{ saves|money:currency|less }}`."""
    return f"\u2212{amount}"


@register.filter
def number(count: int) -> str:
    return localized.number(count)


@register.filter
def per(amount: str, every: str) -> str:
    """Write how often a price is charged: `{{ charge|money:currency|per:every }}`; `every` is "month" or "3 month"."""
    times, _, interval = every.rpartition(" ")
    count = int(times or 1)
    once = {
        "day": gettext("%(amount)s a day"),
        "week": gettext("%(amount)s a week"),
        "month": gettext("%(amount)s a month"),
        "year": gettext("%(amount)s a year"),
    }
    more = {
        "day": ngettext("%(amount)s every %(count)d day", "%(amount)s every %(count)d days", count),
        "week": ngettext("%(amount)s every %(count)d week", "%(amount)s every %(count)d weeks", count),
        "month": ngettext("%(amount)s every %(count)d month", "%(amount)s every %(count)d months", count),
        "year": ngettext("%(amount)s every %(count)d year", "%(amount)s every %(count)d years", count),
    }
    return (once if count == 1 else more)[interval] % {"amount": amount, "count": count}


@register.filter(needs_autoescape=True)
def plan_name(name: str, autoescape: bool = True) -> str:
    """Write the plan's name, or "your plan". A name written from right to left is set apart, by an element in HTML and
    by characters in text, so that it does not turn the words beside it."""
    name = localized.own_words(name) or gettext("your plan")
    if autoescape:
        return format_html("<bdi>{}</bdi>", name)
    is_turned = any(unicodedata.bidirectional(letter) in FROM_RIGHT_TO_LEFT for letter in name)
    return f"{FIRST_STRONG_ISOLATE}{name}{POP_ISOLATE}" if is_turned else name


@register.filter(needs_autoescape=True)
def strong(words: str, autoescape: bool = True) -> str:
    """Emphasise the words in HTML."""
    return format_html('<span class="strong">{}</span>', conditional_escape(words)) if autoescape else words


@register.filter
def colon(label: str) -> str:
    """Add a colon to a label, with the space that the language wants."""
    return gettext("%(label)s:") % {"label": label}


@register.filter
def underlined(heading: str) -> str:
    return f"{heading}\n{'=' * len(heading)}"
