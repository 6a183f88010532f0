"""Events that never reached us: those since a moment, of our types, that the ledger does not know, oldest first."""

import pytest

from billing.events import CATALOGUE, EVENT_TYPES
from billing.models import Customer
from billing.stripe_client import StripeUnavailable
from billing.sync import missed

pytestmark = pytest.mark.django_db(transaction=True)


def found(since):
    with missed.find(since) as events:
        rows = list(events.oldest_first())
        assert len(events) == len(rows)
        return events.newest, rows


def ids(events):
    return sorted(event["id"] for event in events)


def of_ours(world):
    """Not those of the catalogue: the sync compares every price itself."""
    return [event for event in world.sandbox.events() if event["type"] in EVENT_TYPES.difference(CATALOGUE)]


@pytest.mark.parametrize("at_a_call", [1, missed.TYPES_A_CALL])
def test_all_of_our_types_are_found_once_oldest_first_and_the_newest_is_known(world, monkeypatch, at_a_call):
    monkeypatch.setattr(missed, "TYPES_A_CALL", at_a_call)
    monkeypatch.setattr(missed, "IN_MEMORY", 100)
    ada = world.subscribe()
    world.advance(hours=1)
    world.stripe("POST", f"customers/{ada.customer}", name="Ada")
    newest, events = found(0)
    assert ids(events) == ids(of_ours(world))
    assert events == sorted(events, key=lambda event: (event["created"], event["id"]))
    assert newest == events[-1]["created"] > events[0]["created"]


def test_what_came_before_is_not_asked_for_and_the_moment_itself_is(world):
    ada = world.subscribe()
    world.advance(hours=1)
    world.stripe("POST", f"customers/{ada.customer}", name="Ada")
    last = of_ours(world)[-1]["created"]
    assert [event["type"] for event in found(last)[1]] == ["customer.updated"]
    assert found(last + 1) == (0, [])


def test_what_the_ledger_knows_is_left_out_and_counts_as_the_newest(world):
    ada = world.subscribed()
    world.advance(hours=1)
    assert found(0)[1] == []
    world.stripe("POST", f"customers/{ada.customer}", name="Ada")
    newest, events = found(0)
    assert [event["type"] for event in events] == ["customer.updated"]
    world.deliver()
    assert found(0) == (newest, [])


def test_the_first_sync_catches_up_with_customers_we_know_and_later_ones_with_all(world):
    ada, ben = world.subscribe(), world.subscribe(email="ben@example.com")
    Customer.objects.filter(pk=ben.customer).delete()
    lanes = {missed.lane_of(event) for event in found(None)[1]}
    assert ada.customer in lanes
    assert ben.customer not in lanes
    assert {ada.customer, ben.customer} <= {missed.lane_of(event) for event in found(0)[1]}


@pytest.mark.parametrize("odd", [{}, {"id": "evt_1"}, {"id": "evt_1", "object": "event", "type": "invoice.paid"}])
def test_what_is_no_event_is_on_no_lane(odd):
    assert missed.lane_of(odd) == ""


def test_a_lane_of_a_payment_may_be_anyones_and_a_customers_is_known_or_not():
    Customer.objects.create(pk="cus_ada")
    assert [missed._is_known_customer(lane) for lane in ("cus_ada", "cus_ben", "pi_1")] == [True, False, True]


def test_where_stripe_is_away_no_file_is_left_open(world, monkeypatch):
    made, begin = [], missed.Missed.__init__

    def noted(self):
        begin(self)
        made.append(self)

    monkeypatch.setattr(missed.Missed, "__init__", noted)
    with world.down(), pytest.raises(StripeUnavailable):
        missed.find(0)
    assert [one.file.closed for one in made] == [True]
    with missed.find(0) as events:
        assert not events.file.closed
    assert events.file.closed
