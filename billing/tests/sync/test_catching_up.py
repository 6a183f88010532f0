"""Missed events have their effect, lane by lane; what they changed is told with the event that explains it."""

import pytest
from django.utils import timezone

from billing import testing
from billing.models import InvoicePayment, StripeEvent, Subscription, SyncRun
from billing.sync import catching_up, missed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run():
    return SyncRun(mode="routine", started_at=timezone.now(), clock_at=timezone.now())


def catch_up(run, events):
    """Return how many events had been found at each tick."""
    ticks = []
    with missed.Missed() as found:
        for event in events:
            found.add(event)
        catching_up.catch_up(run, found, lambda: ticks.append(sum(run.events.values())))
    return ticks


def test_what_was_missed_is_applied_told_by_type_and_a_bystander_is_not_counted(world, run):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    before = Subscription.objects.filter(customer=ben.customer).values().get()
    events = world.events()
    ticks = catch_up(run, events)
    ours = {event["type"]: 1 for event in events}
    assert (run.events, ada.row.status) == (ours, "canceled")
    assert ticks == [*range(1, len(events) + 1), len(events)], "each event, and the one lane"
    last = max(events, key=lambda event: (event["created"], event["id"]))["id"]
    assert {(drift["customer"], drift["cause"]) for drift in run.drifts} == {(ada.customer, f"missed event {last}")}
    assert {drift["field"] for drift in run.drifts} >= {"status", "ended_at"}
    assert (run.compared, run.healed) == (1, run.drifted)
    assert Subscription.objects.filter(customer=ben.customer).values().get() == before
    assert set(StripeEvent.objects.filter(pk__in=[event["id"] for event in events]).values_list("source")) == {
        ("sync",)
    }


def test_an_event_that_has_come_meanwhile_is_no_missed_one(world, run):
    ada = world.subscribed()
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    events = world.events()
    world.deliver(events)
    catch_up(run, events)
    assert (run.events, run.drifted, run.healed, run.compared) == ({}, 0, 0, 1)
    assert StripeEvent.objects.filter(source="sync").count() == 0


def test_what_names_only_a_payment_is_placed_first_and_then_has_its_effect(world, run):
    ada = world.subscribe()
    world.control("disputes", charge=world.charge_of(ada)["id"])
    dispute = [event for event in world.events() if event["type"] == "charge.dispute.created"]
    catch_up(run, dispute)
    assert (StripeEvent.objects.get().lane, ada.access.reason) == (ada.customer, "hold_dispute")
    assert (run.compared, run.healed) == (1, run.drifted)
    assert {drift["customer"] for drift in run.drifts} == {ada.customer}


def test_who_was_known_before_their_event_was_placed_differs_only_in_what_it_changed(world, run):
    ada = world.subscribed()
    InvoicePayment.objects.all().delete()
    StripeEvent.objects.all().delete()
    charge = world.charge_of(ada)["id"]
    world.control("disputes", charge=charge)
    dispute = [event for event in world.events() if event["type"] == "charge.dispute.created"]
    assert not missed.lane_of(dispute[0]).startswith("cus_")
    catch_up(run, dispute)
    assert (ada.access.reason, run.drifts, run.drifted, run.compared) == ("hold_dispute", [], 0, 1)


def test_the_oldest_is_recorded_first_and_a_stranger_changes_nothing(world, run, monkeypatch):
    recorded = []
    record = catching_up.ledger.record
    monkeypatch.setattr(
        catching_up.ledger, "record", lambda event, **source: recorded.append(event.id) or record(event, **source)
    )
    obj = {"id": "cus_stranger", "object": "customer"}
    late, early = (testing.event("customer.updated", obj, created=number) for number in (9, 5))
    catch_up(run, [late, early])
    assert recorded == [early["id"], late["id"]]
    assert (run.events, run.compared, run.drifted) == ({"customer.updated": 2}, 0, 0)


def test_portions_are_caught_up_with_one_after_another(world, run, monkeypatch):
    monkeypatch.setattr(catching_up, "AT_ONCE", 1)
    ada = world.subscribed()
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    events = world.events()
    catch_up(run, events)
    assert (ada.row.status, sum(run.events.values())) == ("canceled", len(events))
    assert run.drifted == run.healed > 0
