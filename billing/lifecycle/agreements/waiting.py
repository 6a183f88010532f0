"""Agreements that wait for a person are named here, for the doctor and for the sync's report."""

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from billing import clock
from billing.models import Agreement

LATE = timedelta(hours=3)
MOST_NAMED = 20
SEND_AGAIN = "Send it again or discard it, on its page in the admin."
CHECK_WORKER = "Check the worker and its log: it asks Stripe again each minute."


def lasting(customer: str = "") -> list[tuple[str, str]]:
    """Return a sentence and what to do for each agreement, of one customer or of all, that could not start, or that
    Stripe has not started for hours."""
    refused = Agreement.objects.filter(status=Agreement.Status.REFUSED).order_by("drafted_at", "pk")
    began = Q(starts_on=None) | Q(starts_on__lt=timezone.localdate(clock.now()))
    late = Agreement.objects.starting().filter(began, sent_at__lt=clock.now() - LATE).order_by("sent_at", "pk")
    return [
        *((_said_of_refused(row), SEND_AGAIN) for row in _of(refused, customer)),
        *((_said_of_late(row), CHECK_WORKER) for row in _of(late, customer)),
    ]


def _said_of_refused(row: Agreement) -> str:
    return f"The agreement {row.pk} could not start: {row.error_message}"


def _said_of_late(row: Agreement) -> str:
    return f"The agreement {row.pk} was sent {row.sent_at:%Y-%m-%d %H:%M}, and Stripe has not started it yet."


def _of(rows: QuerySet[Agreement], customer: str) -> QuerySet[Agreement]:
    return (rows.filter(subscriber__billing_customers=customer) if customer else rows)[:MOST_NAMED]
