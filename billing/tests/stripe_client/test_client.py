"""Stripe slow, busy, away or refusing: what a caller gets."""

import socket

import pytest

from billing import stripe_client
from billing.stripe_client import StripeRefused, StripeUnavailable

KEY = "sk_test_" + "secret00" * 3


def test_an_answer_is_a_plain_dict(world):
    customer = stripe_client.post("/v1/customers", idempotency_key="1", email="ada@example.com")
    assert isinstance(customer, dict)
    assert stripe_client.get(f"/v1/customers/{customer['id']}") == customer


def test_a_write_whose_answer_was_lost_is_made_once(world):
    world.control("faults", api={"lose_answer": 1})
    made = stripe_client.post("/v1/customers", idempotency_key="once", email="ada@example.com")
    assert [found["id"] for found in stripe_client.get("/v1/customers")["data"]] == [made["id"]]


def test_who_waits_for_a_page_is_told_at_once_when_stripe_limits_our_rate(world):
    world.control("faults", api={"fail_next": 1, "status": 429, "retry_after": 5})
    with pytest.raises(StripeUnavailable), stripe_client.counted() as calls:
        stripe_client.get("/v1/customers")
    assert calls.made == 1


def test_the_worker_waits_as_long_as_stripe_asks(world):
    world.control("faults", api={"fail_next": 1, "status": 429, "retry_after": 0.2})
    with stripe_client.patient():
        assert stripe_client.get("/v1/customers")["data"] == []


@pytest.mark.parametrize("status", [500, 503])
def test_a_stripe_that_fails_every_time_is_unavailable(world, status):
    world.control("faults", api={"fail_next": 20, "status": status})
    with pytest.raises(StripeUnavailable):
        stripe_client.get("/v1/customers")


def test_a_stripe_that_does_not_answer_in_time_is_unavailable(world, settings):
    settings.BILLING_STRIPE_REQUEST_TIMEOUT = 0.2
    world.control("faults", api={"latency_ms": 2000})
    with pytest.raises(StripeUnavailable):
        stripe_client.get("/v1/customers")


def test_a_stripe_that_is_not_there_is_unavailable(world, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(StripeUnavailable):
        stripe_client.get("/v1/customers")


def test_without_a_key_nothing_is_asked(world, settings):
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(StripeUnavailable, match="set STRIPE_SECRET_KEY"):
        stripe_client.get("/v1/customers")


def test_a_key_that_stripe_does_not_take_is_named_and_not_shown(world, settings):
    settings.STRIPE_SECRET_KEY = KEY
    world.control("faults", api={"fail_next": 20, "status": 401})
    with pytest.raises(StripeUnavailable) as refused:
        stripe_client.get("/v1/customers")
    assert "STRIPE_SECRET_KEY" in str(refused.value)
    assert KEY not in str(refused.value)


def test_what_stripe_refuses_is_not_tried_again(world):
    with pytest.raises(StripeRefused) as refused:
        stripe_client.get("/v1/customers/cus_nobody")
    assert refused.value.code == "resource_missing"


def many(number):
    return [("/v1/customers", {"limit": limit}) for limit in range(1, number + 1)]


def test_many_reads_go_out_in_portions_and_each_answer_is_kept(world):
    between = []
    with stripe_client.drain_reads(), stripe_client.counted() as calls:
        stripe_client.get_in_parallel(many(10), between=lambda: between.append(calls.made))
        assert [stripe_client.get(path, **params)["data"] for path, params in many(10)] == [[]] * 10
    assert (between, calls.made) == ([4, 8], 10)


def test_a_stripe_that_hangs_is_asked_for_one_portion_and_no_more(world, settings):
    settings.BILLING_STRIPE_TIMEOUT = settings.BILLING_STRIPE_REQUEST_TIMEOUT = 0.1
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.STRIPE_API_BASE = f"http://127.0.0.1:{silent.getsockname()[1]}"
        slow = pytest.raises(StripeUnavailable, match="too slowly")
        with stripe_client.drain_reads(), stripe_client.counted() as calls, slow:
            stripe_client.get_in_parallel(many(100))
    assert calls.made == 4


def test_a_stripe_that_fails_opens_the_circuit_between_two_portions(world):
    world.control("faults", api={"fail_next": 1000, "status": 503})
    is_open = pytest.raises(StripeUnavailable, match="does not answer")
    with stripe_client.drain_reads(), stripe_client.counted() as calls, is_open:
        stripe_client.get_in_parallel(many(100))
    assert calls.made == 8, "five failures in a row open it"
