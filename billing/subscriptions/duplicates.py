"""A second subscription beside a live one would bill twice: it is cancelled, and its payment refunded.

Checkout prevents duplicates, but two sessions paid at once, or somebody in Stripe's dashboard, may still make one.
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
    """Return the duplicates: subscriptions to a plan of ours that bill, and are newer than another such one.

    A subscription past its first period is no duplicate: it is wanted, or an old mistake that a person should judge.
    """
    billing = [item for item in found if item["status"] in BILLING and catalogue.is_plan(item["items"]["data"])]
    billing.sort(key=lambda item: (item["created"], item["id"]))
    return [item for item in billing[1:] if _is_in_first_period(item)]


def owe_cancellations(customer: Customer, found: list[dict[str, Any]]) -> None:
    """Owe Stripe the cancellation of each duplicate and the refund of its payment, each once."""
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
    """Withdraw what we owe: the older one ended first, or this one has renewed, so it stays and keeps its payment."""
    is_end = Q(action=Action.CANCEL_SUBSCRIPTION, object_id=subscription_id, reference=REFERENCE)
    is_refund = Q(action=Action.REFUND, reference=subscription_id)
    StripeWrite.objects.filter(is_end | is_refund, done_at=None).update(withdrawn_at=timezone.now())


def _is_in_first_period(item: dict[str, Any]) -> bool:
    invoice = item["latest_invoice"]
    return isinstance(invoice, dict) and invoice["billing_reason"] == "subscription_create"


def _owe_refunds(customer: Customer, item: dict[str, Any]) -> None:
    """Owe the refunds. A payment that has not arrived yet is refunded when its event brings us here again."""
    for payment in readers.payments_of(item["latest_invoice"]):
        intent = id_of(payment["payment"].get("payment_intent"))
        if payment["status"] == "paid" and intent:
            writes.owe(customer, intent, item["id"], Action.REFUND)


def _report(customer: Customer, subscription_id: str) -> None:
    alerts.alert_staff(
        "duplicate_subscription",
        f"Second subscription of {customer.pk} cancelled",
        f"The customer {customer.pk} got a second subscription, {subscription_id}, besides a live one.\n"
        "We cancel it and refund its payment; the older one continues. You do not have to act, but please check how "
        "the customer came to buy twice.",
    )
