"""Amounts, numbers, days and percentages are written here as readers of the active language write them.

A language that we have no words for keeps its own dates and amounts. Pages and mails share these functions, so that a
day reads the same on both.
"""

from datetime import date, datetime
from decimal import Decimal

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal, format_percent
from django.utils import timezone
from django.utils.translation import get_language, gettext

from .money import DEFAULT_LOCALE, format_amount, locale_of


def language() -> str:
    """Return the active language in Django's spelling; English where none is active."""
    return get_language() or DEFAULT_LOCALE


def amount(minor: int | Decimal, currency: str) -> str:
    """Return "$20.00", "20,00 $"."""
    return format_amount(minor, currency, language())


def short_amount(minor: int | Decimal, currency: str) -> str:
    """Return an amount without decimals where it is whole: "$20", "20 $", "$19.99"."""
    return format_amount(minor, currency, language(), is_short=True)


def number(count: int | Decimal) -> str:
    """Return "1,000", "1.000"."""
    return str(format_decimal(count, locale=_locale(), decimal_quantization=False))


def percent(share: Decimal | int) -> str:
    """Return "12.5%", "12,5 %"."""
    return str(format_percent(Decimal(share) / 100, locale=_locale(), decimal_quantization=False))


def day(at: datetime | date) -> str:
    """Return "December 1, 2026", "1. Dezember 2026", in the site's time zone."""
    return str(format_date(_date(at), "long", locale=_locale()))


def own_words(text: str) -> str:
    """Return the name or description of what is sold, or of a feature, as a catalogue has it; as it is, where none
    does. Ours have the default plans, packs and add-ons; a project puts its own into its catalogue."""
    return gettext(text) if text else ""


def moment(at: datetime) -> str:
    """Return "December 1, 2026, 2:30 PM UTC"."""
    local = timezone.localtime(at)
    return f"{day(local)}, {format_time(local, 'short', locale=_locale())} {local:%Z}"


def _date(at: datetime | date) -> date:
    if not isinstance(at, datetime):
        return at
    return (timezone.localtime(at) if timezone.is_aware(at) else at).date()


def _locale() -> Locale:
    return locale_of(language())
