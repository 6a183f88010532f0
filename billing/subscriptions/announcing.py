"""Signals announce the real changes between two states of ours, and access granted or revoked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.dispatch import Signal
from django.utils import timezone

from billing import access, clock, signals, usage
from billing.models import AnnouncedAccess, Customer, StripeEvent, Subscription

from . import seats

Status = Subscription.Status
Pair = tuple[Subscription, Subscription]

UNPAID = frozenset({"grace_over", "unpaid"})
WRITTEN_OFF = frozenset({"void", "uncollectible"})
OF_LATE = timedelta(hours=1)
STARTED = frozenset({Status.ACTIVE, Status.TRIALING, Status.PAST_DUE, Status.UNPAID, Status.PAUSED})


def is_started(row: Subscription) -> bool:
    """Return whether the start of a subscription is announced: it counts, and a plan of ours has begun by it."""
    return row.counts and row.is_ours and row.status in STARTED


def announce_changes(customer: Customer, pairs: list[Pair], found: list[dict[str, Any]], *, has_changed: bool) -> None:
    """Announce what has changed: pairs of a subscription before and after. `found`: all as Stripe has them."""
    for before, after in pairs:
        announce_transitions(before, after, found)
    announce_access(customer.pk, found, has_changed=has_changed)


def announce_transitions(before: Subscription, after: Subscription, found: list[dict[str, Any]]) -> None:
    """Send a signal for each real transition of one subscription. Nothing is said of one that never counted."""
    if before.has_announced_start and before.status in STARTED and after.status in Subscription.TERMINAL:
        _send(signals.subscription_ended, after, reason=_reason(after, found))
    if not is_started(after):
        return
    is_new = not before.has_announced_start
    if is_new:
        _send(signals.subscription_started, after)
        seats.owe_seats(after.customer, after.stripe_id, wakes=False)  # who joined while it was bought
    elif _has_new_price(before, after):
        _send(signals.subscription_changed, after, previous_plan=before.plan)
    if not is_new and before.add_ons != after.add_ons:
        _send(signals.add_on_changed, after, previous=before.add_ons)
    if not is_new and _is_extended(before, after):
        _send(signals.trial_extended, after, trial_end=after.trial_end, previous_trial_end=before.trial_end)
    earlier = Subscription() if is_new or not before.counts else before
    _announce_schedule(earlier, after)
    _announce_pause(earlier, after)


def announce_access(customer_id: str, found: Sequence[dict[str, Any]] = (), *, has_changed: bool = False) -> None:
    """Announce for each line that access was granted or revoked, if it differs from what was last announced.

    It is the access of the customer's subscriber, or of the customer if there is none. Use above the new limits is
    announced too, if access was announced or what it depends on has changed (`has_changed`). `found`, the
    subscriptions as Stripe has them, tells whether the invoice that access hung on was written off.
    """
    lines = access.lines_of_customer(customer_id)
    held = next((now.subscription for now in lines.values()), None)
    if held is None:
        return
    whose = Whose(held.customer.subscriber, customer_id)
    if not has_changed and not _differs(lines, whose.announced()):
        return
    if _lock_beside_others(whose.subscriber, customer_id):
        lines = access.lines_of_customer(customer_id)
    _announce_lines(whose, lines, found, has_changed=has_changed)


def _lock_beside_others(subscriber: Any, customer_id: str) -> bool:
    """Lock the customers of a subscriber who has several, and return whether there are several: if two of their lanes
    change at once, the second sees what the first has written."""
    if subscriber is None:
        return False
    theirs = Customer.objects.filter(subscriber=subscriber)
    if not theirs.exclude(pk=customer_id).exists():
        return False
    return bool(theirs.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def announce_access_of(subscriber: Any) -> None:
    """Announce the access of a subscriber, who may have no Stripe customer, after their grants have changed."""
    customer = Customer.objects.of(subscriber, deleted_too=True)
    if customer:
        _lock_beside_others(subscriber, customer.pk)
    lines = access.lines_of(subscriber)
    _announce_lines(Whose(subscriber, customer.pk if customer else ""), lines, has_changed=True)


@dataclass(frozen=True)
class Whose:
    """Access belongs to a subscriber, or to a customer without one."""

    subscriber: Any
    customer_id: str = ""

    def announced(self) -> dict[str, AnnouncedAccess]:
        """Return what was last announced in each line. The subscriber's counts before what was announced of the
        customer while it had no subscriber.
        """
        theirs = Q(customer=self.customer_id) if self.customer_id else Q()
        if self.subscriber is not None:
            theirs |= Q(subscriber=self.subscriber)
        rows = AnnouncedAccess.objects.filter(theirs).order_by(F("subscriber").asc(nulls_first=True))
        return {row.line: row for row in rows}

    def save(self, row: AnnouncedAccess) -> None:
        row.subscriber = self.subscriber
        row.customer_id = None if self.subscriber is not None else self.customer_id
        row.save()


def _differs(lines: dict[str, access.Access], announced: dict[str, AnnouncedAccess]) -> bool:
    granted = {line for line, was in announced.items() if was.is_granted}
    return any(now.has_access != (line in granted) for line, now in lines.items())


def _announce_lines(
    whose: Whose, lines: dict[str, access.Access], found: Sequence[dict[str, Any]] = (), *, has_changed: bool
) -> None:
    announced = whose.announced()
    for line, now in lines.items():
        was = announced.get(line) or AnnouncedAccess(line=line)
        if now.has_access != was.is_granted:
            _announce_access(whose, was, now, found)
            has_changed = True
    if has_changed and whose.subscriber is not None:
        usage.announce_overflow(whose.subscriber, lines)


def _announce_access(whose: Whose, was: AnnouncedAccess, now: access.Access, found: Sequence[dict[str, Any]]) -> None:
    because, was.is_granted = was.revoked_because, now.has_access
    if not now.has_access:
        was.revoked_because = now.reason
    whose.save(was)
    row = now.subscription
    about = {"subscription": row, "subscriber": whose.subscriber, "reason": now.reason}
    if now.has_access:
        is_free = row is not None and _was_written_off(row, found, because)
        is_free = is_free or (because in UNPAID and _is_told_of_writing_off(whose.customer_id))
        signals.access_granted.send(Subscription, **about, revoked_because=because, was_written_off=is_free)
    else:
        signals.access_revoked.send(Subscription, **about)


def _was_written_off(row: Subscription, found: Sequence[dict[str, Any]], because: str) -> bool:
    """Return whether the invoice is settled without a payment: a credit note or a credit that staff give does that too,
    and its receipt over nothing is not mailed."""
    latest = next((item["latest_invoice"] for item in found if item["id"] == row.stripe_id), None)
    if not isinstance(latest, dict):
        return False
    is_paid_by_nothing = latest["status"] == "paid" and not latest["amount_paid"]
    return latest["status"] in WRITTEN_OFF or (is_paid_by_nothing and because in UNPAID)


def _is_told_of_writing_off(customer_id: str) -> bool:
    """Return whether an event of late says that an older invoice was voided or written off."""
    events = StripeEvent.objects.filter(lane=customer_id, type__in=["invoice.voided", "invoice.marked_uncollectible"])
    return events.filter(received_at__gt=timezone.now() - OF_LATE).exists()


def customers_past_grace() -> list[str]:
    """Return the ids of customers whose grace has ended, or what they paid before a pause, and whose access was not
    announced as revoked yet.

    The host's own rule is not asked here: if it raised for one customer, nobody's end would be announced.
    """
    theirs = Q(customer=OuterRef("customer")) | Q(subscriber=OuterRef("customer__subscriber"))
    granted = AnnouncedAccess.objects.filter(theirs, line=OuterRef("line"), is_granted=True)
    now = clock.now()
    may_be_over = Q(past_due_since__isnull=False) | Q(paid_until__lte=now)
    announced = access.with_access_facts().filter(may_be_over, Exists(granted), counts=True)
    past = [row for row in announced if not access.decide(access.facts_of(row), now, is_now=False).has_access]
    return [row.customer_id for row in past if not _has_access_by_another(row)]


def _has_access_by_another(row: Subscription) -> bool:
    """Return whether another customer of the same subscriber gives access in the line."""
    if row.customer.subscriber_id is None:
        return False
    others = access.with_access_facts().filter(customer__subscriber=row.customer.subscriber_id, line=row.line)
    others, now = others.filter(counts=True).exclude(pk=row.pk), clock.now()
    return any(access.decide(access.facts_of(other), now, is_now=False).has_access for other in others)


def announce_trial_end(subscription: Subscription) -> None:
    """Announce the end of a trial once, while it is ahead. Stripe sends its event also when a trial is cut short."""
    trial_end = subscription.trial_end if is_started(subscription) else None
    if trial_end and trial_end > clock.now() and trial_end != subscription.announced_trial_end:
        subscription.announced_trial_end = trial_end
        subscription.save(update_fields=["announced_trial_end"])
        _send(signals.trial_ending, subscription, trial_end=trial_end)


def _is_extended(before: Subscription, after: Subscription) -> bool:
    """Return whether a trial that ran, and runs, ends later than it did."""
    both = before.status == after.status == Status.TRIALING
    return both and bool(before.trial_end and after.trial_end and after.trial_end > before.trial_end)


def _announce_schedule(before: Subscription, after: Subscription) -> None:
    """Announce a newly scheduled end or change of plan. What was scheduled while another subscription counted is new
    to the line once this one counts.
    """
    if after.cancel_at and before.cancel_at != after.cancel_at:
        _send(signals.cancellation_scheduled, after, cancel_at=after.cancel_at)
    is_new = _pending_change(before) != _pending_change(after)
    if after.pending_kind == Subscription.Pending.SCHEDULED and is_new and not _is_of_add_ons(after):
        _send(signals.change_scheduled, after, price=after.pending_price, at=after.pending_at)


def _announce_pause(before: Subscription, after: Subscription) -> None:
    """Announce that payments are paused, or paused in another way or until another day, or collected again."""
    if after.status in Subscription.TERMINAL:
        return
    if after.collection_paused and _pause(before) != _pause(after):
        _send(signals.collection_paused, after, until=after.collection_resumes_at)
    elif before.collection_paused and not after.collection_paused:
        _send(signals.collection_resumed, after)


def _pause(row: Subscription) -> tuple[str, datetime | None]:
    return row.collection_paused, row.collection_resumes_at


def _pending_change(row: Subscription) -> tuple[str, str | None, datetime | None]:
    return row.pending_kind, row.pending_price_id, row.pending_at


def _is_of_add_ons(row: Subscription) -> bool:
    """Return whether the pending change leaves the plan as it is, and changes add-ons alone."""
    is_other = row.pending_add_ons is not None and row.pending_add_ons != row.add_ons
    return is_other and row.pending_price_id == row.price_id


def _send(signal: Signal, subscription: Subscription, **details: Any) -> None:
    signal.send(sender=Subscription, subscription=subscription, **details)


def _has_new_price(before: Subscription, after: Subscription) -> bool:
    """Return whether price or quantity changed, unless a plan has only come to know the price that was paid already."""
    if before.whose == Subscription.Whose.UNKNOWN and before.plan_id == after.plan_id:
        return False
    return (before.price_id, before.quantity) != (after.price_id, after.quantity)


def _reason(ended: Subscription, found: list[dict[str, Any]]) -> str:
    details = [item["cancellation_details"] or {} for item in found if item["id"] == ended.stripe_id]
    return (details[0].get("reason") or "") if details else ""
