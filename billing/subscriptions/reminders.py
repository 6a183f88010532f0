"""Reminders announce the renewal of a long period that comes near, and a card that expires before its next charge.

The worker looks for them each hour, by the clock of the rules. Each is announced once, as the row remembers.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import reduce
from math import ceil
from operator import or_

from django.db.models import F, Q, QuerySet

from billing import cause, clock, lanes, signals
from billing.cadence import PER_MONTH
from billing.conf import conf
from billing.models import Invoice, Subscription

from . import trials

log = logging.getLogger(__name__)

Status = Subscription.Status
Rows = QuerySet[Subscription]
CAUSE = "calendar"
LONG_PERIOD_MONTHS = 6
A_DAY = timedelta(days=1)


def hourly() -> str:
    """Announce all reminders that are due. Returns a summary for the queue."""
    now = clock.now()
    renewals = _announce_each(renewals_due(now), renewals_due, _announce_renewal)
    cards = _announce_each(expiring_cards(now), expiring_cards, _announce_card)
    trials.compare_missed()
    return f"{renewals} renewals and {cards} cards announced"


def renewals_due(now: datetime) -> Rows:
    """Return subscriptions of half a year or longer that renew, and charge, within BILLING_RENEWAL_REMINDER_DAYS, and
    that are unannounced for that day."""
    untold = Q(announced_renewal=None) | ~Q(announced_renewal=F("current_period_end"))
    due = _charged_within(now, conf.renewal_reminder)
    long = [
        Q(price__interval=interval, price__interval_count__gte=ceil(LONG_PERIOD_MONTHS * per_month))
        for interval, per_month in PER_MONTH.items()
    ]
    # The mail names the amount: it waits up to a day for Stripe's answer.
    is_known = Q(next_charge__ask_at=None) | Q(current_period_end__lte=now + conf.renewal_reminder - A_DAY)
    return due.filter(untold, is_known, reduce(or_, long), status=Status.ACTIVE)


def expiring_cards(now: datetime) -> Rows:
    """Return subscriptions whose card expires before its next charge, unannounced for that card."""
    untold = Q(announced_card_expiry=None) | ~Q(announced_card_expiry=F("card_expires_on"))
    due = _charged_within(now, conf.card_reminder)
    charged = due.filter(untold, card_expires_on__lt=F("current_period_end__date"))
    return charged.exclude(collection_method=Invoice.SENT)


def _charged_within(now: datetime, reminder: timedelta) -> Rows:
    goes_on = Q(cancel_at=None) | Q(cancel_at__gt=F("current_period_end"))
    ours = Subscription.objects.filter(counts=True, whose=Subscription.Whose.OURS, collection_paused="")
    live = ours.filter(goes_on, status__in=[Status.ACTIVE, Status.TRIALING], customer__deleted_at=None)
    costs = live.exclude(price__unit_amount=0)
    return costs.filter(current_period_end__gt=now, current_period_end__lte=now + reminder)


def _announce_each(rows: Rows, due: Callable[[datetime], Rows], announce: Callable[[Subscription], None]) -> int:
    customers = list(rows.values_list("customer_id", flat=True))
    return sum(_announce_one(customer, due, announce) for customer in customers)


def _announce_one(customer: str, due: Callable[[datetime], Rows], announce: Callable[[Subscription], None]) -> int:
    def work() -> int:
        row = due(clock.now()).filter(customer=customer).select_related("customer", "plan", "price").first()
        if row:
            announce(row)
        return 1 if row else 0

    try:
        with cause.recorded_as(CAUSE), lanes.exclusive(customer, wait_seconds=0) as commit:
            return commit(work)
    except lanes.LaneBusy:
        return 0  # the next run, in an hour, announces it
    except Exception:
        log.exception("not reminded", extra={"lane": customer})
        return 0


def _announce_renewal(row: Subscription) -> None:
    row.announced_renewal = row.current_period_end
    row.save(update_fields=["announced_renewal"])
    signals.renewal_coming.send(sender=Subscription, subscription=row, renews_at=row.current_period_end)


def _announce_card(row: Subscription) -> None:
    row.announced_card_expiry = row.card_expires_on
    row.save(update_fields=["announced_card_expiry"])
    signals.card_expiring.send(sender=Subscription, subscription=row, expires_on=row.card_expires_on)
