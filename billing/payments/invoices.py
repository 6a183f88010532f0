"""Invoices tell of payments and failures, and which subscription a payment was for. Each fact is recorded once."""

from datetime import datetime
from typing import Any

from billing import clock, signals, subscriptions
from billing.clock import from_timestamp
from billing.models import Customer, Invoice, InvoicePayment, Payment, PaymentFailure, Subscription
from billing.stripe_client import fetch, id_of, is_first_time, readers
from billing.stripe_client.readers import payment_error_of, payment_intents_of, payments_of, subscription_of
from billing.subscriptions import invoices, mirror

from . import addresses, links, nothing, terms

NO_FURTHER_EFFECT = frozenset({"paid", "void", "uncollectible"})


def record_payment(customer: Customer, invoice_id: str) -> None:
    """Refresh the subscription and record the payment of a paid invoice; announce it if money moved.

    Stripe sends `invoice.paid` and `invoice.payment_succeeded` for one card payment, so each invoice has one effect.
    """
    subscriptions.refresh_rows(customer)
    if not is_first_time(f"paid:{invoice_id}"):
        return
    invoice = fetch.settled_invoice(invoice_id, customer.pk)
    subscription = subscriptions.row_for(customer, subscription_of(invoice))
    mirror.write_object(invoice)
    row = invoices.project(customer, invoice)
    was_past_due = PaymentFailure.objects.filter(invoice_id=invoice_id).exists()
    known = Payment.objects.filter(invoice_id=invoice_id).first()
    payment = known or Payment.objects.create(invoice_id=invoice_id, customer=customer, **_payment_columns(invoice))
    links.record(customer, invoice)
    if known or payment.amount <= 0 or row.purpose == Invoice.Purpose.FOREIGN:
        return
    if row.purpose == Invoice.Purpose.NOTHING:
        nothing.announce(subscription, payment)
        return
    signals.payment_succeeded.send(sender=Payment, subscription=subscription, payment=payment)
    if was_past_due:
        signals.payment_recovered.send(sender=Payment, subscription=subscription, payment=payment)
    nothing.alert_if_held(subscription, payment)


def record_invoice(customer: Customer, invoice_id: str) -> None:
    """Refresh the subscription and record an invoice as it is now; announce that it was sent, is overdue, or that its
    payment is on its way.
    """
    subscriptions.refresh_rows(customer)
    if not is_first_time(f"invoice:{invoice_id}"):
        return
    found = fetch.current_invoice(invoice_id, customer.pk)
    mirror.write_object(found)
    row = project(customer, found)
    links.record(customer, found)
    terms.announce(subscriptions.row_for(customer, row.subscription_id), row)
    addresses.ask_for_address(customer, row)


def project(customer: Customer, found: dict[str, Any]) -> Invoice:
    """Save the invoice; announce it where its payment has begun to be processed."""
    before = Invoice.objects.filter(pk=found["id"]).values_list("payment", flat=True).first()
    row = invoices.project(customer, found)
    processing = Invoice.Standing.PROCESSING
    if row.payment == processing != before and row.purpose != Invoice.Purpose.FOREIGN:
        subscription = subscriptions.row_for(customer, row.subscription_id)
        signals.payment_processing.send(sender=Invoice, subscription=subscription, invoice=row)
    return row


def record_processing(customer: Customer, payment_intent: str) -> None:
    """Record the invoice of a payment that takes days; a payment without an invoice changes nothing here."""
    subscriptions.refresh_rows(customer)
    if found := fetch_invoice_of(customer.pk, payment_intent):
        project(customer, found)
        links.record(customer, found)


def fetch_invoice_of(customer_id: str, payment_intent: str) -> dict[str, Any] | None:
    """Return the invoice that a payment intent pays, or None: by our rows, by the latest invoices, or by one call."""
    known = InvoicePayment.objects.filter(customer=customer_id, payment_intent=payment_intent).first()
    invoice_id = known.invoice_id if known else _latest_paid_by(customer_id, payment_intent)
    if not invoice_id:
        found = fetch.invoice_payment_of(payment_intent, customer_id)
        invoice_id = id_of(found["invoice"]) if found else ""
    return fetch.current_invoice(invoice_id, customer_id) if invoice_id else None


def _latest_paid_by(customer_id: str, payment_intent: str) -> str:
    latest = [item["latest_invoice"] for item in fetch.subscriptions(customer_id)]
    return next(
        (
            invoice["id"]
            for invoice in latest
            if invoice
            and any(id_of(each["payment"].get("payment_intent")) == payment_intent for each in payments_of(invoice))
        ),
        "",
    )


def record_failure(customer: Customer, at_the_time: dict[str, Any], failed_at: datetime) -> None:
    """Record one failed try to pay an invoice; announce it if the invoice is still unpaid and no later try was made.

    `at_the_time` is the invoice as the event shows it. A payment that waits for the cardholder sends both
    `payment_failed` and `payment_action_required`: the payment intent's state now decides which one is announced.
    """
    subscriptions.refresh_rows(customer)
    invoice = fetch.invoice(id_of(at_the_time), customer.pk)
    subscription = subscriptions.row_for(customer, subscription_of(invoice))
    mirror.write_object(invoice)
    row = project(customer, invoice)
    links.record(customer, invoice)
    failure, is_new = PaymentFailure.objects.get_or_create(
        invoice_id=invoice["id"],
        attempt=at_the_time["attempt_count"],
        defaults={
            "customer": customer,
            "subscription_id": subscription_of(invoice),
            "failed_at": _no_sooner_than_finalized(failed_at, invoice),
            "currency": invoice["currency"],
            "hosted_invoice_url": invoice["hosted_invoice_url"] or "",
            **_failure_columns(at_the_time),
            **_cause_columns(at_the_time, invoice),
        },
    )
    if is_new:
        _note_first_failure(row, failure)
        subscription = subscriptions.date_grace(subscription)
    is_passed = row.status in NO_FURTHER_EFFECT or invoice["attempt_count"] > failure.attempt
    if is_new and not is_passed and _is_told(row, failure):
        signal = signals.payment_action_required if failure.is_action_required else signals.payment_failed
        signal.send(sender=PaymentFailure, subscription=subscription, failure=failure)


def _no_sooner_than_finalized(failed_at: datetime, invoice: dict[str, Any]) -> datetime:
    """Return when a payment failed; the event of a test clock is dated outside of it, long before its invoice."""
    finalized_at = from_timestamp(invoice["status_transitions"]["finalized_at"])
    return max(failed_at, finalized_at) if finalized_at else failed_at


def _note_first_failure(row: Invoice, failure: PaymentFailure) -> None:
    if row.first_failed_at is None or failure.failed_at < row.first_failed_at:
        row.first_failed_at = failure.failed_at
        row.save(update_fields=["first_failed_at"])


def _is_told(row: Invoice, failure: PaymentFailure) -> bool:
    """Return whether the subscriber is told of a failure. Who buys at Checkout sees a card refused there and then; a
    debit is refused days later, and what a schedule began is charged when nobody looks.
    """
    if row.purpose in {Invoice.Purpose.FOREIGN, Invoice.Purpose.NOTHING}:
        return False
    return not row.is_first or failure.is_late or _is_past_due(row)


def _is_past_due(row: Invoice) -> bool:
    past_due = Subscription.objects.filter(status=Subscription.Status.PAST_DUE)
    return past_due.filter(stripe_id=row.subscription_id).exists()


def record_links(customer: Customer, invoice_id: str) -> None:
    """Record which payments paid an invoice, as Stripe has it: the event itself may be forged."""
    links.record(customer, fetch.settled_invoice(invoice_id, customer.pk))


def _payment_columns(invoice: dict[str, Any]) -> dict[str, Any]:
    start, end = _receipt_period(invoice)
    return {
        "subscription_id": subscription_of(invoice),
        "amount": invoice["amount_paid"],
        "currency": invoice["currency"],
        "billing_reason": (invoice["billing_reason"] or "")[:40],
        "period_start": from_timestamp(start),
        "period_end": from_timestamp(end),
        "invoiced_at": from_timestamp(invoice["created"]),
        "paid_at": from_timestamp(invoice["status_transitions"]["paid_at"]) or clock.now(),
        "hosted_invoice_url": invoice["hosted_invoice_url"] or "",
        "invoice_pdf": invoice["invoice_pdf"] or "",
    }


def _receipt_period(invoice: dict[str, Any]) -> tuple[int | None, int | None]:
    """Return the span of the lines that bill a subscription item without proration, UTC seconds."""
    spans = [line["period"] for line in fetch.lines(invoice) if _bills_a_period(line)]
    return min((s["start"] for s in spans), default=None), max((s["end"] for s in spans), default=None)


def _bills_a_period(line: dict[str, Any]) -> bool:
    return readers.bills_an_item(line) and not readers.is_proration(line)


def _failure_columns(invoice: dict[str, Any]) -> dict[str, Any]:
    """Return the facts that only the event has, from fields that every API version has."""
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
        "method": next(filter(None, map(_method, intents)), ""),
        **(_card_columns(intents) if is_last_try else {}),
        "decline_code": next(filter(None, map(_decline_code, intents)), "") if is_last_try else "",
    }


def _decline_code(intent: dict[str, Any]) -> str:
    """Return the bank's decline code, or Stripe's error code, or "" while the payment waits for the cardholder."""
    error = payment_error_of(intent)
    return str(error.get("decline_code") or error.get("code") or "")[:60]


def _method(intent: dict[str, Any]) -> str:
    """Return the type of the payment method that failed."""
    return str((payment_error_of(intent).get("payment_method") or {}).get("type") or "")[:40]


def _card_columns(intents: list[dict[str, Any]]) -> dict[str, str]:
    """Return which card or bank account failed: another one may be charged next."""
    methods = [payment_error_of(intent).get("payment_method") or {} for intent in intents]
    found = next((method.get(method.get("type")) for method in methods if method), None) or {}
    return {"card_brand": str(found.get("brand") or "")[:20], "card_last4": str(found.get("last4") or "")[:4]}


def record_missed_invoice(customer: Customer, payment_intent: str) -> bool:
    """Save the invoice that a payment pays, and announce nothing; return False if it pays none."""
    found = fetch.invoice_payment_of(payment_intent, customer.pk) if payment_intent else None
    if found is not None:
        record_anew(customer, id_of(found["invoice"]))
    return found is not None


def record_anew(customer: Customer, invoice_id: str) -> None:
    """Save an invoice and its payments as Stripe has them, and announce nothing."""
    found = fetch.invoice(invoice_id, customer.pk)
    invoices.project(customer, found)
    links.record(customer, found)
