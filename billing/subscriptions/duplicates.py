"""A second subscription beside a live one bills twice for one thing: it is cancelled, and what it cost given back.

Checkout does not let it come to that; two sessions paid at once, or a hand in the Stripe dashboard, still may.
"""

from typing import Any

from django.db.models import Q
from django.utils import timezone

from billing import catalogue
from billing.lanes import writes
from billing.models import Customer, StripeWrite, Subscription
from billing.monitoring import alerts
from billing.stripe_client import id_of, readers

Status = Subscription.Status
Action = StripeWrite.Action
BILLING = frozenset({Status.ACTIVE, Status.TRIALING, Status.PAST_DUE})
REFERENCE = "duplicate"


def duplicates_among(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The subscriptions too many: to a plan of ours, billing, and newer than another such one.

    Only in their first period: one that has renewed is wanted, or an old mistake, and a person's to decide.
    """
    billing = [item for item in found if item["status"] in BILLING and catalogue.is_plan(item["items"]["data"])]
    billing.sort(key=lambda item: (item["created"], item["id"]))
    return [item for item in billing[1:] if _is_in_first_period(item)]


def owe_cancellations(customer: Customer, found: list[dict[str, Any]]) -> None:
    """Owe Stripe the end of each subscription too many, and the refund of what was paid for it, each once."""
    if len(found) < 2:
        return
    too_many = duplicates_among(found)
    for item in too_many:
        if writes.owe(customer, item["id"], REFERENCE):
            _report(customer, item["id"])
    ended = StripeWrite.objects.filter(
        lane=customer.pk, action=Action.CANCEL_SUBSCRIPTION, reference=REFERENCE, withdrawn_at=None
    ).values_list("object_id", flat=True)
    for item in found:
        if item["id"] not in ended:
            continue
        if item["status"] in BILLING and item not in too_many:
            _withdraw_cancellation(item["id"])
        else:
            _owe_refunds(customer, item)


def _withdraw_cancellation(subscription_id: str) -> None:
    """The older ended before Stripe was told, or this one has renewed meanwhile: it stays, and keeps its payment."""
    is_end = Q(action=Action.CANCEL_SUBSCRIPTION, object_id=subscription_id, reference=REFERENCE)
    is_refund = Q(action=Action.REFUND, reference=subscription_id)
    StripeWrite.objects.filter(is_end | is_refund, done_at=None).update(withdrawn_at=timezone.now())


def _is_in_first_period(item: dict[str, Any]) -> bool:
    invoice = item["latest_invoice"]
    return isinstance(invoice, dict) and invoice["billing_reason"] == "subscription_create"


def _owe_refunds(customer: Customer, item: dict[str, Any]) -> None:
    """A payment on its way yet is given back when it has arrived: its event brings us here again."""
    for payment in readers.payments_of(item["latest_invoice"]):
        intent = id_of(payment["payment"].get("payment_intent"))
        if payment["status"] == "paid" and intent:
            writes.owe(customer, intent, item["id"], Action.REFUND)


def _report(customer: Customer, subscription_id: str) -> None:
    alerts.tell(
        "duplicate_subscription",
        f"Second subscription of {customer.pk} cancelled",
        f"The customer {customer.pk} got a second subscription, {subscription_id}, beside a live one.\n"
        "It is being cancelled, and its payment refunded; the older one goes on. Nothing needs doing here, but have a "
        "look at how it came about.",
    )
