"""Placement finds the customer of an object that names none: by our payment map, another event, or one call."""

from typing import Any

from django.db.models import Q

from billing.models import InvoicePayment, Payment, StripeEvent
from billing.stripe_client import fetch, id_of, readers

WITHOUT_CUSTOMER = frozenset({"dispute", "refund", "invoice_payment", "radar.early_fraud_warning"})


def names_of(obj: dict[str, Any]) -> tuple[str, str, str]:
    """Return the payment intent, charge and invoice that an object without a customer names; "" for each it does
    not.
    """
    payment = obj.get("payment") or {}
    intent = id_of(obj.get("payment_intent")) or (
        id_of(payment.get("payment_intent")) if isinstance(payment, dict) else ""
    )
    return intent, id_of(obj.get("charge")), id_of(obj.get("invoice"))


def names_customer(obj: dict[str, Any]) -> bool:
    """Return whether an object names its customer itself; else other events told us its lane."""
    return obj.get("object") not in WITHOUT_CUSTOMER or bool(id_of(obj.get("customer")))


def resolve(lane: str, obj: dict[str, Any]) -> str | None:
    """Return the customer of a lane that is named for a payment, asking Stripe where our map has no answer; None if
    it is not ours.
    """
    if obj.get("object") not in WITHOUT_CUSTOMER:
        return None
    intent, charge, invoice = names_of(obj)
    known = customer_known_by((intent, charge, invoice))
    if known or lane.startswith("cus_"):
        return known
    if not intent and charge:
        found = fetch.charge(charge, None)
        intent = id_of(found.get("payment_intent"))
        if not intent:
            return readers.owner_of(found) or None
    if intent:
        link = fetch.invoice_payment_of(intent, None)
        return readers.owner_of(link or fetch.payment_intent(intent, None)) or None
    return (readers.owner_of(fetch.invoice(invoice, None)) or None) if invoice else None


def customer_known_by(names: tuple[str, str, str]) -> str | None:
    """Return the customer of a payment intent, charge or invoice, from our rows; None where they do not tell."""
    intent, charge, invoice = names
    wanted = Q()
    for field, value in (("payment_intent", intent), ("charge", charge), ("invoice_id", invoice)):
        if value:
            wanted |= Q(**{field: value})
    if not wanted:
        return None
    known = InvoicePayment.objects.filter(wanted).values_list("customer_id", flat=True).first()
    if known is None and invoice:
        known = Payment.objects.filter(invoice_id=invoice).values_list("customer_id", flat=True).first()
    return known or _customer_told_of(names)


def _customer_told_of(names: tuple[str, str, str]) -> str | None:
    """Return the customer named by another stored event about these objects: the event of an invoice names its
    customer, the event of its payment does not."""
    told = StripeEvent.objects.filter(object_id__in=filter(None, names), lane__startswith="cus_")
    return next(iter(told.values_list("lane", flat=True)[:1]), None)
