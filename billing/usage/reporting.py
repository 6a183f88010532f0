"""Usage reports are the outbox of Stripe's meters: each minute a row for each counter that has grown, sent once.

1. `cut` turns what a counter has counted since its last report into a row, by one conditional UPDATE of the counter:
   two workers make one row. Nobody who counts waits for Stripe, or for more than that UPDATE.
2. `send` claims a row by a conditional UPDATE, commits, and calls Stripe with the row's id as identifier.
3. A row without an answer is sent again by the same identifier, as long as Stripe knows it (a day). After that
   `doubts` asks what Stripe has counted before anything is sent.

A row that is too late for the invoice of its period is dated anew, so that the next invoice bills it. Only where none
will come, it is late, and waits for a person.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from billing import clock, stripe_client
from billing.lanes import tries
from billing.models import NextCharge, Subscription, Usage, UsageReport
from billing.monitoring import alerts
from billing.stripe_client import StripeRefused, StripeUnavailable

log = logging.getLogger(__name__)

State = UsageReport.State

AT_ONCE = 500
# Counters of older months have long been reported; what is given back later is not billed less.
COUNTERS_OF = timedelta(days=70)
# Stripe keeps an identifier for 24 hours; a call may take a while.
SAME_IDENTIFIER = timedelta(hours=23)
# Stripe takes events of the last 35 days.
OLDEST = timedelta(days=34, hours=12)
# A renewal's invoice is a draft for about an hour, in which usage of its period still counts.
DRAFT_OPEN = timedelta(minutes=50)
# A worker that has claimed a row may be killed before it writes down the answer.
CLAIMED_FOR = timedelta(minutes=2)
# Stripe adds up what a meter was sent within minutes, and one preview then shows all that came until then.
ADDED_UP = timedelta(minutes=3)
KNOWN_ALREADY = "already exists with identifier"
TOO_LATE = ("timestamp_too_far_in_past",)
SECOND = timedelta(seconds=1)


def cut_all() -> int:
    """Make a report for each counter that has grown since its last one; return how many."""
    return sum(cut(row) for row in _grown()[:AT_ONCE])


def _grown() -> Any:
    rows = Usage.objects.filter(has_overage=True, period_start__gt=clock.now() - COUNTERS_OF)
    return rows.exclude(overage=F("reported")).order_by("pk")


def cut(counter: Usage) -> bool:
    """Make a report of what a counter, as it was read, has more than is reported; False if there is nothing, or another
    worker was first."""
    held = Subscription.objects.filter(stripe_id=counter.overage_subscription).values("customer_id", "currency").first()
    if counter.overage == counter.reported or held is None:
        return False
    with transaction.atomic():
        same = Usage.objects.filter(pk=counter.pk, reported=counter.reported)
        if not same.update(reported=counter.overage):
            return False
        UsageReport.objects.create(
            usage=counter,
            price_id=counter.overage_price,
            customer_id=held["customer_id"],
            subscription_id=counter.overage_subscription,
            currency=held["currency"],
            quantity=counter.overage - counter.reported,
            at=counter.overage_at or clock.now(),
            made_at=clock.now(),
            next_attempt_at=timezone.now(),
        )
    return True


def flush(subscription_id: str) -> list[UsageReport]:
    """Report all that a subscription has used beyond its limits, now; return the reports that were sent.

    Call it with no transaction open, before a change that ends what bills it. Raises `StripeUnavailable` while any
    report has no answer.
    """
    for counter in _grown().filter(overage_subscription=subscription_id):
        cut(counter)
    rows = list(UsageReport.objects.filter(subscription_id=subscription_id, state__in=UsageReport.OPEN))
    for row in rows:
        send(row, is_urgent=True)
    if UsageReport.objects.filter(pk__in=[row.pk for row in rows], state__in=UsageReport.OPEN).exists():
        raise StripeUnavailable("Stripe has not taken all usage yet")
    return rows


def send_due() -> int:
    """Send the reports that are due, the oldest first, until Stripe does not answer; return how many were sent."""
    due = UsageReport.objects.filter(state__in=UsageReport.OPEN, next_attempt_at__lte=timezone.now())
    sent = 0
    for row in due.order_by("next_attempt_at", "pk").select_related("price")[:AT_ONCE]:
        with stripe_client.patient():
            if not send(row):
                break
        sent += 1
    return sent


def send(report: UsageReport, *, is_urgent: bool = False) -> bool:
    """Send a report if no other worker does, and it may be sent; return False if Stripe did not answer.

    What is urgent does not wait for the time of its next try; Stripe knows its identifier, if another worker sends it.
    """
    if report.tried_at and clock.now() > report.tried_at + SAME_IDENTIFIER:
        return True
    if not report.tried_at and not _date(report):
        settle(report, State.LATE, "The invoice of its period is closed, and no other will come.")
        return True
    if not _claim(report, is_urgent=is_urgent):
        return True
    try:
        stripe_client.post(
            "/v1/billing/meter_events",
            idempotency_key=f"{report.pk}:{report.attempts}",
            event_name=report.price.event_name,
            identifier=str(report.pk),
            timestamp=int(report.at.timestamp()),
            payload={"stripe_customer_id": report.customer_id, "value": str(report.quantity)},
        )
    except StripeRefused as refusal:
        _refused(report, refusal)
        return True
    except StripeUnavailable as error:
        again = tries.next_try_of_owed(report.attempts)
        UsageReport.objects.filter(pk=report.pk, state=State.SENDING, attempts=report.attempts).update(
            next_attempt_at=again, error_message=tries.describe(error)
        )
        return False
    settle(report, State.SENT)
    return True


def _claim(report: UsageReport, *, is_urgent: bool = False) -> bool:
    """Write down that this process sends the row, before it does."""
    same = UsageReport.objects.filter(pk=report.pk, attempts=report.attempts, state=report.state)
    same = same if is_urgent else same.filter(next_attempt_at__lte=timezone.now())
    report.attempts += 1
    report.tried_at = report.tried_at or clock.now()
    report.state = State.SENDING
    return bool(
        same.update(
            state=State.SENDING,
            attempts=report.attempts,
            tried_at=report.tried_at,
            at=report.at,
            error_message=report.error_message,
            next_attempt_at=timezone.now() + CLAIMED_FOR,
        )
    )


def _date(report: UsageReport) -> bool:
    """Date a report that was never sent into a period that is billed yet; return False if there is none."""
    now, sub = clock.now(), Subscription.objects.filter(stripe_id=report.subscription_id).first()
    if sub is not None and sub.status in Subscription.TERMINAL:
        end = sub.ended_at or sub.canceled_at or now
        report.at = min(report.at, end - SECOND)
        return now < end + DRAFT_OPEN
    start = _period_start(sub, now)
    is_closed = start is not None and report.at < start and now > start + DRAFT_OPEN
    if is_closed or report.at < now - OLDEST:
        report.error_message = f"Dated anew: it came too late for the invoice of {report.at:%Y-%m-%d %H:%M} UTC."
        report.at = now
    report.at = min(report.at, now)
    return True


def _period_start(sub: Subscription | None, now: datetime) -> datetime | None:
    """Return when the running period began, also where a renewal was not heard of yet."""
    if sub is None:
        return None
    end = sub.current_period_end
    return end if end is not None and end <= now else sub.current_period_start


def _refused(report: UsageReport, refusal: Any) -> None:
    words = str(refusal.user_message or refusal)
    if KNOWN_ALREADY in words:  # an earlier try has arrived, and its answer was lost
        settle(report, State.SENT)
    else:
        settle(report, State.LATE if refusal.code in TOO_LATE else State.REFUSED, words)


def settle(report: UsageReport, state: State, words: str = "", by: str = "") -> bool:
    """Write down what became of a report, and tell staff where they have to decide; False if it stands otherwise."""
    same = UsageReport.objects.filter(pk=report.pk, state=report.state, attempts=report.attempts)
    columns: dict[str, Any] = {"state": state, "next_attempt_at": None, "settled_by": by}
    if words or state in UsageReport.NEEDS_PERSON:
        columns["error_message"] = words[: tries.MOST_ERROR_TEXT]
    if state == State.SENT:
        columns["sent_at"] = clock.now()
    if not same.update(**columns):
        return False
    report.state = state
    if state == State.SENT:
        NextCharge.objects.filter(subscription__stripe_id=report.subscription_id).ask_soon(timezone.now() + ADDED_UP)
    if state in UsageReport.NEEDS_PERSON:
        log.warning("usage report needs a person", extra={"report": str(report.pk), "state": state})
        alerts.alert_staff(
            f"usage_report_{state}",
            "Usage was not billed",
            f"A report of {report.quantity:,} uses of {report.customer_id} is {State(state).label}: {words}\n"
            "The admin lists it under Usage reports, with what to do.",
        )
    return True


def lasting(customer: str = "") -> list[str]:
    """Return a sentence for each report, of one customer or of all, that waits for a person."""
    rows = (
        UsageReport.objects.filter(state__in=UsageReport.NEEDS_PERSON).select_related("price").order_by("made_at", "pk")
    )
    rows = rows.filter(customer_id=customer) if customer else rows
    return [
        f"A report of {row.quantity:,} {row.price.feature} of {row.customer_id} from {row.at:%Y-%m-%d %H:%M} is "
        f"{row.get_state_display()}: {row.error_message}"
        for row in rows.select_related("price")[:AT_ONCE]
    ]


def send_again(report: UsageReport, by: str) -> bool:
    """Send a report that needs a person anew, dated now and by another identifier; return whether it was one.

    The row itself is given up, and another one takes its place, since an identifier is sent for one use only.
    """
    with transaction.atomic():
        same = UsageReport.objects.filter(pk=report.pk, state__in=UsageReport.NEEDS_PERSON)
        if not same.update(state=State.DROPPED, settled_by=by, next_attempt_at=None):
            return False
        UsageReport.objects.create(
            usage_id=report.usage_id,
            price_id=report.price_id,
            customer_id=report.customer_id,
            subscription_id=report.subscription_id,
            currency=report.currency,
            quantity=report.quantity,
            at=clock.now(),
            made_at=clock.now(),
            next_attempt_at=timezone.now(),
            settled_by=by,
        )
    return True


def count_as_sent(report: UsageReport, by: str) -> bool:
    """Take a report that needs a person for one that Stripe has counted."""
    same = UsageReport.objects.filter(pk=report.pk, state__in=UsageReport.NEEDS_PERSON)
    return bool(same.update(state=State.SENT, sent_at=clock.now(), settled_by=by))


def give_up(report: UsageReport, by: str) -> bool:
    """Give a report up: nobody is billed for it."""
    same = UsageReport.objects.filter(pk=report.pk, state__in=UsageReport.NEEDS_PERSON)
    return bool(same.update(state=State.DROPPED, settled_by=by))
