"""The backoff ladder says when work that failed is tried again; events, owed writes, deletions and mails climb it."""

import random
from datetime import datetime, timedelta

from django.utils import timezone

from billing.stripe_client import StripeRefused

WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720))
LONGEST_WAIT_OF_OWED = timedelta(hours=1)
MOST_ERROR_TEXT = 2000


def next_try(failed: int) -> datetime | None:
    """Return when to try again after `failed` tries, give or take a tenth of the wait; None after the last."""
    return timezone.now() + WAITS[failed - 1] * random.uniform(0.9, 1.1) if failed <= len(WAITS) else None


def next_try_of_owed(failed: int) -> datetime:
    """Return when to try again what we owe: by the same ladder, but at most an hour later, and never given up."""
    wait = WAITS[min(failed, len(WAITS)) - 1] * random.uniform(0.9, 1.1)
    return timezone.now() + min(wait, LONGEST_WAIT_OF_OWED)


def describe(error: Exception) -> str:
    """Return the error in the words that staff read: Stripe's own message where it refused."""
    reason = error.user_message if isinstance(error, StripeRefused) else ""
    return f"{type(error).__name__}: {reason or error}"[:MOST_ERROR_TEXT]
