"""Holds: each by its own cause, on its own customer, announced only where it changes access."""

import pytest

from billing import cause
from billing.models import Hold
from billing.subscriptions import holds
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def ben(world):
    return world.subscribed(email="ben@example.com")


def reason(subscriber):
    return subscriber.access.reason


def test_a_hold_is_on_one_customer_and_only_its_own_cause_ends_it(world, ada, ben):
    for who in (ada, ben):
        holds.place(customer_row(who), Hold.Kind.DISPUTE, "dp_1")
    world.heard.clear()
    assert not holds.release(customer_row(ada), Hold.Kind.DISPUTE, "dp_2"), "another cause"
    assert not holds.release(customer_row(ada), Hold.Kind.REFUND, "dp_1"), "another kind"
    assert (reason(ada), world.heard) == ("hold_dispute", [])
    assert holds.release(customer_row(ada), Hold.Kind.DISPUTE, "dp_1")
    assert not holds.release(customer_row(ada), Hold.Kind.DISPUTE, "dp_1"), "it is over already"
    assert (reason(ada), reason(ben)) == ("active", "hold_dispute")
    assert (world.said(ada), world.said(ben)) == (["access_granted"], [])


def test_while_another_hold_is_there_the_end_of_one_gives_nothing_back(world, ada):
    holds.place(customer_row(ada), Hold.Kind.DISPUTE, "dp_1")
    holds.place(customer_row(ada), Hold.Kind.STAFF, "case 7")
    assert world.said(ada) == ["access_revoked"], "once"
    assert holds.release(customer_row(ada), Hold.Kind.DISPUTE, "dp_1")
    assert (reason(ada), world.said(ada)) == ("hold_staff", ["access_revoked"])


def test_a_hold_placed_twice_stays_as_it_was_and_says_why_and_by_whom(world, ada):
    with cause.recorded_as("staff:1"):
        holds.place(customer_row(ada), Hold.Kind.STAFF, "case 7", "they asked")
    first = Hold.objects.get()
    world.advance(hours=1)
    with cause.recorded_as("staff:2"):
        holds.place(customer_row(ada), Hold.Kind.STAFF, "case 7", "again")
    again = Hold.objects.get()
    assert (again.placed_at, again.cause, again.reason) == (first.placed_at, "staff:1", "they asked")


@pytest.mark.parametrize(("released_by", "is_held"), [("evt_1", True), ("staff:1", False)])
def test_a_released_hold_is_placed_again_unless_staff_released_it(world, ada, released_by, is_held):
    holds.place(customer_row(ada), Hold.Kind.DISPUTE, "dp_1")
    first = Hold.objects.get().placed_at
    with cause.recorded_as(released_by):
        holds.release(customer_row(ada), Hold.Kind.DISPUTE, "dp_1")
    assert Hold.objects.get().released_by == released_by
    world.advance(hours=1)
    with cause.recorded_as("evt_2"):
        holds.place(customer_row(ada), Hold.Kind.DISPUTE, "dp_1")
    hold = Hold.objects.get()
    assert (reason(ada) == "hold_dispute", hold.released_at is None) == (is_held, is_held)
    assert (hold.placed_at > first, hold.cause == "evt_2", hold.released_by == "") == (is_held,) * 3
