"""Refunds are recorded one by one; a subscription ends once all that was paid for its running period is given back."""

from datetime import datetime
from typing import Any

from billing import signals, subscriptions
from billing.clock import from_timestamp
from billing.conf import conf
from billing.lanes import writes
from billing.models import Customer, Hold, Invoice, InvoicePayment, Refund, Subscription
from billing.stripe_client import fetch, id_of
from billing.subscriptions import holds, invoices, mirror

from . import links, sums, undone
from .sums import UNDONE


def charge_of(customer: Customer, refund: dict[str, Any]) -> str:
    """Return the charge that is refunded; a refund may name only the payment intent."""
    if charge := id_of(refund["charge"]):
        return charge
    return id_of(fetch.payment_intent(id_of(refund["payment_intent"]), customer.pk)["latest_charge"])


def record_refunds(customer: Customer, charge_id: str) -> None:
    """Record a charge's refunds as Stripe has them now, and end what was given back in full, or undo that."""
    subscription = subscriptions.refresh(customer)
    charge = fetch.charge(charge_id, customer.pk)
    mirror.write_object(charge)
    link = links.link_of(customer, id_of(charge["payment_intent"]), charge_id)
    found, refunded = fetch.refunds(charge), 0
    before = dict(Refund.objects.filter(charge=charge_id).values_list("pk", "status"))
    rows = []
    for refund in found:
        mirror.write_object(refund)
        refunded += 0 if refund["status"] in UNDONE else refund["amount"]
        rows.append(_record_refund(customer, refund, charge_id, link, is_full=refunded >= charge["amount"]))
    if link and link.subscription_id and found:
        lasting = [refund["created"] for refund in found if refund["status"] not in UNDONE]
        at = from_timestamp(max(lasting or [refund["created"] for refund in found]))
        _judge_period(subscription, link, at)
    for row in rows:
        _announce(subscription, row, before.get(row.pk), link)


def fetch_all_paid(customer_id: str, charge_id: str) -> None:
    """Fetch what judging a charge that was refunded as a whole will read: all that was paid for its subscription."""
    charge = fetch.charge(charge_id, customer_id)
    if charge["refunded"]:
        intent = id_of(charge["payment_intent"])
        known = InvoicePayment.objects.filter(payment_intent=intent).values_list("subscription_id", flat=True).first()
        if known:
            fetch.paid_invoices(known)


def _record_refund(
    customer: Customer, refund: dict[str, Any], charge_id: str, link: InvoicePayment | None, *, is_full: bool
) -> Refund:
    """Record a refund. `is_full` is kept as it was when the refund was first recorded."""
    status = {"status": refund["status"], "failure_reason": refund.get("failure_reason") or ""}
    facts = {
        "customer": customer,
        "charge": charge_id,
        "payment_intent": id_of(refund["payment_intent"]),
        "invoice_id": link.invoice_id if link else "",
        "amount": refund["amount"],
        "currency": refund["currency"],
        "is_full": is_full and refund["status"] not in UNDONE,
        "created_at": from_timestamp(refund["created"]),
    }
    row, _ = Refund.objects.update_or_create(pk=refund["id"], defaults=status, create_defaults={**status, **facts})
    return row


def _announce(subscription: Subscription, row: Refund, before: str | None, link: InvoicePayment | None) -> None:
    """Announce a new refund, or one that has failed since."""
    if row.status in UNDONE and before is not None and before not in UNDONE:
        undone.tell(subscription, row, link)
    elif row.status not in UNDONE and before is None:
        signals.refund_issued.send(sender=Refund, subscription=subscription, refund=row)


def _judge_period(subscription: Subscription, link: InvoicePayment, at: datetime) -> None:
    """Hold access and cancel the subscription if all that was paid for the period at that moment was given back; else
    undo that, where a refund has failed since.
    """
    customer = subscription.customer
    if not Invoice.objects.filter(pk=link.invoice_id).exists():
        invoices.project(customer, fetch.settled_invoice(link.invoice_id, customer.pk))
    period = sums.period_at(customer, link.subscription_id, at)
    if not period.reference:
        return
    if not (period.is_given_back and conf.full_refund_cancels):
        writes.withdraw(reference=period.reference)
        holds.release(customer, Hold.Kind.REFUND, period.reference)
    elif subscriptions.is_live(customer, link.subscription_id):
        if link.subscription_id == subscription.stripe_id:
            holds.place(customer, Hold.Kind.REFUND, period.reference)
        writes.owe(customer, link.subscription_id, reference=period.reference)
