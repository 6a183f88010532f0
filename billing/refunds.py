"""Refunds: recorded one by one; a full refund of the running period holds access and cancels, or it would renew."""

from typing import Any

from billing import fetch, holds, mirror, payments, signals, subscriptions
from billing.clock import from_timestamp
from billing.fetch import id_of
from billing.lifecycle import cancellation
from billing.models import Customer, Hold, InvoicePayment, Payment, Refund, Subscription

UNDONE = frozenset({"failed", "canceled"})


def settle(customer: Customer, charge_id: str) -> None:
    """Bring our record of a charge's refunds to what Stripe says now, and decide what follows for access."""
    subscription = subscriptions.refresh(customer)
    charge = fetch.charge(charge_id)
    mirror.sync(charge)
    link = payments.link_of(customer, id_of(charge["payment_intent"]), charge_id)
    for refund in charge["refunds"]["data"]:
        _record(subscription, refund, charge, link)
    if charge["refunded"] and _ends_subscription(subscription, link):
        holds.place(customer, Hold.Kind.REFUND, charge_id)
        cancellation.owe(customer, subscription.stripe_id, reference=charge_id)
    elif not charge["refunded"]:
        cancellation.withdraw(reference=charge_id)
        holds.release(customer, Hold.Kind.REFUND, charge_id)


def _record(
    subscription: Subscription, refund: dict[str, Any], charge: dict[str, Any], link: InvoicePayment | None
) -> None:
    before = Refund.objects.filter(pk=refund["id"]).values_list("status", flat=True).first()
    row, _ = Refund.objects.update_or_create(
        pk=refund["id"],
        defaults={
            "status": refund["status"],
            "failure_reason": refund.get("failure_reason") or "",
        },
        create_defaults={
            "customer": subscription.customer,
            "charge": charge["id"],
            "payment_intent": id_of(refund["payment_intent"]),
            "invoice_id": link.invoice_id if link else "",
            "amount": refund["amount"],
            "currency": refund["currency"],
            "status": refund["status"],
            "failure_reason": refund.get("failure_reason") or "",
            "is_full": charge["refunded"],
            "created_at": from_timestamp(refund["created"]),
        },
    )
    if row.status in UNDONE and before is not None and before not in UNDONE:
        signals.refund_failed.send(sender=Refund, subscription=subscription, refund=row)
    elif row.status not in UNDONE and before is None:
        signals.refund_issued.send(sender=Refund, subscription=subscription, refund=row)


def _ends_subscription(subscription: Subscription, link: InvoicePayment | None) -> bool:
    """Only the running period's payment of the subscription that still runs."""
    if link is None or subscription.status in Subscription.TERMINAL or link.subscription_id != subscription.stripe_id:
        return False
    payment = Payment.objects.filter(invoice_id=link.invoice_id).first()
    return payment is not None and payments.is_of_current_period(payment, subscription.current_period_start)
