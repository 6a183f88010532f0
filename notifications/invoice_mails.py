"""Mails about one invoice have this in common: what it is for, its amount, and how access stands."""

from typing import Any

from billing.models import Invoice, Payment, PaymentFailure, Subscription

from . import facts, outbox
from .models import Mail


def receipt(kind: Mail.Kind, subscription: Subscription, payment: Payment, **more: Any) -> Mail:
    """Reserve a receipt. Of a one-off payment it says nothing of a hold."""
    row = Invoice.objects.filter(pk=payment.invoice_id).first()
    held: dict[str, Any] = {"is_held": facts.is_held(subscription)} if payment.subscription_id else {}
    return outbox.reserve(
        kind,
        f"payment_received:{payment.invoice_id}",
        **{**facts.about(subscription), **facts.what_for(subscription, row)},
        **facts.money(payment),
        **facts.tax(row),
        **held,
        invoice=payment.invoice_id,
        period_start=facts.iso(payment.period_start),
        period_end=facts.iso(payment.period_end),
        paid_at=facts.iso(payment.paid_at),
        **more,
    )


def unpaid(kind: Mail.Kind, subscription: Subscription, failure: PaymentFailure) -> Mail:
    """Reserve a mail about a try to pay that did not go through."""
    row = Invoice.objects.filter(pk=failure.invoice_id).first()
    is_charged_again = row is None or not (row.is_one_off or row.is_sent or row.is_first)
    return outbox.reserve(
        kind,
        f"payment_failed:{failure.invoice_id}:{failure.attempt}",
        **{**facts.about(subscription), **facts.what_for(subscription, row)},
        **facts.money(failure),
        invoice=failure.invoice_id,
        next_attempt_at=facts.iso(failure.next_attempt_at),
        is_last_try=is_charged_again and failure.next_attempt_at is None,
        **facts.grace(subscription if failure.subscription_id else None),
    )


def to_pay(kind: Mail.Kind, subscription: Subscription, invoice: Invoice, more: str = "", **context: Any) -> Mail:
    """Reserve a mail about an invoice that is still to be paid."""
    return outbox.reserve(
        kind,
        f"{kind}:{invoice.pk}{more}",
        **{**facts.about(subscription), **facts.what_for(subscription, invoice)},
        amount=invoice.amount_remaining,
        currency=invoice.currency,
        invoice=invoice.pk,
        due_at=facts.iso(invoice.due_at),
        has_access=facts.has_access(subscription),
        **context,
    )
