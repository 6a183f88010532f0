"""Packs are published at Stripe: one product and one one-off price each, with an amount in every currency.

A price that exists, found by lookup key `pack_{slug}`, is only read, unless BILLING_PACKS states other amounts: then a
new one takes over its lookup key, and it is archived if we made it.
"""

import hashlib
from typing import Any

from billing import stripe_client
from billing.catalogue import packs
from billing.catalogue.packs import PackDefinition
from billing.conf import conf
from billing.models import Pack
from billing.stripe_client import id_of, readers

from . import taxing
from .publishing import existing

MARK = "billing_pack"
EXPAND = ["currency_options"]


def missing() -> list[str]:
    """Return the lookup keys of prices that `publish` would make or store here."""
    found = existing([pack.key for pack in _stated()])
    here = dict(Pack.objects.values_list("slug", "price_id"))
    return [
        pack.key
        for pack in _stated()
        if (price := _as_stated(pack, found)) is None or price["id"] != here.get(pack.slug)
    ]


def publish() -> None:
    """Make the packs here, and at Stripe what is missing. Raises `StripeUnavailable`, `StripeRefused`."""
    packs.update_packs()
    found = existing([pack.key for pack in _stated()])
    for pack in _stated():
        price = _as_stated(pack, found)
        if price is None:
            before = found.get(pack.key)
            price = _make(pack, before)
            if before and MARK in readers.metadata_of(before):
                key = f"publish:archive:{before['id']}"
                stripe_client.post(f"/v1/prices/{before['id']}", idempotency_key=key, active=False)
        packs.record_price(pack, price)


def _stated() -> list[PackDefinition]:
    return [pack for pack in packs.stated() if pack.prices]


def _as_stated(pack: PackDefinition, found: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """Return the existing price; None if there is none, or BILLING_PACKS states another."""
    price = found.get(pack.key)
    if price is None or conf.packs is None:
        return price
    amounts = {currency: option["unit_amount"] for currency, option in price["currency_options"].items()}
    return price if amounts == pack.prices and price["active"] else None


def _make(pack: PackDefinition, before: dict[str, Any] | None) -> dict[str, Any]:
    product = id_of(before["product"]) if before else _product(pack)
    (currency, amount), *others = pack.prices.items()
    instead_of = f":{before['id']}" if before else ""
    return stripe_client.post(
        "/v1/prices",
        idempotency_key=f"publish:price:{pack.key}:{product}{instead_of}{taxing.key(pack.slug)}",
        product=product,
        lookup_key=pack.key,
        transfer_lookup_key=True,
        currency=currency,
        unit_amount=amount,
        currency_options={other: {"unit_amount": value, **taxing.of_price()} for other, value in others},
        **taxing.of_price(),
        metadata={MARK: pack.slug},
        expand=EXPAND,
    )


def _product(pack: PackDefinition) -> str:
    digest = hashlib.sha256(repr((pack.name, pack.description)).encode()).hexdigest()[:12]
    made = stripe_client.post(
        "/v1/products",
        idempotency_key=f"publish:pack:{pack.slug}:{digest}{taxing.key(pack.slug)}",
        **taxing.of_product(pack.slug),
        name=pack.name,
        metadata={MARK: pack.slug},
        **({"description": pack.description} if pack.description else {}),
    )
    return str(made["id"])
