"""Why a mail is not sent after all: its reason has passed, or there was none to begin with.

Asked when the mail is reserved and again before it is sent, of what the database says then. An empty answer sends it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from billing.models import AccountDeletion, Dispute, Payment, Refund, Subscription, Usage

from .models import Mail

NO_ADDRESS = "No e-mail address is known."
NOTHING_CHARGED = "Nothing was charged."
PAID = "The invoice is paid."
INQUIRY = "Only an inquiry: no money moved and access stays."
DISPUTE_CLOSED = "The dispute is closed."
REFUND_UNDONE = "The refund did not go through."
NOT_SCHEDULED = "The cancellation is no longer scheduled for that day."
LEAVING = "The account is being deleted, and the mail about that says it all."
FITS_AGAIN = "What was used fits the plan again."
NEVER_STARTED = "The subscription never started."


def not_to_send(mail: Mail) -> str:
    """The reason why `mail` stays unsent, or nothing."""
    if not mail.recipient:
        return NO_ADDRESS
    return RULES[mail.kind](mail.context)


def _payment_received(facts: dict[str, Any]) -> str:
    return "" if facts["amount"] > 0 else NOTHING_CHARGED


def _unpaid(facts: dict[str, Any]) -> str:
    return PAID if Payment.objects.filter(invoice_id=facts["invoice"]).exists() else ""


def _dispute_opened(facts: dict[str, Any]) -> str:
    dispute = Dispute.objects.filter(pk=facts["dispute"]).first()
    if dispute is None or not dispute.is_open:
        return DISPUTE_CLOSED
    return INQUIRY if dispute.is_inquiry else ""


def _refund(facts: dict[str, Any]) -> str:
    undone = Refund.objects.filter(pk=facts["refund"], status__in=["failed", "canceled"])
    return REFUND_UNDONE if undone.exists() else ""


def _subscription_cancelled(facts: dict[str, Any]) -> str:
    """The day counts, not the second: as in the mail's key."""
    subscription = Subscription.objects.filter(stripe_id=facts["subscription"]).first()
    if AccountDeletion.objects.filter(customer__subscription__stripe_id=facts["subscription"]).exists():
        return LEAVING
    if "ended_at" in facts:
        never = subscription is not None and subscription.status == Subscription.Status.INCOMPLETE_EXPIRED
        return NEVER_STARTED if never else ""
    day = datetime.fromisoformat(facts["ends_at"]).date()
    still = subscription is not None and subscription.cancel_at is not None and subscription.cancel_at.date() == day
    return "" if still else NOT_SCHEDULED


def _quota_overflow(facts: dict[str, Any]) -> str:
    is_over = Usage.objects.filter(pk=facts["usage"], has_announced_overflow=True).exists()
    return "" if is_over else FITS_AGAIN


def _account_deleted(facts: dict[str, Any]) -> str:
    return ""


RULES: dict[str, Callable[[dict[str, Any]], str]] = {
    Mail.Kind.PAYMENT_RECEIVED: _payment_received,
    Mail.Kind.PAYMENT_FAILED: _unpaid,
    Mail.Kind.ACTION_REQUIRED: _unpaid,
    Mail.Kind.DISPUTE_OPENED: _dispute_opened,
    Mail.Kind.REFUND: _refund,
    Mail.Kind.SUBSCRIPTION_CANCELLED: _subscription_cancelled,
    Mail.Kind.QUOTA_OVERFLOW: _quota_overflow,
    Mail.Kind.ACCOUNT_DELETED: _account_deleted,
}
