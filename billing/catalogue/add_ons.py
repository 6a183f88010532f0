"""Add-ons come from the setting BILLING_ADD_ONS if it is set, otherwise from one default."""

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from billing.cadence import Cadence
from billing.conf import conf
from billing.models import AddOn, AddOnPrice, Plan, Price
from billing.stripe_client import id_of, readers

from .definitions import is_from_settings

MARK = "billing_add_on"  # in the metadata of prices and products that `setup_stripe` made
COLUMNS = ("name", "description", "limits", "plans", "most", "is_public")
LOOKUP_KEY = re.compile(r"addon_(?P<slug>.+?)_(?:[1-9]\d{0,3}_)?(?:day|week|month|year)")
Object = dict[str, Any]


@dataclass(frozen=True)
class AddOnDefinition:
    """A definition states an add-on as the settings do.

    `limits`: feature → how many more a month each one gives, None for any number. `plans`: slugs of the plans that it
    is sold with, none for every plan. `most`: how many one subscription may have. `prices`: as those of a plan.
    """

    slug: str
    name: str
    description: str = ""
    limits: dict[str, int | None] = field(default_factory=dict)
    plans: list[str] = field(default_factory=list)
    most: int | None = None
    is_public: bool = True
    prices: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def cadences(self) -> dict[Cadence, dict[str, int]]:
        return {Cadence.parse(spelling): amounts for spelling, amounts in self.prices.items()}


DEFAULT_ADD_ONS: list[dict[str, Any]] = [
    {
        "slug": "extra",
        "name": _("500 more generations"),
        "description": _("Every month, on top of your plan."),
        "limits": {"generations": 500},
        "plans": ["pro", "team"],
        "prices": {
            Price.Interval.MONTH: {"usd": 800, "eur": 750, "gbp": 650, "jpy": 1_200},
            Price.Interval.YEAR: {"usd": 8_000, "eur": 7_500, "gbp": 6_500, "jpy": 12_000},
        },
    },
]


def defined_add_ons() -> list[AddOnDefinition]:
    """Return the add-ons of BILLING_ADD_ONS. The default stands beside the default plans only."""
    if conf.add_ons is not None:
        return [AddOnDefinition(**add_on) for add_on in conf.add_ons]
    return [] if is_from_settings() else [AddOnDefinition(**add_on) for add_on in DEFAULT_ADD_ONS]


def stated() -> list[AddOnDefinition]:
    """Return the defined add-ons of which a plan exists; a system check names the others."""
    plans = set(Plan.objects.values_list("slug", flat=True))
    return [add_on for add_on in defined_add_ons() if not add_on.plans or not plans.isdisjoint(add_on.plans)]


def lookup_key(slug: str, cadence: Cadence) -> str:
    return f"addon_{slug}_{cadence.key}"


@transaction.atomic
def update_add_ons() -> int:
    """Make or change the add-ons as they are defined, and return how many were made or changed.

    An add-on that is no longer defined is no longer sold, and stays for those who have it.
    """
    found = stated()
    changed = sum(_update(add_on, place) for place, add_on in enumerate(found))
    withdrawn = AddOn.objects.filter(is_public=True).exclude(slug__in=[add_on.slug for add_on in found])
    return changed + withdrawn.update(is_public=False)


def _update(add_on: AddOnDefinition, place: int) -> bool:
    columns = {**{name: getattr(add_on, name) for name in COLUMNS}, "place": place}
    columns["plans"] = list(add_on.plans)
    row, is_new = AddOn.objects.get_or_create(slug=add_on.slug, defaults=columns)
    if not is_new and all(getattr(row, name) == value for name, value in columns.items()):
        return False
    AddOn.objects.filter(pk=row.pk).update(**columns)
    return True


def for_sale() -> QuerySet[AddOn]:
    """Return the add-ons that are for sale, with their prices, in two queries."""
    return AddOn.objects.filter(is_public=True, prices__is_active=True).distinct().prefetch_related("prices")


def price_for(add_on: AddOn, cadence: Cadence, currency: str) -> AddOnPrice | None:
    """Return the price at which an add-on is sold beside a plan of that interval: the one with our lookup key, else
    any that is active."""
    fitting = [
        price
        for price in add_on.prices.all()
        if price.is_active and price.cadence == cadence and (not currency or currency in price.amounts)
    ]
    key = lookup_key(add_on.slug, cadence)
    return max(fitting, key=lambda price: (price.lookup_key == key, price.pk), default=None)


def is_allowed(add_on: AddOn, price: Price) -> bool:
    """Return whether an add-on that somebody has may stay beside this price of a plan."""
    return add_on.is_sold_with(price.plan.slug) and any(row.cadence == price.cadence for row in add_on.prices.all())


def add_on_items(items: list[Object]) -> list[tuple[Object, AddOnPrice]]:
    """Return the items, of a subscription or of a phase of its schedule, that are add-ons, each with our price. Where
    there is one item alone it is the plan's, and nothing is asked."""
    if len(items) < 2:
        return []
    ids = [id_of(item["price"]) for item in items]
    known = {row.pk: row for row in AddOnPrice.objects.filter(pk__in=ids).select_related("add_on")}
    found = []
    for item in items:
        price = known.get(id_of(item["price"])) or _taken(item["price"])
        if price is not None:
            found.append((item, price))
    return found


def quantities_in(items: list[Object]) -> dict[str, int]:
    """Return how many of each add-on these items bill, by slug."""
    return sums(add_on_items(items))


def sums(pairs: list[tuple[Object, AddOnPrice]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for item, price in pairs:
        if quantity := readers.quantity_of(item):
            found[price.add_on.slug] = found.get(price.add_on.slug, 0) + quantity
    return dict(sorted(found.items()))


def monthly_cost(pairs: list[tuple[Object, AddOnPrice]], currency: str) -> int:
    """Return what these items cost a month, in minor units, before discounts."""
    costs = (Fraction(cost_of(price, currency, readers.quantity_of(item)) or 0) for item, price in pairs)
    months = (price.cadence.months for _add_on, price in pairs)
    return round(sum((cost / each for cost, each in zip(costs, months, strict=True)), Fraction(0)))


def cost_of(price: AddOnPrice, currency: str, quantity: int) -> int | None:
    """Return what so many cost for one interval; None in a currency that the price does not have."""
    amount = price.amounts.get(currency)
    return None if amount is None else int(amount) * quantity


def limits_of(add_ons: dict[str, int]) -> list[tuple[str, int | None]]:
    """Return what so many of each add-on give: features with how many more a month. Asks nothing where there are
    none."""
    if not add_ons:
        return []
    rows = AddOn.objects.filter(slug__in=add_ons)
    return [
        (feature, None if each is None else each * add_ons[row.slug])
        for row in rows
        for feature, each in row.limits.items()
    ]


def is_of_an_add_on(stripe_price: Object) -> bool:
    """Return whether a price at Stripe says that it is of an add-on of ours: by our mark, or its lookup key."""
    return _named(stripe_price) is not None


def record_price(stripe_price: Object, add_on: AddOn | None = None) -> AddOnPrice | None:
    """Keep what Stripe's price of an add-on says; None if it is of none.

    A price that was known keeps its add-on: whoever pays it has that one, even when another price is sold now.
    """
    known = AddOnPrice.objects.select_related("add_on").filter(pk=stripe_price["id"]).first()
    add_on = add_on or (known.add_on if known else _named(stripe_price))
    recurring = stripe_price.get("recurring") or {}
    if add_on is None or recurring.get("interval") not in Price.Interval.values:
        return None
    if recurring.get("usage_type") == "metered":
        return None
    options = stripe_price.get("currency_options")
    amounts = {currency: option["unit_amount"] for currency, option in (options or {}).items()}
    if options is None:
        amounts = (known.amounts if known else {}) | {stripe_price["currency"]: stripe_price.get("unit_amount") or 0}
    columns = {
        "add_on": add_on,
        "lookup_key": stripe_price.get("lookup_key") or "",
        "product": id_of(stripe_price.get("product")),
        "currency": stripe_price["currency"],
        "amounts": {stripe_price["currency"]: amounts.pop(stripe_price["currency"], 0), **amounts},
        "interval": recurring["interval"],
        "interval_count": recurring.get("interval_count") or 1,
        "is_active": bool(stripe_price["active"]),
    }
    row, _is_new = AddOnPrice.objects.update_or_create(pk=stripe_price["id"], defaults=columns)
    if row.lookup_key:
        AddOnPrice.objects.filter(lookup_key=row.lookup_key).exclude(pk=row.pk).update(lookup_key="")
    return row


def _taken(stripe_price: Any) -> AddOnPrice | None:
    """Return our price of one that we had not seen, made from what it says; None for a bare id, and a foreign one."""
    if not isinstance(stripe_price, dict) or not is_of_an_add_on(stripe_price):
        return None
    return record_price(stripe_price)


def _named(stripe_price: Object) -> AddOn | None:
    slug = readers.metadata_of(stripe_price).get(MARK, "")
    if not slug:
        found = LOOKUP_KEY.fullmatch(stripe_price.get("lookup_key") or "")
        slug = found["slug"] if found else ""
    return AddOn.objects.filter(slug=slug).first() if slug else None
