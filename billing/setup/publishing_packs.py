"""Packs are published at Stripe: one product and one one-off price each, with an amount in every currency.

A price that exists, found by lookup key `pack_{slug}`, is only read, unless BILLING_PACKS states other amounts: then a
new one takes over its lookup key, and it is archived if we made it.
"""

from billing.catalogue import packs
from billing.catalogue.packs import PackDefinition
from billing.conf import conf
from billing.models import Pack
from billing.stripe_client import id_of

from .selling_at_stripe import StripePrice, amounts_of, archive, existing, make_price, make_product

MARK = "billing_pack"


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
            archive(before, MARK)
        packs.record_price(pack, price)


def _stated() -> list[PackDefinition]:
    return [pack for pack in packs.stated() if pack.prices]


def _as_stated(pack: PackDefinition, found: dict[str, StripePrice]) -> StripePrice | None:
    """Return the existing price; None if there is none, or BILLING_PACKS states another."""
    price = found.get(pack.key)
    if price is None or conf.packs is None:
        return price
    return price if amounts_of(price) == pack.prices and price["active"] else None


def _make(pack: PackDefinition, before: StripePrice | None) -> StripePrice:
    product = id_of(before["product"]) if before else _product(pack)
    return make_price(pack.key, pack.slug, MARK, product, pack.prices, before)


def _product(pack: PackDefinition) -> str:
    return make_product(f"pack:{pack.slug}", pack.slug, MARK, pack.name, pack.description)
