"""This module compares the money paid for a period with the money given back, over all its payments.

Paid: all invoices of the subscription whose time covers the moment, the renewal's and the upgrades', and of upgrades
that came later in that time; with what the customer's balance paid of them. Given back: refunds that did not fail, and
lost disputes.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, QuerySet, Sum

from billing.models import Customer, Dispute, Invoice, Refund
from billing.stripe_client import fetch
from billing.subscriptions import invoices

UNDONE = Refund.UNDONE


@dataclass(frozen=True)
class Period:
    """These invoices pay for one moment of a subscription, the oldest first; sums are minor units."""

    rows: list[Invoice]

    @property
    def reference(self) -> str:
        """Return the invoice that began the period: holds and cancellations after a full refund are named by it."""
        return self.rows[0].pk if self.rows else ""

    @property
    def paid(self) -> int:
        return sum(max(row.total, 0) for row in self.rows)

    @property
    def given_back(self) -> int:
        ids = [row.pk for row in self.rows]
        refunds = Refund.objects.filter(invoice_id__in=ids).exclude(status__in=UNDONE)
        lost = Dispute.objects.filter(invoice_id__in=ids, status="lost")
        return sum(rows.aggregate(sum=Sum("amount"))["sum"] or 0 for rows in (refunds, lost))

    @property
    def is_given_back(self) -> bool:
        return 0 < self.paid <= self.given_back


def period_at(customer: Customer, subscription_id: str, at: datetime) -> Period:
    """Return what pays for a moment. Where our rows say that all of it was given back, Stripe is asked whether they
    are all: an event about another payment may not have arrived yet.
    """
    known = Period(list(_rows(customer, subscription_id, at)))
    if not known.is_given_back:
        return known
    for found in fetch.paid_invoices(subscription_id):
        invoices.project(customer, found)
    return Period(list(_rows(customer, subscription_id, at)))


def _rows(customer: Customer, subscription_id: str, at: datetime) -> QuerySet[Invoice]:
    paid = Invoice.objects.paid().filter(customer=customer, subscription_id=subscription_id, period_end__gt=at)
    end = paid.filter(period_start__lte=at).aggregate(end=Max("period_end"))["end"] or at
    return paid.filter(period_start__lt=end).order_by("created_at", "pk")
