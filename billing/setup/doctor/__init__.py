"""The doctor examines whether this site is set up correctly and keeps up, and says for each finding what to do."""

from collections.abc import Iterator

from billing.stripe_client import StripeRefused, StripeUnavailable

from . import (
    add_ons,
    at_stripe,
    balances,
    door,
    functions,
    guests,
    here,
    ledger,
    metering,
    moving,
    services,
    tax,
    triggers,
)
from .findings import Finding, Level, error

__all__ = ["Finding", "Level", "examine"]


def examine() -> Iterator[Finding]:
    """Yield the findings of every check, the Stripe account first. If Stripe does not answer a check, that is an
    error of its own, and the next check runs."""
    rows = (*here.CHECKS, *balances.CHECKS, moving.price_moves, add_ons.add_ons, guests.guests, triggers.triggers)
    ours = (door.door, *functions.CHECKS, *metering.CHECKS, *rows, *services.CHECKS, *ledger.CHECKS)
    for check in (*at_stripe.CHECKS, *tax.CHECKS, *ours):
        name = check.__name__.replace("_", " ")
        try:
            yield from check()
        except StripeUnavailable as problem:
            yield error(name, str(problem), "Check https://status.stripe.com and STRIPE_SECRET_KEY.")
        except StripeRefused as problem:
            yield error(name, problem.user_message or str(problem), "Give the key permission to read this.")
