"""A Stripe to test against: one sandbox for the whole run, emptied before each test."""

import pytest

from billing.sandbox import Sandbox

from .world import World


@pytest.fixture(scope="session")
def sandbox_server():
    with Sandbox(port=0) as server:
        yield server


@pytest.fixture
def world(db, settings, sandbox_server):
    """A site with plans on sale and its Stripe; nothing is delivered unless the test does it."""
    settings.STRIPE_API_BASE = sandbox_server.url
    settings.BILLING_CLOCK = "billing.tests.world.now"
    world = World(sandbox_server.url)
    yield world
    world.forget()
