"""A Stripe to test against: the kit's, one sandbox for the whole run, emptied before each test."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from billing import testing
from billing.testing import catalogue

from .world import World


@pytest.fixture(autouse=True)
def a_process_that_knows_nothing_of_stripe():
    with testing.knowing_nothing_of_stripe():
        yield


@pytest.fixture
def world(request, billing_stripe):
    """A site that sells, and its Stripe; nothing is delivered unless the test does it."""
    if request.node.get_closest_marker("first_sale"):
        catalogue.forget_sales()
    world = World(billing_stripe.sandbox)
    yield world
    world.forget()


@pytest.fixture
def at_once():
    """Start work in a thread with a database connection of its own; the future has its result or raises its error."""
    with ThreadPoolExecutor(8) as pool:

        def start(work):
            def run():
                try:
                    return work()
                finally:
                    connection.close()

            return pool.submit(run)

        yield start
