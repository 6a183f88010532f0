"""Add-ons are bought with a plan, as further lines of its Checkout."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from billing import catalogue
from billing.models import AddOn, CheckoutAttempt, Price

from .add_on_rules import add_on_named, check_offered
from .refusals import AddOnNotOffered


def checked(add_ons: Mapping[str, int], price: Price, currency: str) -> dict[str, int]:
    """Return what is bought of add-ons, without those of which none is. Raises `AddOnNotOffered`."""
    wanted = dict(sorted((slug, quantity) for slug, quantity in add_ons.items() if quantity))
    for slug, quantity in wanted.items():
        if quantity < 0:
            raise AddOnNotOffered(_("Choose a number that is not below 0."))
        check_offered(add_on_named(slug), price, currency or price.currency, quantity)
    return wanted


def line_items(attempt: CheckoutAttempt) -> list[dict[str, Any]]:
    """Return the line of each add-on. One that is no longer sold by then is left out."""
    rows = AddOn.objects.filter(slug__in=attempt.add_ons).prefetch_related("prices") if attempt.add_ons else ()
    currency = attempt.currency or attempt.price.currency
    sold = [(row.slug, catalogue.add_ons.price_for(row, attempt.price.cadence, currency)) for row in rows]
    return [{"price": price.pk, "quantity": attempt.add_ons[slug]} for slug, price in sold if price]
