"""This module records which invoice a payment intent or charge pays."""

from typing import Any

from billing.clock import from_timestamp
from billing.models import Customer, InvoicePayment
from billing.stripe_client import fetch, id_of, is_first_time
from billing.stripe_client.readers import subscription_of

OF_ANOTHER_PRODUCT = "It is about another product of the Stripe account. No access here depends on it."


def record(customer: Customer, invoice: dict[str, Any]) -> None:
    """Record which payments pay an invoice; one whose payments were not expanded tells of none."""
    if is_first_time(f"links:{invoice['id']}"):
        for link in fetch.payments_of(invoice):
            record_link(customer, link, subscription_of(invoice))


def record_link(customer: Customer, invoice_payment: dict[str, Any], subscription_id: str) -> InvoicePayment:
    """Record the link from a payment intent or charge to its invoice."""
    payment = invoice_payment["payment"]
    columns = {
        "customer": customer,
        "invoice_id": id_of(invoice_payment["invoice"]),
        "payment_intent": id_of(payment.get("payment_intent")),
        "charge": id_of(payment.get("charge")),
        "subscription_id": subscription_id,
        "amount": invoice_payment["amount_paid"] or 0,
        "paid_at": from_timestamp(invoice_payment["status_transitions"]["paid_at"]),
    }
    link = InvoicePayment(pk=invoice_payment["id"], **columns)
    InvoicePayment.objects.bulk_create([link], update_conflicts=True, unique_fields=["id"], update_fields=[*columns])
    return link


def link_of(customer: Customer, payment_intent: str, charge: str) -> InvoicePayment | None:
    """Return the invoice payment of a refund or dispute, from our rows or by one call; None for a one-off payment."""
    theirs = InvoicePayment.objects.filter(customer=customer)
    known = theirs.filter(payment_intent=payment_intent).first() if payment_intent else None
    if known is None and charge:
        known = theirs.filter(charge=charge).first()
    if known or not payment_intent:
        return known
    found = fetch.invoice_payment_of(payment_intent, customer.pk)
    return None if found is None else record_link(customer, found, subscription_of(found["invoice"]))
