"""Plans are published at Stripe: one product per plan, one price per cadence, with an amount in every currency.

Prices that exist, found by lookup key, are only read: staff may change amounts once they are published. If the
settings define the plans, a price that differs gives its lookup key to a new one, and is archived if we made it.
Subscribers who pay it keep paying it.
"""

from dataclasses import dataclass

from billing import catalogue
from billing.cadence import Cadence
from billing.catalogue import PlanDefinition, definitions, lookup_key
from billing.models import Plan, Price
from billing.stripe_client import id_of

from . import taxing
from .selling_at_stripe import StripePrice, amounts_of, archive, existing, make_price, make_product

MARK = taxing.MARK


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


def _publish(plan: PlanDefinition, found: dict[str, StripePrice], done: Published) -> None:
    for cadence in plan.cadences:
        key = lookup_key(plan.slug, cadence)
        price = _as_stated(plan, cadence, found)
        if price is None:
            before = found.get(key)
            found[key] = price = _make_price(plan, cadence, _product(plan, found, done), before)
            done.made += 1
            if archived := archive(before, MARK):
                catalogue.record_price(archived)
        else:
            done.found += 1
        catalogue.record_price(price)


def _as_stated(plan: PlanDefinition, cadence: Cadence, found: dict[str, StripePrice]) -> StripePrice | None:
    """Return the existing price; None if the settings define the plans and the price differs."""
    price = found.get(lookup_key(plan.slug, cadence))
    if price is None or not definitions.is_from_settings():
        return price
    stated, recurring = plan.cadences[cadence], price["recurring"]
    if not taxing.may_stay(price):
        return None
    is_stated = amounts_of(price) == stated and price["currency"] == next(iter(stated))
    is_stated &= (recurring["interval"], recurring["interval_count"]) == (cadence.interval, cadence.count)
    return price if is_stated and price["active"] else None


def existing_of_ours() -> dict[str, StripePrice]:
    """Return lookup key → Stripe's price, of the plans that are defined."""
    return existing(_keys())


def _product(plan: PlanDefinition, found: dict[str, StripePrice], done: Published) -> str:
    """Return the product of the plan's other price, or make one."""
    for cadence in plan.cadences:
        if price := found.get(lookup_key(plan.slug, cadence)):
            return id_of(price["product"])
    done.products += 1
    return make_product(f"product:{plan.slug}", plan.slug, MARK, plan.name, plan.description)


def _make_price(plan: PlanDefinition, cadence: Cadence, product: str, before: StripePrice | None) -> StripePrice:
    recurring = {"interval": cadence.interval, "interval_count": cadence.count}
    key, amounts = lookup_key(plan.slug, cadence), plan.cadences[cadence]
    return make_price(key, plan.slug, MARK, product, amounts, before, recurring=recurring)
