"""A report that nobody knows the outcome of is compared with what Stripe's meter has summed up, before any resend."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Sum
from django.utils import timezone

from billing import clock, stripe_client
from billing.models import UsageReport
from billing.stripe_client import StripeRefused, StripeUnavailable

from . import reporting
from .reporting import SAME_IDENTIFIER, State

AT_ONCE = 100
MINUTE = timedelta(minutes=1)


def settle_all() -> int:
    """Settle the reports without an answer whose identifier Stripe may have forgotten; return how many there were."""
    old = UsageReport.objects.filter(state=State.SENDING, tried_at__lte=clock.now() - SAME_IDENTIFIER)
    rows = list(old.select_related("price").order_by("tried_at", "pk")[:AT_ONCE])
    groups: dict[tuple[str, str, datetime], list[UsageReport]] = {}
    for row in rows:
        groups.setdefault((row.customer_id, row.price.meter, _minute(row.at)), []).append(row)
    for (customer, meter, start), found in groups.items():
        try:
            _settle(found, summed(customer, meter, start, start + MINUTE), sent(customer, meter, start, start + MINUTE))
        except StripeUnavailable:
            break
        except StripeRefused as refusal:
            for row in found:
                reporting.settle(row, State.DOUBTFUL, str(refusal.user_message or refusal))
    return len(rows)


def _settle(rows: list[UsageReport], theirs: float, ours: int) -> None:
    """Either all of the minute have arrived, or none; what is between is for a person."""
    missing = sum(row.quantity for row in rows)
    if theirs == ours + missing:
        for row in rows:
            reporting.settle(row, State.SENT)
    elif theirs == ours:
        for row in rows:
            same = UsageReport.objects.filter(pk=row.pk, state=State.SENDING, attempts=row.attempts)
            same.update(state=State.WAITING, tried_at=None, next_attempt_at=timezone.now())
    else:
        words = f"Stripe has counted {theirs:g} in that minute, and we have sent {ours:,} for certain."
        for row in rows:
            reporting.settle(row, State.DOUBTFUL, words)


def summed(customer: str, meter: str, start: datetime, end: datetime) -> float:
    """Return what Stripe's meter has summed up of a customer; times are whole minutes. Raises `StripeUnavailable`,
    `StripeRefused`."""
    found = stripe_client.get(
        f"/v1/billing/meters/{meter}/event_summaries",
        customer=customer,
        start_time=int(start.timestamp()),
        end_time=int(end.timestamp()),
    )
    return float(sum(row["aggregated_value"] for row in found["data"]))


def sent(customer: str, meter: str, start: datetime, end: datetime, states: Iterable[str] = (State.SENT,)) -> int:
    """Return what our reports of a customer say that Stripe has counted from `start` until before `end`."""
    rows = UsageReport.objects.filter(customer_id=customer, price__meter=meter, at__gte=start, at__lt=end)
    return int(rows.filter(state__in=list(states)).aggregate(sum=Sum("quantity"))["sum"] or 0)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
