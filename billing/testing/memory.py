"""This module forgets what a process remembers of Stripe, so that a test does not find what another one left."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import stripe

from billing import stripe_account
from billing.stripe_client import budget, call_counts, home, shared_state


@contextmanager
def knowing_nothing_of_stripe() -> Iterator[None]:
    """Close the circuit, end each pause, count no call, and let the SDK not wait between its tries."""
    _forget()
    with mock.patch.multiple(stripe.HTTPClient, INITIAL_DELAY=0, MAX_DELAY=0):
        yield
    _forget()


def forget_stripe() -> None:
    """Forget what all processes know of Stripe, and this one."""
    shared_state.drop(*shared_state.KEPT, shared_state.PROBE)
    _forget()


def _forget() -> None:
    for module in (shared_state, call_counts, budget, home, stripe_account):
        module.reset()
