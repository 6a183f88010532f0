"""Is this site set up right, and does it keep up: one finding a line, each with what to do about it."""

from collections.abc import Iterator

from billing.stripe_client import StripeRefused, StripeUnavailable

from . import at_stripe, here
from .findings import Finding, Level, error

__all__ = ["Finding", "Level", "examine"]


def examine() -> Iterator[Finding]:
    """Every check, the account first. One that Stripe does not answer is an error of its own, and the next goes on."""
    for check in (*at_stripe.CHECKS, *here.CHECKS):
        name = check.__name__.replace("_", " ")
        try:
            yield from check()
        except StripeUnavailable as problem:
            yield error(name, str(problem), "Look at https://status.stripe.com and at STRIPE_SECRET_KEY.")
        except StripeRefused as problem:
            yield error(name, problem.user_message or str(problem), "Give the key the rights to read this.")
