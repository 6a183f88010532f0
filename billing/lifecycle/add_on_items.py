"""The items of add-ons follow the plan: beside another price they stay, take its interval's price, or are dropped."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from billing import catalogue
from billing.catalogue import overage
from billing.models import AddOn, AddOnPrice, Price
from billing.stripe_client import id_of, readers

from . import overage_items, phases
from .live_subscription import Standing

Params = dict[str, Any]


@dataclass(frozen=True)
class Outlook:
    """An outlook says what becomes of an add-on in a change of plan. `cost` is minor units at each renewal; None where
    it is dropped."""

    slug: str
    name: str
    quantity: int
    is_kept: bool
    cost: int | None


def outlooks(now: Standing, price: Price) -> list[Outlook]:
    """Return what becomes of each add-on that there would be, beside another price of a plan."""
    there = now.coming_add_ons
    found = []
    for add_on in AddOn.objects.filter(slug__in=there).prefetch_related("prices"):
        sold = _price_beside(now, add_on, price)
        cost = catalogue.add_ons.cost_of(sold, now.found["currency"], there[add_on.slug]) if sold else None
        found.append(Outlook(add_on.slug, add_on.name, there[add_on.slug], sold is not None, cost))
    return found


def beside(now: Standing, price: Price) -> list[Params]:
    """Return the `items` of a change to another price of a plan that concern add-ons; those that stay are left out."""
    found = []
    for item, own in now.add_on_items:
        sold = _price_beside(now, own.add_on, price)
        if sold is None:
            found.append({"id": item["id"], "deleted": True})
        elif sold.pk != own.pk:
            found.append({"id": item["id"], "price": sold.pk, "quantity": readers.quantity_of(item)})
    return found


def after(now: Standing, price: Price, add_ons: dict[str, int]) -> Callable[[int], list[Params]]:
    """Return a function: the plan's quantity → the items of a phase with the plan at `price`, and so many of each
    add-on that may stand beside it. All other items stay as they are."""

    def items(quantity: int) -> list[Params]:
        found, left = [], dict(add_ons)
        metered = overage.known(id_of(item["price"]) for item in now.found["items"]["data"])
        own_prices = {item["id"]: own for item, own in now.add_on_items}
        for item in now.found["items"]["data"]:
            own = own_prices.get(item["id"])
            if item["id"] == now.item["id"]:
                found.append(phases.item_of(item, price=price.pk, quantity=quantity))
            elif id_of(item["price"]) in metered:
                continue
            elif own is None:
                found.append(phases.item_of(item))
            elif (wanted := left.pop(own.add_on.slug, 0)) and (sold := _price_beside(now, own.add_on, price)):
                found.append(phases.item_of(item, price=sold.pk, quantity=wanted))
        return [*found, *overage_items.in_phase(now, price)]

    return items


def with_quantity(now: Standing, price: AddOnPrice, quantity: int) -> list[Params]:
    """Return the `items` that bill so many of an add-on from now on: one item of it, at the price that is paid."""
    own = [item["id"] for item, price_of_it in now.add_on_items if price_of_it.add_on_id == price.add_on_id]
    if not own:
        return [{"price": price.pk, "quantity": quantity}]
    gone = [{"id": item, "deleted": True} for item in (own[1:] if quantity else own)]
    return [{"id": own[0], "quantity": quantity}, *gone] if quantity else gone


def price_paid(now: Standing, add_on: AddOn) -> AddOnPrice | None:
    """Return the price at which somebody has an add-on, or would buy it beside their plan; None if it is not sold."""
    own = [price for _, price in now.add_on_items if price.add_on_id == add_on.pk]
    return own[0] if own else catalogue.add_ons.price_for(add_on, now.price.cadence, now.found["currency"])


def snapshot(now: Standing) -> list[Params]:
    """Return the items of plan and add-ons as they are, to put a change back that is not paid."""
    ours = [now.item, *(item for item, _ in now.add_on_items)]
    return [{"id": item["id"], "price": id_of(item["price"]), "quantity": item.get("quantity")} for item in ours]


def _price_beside(now: Standing, add_on: AddOn, price: Price) -> AddOnPrice | None:
    """Return the price of an add-on beside another price of a plan: its own where the interval stays, so that nobody's
    amount changes by a change of plan. None where it is not sold with that plan, or not by that interval."""
    if not add_on.is_sold_with(price.plan.slug):
        return None
    own = [row for _, row in now.add_on_items if row.add_on_id == add_on.pk]
    if own and own[0].cadence == price.cadence:
        return own[0]
    return catalogue.add_ons.price_for(add_on, price.cadence, now.found["currency"])
