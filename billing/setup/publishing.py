"""Plans are published at Stripe: one product per plan, one price per cadence, with an amount in every currency.

Prices that exist, found by lookup key, are only read: staff may change amounts once they are published. If the
settings define the plans, a price that differs gives its lookup key to a new one, and is archived if we made it.
Subscribers who pay it keep paying it.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from billing import catalogue, stripe_client
from billing.cadence import Cadence
from billing.catalogue import PlanDefinition, definitions, lookup_key
from billing.models import Plan, Price
from billing.stripe_client import fetch, id_of, readers

from . import taxing

LOOKUP_KEYS_A_CALL = 10
MARK = taxing.MARK
EXPAND = [f"data.{name}" for name in fetch.PRICE_EXPAND]


@dataclass
class Published:
    products: int = 0
    made: int = 0
    found: int = 0


def publish() -> Published:
    """Make what is missing at Stripe, and store the prices here. Raises `StripeUnavailable`, `StripeRefused`."""
    done = Published()
    found = existing(_keys())
    for plan in _plans():
        _publish(plan, found, done)
    return done


def missing() -> list[str]:
    """Return the lookup keys of prices that `publish` would make or store here."""
    here = set(Price.objects.values_list("pk", flat=True))
    found = existing(_keys())
    return [
        lookup_key(plan.slug, cadence)
        for plan in _plans()
        for cadence in plan.cadences
        if (price := _as_stated(plan, cadence, found)) is None or price["id"] not in here
    ]


def _plans() -> list[PlanDefinition]:
    slugs = set(Plan.objects.values_list("slug", flat=True))
    return [plan for plan in definitions.defined_plans() if plan.prices and plan.slug in slugs]


def _keys() -> list[str]:
    return [lookup_key(plan.slug, cadence) for plan in _plans() for cadence in plan.cadences]


def _publish(plan: PlanDefinition, existing: dict[str, dict[str, Any]], done: Published) -> None:
    for cadence in plan.cadences:
        key = lookup_key(plan.slug, cadence)
        price = _as_stated(plan, cadence, existing)
        if price is None:
            before, price = existing.get(key), _make_price(plan, cadence, _product(plan, existing, done), existing)
            existing[key] = price
            done.made += 1
            if before:
                _archive(before)
        else:
            done.found += 1
        catalogue.record_price(price)


def _as_stated(plan: PlanDefinition, cadence: Cadence, existing: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """Return the existing price; None if the settings define the plans and the price differs."""
    price = existing.get(lookup_key(plan.slug, cadence))
    if price is None or not definitions.is_from_settings():
        return price
    stated, recurring = plan.cadences[cadence], price["recurring"]
    if not taxing.may_stay(price):
        return None
    amounts = {currency: option["unit_amount"] for currency, option in price["currency_options"].items()}
    is_stated = amounts == stated and price["currency"] == next(iter(stated))
    is_stated &= (recurring["interval"], recurring["interval_count"]) == (cadence.interval, cadence.count)
    return price if is_stated and price["active"] else None


def _archive(price: dict[str, Any]) -> None:
    """Archive the price if we made it. Any other has lost its lookup key, which is enough."""
    if MARK in readers.metadata_of(price):
        key = f"publish:archive:{price['id']}"
        catalogue.record_price(stripe_client.post(f"/v1/prices/{price['id']}", idempotency_key=key, active=False))


def existing(keys: list[str]) -> dict[str, dict[str, Any]]:
    """Return lookup key → Stripe's price, including archived ones: an archived price is not made again."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(keys), LOOKUP_KEYS_A_CALL):
        some = keys[start : start + LOOKUP_KEYS_A_CALL]
        prices = stripe_client.get("/v1/prices", lookup_keys=some, expand=EXPAND, limit=100)
        found |= {price["lookup_key"]: price for price in prices["data"]}
    return found


def existing_of_ours() -> dict[str, dict[str, Any]]:
    """Return lookup key → Stripe's price, of the plans that are defined."""
    return existing(_keys())


def _product(plan: PlanDefinition, existing: dict[str, dict[str, Any]], done: Published) -> str:
    """Return the product of the plan's other price, or make one."""
    for cadence in plan.cadences:
        if price := existing.get(lookup_key(plan.slug, cadence)):
            return id_of(price["product"])
    digest = hashlib.sha256(repr((plan.name, plan.description)).encode()).hexdigest()[:12]
    made = stripe_client.post(
        "/v1/products",
        idempotency_key=f"publish:product:{plan.slug}:{digest}{taxing.key(plan.slug)}",  # a renamed plan gets a new key
        name=plan.name,
        description=plan.description,
        metadata={MARK: plan.slug},
        **taxing.of_product(plan.slug),
    )
    done.products += 1
    return str(made["id"])


def _make_price(
    plan: PlanDefinition, cadence: Cadence, product: str, existing: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    (currency, amount), *others = plan.cadences[cadence].items()
    key = lookup_key(plan.slug, cadence)
    instead_of = f":{existing[key]['id']}" if key in existing else ""
    return stripe_client.post(
        "/v1/prices",
        idempotency_key=f"publish:price:{key}:{product}{instead_of}{taxing.key(plan.slug)}",
        product=product,
        lookup_key=key,
        transfer_lookup_key=True,
        currency=currency,
        unit_amount=amount,
        currency_options={other: {"unit_amount": value, **taxing.of_price()} for other, value in others},
        recurring={"interval": cadence.interval, "interval_count": cadence.count},
        metadata={MARK: plan.slug},
        **taxing.of_price(),
        expand=fetch.PRICE_EXPAND,
    )
