"""Invoices tell of payments and failures, and which subscription a payment was for. Each fact is recorded once."""

from datetime import datetime
from typing import Any

from billing import clock, signals, subscriptions
from billing.clock import from_timestamp
from billing.models import Customer, InvoicePayment, Payment, PaymentFailure
from billing.stripe_client import fetch, id_of
from billing.stripe_client.readers import payment_error_of, payment_intents_of, payments_of, subscription_of
from billing.subscriptions import mirror

NO_FURTHER_EFFECT = frozenset({"paid", "void", "uncollectible"})


def record_payment(customer: Customer, invoice_id: str) -> None:
    """Refresh the subscription and record the payment of a paid invoice; announce it if money moved.

    Stripe sends `invoice.paid` and `invoice.payment_succeeded` for one card payment, so each invoice has one effect.
    """
    subscriptions.refresh_rows(customer)
    invoice = fetch.settled_invoice(invoice_id, customer.pk)
    subscription = subscriptions.row_for(customer, subscription_of(invoice))
    mirror.write_object(invoice)
    was_past_due = PaymentFailure.objects.filter(invoice_id=invoice_id).exists()
    payment, is_new = Payment.objects.get_or_create(
        invoice_id=invoice_id, defaults={"customer": customer, **_payment_columns(invoice)}
    )
    _record_links(customer, invoice)
    if is_new and payment.amount > 0 and not subscription.is_foreign:
        signals.payment_succeeded.send(sender=Payment, subscription=subscription, payment=payment)
        if was_past_due:
            signals.payment_recovered.send(sender=Payment, subscription=subscription, payment=payment)


def record_failure(customer: Customer, at_the_time: dict[str, Any], failed_at: datetime) -> None:
    """Record one failed try to pay an invoice; announce it if the invoice is still unpaid and no later try was made.

    `at_the_time` is the invoice as the event shows it. A payment that waits for the cardholder sends both
    `payment_failed` and `payment_action_required`: the payment intent's state now decides which one is announced.
    """
    subscriptions.refresh_rows(customer)
    invoice = fetch.invoice(id_of(at_the_time), customer.pk)
    subscription = subscriptions.row_for(customer, subscription_of(invoice))
    mirror.write_object(invoice)
    failure, is_new = PaymentFailure.objects.get_or_create(
        invoice_id=invoice["id"],
        attempt=at_the_time["attempt_count"],
        defaults={
            "customer": customer,
            "subscription_id": subscription_of(invoice),
            "failed_at": failed_at,
            "currency": invoice["currency"],
            "hosted_invoice_url": invoice["hosted_invoice_url"] or "",
            **_failure_columns(at_the_time),
            **_cause_columns(at_the_time, invoice),
        },
    )
    is_first_payment = at_the_time["billing_reason"] == "subscription_create"
    is_passed = invoice["status"] in NO_FURTHER_EFFECT or invoice["attempt_count"] > failure.attempt
    if is_new and not is_passed and not is_first_payment and not subscription.is_foreign:
        signal = signals.payment_action_required if failure.is_action_required else signals.payment_failed
        signal.send(sender=PaymentFailure, subscription=subscription, failure=failure)


def record_links(customer: Customer, invoice_id: str) -> None:
    """Record which payments paid an invoice, as Stripe has it: the event itself may be forged."""
    _record_links(customer, fetch.settled_invoice(invoice_id, customer.pk))


def _record_links(customer: Customer, invoice: dict[str, Any]) -> None:
    for link in payments_of(invoice):
        record_link(customer, link, subscription_of(invoice))


def record_link(customer: Customer, invoice_payment: dict[str, Any], subscription_id: str) -> InvoicePayment:
    """Record the link from a payment intent or charge to its invoice."""
    payment = invoice_payment["payment"]
    link, _ = InvoicePayment.objects.update_or_create(
        pk=invoice_payment["id"],
        defaults={
            "customer": customer,
            "invoice_id": id_of(invoice_payment["invoice"]),
            "payment_intent": id_of(payment.get("payment_intent")),
            "charge": id_of(payment.get("charge")),
            "subscription_id": subscription_id,
        },
    )
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


def pays_for_period_at(customer: Customer, link: InvoicePayment, at: datetime) -> bool:
    """Return whether the invoice paid for the period that ran at that moment, by its own full-period lines.

    So it makes no difference when the event arrives. An upgrade's invoice has only prorations and pays for no period.
    """
    payment = Payment.objects.filter(invoice_id=link.invoice_id).first()
    if payment is None:
        payment = Payment(**_payment_columns(fetch.settled_invoice(link.invoice_id, customer.pk)))
    if payment.period_start is None or payment.period_end is None:
        return False
    return payment.period_start <= at < payment.period_end


def _payment_columns(invoice: dict[str, Any]) -> dict[str, Any]:
    start, end = _receipt_period(invoice)
    return {
        "subscription_id": subscription_of(invoice),
        "amount": invoice["amount_paid"],
        "currency": invoice["currency"],
        "billing_reason": invoice["billing_reason"] or "",
        "period_start": from_timestamp(start),
        "period_end": from_timestamp(end),
        "invoiced_at": from_timestamp(invoice["created"]),
        "paid_at": from_timestamp(invoice["status_transitions"]["paid_at"]) or clock.now(),
        "hosted_invoice_url": invoice["hosted_invoice_url"] or "",
        "invoice_pdf": invoice["invoice_pdf"] or "",
    }


def _receipt_period(invoice: dict[str, Any]) -> tuple[int | None, int | None]:
    """Return the span of the lines that bill a subscription item without proration, UTC seconds."""
    spans = [line["period"] for line in invoice["lines"]["data"] if _bills_an_item(line)]
    return min((s["start"] for s in spans), default=None), max((s["end"] for s in spans), default=None)


def _bills_an_item(line: dict[str, Any]) -> bool:
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or {}
    return parent.get("type") == "subscription_item_details" and not details.get("proration")


def _failure_columns(invoice: dict[str, Any]) -> dict[str, Any]:
    """Return what only the event still tells, from fields that every API version has."""
    return {
        "amount": invoice["amount_remaining"],
        "next_attempt_at": from_timestamp(invoice["next_payment_attempt"]),
    }


def _cause_columns(at_the_time: dict[str, Any], invoice: dict[str, Any]) -> dict[str, Any]:
    """Return why the payment failed, by its payment intents now; a later try has overwritten an earlier one's code."""
    intents = payment_intents_of(invoice)
    is_last_try = invoice["attempt_count"] == at_the_time["attempt_count"]
    return {
        "is_action_required": any(intent["status"] == "requires_action" for intent in intents),
        "decline_code": next(filter(None, map(_decline_code, intents)), "") if is_last_try else "",
    }


def _decline_code(intent: dict[str, Any]) -> str:
    """Return the bank's decline code, or Stripe's error code, or "" while the payment waits for the cardholder."""
    error = payment_error_of(intent)
    return str(error.get("decline_code") or error.get("code") or "")[:60]
