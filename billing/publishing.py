"""The default plans at Stripe: one product a plan, one price an interval, with an amount in every currency.

What exists there already, found by lookup key, is only read: amounts are staff's to change once they are published.
"""

from dataclasses import dataclass
from typing import Any

from billing import catalogue, stripe_client
from billing.catalogue import DefaultPlan, lookup_key
from billing.models import Plan, Price

LOOKUP_KEYS_A_CALL = 10


@dataclass
class Published:
    products: int = 0
    made: int = 0
    found: int = 0


def publish() -> Published:
    """Make what is missing at Stripe, and write the prices down here. Raises `StripeUnavailable`, `StripeRefused`."""
    done = Published()
    found = existing(_keys())
    for plan in _plans():
        _publish(plan, found, done)
    return done


def missing() -> list[str]:
    """Lookup keys of the prices that `publish` would make, or write down here."""
    found, here = existing(_keys()), set(Price.objects.values_list("pk", flat=True))
    return [key for key in _keys() if key not in found or found[key]["id"] not in here]


def _plans() -> list[DefaultPlan]:
    slugs = set(Plan.objects.values_list("slug", flat=True))
    return [plan for plan in catalogue.DEFAULT_PLANS if plan.prices and plan.slug in slugs]


def _keys() -> list[str]:
    return [lookup_key(plan.slug, interval) for plan in _plans() for interval in plan.prices]


def _publish(plan: DefaultPlan, existing: dict[str, dict[str, Any]], done: Published) -> None:
    for interval in plan.prices:
        price = existing.get(lookup_key(plan.slug, interval))
        if price is None:
            price = _make_price(plan, interval, _product(plan, existing, done))
            existing[lookup_key(plan.slug, interval)] = price
            done.made += 1
        else:
            done.found += 1
        catalogue.refresh(price)


def existing(keys: list[str]) -> dict[str, dict[str, Any]]:
    """Lookup key → Stripe's price, archived ones too: an archived price is not made again."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(keys), LOOKUP_KEYS_A_CALL):
        some = keys[start : start + LOOKUP_KEYS_A_CALL]
        prices = stripe_client.get("/v1/prices", lookup_keys=some, expand=["data.currency_options"], limit=100)
        found |= {price["lookup_key"]: price for price in prices["data"]}
    return found


def _product(plan: DefaultPlan, existing: dict[str, dict[str, Any]], done: Published) -> str:
    """The product of the plan's other price; else a new one."""
    for interval in plan.prices:
        if price := existing.get(lookup_key(plan.slug, interval)):
            return str(price["product"])
    made = stripe_client.post(
        "/v1/products",
        idempotency_key=f"publish:product:{plan.slug}",
        name=plan.name,
        description=plan.description,
        metadata={"billing_plan": plan.slug},
    )
    done.products += 1
    return str(made["id"])


def _make_price(plan: DefaultPlan, interval: str, product: str) -> dict[str, Any]:
    (currency, amount), *others = plan.prices[interval].items()
    return stripe_client.post(
        "/v1/prices",
        idempotency_key=f"publish:price:{lookup_key(plan.slug, interval)}:{product}",
        product=product,
        lookup_key=lookup_key(plan.slug, interval),
        currency=currency,
        unit_amount=amount,
        currency_options={other: {"unit_amount": value} for other, value in others},
        recurring={"interval": interval},
        metadata={"billing_plan": plan.slug},
        expand=["currency_options"],
    )
