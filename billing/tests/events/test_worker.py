"""The worker drains a lane and makes the writes that we owe, also after it died or lost the lane."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing import lanes, signals, testing
from billing.events import applying, sweep, worker
from billing.models import Lane, Payment, StripeEvent, StripeWrite, Subscription
from billing.testing import assert_all_processed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_a_cancellation_that_stripe_did_not_hear_is_owed_until_it_does(world):
    ada = world.subscribed()
    world.stripe("POST", "refunds", charge=world.charge_of(ada)["id"])
    events = [event for event in world.events() if event["type"] == "charge.refunded"]
    world.deliver(events, work=False)

    def stripe_goes_away(sender, **kwargs):
        world.control("faults", api={"fail_next": 100, "status": 503})

    signals.refund_issued.connect(stripe_goes_away)
    try:
        testing.work()
    finally:
        signals.refund_issued.disconnect(stripe_goes_away)
    owed = StripeWrite.objects.get()
    assert (owed.done_at, owed.attempts) == (None, 1)
    assert ada.access.reason == "hold_refund", "access is held meanwhile"
    world.control("faults")
    StripeWrite.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    sweep.sweep()
    testing.work()
    assert StripeWrite.objects.get().done_at
    assert world.stripe("GET", f"subscriptions/{ada.subscription}")["status"] == "canceled"


def test_a_worker_that_dies_between_effects_and_stamp_leaves_neither(world, monkeypatch):
    ada = world.subscribe()
    world.deliver(work=False)
    stamp = applying.stamp_processed

    def dies(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(applying, "stamp_processed", dies)
    with pytest.raises(KeyboardInterrupt):
        testing.work()
    assert not Payment.objects.exists()
    assert not Subscription.objects.exists()
    assert not StripeEvent.objects.filter(status="processed").exists()
    monkeypatch.setattr(applying, "stamp_processed", stamp)
    testing.work()
    assert_all_processed()
    assert ada.access.reason == "active"


def test_a_worker_that_lost_its_lane_half_way_changes_nothing_and_the_heir_does_it_all(world, monkeypatch):
    ada = world.subscribe()
    world.deliver(work=False)
    apply = applying.apply

    def taken_over_while_applying(lane, events, **kinds):
        apply(lane, events, **kinds)
        Lane.objects.filter(pk=lane).update(token="00000000-0000-0000-0000-000000000001", leased_until=timezone.now())

    monkeypatch.setattr(applying, "apply", taken_over_while_applying)
    assert worker.drain(ada.customer) == "lost"
    assert not Payment.objects.exists()
    monkeypatch.setattr(applying, "apply", apply)
    Lane.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    testing.work()
    assert_all_processed()
    assert Payment.objects.count() == 1


def test_an_event_that_arrives_between_the_last_look_and_the_release_is_drained_by_the_same_task(world, monkeypatch):
    ada = world.subscribed()
    world.advance(days=32)
    first, *rest = world.events()
    world.deliver([first], work=False)
    world.deliver([event for event in rest if event["type"] == "customer.subscription.updated"], work=False)
    late, release, held = [event for event in rest if event["type"] == "invoice.paid"], lanes.release, []

    def door_comes_first(claim):
        if not held:
            held.append(claim)
            world.deliver(late, work=False)
        return release(claim)

    monkeypatch.setattr(lanes, "release", door_comes_first)
    assert worker.drain(ada.customer) == "drained"
    assert Payment.objects.count() == 2
    assert not lanes.is_awake(ada.customer)
