"""A change of a subscription is described in words: the values before and after it."""

from collections.abc import Iterator
from typing import Any

from django.utils.safestring import SafeString
from django.utils.text import capfirst

from billing.models import Subscription, SubscriptionChange

from . import display, subscription_words

DATES = {
    "current_period_end": "period ends",
    "trial_end": "trial ends",
    "cancel_at": "cancels at",
    "past_due_since": "past due since",
    "ended_at": "ended",
    "paid_until": "paid until",
}


def tone(change: SubscriptionChange) -> str:
    return subscription_words.KIND_OF_BADGE[Subscription.Status(change.status)]


def differences(before: SubscriptionChange | None, after: SubscriptionChange) -> list[Any]:
    """Return the most important difference first: status, plan, quantity, then dates. Only the dates are markup."""
    state = list(_state(before, after))
    found = [*state, *_dates(before, after, begins=not state)]
    return found or ["Changed at Stripe, with no effect here"]


def _state(before: SubscriptionChange | None, after: SubscriptionChange) -> Iterator[str]:
    status = (_status(before), _status(after))
    plan = (_plan(before), _plan(after))
    if before is None:
        yield " on ".join(part for part in (status[1].capitalize(), plan[1]) if part)
        return
    if status[0] != status[1]:
        yield f"{status[0].capitalize()} → {status[1]}"
    if plan[0] != plan[1]:
        yield f"{plan[0] or 'No plan'} → {plan[1] or 'no plan'}"
    elif before.price_id != after.price_id:
        yield f"Price {before.price or 'none'} → {after.price or 'none'}"
    if before.quantity != after.quantity:
        yield f"Quantity {before.quantity} → {after.quantity}"
    if before.add_ons != after.add_ons:
        yield f"Add-ons {_counted(before.add_ons)} → {_counted(after.add_ons)}"
    if before.collection_paused != after.collection_paused:
        yield "Payments paused" if after.collection_paused else "Payments resumed"
    if before.unmapped_price != after.unmapped_price and after.unmapped_price:
        yield f"Price {after.unmapped_price} belongs to no plan"
    if before.stripe_id != after.stripe_id:
        yield f"Subscription {after.stripe_id}"


def _counted(add_ons: dict[str, int]) -> str:
    return ", ".join(f"{count} × {slug}" for slug, count in add_ons.items()) or "none"


def _dates(before: SubscriptionChange | None, after: SubscriptionChange, *, begins: bool) -> Iterator[SafeString]:
    """Yield each date that changed; the first begins with a capital letter if it begins the line."""
    for name, words in DATES.items():
        was, now = getattr(before, name, None), getattr(after, name)
        if was == now:
            continue
        parts = [words, display.day(now)] if now else ["removed:", words, display.day(was)]
        yield display.side_by_side([capfirst(parts[0]), *parts[1:]] if begins else parts)
        begins = False


def _status(change: SubscriptionChange | None) -> str:
    return Subscription.Status(change.status).label.lower().replace("_", " ") if change else ""


def _plan(change: SubscriptionChange | None) -> str:
    return str(change.plan) if change and change.plan else ""
