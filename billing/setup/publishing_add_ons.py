"""Add-ons are published at Stripe: one product each, and one price per interval, with an amount in every currency.

A price that exists, found by lookup key `addon_{slug}_{interval}`, is only read, unless BILLING_ADD_ONS states other
amounts: then a new one takes over its lookup key, and it is archived if we made it and nobody pays it. Whoever does
keeps paying it, and Stripe takes no archived price in a schedule.
"""

from billing.cadence import Cadence
from billing.catalogue import add_ons
from billing.catalogue.add_ons import MARK, AddOnDefinition, lookup_key
from billing.conf import conf
from billing.models import AddOn, AddOnPrice, SubscriptionItem
from billing.stripe_client import id_of

from . import taxing
from .selling_at_stripe import StripePrice, amounts_of, archive, existing, make_price, make_product

Found = dict[str, StripePrice]


def missing() -> list[str]:
    """Return the lookup keys of prices that `publish` would make or store here."""
    found, here = existing(_keys()), set(AddOnPrice.objects.values_list("pk", flat=True))
    return [
        lookup_key(add_on.slug, cadence)
        for add_on in _stated()
        for cadence in add_on.cadences
        if (price := _as_stated(add_on, cadence, found)) is None or price["id"] not in here
    ]


def publish() -> None:
    """Make the add-ons here, and at Stripe what is missing. Raises `StripeUnavailable`, `StripeRefused`."""
    add_ons.update_add_ons()
    found = existing(_keys())
    rows = {row.slug: row for row in AddOn.objects.all()}
    for add_on in _stated():
        for cadence in add_on.cadences:
            price = _as_stated(add_on, cadence, found) or _replace(add_on, cadence, found)
            add_ons.record_price(price, rows[add_on.slug])


def _stated() -> list[AddOnDefinition]:
    return [add_on for add_on in add_ons.stated() if add_on.prices]


def _keys() -> list[str]:
    return [lookup_key(add_on.slug, cadence) for add_on in _stated() for cadence in add_on.cadences]


def _as_stated(add_on: AddOnDefinition, cadence: Cadence, found: Found) -> StripePrice | None:
    """Return the existing price; None if there is none, or BILLING_ADD_ONS states another."""
    price = found.get(lookup_key(add_on.slug, cadence))
    if price is None or conf.add_ons is None:
        return price
    stated = add_on.cadences[cadence]
    is_same = amounts_of(price) == stated and price["currency"] == next(iter(stated)) and taxing.may_stay(price)
    return price if is_same and price["active"] else None


def _replace(add_on: AddOnDefinition, cadence: Cadence, found: Found) -> StripePrice:
    """Make the price, and archive the one before if we made it and nobody pays it."""
    key = lookup_key(add_on.slug, cadence)
    before = found.get(key)
    recurring = {"interval": cadence.interval, "interval_count": cadence.count}
    product, amounts = _product(add_on, found), add_on.cadences[cadence]
    price = found[key] = make_price(key, add_on.slug, MARK, product, amounts, before, recurring=recurring)
    is_paid = before is not None and SubscriptionItem.objects.filter(stripe_price=before["id"]).exists()
    if not is_paid and (archived := archive(before, MARK)):
        add_ons.record_price(archived)
    return price


def _product(add_on: AddOnDefinition, found: Found) -> str:
    """Return the product of the add-on's other price, or make one."""
    for cadence in add_on.cadences:
        if price := found.get(lookup_key(add_on.slug, cadence)):
            return id_of(price["product"])
    return make_product(f"add_on:{add_on.slug}", add_on.slug, MARK, add_on.name, add_on.description)
