"""Refunds are recorded one by one; a full refund of the running period holds access and cancels the subscription."""

from datetime import datetime
from typing import Any

from billing import signals, subscriptions
from billing.clock import from_timestamp
from billing.conf import conf
from billing.lanes import writes
from billing.models import Customer, Hold, InvoicePayment, Refund, Subscription
from billing.stripe_client import fetch, id_of
from billing.subscriptions import holds, mirror

from . import invoices

UNDONE = frozenset({"failed", "canceled"})


def charge_of(customer: Customer, refund: dict[str, Any]) -> str:
    """Return the charge that is refunded; a refund may name only the payment intent."""
    if charge := id_of(refund["charge"]):
        return charge
    return id_of(fetch.payment_intent(id_of(refund["payment_intent"]), customer.pk)["latest_charge"])


def record_refunds(customer: Customer, charge_id: str) -> None:
    """Record a charge's refunds as Stripe has them now, and place or release the hold of a full refund."""
    subscriptions.refresh_rows(customer)
    charge = fetch.charge(charge_id, customer.pk)
    mirror.write_object(charge)
    link = invoices.link_of(customer, id_of(charge["payment_intent"]), charge_id)
    subscription = subscriptions.row_for(customer, link.subscription_id if link else "")
    refunded, latest = 0, None
    for refund in fetch.refunds(charge):
        mirror.write_object(refund)
        if refund["status"] not in UNDONE:
            refunded, latest = refunded + refund["amount"], from_timestamp(refund["created"])
        _record_refund(subscription, refund, charge_id, link, is_full=refunded >= charge["amount"])
    if charge["refunded"] and link and latest and conf.full_refund_cancels:
        _end_refunded_period(subscription, charge_id, link, refunded_at=latest)
    elif not charge["refunded"]:
        writes.withdraw(reference=charge_id)
        holds.release(customer, Hold.Kind.REFUND, charge_id)


def _record_refund(
    subscription: Subscription, refund: dict[str, Any], charge_id: str, link: InvoicePayment | None, *, is_full: bool
) -> None:
    """Record a refund and announce it. `is_full` is kept as it was when the refund was first recorded."""
    before = Refund.objects.filter(pk=refund["id"]).values_list("status", flat=True).first()
    status = {"status": refund["status"], "failure_reason": refund.get("failure_reason") or ""}
    facts = {
        "customer": subscription.customer,
        "charge": charge_id,
        "payment_intent": id_of(refund["payment_intent"]),
        "invoice_id": link.invoice_id if link else "",
        "amount": refund["amount"],
        "currency": refund["currency"],
        "is_full": is_full and refund["status"] not in UNDONE,
        "created_at": from_timestamp(refund["created"]),
    }
    row, _ = Refund.objects.update_or_create(pk=refund["id"], defaults=status, create_defaults={**status, **facts})
    if subscription.is_foreign:
        return
    if row.status in UNDONE and before is not None and before not in UNDONE:
        signals.refund_failed.send(sender=Refund, subscription=subscription, refund=row)
    elif row.status not in UNDONE and before is None:
        signals.refund_issued.send(sender=Refund, subscription=subscription, refund=row)


def _end_refunded_period(
    subscription: Subscription, charge_id: str, link: InvoicePayment, refunded_at: datetime
) -> None:
    """Hold access and cancel the subscription: all that was paid for the running period was refunded."""
    customer = subscription.customer
    if subscription.is_foreign or not subscriptions.is_live(customer, link.subscription_id):
        return
    if not invoices.pays_for_period_at(customer, link, refunded_at):
        return
    holds.place(customer, Hold.Kind.REFUND, charge_id, subscription_id=link.subscription_id)
    writes.owe(customer, link.subscription_id, reference=charge_id)
