"""The projection asks Stripe what a customer has, chooses the subscription that counts, saves it in our rows, and
announces what really changed.

There is no second way to write a `Subscription`: webhooks, the return page and the sync all come through `refresh`,
holding the customer's lane.
"""

from datetime import datetime
from typing import Any

from django.utils import timezone

from billing import catalogue, cause, clock
from billing.models import Customer, Hold, Subscription
from billing.stripe_client import fetch, is_first_time

from . import duplicates, invoices, mirror
from .announcing import announce_access, announce_changes
from .columns import columns_of, grace_columns
from .mrr import record_change

Status = Subscription.Status

LIVE = (Status.ACTIVE, Status.TRIALING, Status.PAST_DUE, Status.UNPAID, Status.PAUSED, Status.INCOMPLETE)


def refresh(customer: Customer) -> Subscription:
    """Ask Stripe what `customer` has now and project it. Later calls in the same drain find the work done."""
    rows = Subscription.objects.select_related("customer__subscriber")
    subscription, _ = rows.get_or_create(customer=customer)
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
    invoices.project_latest(customer, found)
    has_changed = record_change(before, subscription)
    announce_changes(before, subscription, found, has_changed=has_changed)
    if len(found) > 1:
        duplicates.owe_cancellations(customer, found)


def current_subscription(found: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the subscription that counts: one to a plan of ours first, then by status in the order of `LIVE`.

    Among equals the older counts while live, and the newer once ended. A duplicate never counts.
    """
    too_many = duplicates.duplicates_among(found)
    found = [item for item in found if item not in too_many]
    ours = [item for item in found if catalogue.is_plan(item["items"]["data"])] or found
    live = [item for item in ours if item["status"] in LIVE]
    if live:
        return min(live, key=lambda item: (LIVE.index(Status(item["status"])), item["created"], item["id"]))
    return max(ours, key=lambda item: (item["ended_at"] or 0, item["created"], item["id"]), default=None)


def is_live(customer: Customer, subscription_id: str) -> bool:
    """Return whether Stripe would still bill this subscription, be it the one that counts or not."""
    return any(item["id"] == subscription_id and item["status"] in LIVE for item in fetch.subscriptions(customer.pk))


def _project(subscription: Subscription, found: dict[str, Any] | None, asked_at: datetime) -> None:
    if found is not None:
        for name, value in columns_of(found, subscription).items():
            setattr(subscription, name, value)
        _update_customer(subscription.customer, found["customer"])
    elif subscription.stripe_id and fetch.is_deleted(subscription.customer_id):
        subscription.status = Status.CANCELED
    subscription.fetched_at = asked_at
    subscription.save()
    if subscription.status in Subscription.TERMINAL:
        _release_settled_holds(subscription.customer)


def date_grace(subscription: Subscription) -> None:
    """Count grace anew, once the failure that began it is recorded."""
    for item in fetch.subscriptions(subscription.customer_id):
        if item["id"] == subscription.stripe_id:
            columns = grace_columns(subscription, item, fetch.open_invoices)
            if columns["past_due_since"] != subscription.past_due_since:
                before = snapshot(subscription)
                subscription.past_due_since = columns["past_due_since"]
                subscription.save(update_fields=["past_due_since"])
                record_change(before, subscription)
                announce_access(subscription.customer_id)


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


def snapshot(subscription: Subscription) -> Subscription:
    """Return an unsaved copy, to be compared with what the row becomes."""
    return Subscription(**{f.attname: getattr(subscription, f.attname) for f in Subscription._meta.concrete_fields})
