"""A dispute holds access while it is open and releases it when won; a lost dispute cancels the subscription."""

from typing import Any

from billing import signals, subscriptions
from billing.clock import from_timestamp
from billing.conf import conf
from billing.lanes import writes
from billing.models import Customer, Dispute, Hold, InvoicePayment, Subscription
from billing.monitoring import alerts, unknown_values
from billing.stripe_client import fetch, id_of
from billing.subscriptions import holds, mirror

from . import links, purchases


def record_dispute(customer: Customer, dispute_id: str) -> None:
    """Record a dispute as Stripe has it now, and place or release its hold; an unknown status leaves the hold alone."""
    subscriptions.refresh_rows(customer)
    found = fetch.dispute(dispute_id, customer.pk)
    mirror.write_object(found["charge"])
    mirror.write_object(found)
    link = links.link_of(customer, id_of(found["payment_intent"]), id_of(found["charge"]))
    subscription = subscriptions.row_for(customer, link.subscription_id if link else "")
    before = Dispute.objects.filter(pk=dispute_id).first()
    is_known = unknown_values.is_known("dispute.status", found["status"], Dispute.KNOWN, dispute_id)
    if not is_known and before:
        found = {**found, "status": before.status}
    dispute = _write_dispute(customer, found, link)
    if not is_known:
        return
    purchases.take_back(customer, dispute.payment_intent)
    has_escalated = before is not None and before.is_inquiry and not dispute.is_inquiry
    is_new = dispute.is_open and (before is None or has_escalated)
    if subscription.is_foreign:  # another product's dispute is recorded, and told to staff alone
        if is_new:
            _alert_staff(dispute, is_foreign=True)
        return
    _apply_to_access(subscription, dispute, link)
    if is_new:
        signals.dispute_opened.send(sender=Dispute, subscription=subscription, dispute=dispute)
        _alert_staff(dispute)
    elif not dispute.is_open and _was_open(before):
        signals.dispute_closed.send(sender=Dispute, subscription=subscription, dispute=dispute)


def _was_open(before: Dispute | None) -> bool:
    """Return whether a dispute was open until now, as far as we knew; one of an unknown status may have been."""
    return before is None or before.is_open or before.status not in Dispute.KNOWN


def _alert_staff(dispute: Dispute, *, is_foreign: bool = False) -> None:
    """Alert staff to a new dispute or inquiry, which must be answered at Stripe within days."""
    what = "inquiry" if dispute.is_inquiry else "dispute"
    is_held = dispute.customer.holds.active().filter(kind=Hold.Kind.DISPUTE, reference=dispute.pk).exists()
    meanwhile = f"Access {'is on hold' if is_held else 'goes on'} meanwhile."
    alerts.alert_staff(
        "dispute_opened",
        f"New {what} {dispute.pk}",
        f"The {what} {dispute.pk} of the customer {dispute.customer_id} was opened (reason: {dispute.reason}).\n"
        f"Answer it in Stripe's dashboard before its deadline. "
        f"{links.OF_ANOTHER_PRODUCT if is_foreign else meanwhile}",
    )


def _write_dispute(customer: Customer, found: dict[str, Any], link: InvoicePayment | None) -> Dispute:
    now = {
        "status": found["status"][:30],
        "amount": found["amount"],
        "reason": found["reason"][:60],
        "evidence_due_at": from_timestamp(found["evidence_details"]["due_by"]),
    }
    dispute, _ = Dispute.objects.update_or_create(
        pk=found["id"],
        defaults=now,
        create_defaults={
            "customer": customer,
            "charge": id_of(found["charge"]),
            "payment_intent": id_of(found["payment_intent"]),
            "invoice_id": link.invoice_id if link else "",
            "currency": found["currency"],
            "opened_at": from_timestamp(found["created"]),
            **now,
        },
    )
    return dispute


def _apply_to_access(subscription: Subscription, dispute: Dispute, link: InvoicePayment | None) -> None:
    """Place or release the hold of a dispute, and cancel the subscription after a lost one.

    An inquiry changes nothing, and neither does a dispute about a one-off payment or an ended subscription. The hold
    is of the disputed subscription alone, whether or not it is the one that counts.
    """
    customer = subscription.customer
    disputed = link.subscription_id if link else ""
    is_live = bool(disputed) and subscriptions.is_live(customer, disputed)
    is_over = dispute.is_lost and conf.lost_dispute_cancels
    is_held = (dispute.is_real_and_open and conf.dispute_holds) or is_over
    if is_held and is_live:
        holds.place(customer, Hold.Kind.DISPUTE, dispute.pk, subscription_id=disputed)
    else:
        holds.release(customer, Hold.Kind.DISPUTE, dispute.pk)
    if is_live and is_over:
        writes.owe(customer, disputed, reference=dispute.pk)
