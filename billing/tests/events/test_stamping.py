"""An event is stamped with what became of it: failed, dead, waiting for Stripe, and when it is tried again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing import testing
from billing.events import applying, ledger, stamping, sweep, worker
from billing.models import Lane, Payment, StripeEvent, Subscription
from billing.stripe_client import StripeUnavailable
from billing.stripe_client.http_client import HttpClient
from billing.testing import assert_all_processed

from .failing import make_due

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_a_receiver_that_raises_fails_its_event_alone_and_the_rest_of_the_lane_is_done(world, broken):
    ada = world.subscribe()
    world.deliver(work=False)
    testing.work()
    failed = StripeEvent.objects.get(type="invoice.paid")
    assert (failed.status, failed.attempts) == ("failed", 1)
    assert failed.error_message == "LookupError: the host project's shelf is empty"
    assert failed.next_attempt_at > timezone.now() + timedelta(seconds=50)
    assert not StripeEvent.objects.exclude(type="invoice.paid").filter(status__in=["received", "failed"]).exists()
    assert ada.access.reason == "active"


def test_an_event_that_fails_every_time_is_dead_after_the_last_try_and_can_be_replayed(world, broken):
    ada = world.subscribe()
    world.deliver(work=False)
    testing.work()
    tries = 1
    while StripeEvent.objects.filter(status="failed").exists():
        make_due()
        tries += 1
    event = StripeEvent.objects.get(type="invoice.paid")
    assert (event.status, event.attempts, tries) == ("dead", 7, 7)
    assert broken.calls == 8  # the first try begins again with savepoints
    broken.is_broken = False
    assert ledger.replay([event.pk]) == 1
    testing.work()
    event.refresh_from_db()
    assert (event.status, event.source, event.error_message) == ("processed", "replay", "")
    assert ada.access.reason == "active"


def test_what_is_due_on_a_lane_and_what_is_put_off_there_is_that_lanes_alone(world):
    ada, ben = world.subscribe(), world.subscribe(email="ben@example.com")
    world.deliver(work=False)
    events = {who.customer: stamping.due_events(who.customer) for who in (ada, ben)}
    assert all(events.values())
    assert all({event.lane for event in found} == {lane} for lane, found in events.items())
    stamping.stamp_unapplied(ada.customer, StripeUnavailable("Stripe is away"))
    assert stamping.due_events(ada.customer) == []
    assert stamping.due_events(ben.customer) == events[ben.customer]
    put_off = StripeEvent.objects.filter(lane=ada.customer)
    later = timezone.now() + stamping.OUTAGE
    assert all(later - timedelta(seconds=20) < event.next_attempt_at <= later for event in put_off.waiting())
    assert not StripeEvent.objects.filter(lane=ben.customer).exclude(next_attempt_at=None).exists()
    worker.drain(ben.customer)
    assert ben.access.reason == "active"
    assert not Subscription.objects.filter(customer=ada.customer).exists(), "nothing of the other lane was applied"


def test_while_stripe_is_away_events_wait_uncounted_and_access_stays_as_known(world):
    ada = world.subscribed()
    world.advance(days=32)
    events = world.events()
    world.control("faults", api={"fail_next": 100, "status": 500})
    world.deliver(events, work=False)
    testing.work()
    waiting = StripeEvent.objects.filter(status="received")
    assert {event.attempts for event in waiting} == {0}
    assert all(event.error_message.startswith("Waiting: ") for event in waiting)
    assert not Lane.objects.exclude(token=None).exists()
    assert ada.row.status == "active"
    world.control("faults")
    StripeEvent.objects.filter(status="received").update(next_attempt_at=timezone.now())
    sweep.sweep()
    testing.work()
    assert_all_processed()
    assert Payment.objects.count() == 2


def test_one_object_that_stripe_does_not_answer_for_is_a_try_of_its_own_event_alone(world, monkeypatch):
    ada = world.subscribed()
    before = ada.row.default_payment_method
    world.control("disputes", charge=world.charge_of(ada)["id"])
    world.change_card(ada, "pm_card_mastercard")
    send = HttpClient.send

    def no_disputes(self, method, url, request, post_data=None):
        if "/v1/disputes/" in url:
            return b"{}", 500, {}
        return send(self, method, url, request, post_data)

    monkeypatch.setattr(HttpClient, "send", no_disputes)
    world.deliver(work=False)
    testing.work()
    waiting = StripeEvent.objects.waiting().get()
    assert (waiting.type, waiting.status, waiting.attempts) == ("charge.dispute.created", "failed", 1)
    assert waiting.error_message == "StripeUnanswered: Stripe answered 500"
    assert ada.row.default_payment_method != before


def test_a_worker_that_lost_its_lane_does_not_postpone_its_heirs_events(world, monkeypatch):
    ada = world.subscribed()
    world.advance(days=32)
    world.deliver(work=False)

    def slow_and_down(lane, events, between):
        Lane.objects.filter(pk=lane).update(token="00000000-0000-0000-0000-000000000001")
        raise StripeUnavailable("Stripe did not answer")

    monkeypatch.setattr(applying, "prefetch", slow_and_down)
    assert worker.drain(ada.customer) == "lost"
    assert not StripeEvent.objects.exclude(next_attempt_at=None).exists()


def test_an_error_that_no_text_column_takes_is_kept_all_the_same(world, broken, monkeypatch):
    world.subscribe()
    monkeypatch.setattr(type(broken), "__call__", lambda *args, **kwargs: {}["\0\ud800"])
    world.deliver(work=False)
    testing.work()
    assert StripeEvent.objects.get(type="invoice.paid").status == "failed"


def test_a_key_of_an_odd_shape_is_in_no_error(world, settings):
    ada = world.subscribe()
    world.deliver(work=False)
    settings.STRIPE_SECRET_KEY = settings.STRIPE_TEST_SECRET_KEY = "sk_test_odd-SHAPE-secret-1234567890"
    testing.work()
    said = list(StripeEvent.objects.values_list("error_message", flat=True))
    assert not any("SHAPE" in message for message in said)
    assert ada
