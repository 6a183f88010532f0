"""One function decides whose a subscription is; every other rule calls it, or reads the row that it wrote.

- ours: an item's price belongs to a plan, whose line it has.
- unknown: it was bought through us, is of a product of ours, or was to a plan of ours before; but no plan knows its
  price. It keeps the plan that it had, and gives none by guess.
- foreign: it is for another product of the same Stripe account, and nothing here acts on it.
"""

from dataclasses import dataclass
from typing import Any

from billing import catalogue
from billing.models import MAIN_LINE, Plan, Price, Subscription
from billing.stripe_client import readers

Whose = Subscription.Whose

METADATA_KEY = "billing_subscriber"  # in the metadata of customers, and of what they buy through us
ATTEMPT_KEY = "billing_attempt"  # in the metadata of what a Checkout attempt makes at Stripe
MARK_OF_PRICE = "billing_plan"  # in the metadata of prices that `setup_stripe` made
NO_ITEM: dict[str, Any] = {"price": {"id": ""}, "current_period_start": None, "current_period_end": None}


@dataclass(frozen=True)
class Belonging:
    """A belonging tells whose a subscription is. `item` is the one whose price belongs to the plan, else the first."""

    whose: Subscription.Whose
    line: str
    item: dict[str, Any]
    plan: Plan | None = None
    price: Price | None = None


def belonging_of(found: dict[str, Any], before: Subscription | None = None) -> Belonging:
    """Return whose a subscription at Stripe is. `before` is our row of it, if there is one."""
    items = found["items"]["data"]
    try:
        item, price = catalogue.plan_item(items)
    except catalogue.UnmappedPrice:
        return _without_price(found, items, before)
    return Belonging(Whose.OURS, price.plan.line, item, price.plan, price)


def is_bought_through_us(found: dict[str, Any]) -> bool:
    """Return whether a subscription carries our metadata, which our Checkout writes."""
    return not {METADATA_KEY, ATTEMPT_KEY}.isdisjoint(readers.metadata_of(found))


def _without_price(found: dict[str, Any], items: list[dict[str, Any]], before: Subscription | None) -> Belonging:
    item = items[0] if items else NO_ITEM
    plan = before.plan if before is not None and before.stripe_id == found["id"] else None
    line = plan.line if plan else catalogue.line_of_product(items)
    if line is None and not is_bought_through_us(found) and not any(map(_is_published_by_us, items)):
        return Belonging(Whose.FOREIGN, "", item)
    return Belonging(Whose.UNKNOWN, line or MAIN_LINE, item, plan)


def _is_published_by_us(item: dict[str, Any]) -> bool:
    return not {MARK_OF_PRICE, catalogue.add_ons.MARK}.isdisjoint(readers.metadata_of(item["price"]))
