"""Prices at Stripe are matched with plans of ours.

Stripe's prices are found by lookup key, `{plan slug}_{interval}` or `{plan slug}_{count}_{interval}`.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.db import models

from billing.cadence import Cadence
from billing.clock import from_timestamp
from billing.commands import spelled
from billing.models import Plan, Price
from billing.stripe_client import id_of, readers

from . import amounts

LOOKUP_KEY = re.compile(r"(?P<slug>.+?)_(?:(?P<count>[1-9]\d{0,3})_)?(?P<interval>day|week|month|year)")
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

# In the metadata of what an agreement made at Stripe: its subscription, and the price of an agreed amount, which names
# its plan too and is never for sale.
AGREEMENT_KEY = "billing_agreement"
PLAN_KEY = "billing_plan"


class Remembered(dict[str, "Price | None"]):
    """Prices are remembered by id and looked up once; in a dry run, unknown prices are not saved."""

    def __init__(self, known: dict[str, Price], *, is_dry: bool) -> None:
        super().__init__(known)
        self.is_dry = is_dry
        self.lines: dict[str, str] | None = None


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
        problem = (
            f"The Stripe price {stripe_price.get('id')} (lookup key {key}) belongs to no plan. Run `manage.py "
            f"import_customers --price {stripe_price.get('id')}=<plan slug>`, or give it the lookup key "
            "<plan slug>_<interval> at Stripe."
        )
        super().__init__(spelled(problem))


def plan_slugs() -> list[str]:
    """Return the slugs of all plans, the lowest first."""
    return list(Plan.objects.values_list("slug", flat=True))


def lookup_key(slug: str, cadence: Cadence) -> str:
    return f"{slug}_{cadence.key}"


def public_plans() -> models.QuerySet[Plan]:
    """Return the plans on the price page with their limits and prices, in three queries."""
    active = Price.objects.filter(is_active=True)
    return Plan.objects.filter(is_public=True).prefetch_related("limits", models.Prefetch("prices", active))


def price_for_sale(plan: Plan, cadence: Cadence) -> Price | None:
    """Return the price for new subscribers of `plan`: the one with our lookup key, else the newest active one."""
    prices = [price for price in plan.prices.all() if price.is_active and price.cadence == cadence]
    key = lookup_key(plan.slug, cadence)
    return max(prices, key=lambda p: (p.lookup_key == key, p.created_at or LONG_AGO, p.pk), default=None)


def cadences_of(plans: Iterable[Plan]) -> list[Cadence]:
    """Return every cadence that any of the plans is sold by, the shortest first."""
    found = {price.cadence for plan in plans for price in plan.prices.all() if price.is_active}
    return sorted(found, key=lambda cadence: (cadence.months, cadence.interval))


def currencies_of(plans: Iterable[Plan]) -> list[str]:
    """Return every currency that any of the plans is sold in, the default one first."""
    found = dict.fromkeys(c for plan in plans for price in plan.prices.all() for c in amounts.currencies(price))
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
    """Return the item whose price belongs to a plan, with that price; of several, the one of the highest plan. Raises
    `UnmappedPrice`."""
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


def line_of_product(items: list[dict[str, Any]]) -> str | None:
    """Return the line of the plan that is sold by a product of one of these items; None if no product is ours."""
    remembered = _remembered.get()
    lines = _lines_by_product() if remembered is None or remembered.lines is None else remembered.lines
    if remembered is not None:
        remembered.lines = lines
    products = (id_of(item["price"].get("product")) for item in items)
    return next((lines[product] for product in products if product in lines), None)


def _lines_by_product() -> dict[str, str]:
    return dict(Price.objects.exclude(product="").values_list("product", "plan__line"))


def is_plan(items: list[dict[str, Any]]) -> bool:
    """Return whether a subscription with these items is to a plan of ours."""
    try:
        plan_item(items)
    except UnmappedPrice:
        return False
    return True


def record_price(stripe_price: dict[str, Any]) -> Price | None:
    """Save a price of ours as Stripe has it, and return it; None if it is not ours by its id or lookup key.

    A lookup key belongs to one price. Another price that had it has lost it, which an answer about one price does not
    tell, so we clear it.
    """
    price = _known_price(stripe_price) or _unsaved_price(stripe_price)
    if price is None or not _is_recurring(stripe_price):
        return None
    columns = {"plan": price.plan, **price_columns(stripe_price)}
    if not price._state.adding and stripe_price.get("currency_options") is None:
        columns.pop("terms", None)
    price, _ = Price.objects.update_or_create(pk=stripe_price["id"], defaults=columns)
    if price.lookup_key:
        Price.objects.filter(lookup_key=price.lookup_key).exclude(pk=price.pk).update(lookup_key="")
    return price


def give_price(stripe_price: dict[str, Any], plan: Plan) -> Price | None:
    """Record that a price buys a plan, as staff say; None if it is not paid again and again."""
    if not _is_recurring(stripe_price):
        return None
    columns = {"plan": plan, **price_columns(stripe_price)}
    return Price.objects.update_or_create(pk=stripe_price["id"], defaults=columns)[0]


def is_plans_key(stripe_price: dict[str, Any]) -> bool:
    """Return whether the price's lookup key names a plan of ours."""
    return _plan_named(stripe_price) is not None


def _unsaved_price(stripe_price: dict[str, Any]) -> Price | None:
    """Return an unsaved row for a price whose lookup key names a plan of ours; otherwise None."""
    plan = _plan_named(stripe_price)
    if plan is None or not _is_recurring(stripe_price):
        return None
    return Price(pk=stripe_price["id"], plan=plan, **price_columns(stripe_price))


def is_agreed(stripe_price: dict[str, Any]) -> bool:
    """Return whether the price was made for one agreement: its subscriber pays it, and nobody else is sold it."""
    return AGREEMENT_KEY in readers.metadata_of(stripe_price)


def _is_recurring(stripe_price: dict[str, Any]) -> bool:
    """Return whether a price recurs by an interval that we know; a row of it stays as it is, or is not made."""
    interval = (stripe_price.get("recurring") or {}).get("interval")
    return interval in Price.Interval.values


def _plan_named(stripe_price: dict[str, Any]) -> Plan | None:
    """Return the plan that a lookup key names, or the metadata of an agreed price. `pro_3_month` may be of a plan
    `pro_3` by the month: the price tells."""
    if is_agreed(stripe_price):
        return Plan.objects.filter(slug=readers.metadata_of(stripe_price).get(PLAN_KEY, "")).first()
    key: Any = stripe_price.get("lookup_key")
    recurring: Any = stripe_price.get("recurring")
    found = LOOKUP_KEY.fullmatch(key) if isinstance(key, str) and isinstance(recurring, dict) else None
    if found is None:
        return None
    slugs = [key.removesuffix(f"_{found['interval']}"), found["slug"]]
    plans = {plan.slug: plan for plan in Plan.objects.filter(slug__in=slugs)}
    billed = Cadence(str(recurring.get("interval")), recurring.get("interval_count", 1))
    as_billed = (slug for slug in slugs if lookup_key(slug, billed) == key and slug in plans)
    slug = next(as_billed, None) or next((slug for slug in slugs if slug in plans), "")
    return plans.get(slug)


def price_columns(stripe_price: dict[str, Any]) -> dict[str, Any]:
    """Return our columns of a Stripe price, without those that were not expanded."""
    product: Any = stripe_price.get("product")
    is_expanded = isinstance(product, dict) and "active" in product
    found = {
        "lookup_key": stripe_price.get("lookup_key") or "",
        "product": id_of(product),
        "currency": stripe_price["currency"],
        "unit_amount": stripe_price.get("unit_amount"),
        "tax_behavior": stripe_price.get("tax_behavior") or "",
        "interval": stripe_price["recurring"]["interval"],
        "interval_count": stripe_price["recurring"]["interval_count"],
        "is_active": bool(
            stripe_price["active"] and (product["active"] if is_expanded else True) and not is_agreed(stripe_price)
        ),
        "created_at": from_timestamp(stripe_price.get("created")),
    }
    if is_expanded:
        found["product_name"] = product["name"][:250]
    terms, options = amounts.terms_of(stripe_price), stripe_price.get("currency_options")
    if options is not None:
        found["currency_options"] = {
            currency: option["unit_amount"]
            for currency, option in options.items()
            if currency != stripe_price["currency"] and option.get("unit_amount") is not None
        }
    if terms is not None:
        found["terms"] = terms
    return found
