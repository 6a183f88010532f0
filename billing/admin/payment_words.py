"""What the admin says about money facts: their state in a badge, their receipt in a link."""

from typing import Any

from billing.models import CheckoutAttempt, Dispute, Payment, PaymentFailure, Refund

from . import display

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


def what_failed(failure: PaymentFailure) -> Any:
    if failure.is_action_required:
        return display.badge("3D Secure", "waiting", "The cardholder has to confirm the payment")
    return display.lines(display.badge(f"attempt {failure.attempt}", "bad"), failure.decline_code.replace("_", " "))


def refund_status(refund: Refund) -> Any:
    extent = display.badge("full" if refund.is_full else "partial", "quiet")
    state = display.badge(refund.status.replace("_", " "), REFUND_BADGES.get(refund.status, "quiet"))
    return display.lines(display.side_by_side([state, extent]), refund.failure_reason.replace("_", " "))


def dispute_status(dispute: Dispute) -> Any:
    state = display.badge(dispute.status.replace("_", " "), DISPUTE_BADGES.get(dispute.status, "bad"))
    inquiry = [display.badge("inquiry", "quiet", "No money moved, access stays")] if dispute.is_inquiry else []
    return display.side_by_side([state, *inquiry])


def checkout_status(attempt: CheckoutAttempt) -> Any:
    status = CheckoutAttempt.Status(attempt.status)
    return display.badge(status.label.lower(), CHECKOUT_BADGES[status])
