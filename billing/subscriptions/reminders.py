"""What only the calendar tells: a yearly renewal that comes near, a card that will not work when it is next charged.

Looked for each hour, by the clock of the rules. Each is announced once: what was announced stands in the row, written
under the lane like any other change.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from billing import cause, clock, lanes, signals
from billing.conf import conf
from billing.models import Price, Subscription

log = logging.getLogger(__name__)

Status = Subscription.Status
Rows = QuerySet[Subscription]
CAUSE = "calendar"


def hourly() -> str:
    """The schedule's task; says what was announced."""
    now = clock.now()
    renewals = _announce_each(renewals_due(now), renewals_due, _announce_renewal)
    cards = _announce_each(expiring_cards(now), expiring_cards, _announce_card)
    return f"{renewals} renewals and {cards} cards announced"


def renewals_due(now: datetime) -> Rows:
    """Yearly subscriptions that will be charged within the days of the reminder, and were not told of that day."""
    untold = Q(announced_renewal=None) | ~Q(announced_renewal=F("current_period_end"))
    due = _charged_within(now, conf.renewal_reminder)
    return due.filter(untold, status=Status.ACTIVE, price__interval=Price.Interval.YEAR)


def expiring_cards(now: datetime) -> Rows:
    """Those whose card will have stopped working on the day that it is charged next, and were not told of that card."""
    untold = Q(announced_card_expiry=None) | ~Q(announced_card_expiry=F("card_expires_on"))
    due = _charged_within(now, conf.card_reminder)
    return due.filter(untold, card_expires_on__lt=F("current_period_end__date"))


def _charged_within(now: datetime, reminder: timedelta) -> Rows:
    goes_on = Q(cancel_at=None) | Q(cancel_at__gt=F("current_period_end"))
    live = Subscription.objects.filter(goes_on, status__in=[Status.ACTIVE, Status.TRIALING], customer__deleted_at=None)
    return live.filter(current_period_end__gt=now, current_period_end__lte=now + reminder)


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
        with cause.recorded_as(CAUSE), lanes.hold(customer, wait_seconds=0) as commit:
            return commit(work)
    except lanes.LaneBusy:
        return 0  # an hour later it is as true
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
