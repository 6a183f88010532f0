"""A Stripe to test against: one sandbox for the whole run, emptied before each test."""

import pytest
import stripe

from billing import stripe_budget, stripe_calls, stripe_state
from billing.sandbox import Sandbox

from .world import World


@pytest.fixture(scope="session")
def sandbox_server():
    with Sandbox(port=0) as server:
        yield server


@pytest.fixture(autouse=True)
def a_process_that_knows_nothing_of_stripe(monkeypatch):
    """And whose SDK does not wait between its tries."""
    monkeypatch.setattr(stripe_state, "_known", stripe_state.Known())
    monkeypatch.setattr(stripe_calls, "_kept", stripe_calls._Kept())
    stripe_budget._own.clear()
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0)
    monkeypatch.setattr(stripe.HTTPClient, "MAX_DELAY", 0)


@pytest.fixture
def world(db, settings, sandbox_server):
    """A site with plans on sale and its Stripe; nothing is delivered unless the test does it."""
    settings.STRIPE_API_BASE = sandbox_server.url
    stripe_state.drop(*stripe_state.KEPT, stripe_state.PROBE)
    settings.BILLING_CLOCK = "billing.tests.world.now"
    world = World(sandbox_server.url)
    yield world
    world.forget()
