"""If our own Checkout sold two subscriptions at the same time, one is cancelled and its payment refunded.

Checkout prevents duplicates, but two sessions paid at once may still make one. A second subscription that came about
in any other way is wanted, or a mistake that a person should judge: `doubts` alerts staff to it.
"""

from typing import Any

from django.db.models import Q
from django.utils import timezone

from billing.lanes import writes
from billing.models import Customer, StripeWrite, Subscription
from billing.monitoring import alerts
from billing.stripe_client import id_of, readers

from .belonging import ATTEMPT_KEY, belonging_of

Status = Subscription.Status
Action = StripeWrite.Action
BILLING = frozenset({Status.ACTIVE, Status.TRIALING, Status.PAST_DUE})
REFERENCE = "duplicate"
AT_ONCE_SECONDS = 86_400  # a Checkout session can be paid for a day


def duplicates_among(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the duplicates: of subscriptions that Checkout attempts of ours made in one line within a day, and that
    are in their first period, all but the one to the highest plan; of equal ones, the first stays.
    """
    made = [item for item in found if item["status"] in BILLING and _is_made_by_attempt(item)]
    if len(made) < 2:
        return []
    lines: dict[str, list[tuple[int, int, str, dict[str, Any]]]] = {}
    for item in made:
        belonging = belonging_of(item)
        if belonging.plan is not None:
            lines.setdefault(belonging.line, []).append((-belonging.plan.rank, item["created"], item["id"], item))
    too_many = []
    for rows in lines.values():
        (_, created, _, _), *others = sorted(rows, key=lambda row: row[:3])
        too_many += [row[3] for row in others if abs(row[1] - created) <= AT_ONCE_SECONDS]
    return too_many


def _is_made_by_attempt(item: dict[str, Any]) -> bool:
    return ATTEMPT_KEY in readers.metadata_of(item) and _is_in_first_period(item)


def owe_cancellations(customer: Customer, found: list[dict[str, Any]]) -> None:
    """Owe Stripe the cancellation of each duplicate and the refund of its payment, each once."""
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
    """Withdraw the owed cancellation: the older subscription ended first, or this one has renewed, so it stays."""
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
        f"The customer {customer.pk} bought twice at the same time; {subscription_id} is one too many.\n"
        "We cancel it and refund its payment; the other one continues. You do not have to act, but please check how "
        "the customer came to buy twice.",
    )
