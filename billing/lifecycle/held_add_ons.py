"""This module reads from our rows what add-ons somebody has, for pages and answers; nothing here asks Stripe."""

from dataclasses import dataclass

from billing import catalogue, subscriptions
from billing.cadence import Cadence
from billing.models import AddOn, AddOnPrice, Plan, Subscription, SubscriptionItem


@dataclass(frozen=True)
class HeldAddOn:
    """A held add-on is billed `amount` minor units at each renewal, before discounts and taxes; None where we don't
    know it. `then` is how many there will be after the pending change, None without one that changes it."""

    add_on: AddOn
    price: AddOnPrice
    quantity: int
    amount: int | None
    currency: str
    then: int | None = None


def held_by(subscription: Subscription | None) -> list[HeldAddOn]:
    """Return what a subscription that lives has of add-ons, in the order in which they are sold."""
    if subscription is None or not subscription.add_ons or not subscriptions.is_live_status(subscription.status):
        return []
    prices = {price.add_on.slug: price for price in _prices_of(subscription)}
    then = subscription.pending_add_ons
    found = []
    for slug, quantity in subscription.add_ons.items():
        if (price := prices.get(slug)) is None:
            continue
        amount = catalogue.add_ons.cost_of(price, subscription.currency, quantity)
        coming = None if then is None or then.get(slug, 0) == quantity else then.get(slug, 0)
        found.append(HeldAddOn(price.add_on, price, quantity, amount, subscription.currency, coming))
    return sorted(found, key=lambda held: (held.add_on.place, held.add_on.slug))


def _prices_of(subscription: Subscription) -> list[AddOnPrice]:
    rows = SubscriptionItem.objects.filter(subscription=subscription).exclude(add_on_price=None)
    return [row.add_on_price for row in rows.select_related("add_on_price__add_on") if row.add_on_price]


def offered_to(subscription: Subscription | None) -> list[tuple[AddOn, AddOnPrice]]:
    """Return the add-ons that are sold with a subscription's plan, by its interval and in its currency."""
    if subscription is None or subscription.plan is None or subscription.price is None:
        return []
    return sold_with(subscription.plan, subscription.price.cadence, subscription.currency)


def sold_with(plan: Plan, cadence: Cadence, currency: str) -> list[tuple[AddOn, AddOnPrice]]:
    """Return the add-ons that are sold with a plan, with their prices by an interval and in a currency."""
    found = ((row, catalogue.add_ons.price_for(row, cadence, currency)) for row in catalogue.add_ons.for_sale())
    return [(row, price) for row, price in found if price is not None and row.is_sold_with(plan.slug)]
