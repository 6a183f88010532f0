"""The projection asks Stripe what a customer has, saves it in our rows, and announces what really changed.

There is no second way to write a `Subscription`: webhooks, the return page and the sync all come through `refresh`,
holding the customer's lane.
"""

from datetime import datetime
from typing import Any

from django.utils import timezone

from billing import catalogue, cause, clock, usage
from billing.models import Customer, Hold, Subscription
from billing.stripe_client import fetch, is_first_time

from . import duplicates, mirror
from .announcing import announce_access, announce_transitions
from .choosing import current_subscription
from .columns import columns_of, past_due_since
from .history import record_change, snapshot

Status = Subscription.Status


def refresh(customer: Customer) -> Subscription:
    """Ask Stripe what `customer` has now and project it. Later calls in the same drain find the work done."""
    subscription, _ = Subscription.objects.get_or_create(customer=customer)
    if is_first_time(f"refresh:{customer.pk}"):
        with catalogue.prices_remembered():
            _refresh(customer, subscription)
    return subscription


def _refresh(customer: Customer, subscription: Subscription) -> None:
    asked_at = timezone.now()
    found = fetch.subscriptions(customer.pk)
    mirror.write_subscriptions(found)
    before = snapshot(subscription)
    _project(subscription, current_subscription(found), asked_at)
    has_changed = record_change(before, subscription)
    announce_transitions(before, subscription, found)
    announce_access(customer.pk)
    if has_changed:
        usage.announce_overflow(subscription)
    duplicates.owe_cancellations(customer, found)


def _project(subscription: Subscription, found: dict[str, Any] | None, asked_at: datetime) -> None:
    if found is not None:
        for name, value in columns_of(found, subscription).items():
            setattr(subscription, name, value)
        subscription.past_due_since = past_due_since(subscription, found, fetch.open_invoices)
        _update_customer(subscription.customer, found["customer"])
    elif subscription.stripe_id and fetch.is_deleted(subscription.customer_id):
        subscription.status = Status.CANCELED
    subscription.fetched_at = asked_at
    subscription.save()
    if subscription.status in Subscription.TERMINAL:
        _release_settled_holds(subscription.customer)


def _update_customer(customer: Customer, found: Any) -> None:
    """Copy the address and the language from Stripe, except for a deleted customer."""
    if customer.deleted_at:
        return
    found = found if isinstance(found, dict) else {}
    known = {"email": found.get("email"), "preferred_locale": (found.get("preferred_locales") or [""])[0]}
    changed = {name: value for name, value in known.items() if value and value != getattr(customer, name)}
    if changed:
        for name, value in changed.items():
            setattr(customer, name, value)
        customer.save(update_fields=list(changed))


def _release_settled_holds(customer: Customer) -> None:
    """Release the holds of refunds and disputes: the subscription has ended, and a new one starts without them."""
    settled = (Hold.Kind.REFUND, Hold.Kind.DISPUTE)
    customer.holds.active().filter(kind__in=settled).update(released_at=clock.now(), released_by=cause.current())
