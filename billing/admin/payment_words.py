"""What the admin says about money facts: their state in a badge, their receipt in a link."""

from datetime import timedelta
from typing import Any

from billing import clock
from billing.models import CheckoutAttempt, Dispute, Payment, PaymentFailure, Refund

from . import display

NEAR = timedelta(days=3)
REASONS = {
    "subscription_create": "first payment",
    "subscription_cycle": "renewal",
    "subscription_update": "plan change",
    "manual": "one-off",
}
REFUND_SENTENCES = {
    "succeeded": "The money is on its way to the card: the bank takes up to ten days to show it.",
    "pending": "Stripe is at it.",
    "requires_action": "The customer has to do something before the money can go back.",
    "failed": "The money did not go back and is with us again: pay it out another way.",
    "canceled": "It was called off, and the money stayed with us.",
}
DISPUTE_SENTENCES = {
    "needs_response": "Answer it at Stripe in time, or it is lost. Access is held meanwhile.",
    "under_review": "Answered; the bank decides. Access is held meanwhile.",
    "won": "The payment stands.",
    "lost": "The payment went back to the cardholder, and the subscription is cancelled.",
    "prevented": "Settled before it became a dispute.",
    "warning_needs_response": "Only a question from the bank, no money moved and access stays: answer it at Stripe.",
    "warning_under_review": "Only a question from the bank, which has our answer.",
    "warning_closed": "Only a question from the bank, which let it rest.",
}
REFUND_BADGES = {"succeeded": "good", "pending": "waiting", "requires_action": "waiting", "failed": "dead"}
DISPUTE_BADGES = {"won": "good", "lost": "dead", "warning_closed": "quiet", "prevented": "quiet"}
CHECKOUT_BADGES = {
    CheckoutAttempt.Status.OPEN: "waiting",
    CheckoutAttempt.Status.COMPLETED: "good",
    CheckoutAttempt.Status.EXPIRED: "quiet",
}


def receipt(payment: Payment) -> Any:
    page = display.outside_link(payment.hosted_invoice_url, "Invoice")
    pdf = display.outside_link(payment.invoice_pdf, "PDF")
    return display.side_by_side((link for link in (page, pdf) if link), between=" · ") or None


def reason(payment: Payment) -> str:
    return REASONS.get(payment.billing_reason, payment.billing_reason.replace("_", " "))


def what_came_of(failure: Any) -> Any:
    """Of an invoice whose try failed: `is_paid`, whether it was paid since, comes annotated."""
    if failure.is_paid:
        return display.badge("paid since", "good")
    return display.badge("will be tried again" if failure.next_attempt_at else "no try scheduled", "waiting")


def what_is_next(failure: Any) -> Any:
    if failure.is_paid or failure.next_attempt_at is None:
        return ""
    return display.moment(failure.next_attempt_at)


def what_failed(failure: PaymentFailure) -> Any:
    if failure.is_action_required:
        return display.badge("3D Secure", "waiting", "The cardholder has to confirm the payment")
    return display.lines(display.badge(f"attempt {failure.attempt}", "bad"), failure.decline_code.replace("_", " "))


def refund_status(refund: Refund) -> Any:
    extent = display.badge("full" if refund.is_full else "partial", "quiet")
    state = display.badge(refund.status.replace("_", " "), REFUND_BADGES.get(refund.status, "quiet"))
    return display.lines(display.side_by_side([state, extent]), refund.failure_reason.replace("_", " "))


def dispute_status(dispute: Dispute) -> Any:
    words = dispute.status.removeprefix("warning_").replace("_", " ")
    state = display.badge(words, DISPUTE_BADGES.get(dispute.status, "bad"))
    inquiry = [display.badge("inquiry", "quiet", "No money moved, access stays")] if dispute.is_inquiry else []
    return display.side_by_side([*inquiry, state])


def dispute_sentence(dispute: Dispute) -> str:
    return DISPUTE_SENTENCES.get(dispute.status, "")


def due(dispute: Dispute) -> Any:
    """Until when the bank takes our answer; said only while one is asked for."""
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
