"""Signed bodies that nobody should send: the door answers each, and whatever it takes every reader can bear.

`python -m bench.fuzz` posts the same kind over HTTP, for as long as asked.
"""

import json

import pytest
from django.core.cache import cache
from django.test import Client

from bench import fuzz_readers
from bench.fuzz_bodies import bodies
from billing import testing
from billing.events import parsing
from billing.models import Lane, StripeEvent

pytestmark = pytest.mark.django_db

STATUSES = {"received", "duplicate", "ignored"}


def an_event(**changes):
    return testing.event(
        "customer.subscription.updated", {"id": "sub_1", "object": "subscription", "customer": "cus_1"}, **changes
    )


def with_object(**changes):
    event = an_event()
    event["data"]["object"] |= changes
    return event


def text_with(spelling):
    """An event's text with something in it that no value of Python's says."""
    return json.dumps(with_object(note="HERE")).replace('"HERE"', spelling).encode()


def nested(levels):
    """A value of so many lists, which stands three levels deep in an event."""
    value = "end"
    for _ in range(levels):
        value = [value]
    return value


def code_of(answer):
    return answer.json().get("code") or answer.json()["status"]


# Bounds, from both sides


@pytest.mark.parametrize(
    ("levels", "answered"), [(64, "received"), (65, "too_deep"), (300, "too_deep"), (940, "too_deep")]
)
def test_an_event_is_nested_so_deep_and_no_deeper(levels, answered):
    outside = 3  # the event, its data, the object
    assert code_of(testing.deliver(with_object(note=nested(levels - outside)))) == answered
    assert StripeEvent.objects.exists() is (answered == "received")


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 50_000, b"[" * 2_000 + b"]" * 2_000])
def test_what_overflows_the_parser_is_too_deep(body):
    answer = testing.post(body)
    assert (answer.status_code, code_of(answer)) == (400, "too_deep")


@pytest.mark.parametrize(
    ("spelling", "answered"),
    [
        ("1.7976931348623157e308", "received"),
        ("1e999", "not_finite"),
        ("-1e400", "not_finite"),
        ("NaN", "bad_json"),
        ("-Infinity", "bad_json"),
        (str(2**63 - 1), "received"),
        (str(2**63), "number_too_large"),
        (str(-(2**63)), "received"),
        (str(-(2**63) - 1), "number_too_large"),
        ("9" * 5000, "number_too_large"),
        ('{"a": 1, "b": 1}', "received"),
        ('{"a": 1, "a": 2}', "repeated_name"),
        ('["a\\u0000b", "\\ud800"]', "received"),
    ],
)
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_numbers_and_names_that_readers_differ_on_are_refused(spelling, answered):
    answer = testing.post(text_with(spelling))
    assert (answer.status_code, code_of(answer)) == (200 if answered == "received" else 400, answered)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (with_object(object=["dispute"]), "bad_object"),
        (with_object(object={"a": 1}), "bad_object"),
        (with_object(id=5), "bad_object"),
        (with_object(id="../customers/cus_2"), "bad_id"),
        (with_object(id="sub_1\n"), "bad_id"),
        (with_object(id="sub_" + "1" * 252), "bad_id"),
        (with_object(customer="cus_1/sources"), "bad_id"),
        (with_object(customer={"id": "a?b"}), "bad_id"),
        (with_object(invoice=7), "bad_id"),
        (with_object(payment={"payment_intent": "%2e%2e"}), "bad_id"),
        (an_event(id="evt_1/2"), "bad_id"),
        (an_event(id="evt_\u00e9"), "bad_id"),
    ],
)
def test_ids_that_cannot_stand_in_a_path_are_refused(event, code):
    answer = testing.deliver(event)
    assert (answer.status_code, code_of(answer)) == (400, code)
    assert not StripeEvent.objects.exists()
    assert not Lane.objects.exists()


@pytest.mark.parametrize(
    "event",
    [
        with_object(id="sub_" + "1" * 251),
        with_object(customer={"id": "cus_1", "object": "customer"}),
        with_object(customer=None, invoice=None),
        testing.event("price.updated", {"id": "gold plan / monthly", "object": "price"}),
        testing.event("product.updated", {"id": "böok", "object": "product"}),
        testing.event("invoice.upcoming", {"object": "invoice", "customer": "cus_1"}),
    ],
)
def test_ids_as_stripe_and_merchants_choose_them_are_taken(event):
    assert testing.deliver(event).status_code == 200


def test_the_sync_refuses_the_same():
    with pytest.raises(parsing.NotBearable):
        parsing.Event.of(with_object(note=nested(100)))
    with pytest.raises(parsing.NotAnEvent):
        parsing.Event.of(with_object(object=[]))


# Anything at all


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_signed_body_is_a_server_error_and_whatever_is_kept_can_be_read(seed):
    fuzz_readers.prepare()
    client = Client(raise_request_exception=False)
    answered = set()
    for body in bodies(seed, 250):
        answer = testing.post(body, client=client)
        assert answer.status_code in {200, 400, 413}, body[:2000]
        answered.add(code_of(answer))
    assert answered >= {"received", "bad_json", "too_deep", "not_finite", "bad_id", "not_an_event"}
    cache.clear()
    read = fuzz_readers.read_all()
    assert read["failed"] == []
    assert read["left_unredacted"] == 0
    assert read["pages"] > 50


def test_the_same_seed_makes_the_same_bodies():
    assert bodies(3, 20) == bodies(3, 20)
    assert bodies(3, 20) != bodies(4, 20)
