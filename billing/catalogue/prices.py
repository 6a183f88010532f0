"""Prices at Stripe are matched with plans of ours.

Stripe's prices are found by lookup key, `{plan slug}_{interval}`; amounts are minor units of their currency.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models

from billing.models import Plan, Price

Interval = Price.Interval


class Remembered(dict[str, "Price | None"]):
    """Prices are remembered by id and looked up once; in a dry run, unknown prices are not saved."""

    def __init__(self, known: dict[str, Price], *, is_dry: bool) -> None:
        super().__init__(known)
        self.is_dry = is_dry


_remembered: ContextVar[Remembered | None] = ContextVar("remembered_prices", default=None)


@contextmanager
def prices_remembered(*, is_dry: bool = False, known: dict[str, Price] | None = None) -> Iterator[None]:
    """Look each price up once, for code that reads thousands of subscriptions.

    Do not use it around transactions: a price that is rolled back stays remembered. `known` are rows by price id to
    begin with; in a dry run they may be unsaved.
    """
    token = _remembered.set(Remembered(known or {}, is_dry=is_dry))
    try:
        yield
    finally:
        _remembered.reset(token)


class UnmappedPrice(Exception):
    """The price at Stripe belongs to none of our plans."""

    def __init__(self, stripe_price: dict[str, Any]) -> None:
        key = stripe_price.get("lookup_key") or "none"
        super().__init__(
            f"The Stripe price {stripe_price.get('id')} (lookup key {key}) belongs to no plan. Run `manage.py "
            f"import_customers --price {stripe_price.get('id')}=<plan slug>`, or give it the lookup key "
            "<plan slug>_<interval> at Stripe."
        )


def plan_slugs() -> list[str]:
    """Return the slugs of all plans, the lowest first."""
    return list(Plan.objects.values_list("slug", flat=True))


def lookup_key(slug: str, interval: str) -> str:
    return f"{slug}_{interval}"


def public_plans() -> models.QuerySet[Plan]:
    """Return the plans on the price page with their limits and prices, in three queries."""
    active = Price.objects.filter(is_active=True, interval_count=1)
    return Plan.objects.filter(is_public=True).prefetch_related("limits", models.Prefetch("prices", active))


def price_for_sale(plan: Plan, interval: str) -> Price | None:
    """Return the price for new subscribers of `plan`: the one with our lookup key, else the newest active one."""
    prices = [p for p in plan.prices.all() if p.is_active and p.interval == interval and p.interval_count == 1]
    key = lookup_key(plan.slug, interval)
    return next((p for p in prices if p.lookup_key == key), prices[-1] if prices else None)


def amounts(price: Price) -> dict[str, int]:
    """Return the amounts by currency, in minor units, the price's own currency first."""
    own = {} if price.unit_amount is None else {price.currency: price.unit_amount}
    return {**own, **{currency: amount for currency, amount in price.currency_options.items() if currency not in own}}


def currencies_of(plans: Iterable[Plan]) -> list[str]:
    """Return every currency that any of the plans is sold in, the default one first."""
    found = dict.fromkeys(c for plan in plans for price in plan.prices.all() for c in amounts(price))
    return list(found)


def plan_price(stripe_price: dict[str, Any]) -> Price:
    """Return our price for one in a subscription, known by id or made from its lookup key. Raises `UnmappedPrice`."""
    remembered = _remembered.get()
    if remembered is None:
        price = _known_price(stripe_price) or record_price(stripe_price)
    elif stripe_price["id"] in remembered:
        price = remembered[stripe_price["id"]]
    else:
        made = _unsaved_price if remembered.is_dry else record_price
        price = remembered[stripe_price["id"]] = _known_price(stripe_price) or made(stripe_price)
    if price is None:
        raise UnmappedPrice(stripe_price)
    return price


def _known_price(stripe_price: dict[str, Any]) -> Price | None:
    return Price.objects.select_related("plan").filter(pk=stripe_price["id"]).first()


def plan_item(items: list[dict[str, Any]]) -> tuple[dict[str, Any], Price]:
    """Return the item whose price belongs to a plan, and that price; the highest of several. Raises `UnmappedPrice`."""
    found: list[tuple[dict[str, Any], Price]] = []
    unmapped = UnmappedPrice({})
    for item in items:
        try:
            found.append((item, plan_price(item["price"])))
        except UnmappedPrice as error:
            unmapped = error
    if not found:
        raise unmapped
    return max(found, key=lambda pair: pair[1].plan.rank)


def is_plan(items: list[dict[str, Any]]) -> bool:
    """Return whether a subscription with these items is to a plan of ours."""
    try:
        plan_item(items)
    except UnmappedPrice:
        return False
    return True


def record_price(stripe_price: dict[str, Any]) -> Price | None:
    """Save a price of ours as Stripe has it, and return it; None if it is not ours by its id or lookup key.

    A lookup key belongs to one price. Another price that had it has lost it, which no event tells, so we clear it.
    """
    price = _known_price(stripe_price) or _unsaved_price(stripe_price)
    if price is None or not _is_recurring(stripe_price):
        return None
    columns = {"plan": price.plan, **price_columns(stripe_price)}
    price, _ = Price.objects.update_or_create(pk=stripe_price["id"], defaults=columns)
    if price.lookup_key:
        Price.objects.filter(lookup_key=price.lookup_key).exclude(pk=price.pk).update(lookup_key="")
    return price


def _unsaved_price(stripe_price: dict[str, Any]) -> Price | None:
    """Return an unsaved row for a price whose lookup key names a plan of ours; otherwise None."""
    plan = _plan_named(stripe_price.get("lookup_key") or "")
    if plan is None or not _is_recurring(stripe_price):
        return None
    return Price(pk=stripe_price["id"], plan=plan, **price_columns(stripe_price))


def _is_recurring(stripe_price: dict[str, Any]) -> bool:
    """Return whether a price recurs by an interval that we know; a row of it stays as it is, or is not made."""
    interval = (stripe_price.get("recurring") or {}).get("interval")
    return interval in Interval.values


def _plan_named(key: str) -> Plan | None:
    slug, _, interval = key.rpartition("_")
    return Plan.objects.filter(slug=slug).first() if interval in Interval.values else None


def price_columns(stripe_price: dict[str, Any]) -> dict[str, Any]:
    """Return our columns of a Stripe price, without `currency_options` if they were not expanded."""
    found = {
        "lookup_key": stripe_price.get("lookup_key") or "",
        "currency": stripe_price["currency"],
        "unit_amount": stripe_price.get("unit_amount"),
        "interval": stripe_price["recurring"]["interval"],
        "interval_count": stripe_price["recurring"]["interval_count"],
        "is_active": stripe_price["active"],
    }
    options = stripe_price.get("currency_options")
    if options is not None:
        found["currency_options"] = {
            currency: option["unit_amount"]
            for currency, option in options.items()
            if currency != stripe_price["currency"] and option.get("unit_amount") is not None
        }
    return found
