"""What becomes of a Checkout attempt when its session ends."""

from typing import Any

from billing.models import CheckoutAttempt

Status = CheckoutAttempt.Status
ENDS = {"complete": Status.COMPLETED, "expired": Status.EXPIRED}


def close(session: dict[str, Any]) -> None:
    """Close the open attempt of a session that is complete or expired: both are final at Stripe."""
    ended = ENDS.get(session["status"])
    if ended:
        CheckoutAttempt.objects.filter(session_id=session["id"], status=Status.OPEN).update(status=ended)
