"""The admin describes payments in these words: a badge for the status, a link to the receipt."""

from datetime import timedelta
from typing import Any

from billing import clock
from billing.models import CheckoutAttempt, Dispute, Invoice, Payment, PaymentFailure, Refund
from billing.payments import OF_ANOTHER_PRODUCT

from . import display

NEAR = timedelta(days=3)
REASONS = {
    "subscription_create": "first payment",
    "subscription_cycle": "renewal",
    "subscription_update": "plan change",
    "manual": "one-off",
}
BOUGHT_NOTHING = (
    "Its subscription had ended, or stays unpaid. Refund or keep it on the customer's page, under the actions."
)
UNDONE_END = " The subscription was cancelled because of it: give access on the customer's page, or write to them."
WAITS_FOR_ADDRESS = (
    "Stripe cannot tax it without an address, and charges nothing. The subscriber was asked for it. It is finalized as "
    "soon as Stripe has an address; the customer's page has an action to try again."
)
UNTAXED = "Stripe had no address to tax, so it bears no tax. The subscriber was asked for it."
INVOICE_BADGES = {"paid": "good", "open": "waiting", "uncollectible": "dead"}
REFUND_SENTENCES = {
    "succeeded": "The money is on its way to the card. The bank may take ten days to show it.",
    "pending": "Stripe is processing it.",
    "requires_action": "The customer must act before the money can be returned.",
    "failed": "The refund failed and we have the money again. Return it another way.",
    "canceled": "It was cancelled, and we kept the money.",
}
DISPUTE_SENTENCES = {
    "needs_response": "Answer it at Stripe before the deadline, or you lose it. Access is on hold until then.",
    "under_review": "You have answered; the bank decides. Access is on hold until then.",
    "appeal_needs_response": "You may appeal at Stripe before the deadline. Access is on hold until then.",
    "appeal_under_review": "You have appealed; the bank decides. Access is on hold until then.",
    "won": "You keep the payment.",
    "lost": "The cardholder got the payment back, and the subscription is cancelled.",
    "prevented": "Resolved before it became a dispute.",
    "warning_needs_response": "A question from the bank: no money moved, and access continues. Answer it at Stripe.",
    "warning_under_review": "A question from the bank. You have answered it.",
    "warning_closed": "A question from the bank, which closed it.",
}
OF_AN_UNKNOWN_STATUS = "This version of billing does not know the status: access is as it was. Look at it at Stripe."
REFUND_BADGES = {"succeeded": "good", "pending": "waiting", "requires_action": "waiting", "failed": "dead"}
DISPUTE_BADGES = {"won": "good", "lost": "dead", "warning_closed": "quiet", "prevented": "quiet"}
CHECKOUT_BADGES = {
    CheckoutAttempt.Status.OPEN: "waiting",
    CheckoutAttempt.Status.COMPLETED: "good",
    CheckoutAttempt.Status.EXPIRED: "quiet",
}


def about_address(invoice: Invoice) -> str:
    """Return what an invoice waits for that lacks the customer's address."""
    if not invoice.lacks_address:
        return ""
    return WAITS_FOR_ADDRESS if invoice.status == Invoice.Status.DRAFT else UNTAXED


def receipt(payment: Payment) -> Any:
    page = display.outside_link(payment.hosted_invoice_url, "Invoice")
    pdf = display.outside_link(payment.invoice_pdf, "PDF")
    return display.side_by_side((link for link in (page, pdf) if link), between=" · ") or None


def reason(payment: Payment) -> str:
    return REASONS.get(payment.billing_reason, payment.billing_reason.replace("_", " "))


def what_came_of(failure: Any) -> Any:
    """Return what became of an invoice after a failed attempt; the annotation `is_paid` says whether it was paid
    since."""
    if failure.is_paid:
        return display.badge("paid since", "good")
    return display.badge("will be tried again" if failure.next_attempt_at else "no attempt scheduled", "waiting")


def what_is_next(failure: Any) -> Any:
    if failure.is_paid or failure.next_attempt_at is None:
        return ""
    return display.moment(failure.next_attempt_at)


def what_failed(failure: PaymentFailure) -> Any:
    if failure.is_action_required:
        return display.badge("3D Secure", "waiting", "The cardholder must confirm the payment")
    return display.lines(display.badge(f"attempt {failure.attempt}", "bad"), failure.decline_code.replace("_", " "))


def invoice_status(invoice: Invoice) -> Any:
    """Return the status, and while the invoice is open how its payment stands."""
    badge = display.badge(invoice.status, INVOICE_BADGES.get(invoice.status, "quiet"))
    payment = invoice.get_payment_display() if invoice.is_open else ""
    return display.lines(badge, payment)


def refund_status(refund: Refund) -> Any:
    extent = display.badge("full" if refund.is_full else "partial", "quiet")
    state = display.badge(refund.status.replace("_", " "), REFUND_BADGES.get(refund.status, "quiet"))
    return display.lines(display.side_by_side([state, extent]), refund.failure_reason.replace("_", " "))


def dispute_status(dispute: Dispute) -> Any:
    words = dispute.status.removeprefix("warning_").replace("_", " ")
    state = display.badge(words, DISPUTE_BADGES.get(dispute.status, "bad"))
    inquiry = [display.badge("inquiry", "quiet", "No money moved, access continues")] if dispute.is_inquiry else []
    return display.side_by_side([*inquiry, state])


def dispute_sentence(dispute: Dispute) -> str:
    said = DISPUTE_SENTENCES.get(dispute.status, OF_AN_UNKNOWN_STATUS)
    return f"{said} {OF_ANOTHER_PRODUCT}".strip() if is_foreign(dispute) else said


def is_foreign(dispute: Dispute) -> bool:
    """Return whether the disputed payment was for another product of the Stripe account."""
    return Invoice.objects.filter(pk=dispute.invoice_id, purpose=Invoice.Purpose.FOREIGN).exists()


def due(dispute: Dispute) -> Any:
    """Return the bank's deadline for our answer, while it asks for one."""
    if dispute.evidence_due_at is None or "needs_response" not in dispute.status:
        return None
    is_late = dispute.evidence_due_at <= clock.now()
    is_near = dispute.evidence_due_at - clock.now() < NEAR
    word = "evidence was due" if is_late else "evidence due"
    badge = display.badge(word, "dead" if is_late else "bad" if is_near else "waiting")
    return display.side_by_side([badge, display.moment(dispute.evidence_due_at)])


def checkout_status(attempt: CheckoutAttempt) -> Any:
    status = CheckoutAttempt.Status(attempt.status)
    return display.badge(status.label.lower(), CHECKOUT_BADGES[status])
