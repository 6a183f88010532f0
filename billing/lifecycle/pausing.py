"""A subscriber pauses their payments until a renewal, and resumes them early; staff may do so until any day.

While payments are paused Stripe voids each invoice. What was paid before is kept until it is used up, and no access is
given for nothing after that (docs/decisions/0133). A pause ends with a renewal, so that whoever has access has paid
for it; whoever resumes earlier, after their paid time, pays for a new period at once.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from billing import clock
from billing.conf import conf
from billing.localized import day as day_words
from billing.models import Subscription
from billing.stripe_client import fetch
from billing.subscriptions import renewals

from . import unpaid
from .live_subscription import Standing, change_subscription
from .refusals import (
    CancellationScheduled,
    ChangePending,
    NoSubscription,
    NotPausable,
    NotPaused,
    PauseTooLong,
    PauseTooSoon,
    PaymentOverdue,
)

# Stripe collects again from a moment before the renewal on, so that the renewal itself is charged.
BEFORE_RENEWAL = timedelta(hours=1)
LONGEST_BY_STAFF = timedelta(days=730)
BEHAVIORS = (Subscription.VOIDED, "mark_uncollectible")

OWES = gettext_lazy("You have an unpaid invoice. Pay it first, then pause your payments.")


def days_offered(subscription: Subscription | None) -> list[datetime]:
    """Return the renewals until which the subscriber may pause now, the first one first; none if they may not."""
    if subscription is None or not _may_pause(subscription):
        return []
    last = clock.now() + timedelta(days=conf.pause_days)
    ahead = renewals.renewals_until(subscription, last)
    return [day for day in ahead if day > _charged_anyway(subscription)]


def pause(subscriber: Any, until: datetime, *, line: str = "") -> Subscription:
    """Pause payments until the first renewal at `until` or later. Returns the refreshed row. Asked again, it moves the
    end of the pause.

    Raises `NotPausable`, `PauseTooSoon`, `PauseTooLong`, `PaymentOverdue`, `CancellationScheduled`, `ChangePending`,
    `NoSubscription`, and the errors of `live_subscription.change_subscription`.
    """
    return change_subscription(subscriber, _pausing(until), lambda row: bool(row.collection_paused), line)


def resume_early(subscriber: Any, *, line: str = "") -> Subscription:
    """Collect payments again now. Returns the refreshed row.

    Within the paid time nothing is charged now. After it a new period begins, and Stripe charges it at once; a payment
    that fails leaves the subscription past due, like a renewal.

    Raises `NotPaused`, `NoSubscription`, and the errors of `live_subscription.change_subscription`.
    """
    return change_subscription(subscriber, resume_now, lambda row: not row.collection_paused, line)


def _charged_anyway(subscription: Subscription) -> datetime:
    """Return the day until which nothing is charged without a pause: the end of what is paid."""
    return subscription.paid_until or subscription.current_period_end or clock.now()


def _may_pause(subscription: Subscription) -> bool:
    return bool(
        conf.pause_days
        and subscription.is_ours
        and subscription.status == Subscription.Status.ACTIVE
        and not subscription.is_free
        and not subscription.cancel_at
        and not subscription.pending_kind
    )


def _pausing(until: datetime) -> Callable[[Standing], None]:
    def work(now: Standing) -> None:
        check_pausable(now)
        row = now.row or Subscription()
        if not conf.pause_days or now.is_free or now.is_trial:
            raise NotPausable
        offered = days_offered(row)
        if until <= max(clock.now(), _charged_anyway(row)):
            raise PauseTooSoon
        chosen = next((day for day in offered if day >= until), None)
        if chosen is None and not offered:
            raise NotPausable
        if chosen is None:
            raise PauseTooLong(gettext("You can pause until {date} at the latest.").format(date=day_words(offered[-1])))
        pause_until(now, chosen - BEFORE_RENEWAL, Subscription.VOIDED)

    return work


def check_pausable(now: Standing) -> None:
    """Refuse to pause payments that nobody makes, that are overdue, or that are about to change."""
    if not now.is_live:
        raise NoSubscription
    if now.status not in {Subscription.Status.ACTIVE, Subscription.Status.TRIALING}:
        raise PaymentOverdue(str(OWES))
    if now.is_ending:
        raise CancellationScheduled(
            gettext("Your subscription is cancelled and will end. Resume it first, then pause it.")
        )
    if now.pending or now.has_pending_update:
        raise ChangePending
    if any(each.kind != unpaid.Kind.IDLE for each in unpaid.owed_of(now)):
        raise PaymentOverdue(str(OWES))


def pause_until(now: Standing, until: datetime | None, behavior: str) -> None:
    """Pause the collection at Stripe; without `until`, until somebody resumes it."""
    pause = {"behavior": behavior, **({"resumes_at": int(until.timestamp())} if until else {})}
    now.update("pause", pause_collection=pause)


def resume_now(now: Standing) -> None:
    """Collect again. A second try after a lost answer finds it done, and only refreshes."""
    if not now.is_live:
        raise NoSubscription
    if not now.found.get("pause_collection"):
        if now.row and now.row.collection_paused:
            return
        raise NotPaused
    now.update("resume-payments", pause_collection="", **(_new_period() if is_charged_at_once(now) else {}))


def is_charged_at_once(now: Standing) -> bool:
    """Return whether resuming begins a new period: what was paid is used up, and no invoice of now waits to be
    collected."""
    paid_until = now.row.paid_until if now.row else None
    if paid_until is None or paid_until > clock.now() or now.is_free:
        return False
    return not any(invoice.get("auto_advance") for invoice in fetch.draft_invoices(now.id))


def _new_period() -> dict[str, Any]:
    return {"billing_cycle_anchor": "now", "proration_behavior": "none"}
