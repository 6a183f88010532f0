"""Stripe down: after a few failures in a row nobody calls, one tries again, and no event is lost meanwhile."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from billing import stripe_client
from billing.events import sweep, worker
from billing.models import StripeEvent
from billing.stripe_client import StripeRefused, StripeUnavailable, budget, circuit, shared_state
from billing.testing import assert_all_processed

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture(autouse=True)
def two_failures_open_it(settings):
    """Time stands still: the circuit reopens when a test says so, however slow the machine is."""
    settings.BILLING_STRIPE_CIRCUIT_FAILURES = 2
    with later(0):
        shared_state.drop(*shared_state.KEPT, shared_state.PROBE)
        yield


@pytest.fixture
def another_process(monkeypatch):
    """The process that follows knows nothing but what the cache says."""
    return shared_state.reset


def down(world):
    # The SDK tries a call that nobody waits for three times, another twice.
    world.control("faults", api={"fail_next": 1000, "status": 503})


def up(world):
    world.control("faults")


def ask():
    return stripe_client.get("/v1/customers")


def fail():
    with pytest.raises(StripeUnavailable):
        ask()


def later(seconds):
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=False)


def test_after_failures_in_a_row_no_process_calls(world, another_process):
    down(world)
    fail()
    fail()
    up(world)
    another_process()
    before = world.calls()
    with pytest.raises(StripeUnavailable, match="does not answer"):
        ask()
    assert world.calls() == before


def test_failures_that_are_not_in_a_row_do_not_open_it(world):
    for _ in range(3):
        world.control("faults", api={"fail_next": 2, "status": 500})
        fail()
        ask()
    assert not circuit.open_for()


def test_what_stripe_refuses_is_an_answer(world):
    for _ in range(3):
        with pytest.raises(StripeRefused):
            stripe_client.get("/v1/customers/cus_nobody")
    assert not circuit.open_for()


def test_time_outs_and_refused_connections_count(world, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    fail()
    fail()
    assert circuit.open_for() > 0


def test_when_the_time_is_over_a_single_probe_goes_out_and_its_success_closes_it(world, another_process):
    down(world)
    fail()
    fail()
    up(world)
    with later(21):
        another_process()
        assert [circuit.lets_through() for _ in range(3)] == [True, False, False]
        another_process()
        assert not circuit.lets_through(), "the probe is another's"
        circuit.succeeded()
        another_process()
        assert circuit.lets_through()
        assert ask()["data"] == []


def test_a_probe_that_fails_opens_it_again(world, another_process):
    down(world)
    fail()
    fail()
    with later(21):
        another_process()
        fail()
        assert circuit.open_for() > 15
    up(world)
    with later(45):
        another_process()
        assert ask()["data"] == []
        assert not circuit.open_for()


def test_events_wait_while_it_is_open_and_are_applied_when_it_closes(world, another_process):
    """No attempt is counted, access stays as last known, and the sweep gives every event its time again."""
    ada = world.subscribed()
    world.advance(days=32)
    down(world)
    fail()
    fail()
    world.control("faults")
    events = world_events_without_stripe(world)
    world.deliver(events, work=False)
    assert worker.drain(ada.customer) == "drained"
    waiting = StripeEvent.objects.waiting()
    assert waiting.exists()
    assert set(waiting.values_list("attempts", flat=True)) == {0}
    assert ada.access.has_access
    with later(90):
        another_process()
        assert "1 woken" in sweep.sweep()
        assert worker.drain(ada.customer) == "drained"
    assert_all_processed()
    assert ada.access.has_access


def world_events_without_stripe(world):
    """The events of a Stripe that our own client may not be asked for just now."""
    shared_state.drop(shared_state.FAILURES, shared_state.OPEN_UNTIL)
    events = world.events()
    circuit.failed(2)
    return events


def test_an_outage_longer_than_what_is_remembered_keeps_it_open(world):
    down(world)
    fail()
    for minutes in range(1, 12):
        with later(60 * minutes):
            fail()
            assert circuit.open_for() > 0
    up(world)


def test_a_probe_that_found_no_room_leaves_it_to_the_next(world, monkeypatch):
    down(world)
    fail()
    up(world)
    with later(60):
        with monkeypatch.context() as patch:
            patch.setattr(budget, "take", lambda calls, is_patient: False)
            fail()
        assert ask()["object"] == "list"
