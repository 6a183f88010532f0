"""What is for sale, and which of our prices a Stripe price is.

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
    """Prices by id, each looked up once; in a dry run one that is not here yet is not written down either."""

    def __init__(self, known: dict[str, Price], *, is_dry: bool) -> None:
        super().__init__(known)
        self.is_dry = is_dry


_remembered: ContextVar[Remembered | None] = ContextVar("remembered_prices", default=None)


@contextmanager
def prices_remembered(*, is_dry: bool = False, known: dict[str, Price] | None = None) -> Iterator[None]:
    """For who looks at thousands of subscriptions. Not around transactions: what one rolls back stays remembered.

    `known` beforehand: rows by price id, in a dry run such as are not saved.
    """
    token = _remembered.set(Remembered(known or {}, is_dry=is_dry))
    try:
        yield
    finally:
        _remembered.reset(token)


class UnmappedPrice(Exception):
    """A Stripe price that leads to none of our plans."""

    def __init__(self, stripe_price: dict[str, Any]) -> None:
        key = stripe_price.get("lookup_key") or "none"
        super().__init__(
            f"The Stripe price {stripe_price.get('id')} (lookup key {key}) belongs to no plan. Run `manage.py "
            f"import_customers --price {stripe_price.get('id')}=<plan slug>`, or give it the lookup key "
            "<plan slug>_<interval> at Stripe."
        )


def plan_slugs() -> list[str]:
    """Of all plans, the lowest first."""
    return list(Plan.objects.values_list("slug", flat=True))


def lookup_key(slug: str, interval: str) -> str:
    return f"{slug}_{interval}"


def public_plans() -> models.QuerySet[Plan]:
    """The plans on the price page, with all that it shows, in three queries."""
    active = Price.objects.filter(is_active=True, interval_count=1)
    return Plan.objects.filter(is_public=True).prefetch_related("limits", models.Prefetch("prices", active))


def price_for_sale(plan: Plan, interval: str) -> Price | None:
    """The price a new subscriber of `plan` gets: the one with our lookup key, else the newest active one."""
    prices = [p for p in plan.prices.all() if p.is_active and p.interval == interval and p.interval_count == 1]
    key = lookup_key(plan.slug, interval)
    return next((p for p in prices if p.lookup_key == key), prices[-1] if prices else None)


def amounts(price: Price) -> dict[str, int]:
    """Currency → minor units, the price's own currency first."""
    own = {} if price.unit_amount is None else {price.currency: price.unit_amount}
    return {**own, **{currency: amount for currency, amount in price.currency_options.items() if currency not in own}}


def currencies_of(plans: Iterable[Plan]) -> list[str]:
    """Every currency that any of the plans is sold in, the default one first."""
    found = dict.fromkeys(c for plan in plans for price in plan.prices.all() for c in amounts(price))
    return list(found)


def plan_price(stripe_price: dict[str, Any]) -> Price:
    """Our price for one seen in a subscription: by id, else made from its lookup key. Raises `UnmappedPrice`."""
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
    """The item of a subscription that is a plan, with its price: of several the highest. Raises `UnmappedPrice`."""
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
    """Whether a subscription with these items is to a plan of ours."""
    try:
        plan_item(items)
    except UnmappedPrice:
        return False
    return True


def record_price(stripe_price: dict[str, Any]) -> Price | None:
    """Write what Stripe says of a price that is ours: known by id, or named by a lookup key of a plan. Else None.

    A lookup key leads to one price: another that had it has lost it, which no event tells.
    """
    price = _known_price(stripe_price) or _unsaved_price(stripe_price)
    if price is None or not stripe_price.get("recurring"):
        return None
    columns = {"plan": price.plan, **price_columns(stripe_price)}
    price, _ = Price.objects.update_or_create(pk=stripe_price["id"], defaults=columns)
    if price.lookup_key:
        Price.objects.filter(lookup_key=price.lookup_key).exclude(pk=price.pk).update(lookup_key="")
    return price


def _unsaved_price(stripe_price: dict[str, Any]) -> Price | None:
    """The row of a price whose lookup key names a plan of ours, not saved."""
    plan = _plan_named(stripe_price.get("lookup_key") or "")
    if plan is None or not stripe_price.get("recurring"):
        return None
    return Price(pk=stripe_price["id"], plan=plan, **price_columns(stripe_price))


def _plan_named(key: str) -> Plan | None:
    slug, _, interval = key.rpartition("_")
    return Plan.objects.filter(slug=slug).first() if interval in Interval.values else None


def price_columns(stripe_price: dict[str, Any]) -> dict[str, Any]:
    """Our columns of a Stripe price. Without `currency_options`, which come only when expanded, those we know stay."""
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
