"""Refunds are recorded one by one; a subscription ends once all that was paid for its running period is given back."""

from datetime import datetime
from typing import Any

from billing import signals, subscriptions
from billing.clock import from_timestamp
from billing.conf import conf
from billing.lanes import writes
from billing.models import Customer, Hold, Invoice, InvoicePayment, Refund, Subscription
from billing.monitoring import unknown_values
from billing.stripe_client import fetch, id_of
from billing.subscriptions import holds, invoices, mirror

from . import links, purchases, sums, undone

UNDONE = Refund.UNDONE


def charge_of(customer: Customer, refund: dict[str, Any]) -> str:
    """Return the charge that is refunded; a refund may name only the payment intent."""
    if charge := id_of(refund["charge"]):
        return charge
    return id_of(fetch.payment_intent(id_of(refund["payment_intent"]), customer.pk)["latest_charge"])


def record_refunds(customer: Customer, charge_id: str) -> None:
    """Record a charge's refunds as Stripe has them now; end a subscription that was refunded in full, or undo that."""
    subscriptions.refresh_rows(customer)
    charge = fetch.charge(charge_id, customer.pk)
    mirror.write_object(charge)
    link = links.link_of(customer, id_of(charge["payment_intent"]), charge_id)
    subscription = subscriptions.row_for(customer, link.subscription_id if link else "")
    found, refunded = fetch.refunds(charge), 0
    before = dict(Refund.objects.filter(charge=charge_id).values_list("pk", "status"))
    rows = []
    for refund in found:
        mirror.write_object(refund)
        refunded += 0 if refund["status"] in UNDONE else refund["amount"]
        rows.append(_record_refund(customer, refund, charge_id, link, is_full=refunded >= charge["amount"]))
    purchases.take_back(customer, id_of(charge["payment_intent"]))
    if subscription.is_foreign:
        return
    if link and link.subscription_id and found:
        lasting = [refund["created"] for refund in found if refund["status"] not in UNDONE]
        at = from_timestamp(max(lasting or [refund["created"] for refund in found]))
        _judge_period(subscription, link, at)
    for row in rows:
        _announce(subscription, row, before.get(row.pk), link)


def fetch_all_paid(customer_id: str, charge_id: str) -> None:
    """Fetch all payments of the subscription of a fully refunded charge, which the judgement will read."""
    charge = fetch.charge(charge_id, customer_id)
    if charge["refunded"]:
        intent = id_of(charge["payment_intent"])
        known = InvoicePayment.objects.filter(payment_intent=intent).values_list("subscription_id", flat=True).first()
        if known:
            fetch.paid_invoices(known)


def _record_refund(
    customer: Customer, refund: dict[str, Any], charge_id: str, link: InvoicePayment | None, *, is_full: bool
) -> Refund:
    """Record a refund; an unknown status leaves the one before. `is_full` is kept as it was when first recorded."""
    before = Refund.objects.filter(pk=refund["id"]).values_list("status", flat=True).first()
    now = refund["status"]
    if not unknown_values.is_known("refund.status", now, Refund.KNOWN, refund["id"]):
        now = before or now
    status = {"status": now[:20], "failure_reason": (refund.get("failure_reason") or "")[:100]}
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
    """Announce a refund once its money moves, and one that has failed since."""
    was_issued = before in Refund.ISSUED
    if row.status in UNDONE and was_issued:
        undone.announce_failure(subscription, row, link)
    elif row.status in Refund.ISSUED and not was_issued and before not in UNDONE:
        signals.refund_issued.send(sender=Refund, subscription=subscription, refund=row)


def _judge_period(subscription: Subscription, link: InvoicePayment, at: datetime) -> None:
    """Hold access and cancel the subscription if the whole period was refunded; undo that if a refund failed."""
    customer = subscription.customer
    if not Invoice.objects.filter(pk=link.invoice_id).exists():
        invoices.project(customer, fetch.settled_invoice(link.invoice_id, customer.pk))
    period = sums.period_at(customer, link.subscription_id, at)
    if not period.reference:
        return
    if not (period.is_given_back and conf.full_refund_cancels):
        writes.withdraw_cancellation(reference=period.reference)
        holds.release(customer, Hold.Kind.REFUND, period.reference)
    elif subscriptions.is_live(customer, link.subscription_id):
        holds.place(customer, Hold.Kind.REFUND, period.reference, subscription_id=link.subscription_id)
        writes.owe(customer, link.subscription_id, reference=period.reference)
