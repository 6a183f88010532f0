"""THE projection: what Stripe says of a customer, compared with what we have, saved, and announced where it changed.

There is no second way to write a `Subscription`: webhooks, the return page and the sync all come through `refresh`,
holding the customer's lane.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.dispatch import Signal
from django.utils import timezone

from billing import access, catalogue, cause, clock, signals, usage
from billing.clock import from_timestamp
from billing.models import Customer, Hold, Payment, Price, Subscription
from billing.stripe_client import fetch, id_of, once

from . import cards, duplicates, mirror, pending, seats

log = logging.getLogger(__name__)

Status = Subscription.Status

LIVE = (Status.ACTIVE, Status.TRIALING, Status.PAST_DUE, Status.UNPAID, Status.PAUSED, Status.INCOMPLETE)
STARTED = frozenset({Status.ACTIVE, Status.TRIALING, Status.PAST_DUE, Status.UNPAID, Status.PAUSED})


def refresh(customer: Customer) -> Subscription:
    """Project what Stripe says now of `customer`; the first call of a drain does the work, the rest find it done."""
    subscription, _ = Subscription.objects.get_or_create(customer=customer)
    if once(f"refresh:{customer.pk}"):
        with catalogue.prices_remembered():
            _refresh(customer, subscription)
    return subscription


def _refresh(customer: Customer, subscription: Subscription) -> None:
    asked_at = timezone.now()
    found = fetch.subscriptions(customer.pk)
    mirror.subscriptions(found)
    before = _copy(subscription)
    _project(subscription, current(found), asked_at)
    has_changed = access.record_change(before, subscription)
    _announce(before, subscription, found)
    settle_access(customer.pk)
    if has_changed:
        usage.announce_overflow(subscription)
    duplicates.settle(customer, found)


def current(found: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The subscription that counts: to a plan of ours rather than not, then the liveliest.

    Of equals the older while live, the newer once ended. One that came to be beside it does not count.
    """
    too_many = duplicates.among(found)
    found = [item for item in found if item not in too_many]
    ours = [item for item in found if catalogue.is_plan(item["items"]["data"])] or found
    live = [item for item in ours if item["status"] in LIVE]
    if live:
        return min(live, key=lambda item: (LIVE.index(Status(item["status"])), item["created"], item["id"]))
    return max(ours, key=lambda item: (item["ended_at"] or 0, item["created"], item["id"]), default=None)


def is_live(customer: Customer, subscription_id: str) -> bool:
    """Whether Stripe would still bill this subscription, be it the one that counts or another."""
    return any(item["id"] == subscription_id and item["status"] in LIVE for item in fetch.subscriptions(customer.pk))


def lapsed() -> list[str]:
    """Customers whose grace has ended by the clock and whose access was not announced as revoked yet.

    The project's own rule is not asked here: should it fail for one, nobody's end would be announced.
    """
    announced = access.with_holds().filter(past_due_since__isnull=False, has_announced_access=True)
    now = clock.now()
    return [row.customer_id for row in announced if not access.decide(row, now, is_now=False).has_access]


def settle_access(customer_id: str) -> None:
    """Announce access granted or revoked where it differs from what was last announced."""
    subscription = access.with_holds().filter(customer=customer_id).first()
    if subscription is None:
        return
    now = access.decide(subscription, clock.now())
    if now.has_access == subscription.has_announced_access:
        return
    row = Subscription.objects.filter(pk=subscription.pk)
    if now.has_access:
        row.update(has_announced_access=True)
        was = subscription.revoked_because
        _say(signals.access_granted, subscription, reason=now.reason, revoked_because=was)
    else:
        row.update(has_announced_access=False, revoked_because=now.reason)
        _say(signals.access_revoked, subscription, reason=now.reason)
    usage.announce_overflow(subscription)


def announce_trial_end(subscription: Subscription) -> None:
    """Once per trial, while its end is still ahead: Stripe also says this as a trial is cut short."""
    trial_end = subscription.trial_end
    if trial_end and trial_end > clock.now() and trial_end != subscription.announced_trial_end:
        subscription.announced_trial_end = trial_end
        subscription.save(update_fields=["announced_trial_end"])
        _say(signals.trial_ending, subscription, trial_end=trial_end)


def end_for_deleted_customer(customer: Customer) -> None:
    """The customer is gone at Stripe: access ends, and the row stays as a tombstone for what still arrives."""
    if customer.deleted_at:
        return
    subscription, _ = Subscription.objects.get_or_create(customer=customer)
    before, was_started = _copy(subscription), subscription.status in STARTED
    subscription.status = Status.CANCELED if subscription.stripe_id else Status.NONE
    subscription.ended_at = subscription.ended_at or clock.now()
    subscription.cancel_at = subscription.past_due_since = None
    subscription.save()
    access.record_change(before, subscription)
    customer.deleted_at = clock.now()
    customer.save(update_fields=["deleted_at"])
    if was_started:
        signals.subscription_ended.send(sender=Subscription, subscription=subscription, reason="customer_deleted")
    customer.comps.open().update(ended_at=clock.now(), ended_by=cause.current())
    settle_access(customer.pk)
    signals.customer_deleted.send(sender=Customer, subscription=subscription, customer=customer)
    customer.subscriber = None
    customer.save(update_fields=["subscriber"])
    mirror.forget_customer(customer.pk)


def _copy(subscription: Subscription) -> Subscription:
    return Subscription(**{f.attname: getattr(subscription, f.attname) for f in Subscription._meta.concrete_fields})


def _project(subscription: Subscription, found: dict[str, Any] | None, asked_at: datetime) -> None:
    if found is not None:
        for name, value in columns(found, subscription).items():
            setattr(subscription, name, value)
        subscription.past_due_since = past_due_since(subscription, found, fetch.open_invoices)
        _update_customer(subscription.customer, found["customer"])
    elif subscription.stripe_id and fetch.is_deleted(subscription.customer_id):
        subscription.status = Status.CANCELED
    subscription.fetched_at = asked_at
    subscription.save()
    if subscription.status in Subscription.TERMINAL:
        _release_settled_holds(subscription.customer)


def columns(found: dict[str, Any], before: Subscription) -> dict[str, Any]:
    """Our columns of a Stripe subscription; the period is that of the item whose price is a plan's."""
    item = found["items"]["data"][0]
    price: Price | None
    try:
        item, price = catalogue.plan_item(found["items"]["data"])
        unmapped_price = ""
    except catalogue.UnmappedPrice as error:
        price, unmapped_price = before.price if before.stripe_id == found["id"] else None, item["price"]["id"]
        log.error("unmapped price", extra={"subscription": found["id"], "error": str(error)})
    return {
        "stripe_id": found["id"],
        "status": found["status"],
        "plan": price.plan if price else None,
        "price": price,
        "unmapped_price": unmapped_price,
        "quantity": item.get("quantity") or 1,
        "currency": found["currency"],
        "started_at": from_timestamp(found["start_date"]),
        "current_period_start": from_timestamp(item["current_period_start"]),
        "current_period_end": from_timestamp(item["current_period_end"]),
        "trial_end": from_timestamp(found["trial_end"]),
        "cancel_at": from_timestamp(_cancel_at(found, item)),
        "ended_at": from_timestamp(found["ended_at"]),
        **pending.columns(found),
        "latest_invoice": id_of(found["latest_invoice"]),
        "default_payment_method": id_of(found["default_payment_method"]),
        **cards.columns(found),
    }


def _cancel_at(found: dict[str, Any], item: dict[str, Any]) -> int | None:
    """A cancellation is scheduled by either field: the portal may set only `cancel_at`."""
    if found["ended_at"]:
        return None
    at: int | None = found["cancel_at"]
    return item["current_period_end"] if at is None and found["cancel_at_period_end"] else at


def past_due_since(
    subscription: Subscription, found: dict[str, Any], open_invoices: Callable[[str], list[dict[str, Any]]]
) -> datetime | None:
    """When the oldest invoice still open was due: retries do not move it, payment clears it.

    Read from Stripe rather than from the order in which failures reach us, so that every order agrees. An invoice left
    open from before a later one was paid is an old story, and takes none of today's grace.
    """
    if found["status"] != Status.PAST_DUE:
        return None
    payments = Payment.objects.filter(subscription_id=found["id"])
    paid_up_to = payments.aggregate(latest=Max("invoiced_at"))["latest"]
    dues = [
        from_timestamp(invoice["due_date"] or invoice["status_transitions"]["finalized_at"])
        for invoice in open_invoices(found["id"])
        if paid_up_to is None or from_timestamp(invoice["created"]) > paid_up_to
    ]
    return min(filter(None, dues), default=None) or subscription.past_due_since or clock.now()


def _update_customer(customer: Customer, found: Any) -> None:
    """Address and language, as far as Stripe knows them; who has left has none any more."""
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
    """Refunds and disputes have done their work once the subscription ended; a new one starts free of them."""
    settled = (Hold.Kind.REFUND, Hold.Kind.DISPUTE)
    customer.holds.active().filter(kind__in=settled).update(released_at=clock.now(), released_by=cause.current())


def _announce(before: Subscription, after: Subscription, found: list[dict[str, Any]]) -> None:
    """Signals of the real transitions between two states of ours."""
    is_another, was_started = before.stripe_id != after.stripe_id, before.status in STARTED
    ended = _as_it_is_now(before, found) if is_another else after
    if was_started and ended.status in Subscription.TERMINAL:
        _say(signals.subscription_ended, ended, reason=_reason(ended, found))
    if after.status in STARTED:
        if is_another or not was_started:
            _say(signals.subscription_started, after)
            seats.owe(after.customer, after.stripe_id, wakes=False)  # who joined while it was bought
        elif (before.price_id, before.quantity) != (after.price_id, after.quantity):
            _say(signals.subscription_changed, after, previous_plan=before.plan)
        _announce_plans(Subscription() if is_another else before, after)


def _announce_plans(before: Subscription, after: Subscription) -> None:
    """What is to happen at a later day: an end, another plan."""
    if after.cancel_at and before.cancel_at != after.cancel_at:
        _say(signals.cancellation_scheduled, after, cancel_at=after.cancel_at)
    if after.pending_kind == Subscription.Pending.SCHEDULED and _pending(before) != _pending(after):
        _say(signals.change_scheduled, after, price=after.pending_price, at=after.pending_at)


def _pending(row: Subscription) -> tuple[str, str | None, datetime | None]:
    return row.pending_kind, row.pending_price_id, row.pending_at


def _say(signal: Signal, subscription: Subscription, **details: Any) -> None:
    signal.send(sender=Subscription, subscription=subscription, **details)


def _as_it_is_now(replaced: Subscription, found: list[dict[str, Any]]) -> Subscription:
    """A subscription that another took the place of, with what became of it at Stripe."""
    for item in found:
        if item["id"] == replaced.stripe_id:
            replaced.status, replaced.ended_at = item["status"], from_timestamp(item["ended_at"])
    return replaced


def _reason(ended: Subscription, found: list[dict[str, Any]]) -> str:
    details = [item["cancellation_details"] or {} for item in found if item["id"] == ended.stripe_id]
    return (details[0].get("reason") or "") if details else ""
