"""A subscription's row keeps the brand, last digits and last day of the card that will be charged."""

from calendar import monthrange
from datetime import date
from typing import Any

from billing.stripe_client import id_of, readers

UNKNOWN: dict[str, Any] = {"card_brand": "", "card_last4": "", "card_expires_on": None}


def card_columns(found: dict[str, Any]) -> dict[str, Any]:
    """Return the columns about the card, empty if no card is charged.

    Returns no columns if the payment method of the subscription or its customer was not expanded: what we know stays.
    """
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
    """Return the subscription's own payment method, or an older source, or the customer's; an id if not expanded."""
    method = found["default_payment_method"] or id_of(found.get("default_source")) or None
    customer = found["customer"]
    if method or not isinstance(customer, dict):
        return method or customer
    return readers.default_payment_method_of(customer)


def _last_day(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])
