"""Objects as the installed SDK describes them, all that may be there filled in; read as billing reads Stripe's answers.

No test of the suite: `test_next_sdk.py` runs this file with the next SDK in the installed one's place.
"""

import typing

import pytest
from stripe import ListObject, StripeObject
from stripe._stripe_object import UntypedStripeObject

from billing.stripe_client import fields, readers
from billing.stripe_client.fields import FIELDS
from stripe_sandbox.http import annotations, shapes

DEEPEST = 6


def example(hint, depth=0):
    """A value that an annotation allows: of an open enum its first one, of a reference the id."""
    origin, choices = typing.get_origin(hint), typing.get_args(hint)
    if annotations.is_literal(hint):
        return choices[0]
    if annotations.is_union(hint):
        return example(min(choices, key=_is_worse), depth)
    if origin is ListObject:
        return {"object": "list", "data": [example(choices[0], depth + 1)], "has_more": False, "url": "/v1/…"}
    if origin is list:
        return [example(choices[0], depth + 1)] if depth < DEEPEST else []
    if isinstance(hint, type) and issubclass(hint, StripeObject) and not issubclass(hint, UntypedStripeObject):
        return made(hint, depth)
    return {int: 1_800_000_000, float: 1.5, bool: True, str: "text_1"}.get(hint, {} if origin else "1.5")


def _is_worse(choice):
    """An enum before a reference's id, the id before its object, and null last."""
    is_object = isinstance(choice, type) and issubclass(choice, StripeObject)
    return (choice is type(None), not annotations.is_literal(choice), is_object)


def made(cls, depth=0):
    found = {
        name: None if depth >= DEEPEST and annotations.is_optional(hint) else example(hint, depth + 1)
        for name, hint in shapes.fields_of(cls).items()
    }
    return {**found, "object": cls.OBJECT_NAME} if "OBJECT_NAME" in cls.__dict__ else found


def answer(name):
    """An object as the client hands it on: what the SDK made of Stripe's JSON, as plain dicts."""
    built = shapes.class_of(name).construct_from(made(shapes.class_of(name)), "sk_test_next")
    return built.to_dict()


@pytest.mark.parametrize("name", FIELDS)
def test_an_object_of_this_sdk_has_all_that_we_read(name):
    assert fields.lacking(answer(name)) == ""


def test_a_subscription_is_read():
    found = answer("subscription")
    assert "status_details" in found
    assert readers.owner_of(found) == "text_1"
    assert readers.cancel_at_of({**found, "ended_at": None}, found["items"]["data"][0]) == 1_800_000_000
    assert readers.quantity_of(found["items"]["data"][0]) == 1_800_000_000


def test_an_invoice_is_read():
    found = answer("invoice")
    assert readers.subscription_of(found) == "text_1"
    assert readers.payments_of(found)
    assert readers.taxes_of(found)[0]["rate"] == "text_1"
    assert readers.balance_applied(found) == 0
    assert [readers.bills_an_item(line) for line in found["lines"]["data"]]


def test_a_schedule_with_pauses_is_read():
    found = answer("subscription_schedule")
    assert "pause_schedules" in found
    assert readers.phase_start_of(found) == 1_800_000_000
