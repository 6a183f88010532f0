"""Staff paste any Stripe id, and this module finds the customer it belongs to."""

import re
from typing import Any

from django.db.models import Q

from billing.models import (
    CheckoutAttempt,
    Customer,
    Dispute,
    InvoicePayment,
    Payment,
    PaymentFailure,
    Refund,
    StripeEvent,
    Subscription,
)

AN_ID = re.compile(r"[a-z]{2,}_\w{1,255}", re.ASCII)
# The rows that have a customer, and the fields by which an id is looked up in them.
NAMED_IN: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (Subscription, ("stripe_id",)),
    (Payment, ("invoice_id", "subscription_id")),
    (PaymentFailure, ("invoice_id",)),
    (InvoicePayment, ("pk", "payment_intent", "charge")),
    (Refund, ("pk", "charge")),
    (Dispute, ("pk", "charge")),
    (CheckoutAttempt, ("session_id",)),
)


def owners_of(stripe_id: str) -> set[str]:
    """Return our customers to whom a subscription, invoice, payment, refund, dispute, Checkout or event belongs.

    If no row has the id, the ledger is asked, as long as it keeps the event. The result is empty for text that is not
    an id.
    """
    if not AN_ID.fullmatch(stripe_id):
        return set()
    found: set[str] = set()
    for model, fields in NAMED_IN:
        named = _any(fields, stripe_id)
        found.update(model.objects.filter(named).values_list("customer_id", flat=True).distinct())
    events = StripeEvent.objects.filter(_any(("pk", "object_id"), stripe_id))
    lanes = set(events.order_by().values_list("lane", flat=True).distinct())
    return found | set(Customer.objects.filter(pk__in=lanes).values_list("pk", flat=True))


def _any(fields: tuple[str, ...], value: str) -> Q:
    return Q(*((field, value) for field in fields), _connector=Q.OR)
