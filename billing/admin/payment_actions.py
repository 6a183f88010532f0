"""Staff refund or keep a payment that bought nothing, and void an invoice that waits for money."""

from typing import Any

from billing import clock, lanes
from billing.models import Customer, Payment, StripeWrite
from billing.payments import nothing

from . import staff_forms
from .action import Action, is_gone
from .refused import Refused


def _has_payment(customer: Customer) -> bool:
    return nothing.waiting().filter(customer=customer).exists()


def _about_refund(customer: Customer) -> list[str]:
    return [
        "This payment bought nothing: its subscription had ended, or stays unpaid. Stripe refunds all of it.",
        "The subscriber gets a mail about the refund.",
    ]


def _refund(customer: Customer, given: dict[str, Any]) -> str:
    payment = _still_waiting(given["payment"])
    nothing.owe_refund(customer, payment)
    return f"Refunded the payment of {payment.invoice_id}"


def _about_keeping(customer: Customer) -> list[str]:
    return [
        "The money stays with us, for example because it was owed. Give access or write to the subscriber yourself."
    ]


def _keep(customer: Customer, given: dict[str, Any]) -> str:
    payment = _still_waiting(given["payment"])
    payment.kept_at = clock.now()
    payment.save(update_fields=["kept_at"])
    return f"Kept the payment of {payment.invoice_id}"


def _still_waiting(chosen: Payment) -> Payment:
    payment = nothing.waiting().filter(pk=chosen.pk).first()
    if payment is None:
        raise Refused
    return payment


def _has_unpaid(customer: Customer) -> bool:
    return not is_gone(customer) and staff_forms.voidable(customer).exists()


def _about_voiding(customer: Customer) -> list[str]:
    return [
        "Stripe voids the invoice. It can't be paid any more.",
        "If it belongs to a subscription, Stripe decides whether the subscription continues, and access follows.",
    ]


def _void(customer: Customer, given: dict[str, Any]) -> str:
    invoice = staff_forms.voidable(customer).filter(pk=given["invoice"].pk).first()
    if invoice is None:
        raise Refused
    reference = invoice.subscription_id or invoice.pk
    lanes.writes.owe(customer, invoice.pk, reference, StripeWrite.Action.CLOSE_INVOICE)
    return f"Voided the invoice {invoice.pk}"


REFUND = Action(
    "refund", "refund_payment", "Refund a payment", staff_forms.PaymentForm, _about_refund, _has_payment, _refund
)
KEEP = Action("keep", "refund_payment", "Keep a payment", staff_forms.PaymentForm, _about_keeping, _has_payment, _keep)
VOID = Action("void", "void_invoice", "Void an invoice", staff_forms.InvoiceForm, _about_voiding, _has_unpaid, _void)
