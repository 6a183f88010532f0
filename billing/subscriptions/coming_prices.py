"""A price may replace another one by itself at a renewal, which `move_price` has told people of.

The row of the next charge remembers that, so that no page names the old amount for a day that has a new one.
"""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from billing.catalogue import amounts
from billing.clock import from_timestamp
from billing.models import NextCharge, Price, Subscription, SubscriptionItem
from billing.stripe_client import id_of

# Stripe may begin a period some minutes before or after the moment that we have reckoned.
A_DAY = timedelta(days=1)


def expect(subscription: Subscription, replaced: Price, coming: Price, at: datetime) -> None:
    """Remember that `coming` replaces a price at a renewal. Where that is the next one, its charge is reckoned anew."""
    row, _ = NextCharge.objects.get_or_create(subscription=subscription)
    _replace(row, subscription, (replaced.pk, coming, at), replaced, coming)


def forget(subscription: Subscription, replaced: Price, coming: Price) -> None:
    """Forget a coming price, which will not come."""
    for row in NextCharge.objects.filter(subscription=subscription, replaced_price=replaced.pk, coming_price=coming):
        _replace(row, subscription, ("", None, None), coming, replaced)


def coming_in(row: NextCharge, item: dict[str, Any]) -> Price | None:
    """Return the price that replaces the one of an item of Stripe's when its period ends; None if none does."""
    end = from_timestamp(item["current_period_end"])
    return row.coming_price if row.replaced_price == id_of(item["price"]) and is_near(row.replaced_at, end) else None


def preview_params(row: NextCharge) -> dict[str, Any]:
    """Return the parameters with which Stripe previews the next invoice by the coming price; none without one."""
    if row.coming_price_id is None or not is_near(row.replaced_at, row.subscription.current_period_end):
        return {}
    items = SubscriptionItem.objects.filter(subscription=row.subscription, stripe_price=row.replaced_price)
    changed = [{"id": item.stripe_id, "price": row.coming_price_id, "quantity": item.quantity or 1} for item in items]
    return {"subscription_details": {"items": changed, "proration_behavior": "none"}} if changed else {}


def basis_of(row: NextCharge) -> dict[str, Any]:
    """Return what the next charge depends on besides Stripe's answer."""
    return {"coming": [row.replaced_price, row.coming_price_id, row.replaced_at]} if row.coming_price_id else {}


def is_near(one: datetime | None, other: datetime | None) -> bool:
    """Return whether two moments are the same renewal."""
    return one is not None and other is not None and abs(one - other) < A_DAY


def _replace(
    row: NextCharge,
    subscription: Subscription,
    expected: tuple[str, Price | None, datetime | None],
    old: Price,
    new: Price,
) -> None:
    """Write what is expected. An amount that was nothing but the old price becomes the new one; for any other, which
    has discounts or taxes, Stripe is asked.
    """
    is_next = is_near(expected[2] or row.replaced_at, subscription.current_period_end)
    row.replaced_price, row.coming_price, row.replaced_at = expected
    row.version += 1
    if is_next and row.amount is not None:
        is_plain = row.amount == amounts.cost(old, row.currency, subscription.quantity)
        row.amount = amounts.cost(new, row.currency, subscription.quantity) if is_plain else None
        row.ask_at, row.attempts = (None if is_plain else timezone.now()), 0
    row.save()
