"""A Checkout attempt is closed when its session ends."""

from typing import Any

from billing.models import CheckoutAttempt, Customer
from billing.stripe_client import fetch, readers
from billing.subscriptions import ATTEMPT_KEY

Status = CheckoutAttempt.Status
ENDS = {"complete": Status.COMPLETED, "expired": Status.EXPIRED}


def refresh_attempt(customer: Customer, session_id: str) -> None:
    """Close the open attempt of a session that has ended, if there is one. Stripe is asked how the session ended.

    A subscription that names the attempt was bought by it, and subscriptions are read in any case.
    """
    attempt = customer.checkout_attempts.filter(session_id=session_id, status=Status.OPEN).first()
    if attempt is None:
        return
    bought_by = {readers.metadata_of(found).get(ATTEMPT_KEY) for found in fetch.subscriptions(customer.pk)}
    if str(attempt.pk) in bought_by:
        close_attempt({"id": session_id, "status": "complete"})
    else:
        close_attempt(fetch.checkout_session(session_id, customer.pk))


def close_attempt(session: dict[str, Any]) -> None:
    """Close the open attempt of a session that is complete or expired, which are final at Stripe."""
    ended = ENDS.get(session["status"])
    if ended:
        CheckoutAttempt.objects.filter(session_id=session["id"], status=Status.OPEN).update(status=ended)
