"""Add-ons are published at Stripe: one product each, and one price per interval, with an amount in every currency.

A price that exists, found by lookup key `addon_{slug}_{interval}`, is only read, unless BILLING_ADD_ONS states other
amounts: then a new one takes over its lookup key, and it is archived if we made it and nobody pays it. Whoever does
keeps paying it, and Stripe takes no archived price in a schedule.
"""

import hashlib
from typing import Any

from billing import stripe_client
from billing.cadence import Cadence
from billing.catalogue import add_ons
from billing.catalogue.add_ons import MARK, AddOnDefinition, lookup_key
from billing.conf import conf
from billing.models import AddOn, AddOnPrice, SubscriptionItem
from billing.stripe_client import fetch, id_of, readers

from . import taxing
from .publishing import existing

Found = dict[str, dict[str, Any]]


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


def _as_stated(add_on: AddOnDefinition, cadence: Cadence, found: Found) -> dict[str, Any] | None:
    """Return the existing price; None if there is none, or BILLING_ADD_ONS states another."""
    price = found.get(lookup_key(add_on.slug, cadence))
    if price is None or conf.add_ons is None:
        return price
    stated = add_on.cadences[cadence]
    amounts = {currency: option["unit_amount"] for currency, option in price["currency_options"].items()}
    is_same = amounts == stated and price["currency"] == next(iter(stated)) and taxing.may_stay(price)
    return price if is_same and price["active"] else None


def _replace(add_on: AddOnDefinition, cadence: Cadence, found: Found) -> dict[str, Any]:
    """Make the price, and archive the one before if we made it and nobody pays it."""
    key = lookup_key(add_on.slug, cadence)
    before = found.get(key)
    price = found[key] = _make(add_on, cadence, _product(add_on, found), before)
    is_paid = before is not None and SubscriptionItem.objects.filter(stripe_price=before["id"]).exists()
    if before and MARK in readers.metadata_of(before) and not is_paid:
        archived = stripe_client.post(
            f"/v1/prices/{before['id']}", idempotency_key=f"publish:archive:{before['id']}", active=False
        )
        add_ons.record_price(archived)
    return price


def _make(add_on: AddOnDefinition, cadence: Cadence, product: str, before: dict[str, Any] | None) -> dict[str, Any]:
    (currency, amount), *others = add_on.cadences[cadence].items()
    key = lookup_key(add_on.slug, cadence)
    instead_of = f":{before['id']}" if before else ""
    return stripe_client.post(
        "/v1/prices",
        idempotency_key=f"publish:price:{key}:{product}{instead_of}{taxing.key(add_on.slug)}",
        product=product,
        lookup_key=key,
        transfer_lookup_key=True,
        currency=currency,
        unit_amount=amount,
        currency_options={other: {"unit_amount": value, **taxing.of_price()} for other, value in others},
        recurring={"interval": cadence.interval, "interval_count": cadence.count},
        metadata={MARK: add_on.slug},
        **taxing.of_price(),
        expand=fetch.PRICE_EXPAND,
    )


def _product(add_on: AddOnDefinition, found: Found) -> str:
    """Return the product of the add-on's other price, or make one."""
    for cadence in add_on.cadences:
        if price := found.get(lookup_key(add_on.slug, cadence)):
            return id_of(price["product"])
    digest = hashlib.sha256(repr((add_on.name, add_on.description)).encode()).hexdigest()[:12]
    made = stripe_client.post(
        "/v1/products",
        idempotency_key=f"publish:add_on:{add_on.slug}:{digest}{taxing.key(add_on.slug)}",
        **taxing.of_product(add_on.slug),
        name=add_on.name,
        metadata={MARK: add_on.slug},
        **({"description": add_on.description} if add_on.description else {}),
    )
    return str(made["id"])
