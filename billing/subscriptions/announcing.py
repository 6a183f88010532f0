"""Signals announce the real changes between two states of ours, and access granted or revoked."""

from datetime import datetime, timedelta
from typing import Any

from django.dispatch import Signal
from django.utils import timezone

from billing import access, clock, signals, usage
from billing.clock import from_timestamp
from billing.models import StripeEvent, Subscription

from . import seats

Status = Subscription.Status

UNPAID = frozenset({"grace_over", "unpaid"})
WRITTEN_OFF = frozenset({"void", "uncollectible"})
OF_LATE = timedelta(hours=1)
STARTED = frozenset({Status.ACTIVE, Status.TRIALING, Status.PAST_DUE, Status.UNPAID, Status.PAUSED})


def announce_changes(
    before: Subscription, after: Subscription, found: list[dict[str, Any]], *, has_changed: bool
) -> None:
    """Announce what has changed from `before` to `after`. `found`: all the customer's subscriptions."""
    announce_transitions(before, after, found)
    announce_access(after.customer_id, has_changed=has_changed, was_written_off=_was_written_off(after, found))


def announce_transitions(before: Subscription, after: Subscription, found: list[dict[str, Any]]) -> None:
    """Send a signal for each real transition from `before` to `after`."""
    is_another, was_started = before.stripe_id != after.stripe_id, before.status in STARTED
    ended = _replaced_subscription(before, found) if is_another else after
    if was_started and ended.status in Subscription.TERMINAL:
        _send(signals.subscription_ended, ended, reason=_reason(ended, found))
    if after.status in STARTED:
        if is_another or not was_started:
            _send(signals.subscription_started, after)
            seats.owe_seats(after.customer, after.stripe_id, wakes=False)  # who joined while it was bought
        elif (before.price_id, before.quantity) != (after.price_id, after.quantity):
            _send(signals.subscription_changed, after, previous_plan=before.plan)
        _announce_schedule(Subscription() if is_another else before, after)


def announce_access(customer_id: str, *, has_changed: bool = False, was_written_off: bool = False) -> None:
    """Announce that access was granted or revoked, where it differs from what was last announced.

    Use above the new limits is announced too, if access was announced or the subscription has changed (`has_changed`).
    `was_written_off`: the invoice that access hung on was voided or written off, so no payment brings access back.
    """
    now = access.of_customer(customer_id)
    subscription = now.subscription
    if subscription is None:
        return
    if now.has_access == subscription.has_announced_access:
        if has_changed:
            usage.announce_overflow(subscription, now)
        return
    row = Subscription.objects.filter(pk=subscription.pk)
    if now.has_access:
        row.update(has_announced_access=True)
        was = subscription.revoked_because
        is_free = was_written_off or (was in UNPAID and _is_told_of_writing_off(customer_id))
        _send(signals.access_granted, subscription, reason=now.reason, revoked_because=was, was_written_off=is_free)
    else:
        row.update(has_announced_access=False, revoked_because=now.reason)
        _send(signals.access_revoked, subscription, reason=now.reason)
    usage.announce_overflow(subscription)


def _was_written_off(row: Subscription, found: list[dict[str, Any]]) -> bool:
    latest = next((item["latest_invoice"] for item in found if item["id"] == row.stripe_id), None)
    return isinstance(latest, dict) and latest["status"] in WRITTEN_OFF


def _is_told_of_writing_off(customer_id: str) -> bool:
    """Return whether an event of late says that an older invoice was voided or written off."""
    events = StripeEvent.objects.filter(lane=customer_id, type__in=["invoice.voided", "invoice.marked_uncollectible"])
    return events.filter(received_at__gt=timezone.now() - OF_LATE).exists()


def customers_past_grace() -> list[str]:
    """Return the ids of customers whose grace has ended, and whose access was not announced as revoked yet.

    The host's own rule is not asked here: if it raised for one customer, nobody's end would be announced.
    """
    announced = access.with_access_facts().filter(past_due_since__isnull=False, has_announced_access=True)
    now = clock.now()
    return [
        row.customer_id for row in announced if not access.decide(access.facts_of(row), now, is_now=False).has_access
    ]


def announce_trial_end(subscription: Subscription) -> None:
    """Announce the end of a trial once, while it is ahead. Stripe sends its event also when a trial is cut short."""
    trial_end = subscription.trial_end
    if trial_end and trial_end > clock.now() and trial_end != subscription.announced_trial_end:
        subscription.announced_trial_end = trial_end
        subscription.save(update_fields=["announced_trial_end"])
        _send(signals.trial_ending, subscription, trial_end=trial_end)


def _announce_schedule(before: Subscription, after: Subscription) -> None:
    """Announce a newly scheduled end or change of plan."""
    if after.cancel_at and before.cancel_at != after.cancel_at:
        _send(signals.cancellation_scheduled, after, cancel_at=after.cancel_at)
    if after.pending_kind == Subscription.Pending.SCHEDULED and _pending_change(before) != _pending_change(after):
        _send(signals.change_scheduled, after, price=after.pending_price, at=after.pending_at)


def _pending_change(row: Subscription) -> tuple[str, str | None, datetime | None]:
    return row.pending_kind, row.pending_price_id, row.pending_at


def _send(signal: Signal, subscription: Subscription, **details: Any) -> None:
    signal.send(sender=Subscription, subscription=subscription, **details)


def _replaced_subscription(replaced: Subscription, found: list[dict[str, Any]]) -> Subscription:
    """Return a replaced subscription with the state that it has at Stripe by now."""
    for item in found:
        if item["id"] == replaced.stripe_id:
            replaced.status, replaced.ended_at = item["status"], from_timestamp(item["ended_at"])
    return replaced


def _reason(ended: Subscription, found: list[dict[str, Any]]) -> str:
    details = [item["cancellation_details"] or {} for item in found if item["id"] == ended.stripe_id]
    return (details[0].get("reason") or "") if details else ""
