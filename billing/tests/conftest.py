"""A Stripe to test against: the kit's, one sandbox for the whole run, emptied before each test."""

import pytest

from billing import testing

from .world import World


@pytest.fixture(autouse=True)
def a_process_that_knows_nothing_of_stripe():
    with testing.knowing_nothing_of_stripe():
        yield


@pytest.fixture
def world(billing_stripe):
    """A site with plans on sale and its Stripe; nothing is delivered unless the test does it."""
    world = World(billing_stripe.sandbox)
    yield world
    world.forget()
