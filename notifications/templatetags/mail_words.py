"""Amounts and dates in the words of the active language."""

from datetime import datetime

from babel.dates import format_date
from django import template
from django.utils import timezone
from django.utils.translation import get_language

from billing.money import DEFAULT_LOCALE, format_amount, locale_of

register = template.Library()


@register.filter
def money(minor: int, currency: str) -> str:
    """`{{ amount|money:currency }}`: minor units, as Stripe counts them."""
    return format_amount(minor, currency, _language())


@register.filter
def day(iso: str) -> str:
    """`{{ ends_at|day }}`: the date of an ISO time where we are; nothing where there is none."""
    if not iso:
        return ""
    at = timezone.localtime(datetime.fromisoformat(iso))
    return format_date(at, "long", locale=locale_of(_language()))


def _language() -> str:
    return get_language() or DEFAULT_LOCALE
