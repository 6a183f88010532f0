"""This check looks for what guests paid and nobody has signed up for."""

from collections.abc import Iterator

from billing import clock
from billing.lifecycle import guests as guests_of
from billing.models import Purchase

from .findings import Finding, ok, warning

WHAT_TO_DO = (
    "Give each to a subscriber on its page in the admin, refund it at Stripe, or delete the guest (docs/packs.md)."
)


def guests() -> Iterator[Finding]:
    """Find purchases of guests that wait for days; and all of them, where nothing matches them any more."""
    unmatched = Purchase.objects.unmatched()
    late = unmatched.filter(created_at__lt=clock.now() - guests_of.ABANDONED_AFTER).count()
    if unmatched.exists() and not guests_of.are_served():
        text = f"{unmatched.count():,} purchases of guests wait, and packs are no longer sold to guests."
        yield warning(
            "guests", text, "Set BILLING_GUESTS_BUY_PACKS and BILLING_EMAIL_IS_CONFIRMED, so that they are matched."
        )
    elif late:
        yield warning("guests", f"{late:,} purchases of guests wait for their owners for days.", WHAT_TO_DO)
    elif guests_of.are_served():
        yield ok("guests", "No purchase of a guest waits for days.")
