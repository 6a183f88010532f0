"""The projection asks Stripe what a customer has, chooses the subscription that counts, saves it in our rows, and
announces what really changed.

There is no second way to write a `Subscription`: webhooks, the return page and the sync all come through `refresh`,
holding the customer's lane.
"""

from datetime import datetime
from typing import Any

from django.utils import timezone

from billing import catalogue, cause, clock, stripe_account
from billing.models import Customer, Hold, Subscription
from billing.stripe_client import StripeRefused, fetch, is_first_time

from . import duplicates, mirror
from .announcing import announce_changes
from .columns import columns_of
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
    found = _found_of(customer)
    mirror.write_subscriptions(found)
    before = snapshot(subscription)
    _project(subscription, current_subscription(found), asked_at)
    has_changed = record_change(before, subscription)
    announce_changes(before, subscription, found, has_changed=has_changed)
    if len(found) > 1:
        duplicates.owe_cancellations(customer, found)


def _found_of(customer: Customer) -> list[dict[str, Any]]:
    """Return the customer's subscriptions; none for one who was deleted, of whom Stripe may say nothing any more."""
    try:
        return fetch.subscriptions(customer.pk)
    except StripeRefused:
        if customer.deleted_at is None:
            raise
        return []


def current_subscription(found: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the subscription that counts: one to a plan of ours first, then by status in the order of `LIVE`.

    Among equals the older counts while live, and the newer once ended. A duplicate never counts.
    """
    too_many = duplicates.duplicates_among(found)
    found = [item for item in found if item not in too_many]
    ours = [item for item in found if catalogue.is_plan(item["items"]["data"])] or found
    live = [item for item in ours if is_live_status(item["status"])]
    if live:
        return min(live, key=lambda item: (_place(item["status"]), item["created"], item["id"]))
    return max(ours, key=lambda item: (item["ended_at"] or 0, item["created"], item["id"]), default=None)


def is_live(customer: Customer, subscription_id: str) -> bool:
    """Return whether Stripe would still bill this subscription, be it the one that counts or not."""
    found = fetch.subscriptions(customer.pk)
    return any(item["id"] == subscription_id and is_live_status(item["status"]) for item in found)


def is_live_status(status: str) -> bool:
    """Return whether a subscription of this status may still be billed; one that we do not know may."""
    return status not in Subscription.TERMINAL


def _place(status: str) -> int:
    """Return the place of a status in the order of `LIVE`; an unknown one comes after those that give access."""
    known: tuple[str, ...] = LIVE
    return known.index(status) if status in known else known.index(Status.UNPAID)


def _project(subscription: Subscription, found: dict[str, Any] | None, asked_at: datetime) -> None:
    if found is not None:
        for name, value in columns_of(found, subscription).items():
            setattr(subscription, name, value)
        _update_customer(subscription.customer, found["customer"])
    elif subscription.stripe_id and (subscription.customer.deleted_at or fetch.is_deleted(subscription.customer_id)):
        subscription.status = Status.CANCELED
    subscription.fetched_at = asked_at
    subscription.save()
    if subscription.status in Subscription.TERMINAL:
        _release_settled_holds(subscription.customer)


def _update_customer(customer: Customer, found: Any) -> None:
    """Copy the address and the language from Stripe, except for a deleted customer."""
    if customer.deleted_at:
        return
    stripe_account.note_seen(customer)
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
