"""The card that will be charged: what is shown of it, and the last day it works."""

from calendar import monthrange
from datetime import date
from typing import Any

from billing.stripe_client import id_of, readers

UNKNOWN: dict[str, Any] = {"card_brand": "", "card_last4": "", "card_expires_on": None}


def card_columns(found: dict[str, Any]) -> dict[str, Any]:
    """Of a subscription with its own and its customer's default payment method expanded: brand, last four digits and
    expiry, empty where no card is charged. Nothing where they were not expanded, so that what we know stays."""
    method = payment_method_of(found)
    if isinstance(method, str):
        return {}
    card = (method or {}).get("card")
    if not card:
        return UNKNOWN
    return {
        "card_brand": str(card["brand"])[:20],
        "card_last4": str(card["last4"])[:4],
        "card_expires_on": _last_day(card["exp_year"], card["exp_month"]),
    }


def payment_method_of(found: dict[str, Any]) -> dict[str, Any] | str | None:
    """The subscription's own payment method, else an older source, else the customer's; an id where not expanded."""
    method = found["default_payment_method"] or id_of(found.get("default_source")) or None
    customer = found["customer"]
    if method or not isinstance(customer, dict):
        return method or customer
    return readers.default_payment_method_of(customer)


def _last_day(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])
