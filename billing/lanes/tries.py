"""What failed at Stripe is tried again: when, and in which words staff read why."""

from datetime import datetime, timedelta

from django.utils import timezone

from billing.stripe_client import StripeRefused

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
MOST_ERROR_TEXT = 2000


def next_at(attempts: int) -> datetime:
    """A minute later, then twice as long each time, at most an hour. `attempts`: how many failed before this one."""
    return timezone.now() + min(FIRST_WAIT * 2 ** min(attempts, 10), LONGEST_WAIT)


def words(error: Exception) -> str:
    reason = error.user_message if isinstance(error, StripeRefused) else ""
    return f"{type(error).__name__}: {reason or error}"[:MOST_ERROR_TEXT]
