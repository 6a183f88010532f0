"""The buyer comes back from Checkout, and what they bought is theirs before any webhook arrives."""

from enum import StrEnum
from typing import Any

from billing import cause, lanes, payments, stripe_client, subscriptions
from billing.models import CheckoutAttempt, Customer, Subscription
from billing.monitoring import unknown_values
from billing.stripe_client import id_of

from . import attempts, refused_payment

SESSION_STATUSES = frozenset({"open", "complete", "expired"})
PAID = frozenset({"paid", "no_payment_required"})


class Outcome(StrEnum):
    """An outcome tells how a Checkout stands when the buyer comes back."""

    PAID = "paid"
    PROCESSING = "processing"
    OPEN = "open"
    EXPIRED = "expired"
    FAILED = "failed"


def refresh_outcome(attempt: CheckoutAttempt) -> Outcome:
    """Ask Stripe for the session, refresh the subscription and record its payment, as webhooks would.

    Raises `StripeUnavailable`, `LaneBusy`, after which nothing has changed.
    """
    session = stripe_client.get(f"/v1/checkout/sessions/{attempt.session_id}")
    attempts.close_attempt(session)
    if not unknown_values.is_known("checkout.session.status", session["status"], SESSION_STATUSES, session["id"]):
        return Outcome.PROCESSING
    if session["status"] != "complete":
        return Outcome(session["status"])
    known = {"unpaid", *PAID}
    unknown_values.is_known("checkout.session.payment_status", session["payment_status"], known, session["id"])
    is_paid = session["payment_status"] in PAID
    with cause.recorded_as("return page"), lanes.exclusive(attempt.customer_id) as commit:
        subscription = commit(lambda: _project(attempt.customer_id, session, is_paid=is_paid))
    if is_paid:
        return Outcome.PAID
    if subscription.status == Subscription.Status.INCOMPLETE:
        has_failed = refused_payment.is_refused(attempt.customer, subscription.stripe_id)
    else:
        has_failed = subscription.status in Subscription.TERMINAL
    return Outcome.FAILED if has_failed else Outcome.PROCESSING


def _project(customer_id: str, session: dict[str, Any], *, is_paid: bool) -> Subscription:
    """Refresh and record, and return the row of what was bought. Webhooks that come later find all of it done, and
    announce nothing.
    """
    customer = Customer.objects.get(pk=customer_id)
    subscriptions.refresh_rows(customer)
    if is_paid and (paid_invoice := id_of(session["invoice"])):
        payments.record_payment(customer, paid_invoice)
    return subscriptions.row_for(customer, id_of(session["subscription"]))
