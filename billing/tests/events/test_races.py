"""The door, the workers and each other, at the same moment, on PostgreSQL."""

import threading
import time
from functools import partial

import pytest
from django.db import OperationalError, connection, transaction
from djstripe.event_handlers import djstripe_receiver
from djstripe.models import Event as DjstripeEvent
from djstripe.signals import WEBHOOK_SIGNALS

from billing import lanes, testing
from billing.events import Event, applying, ledger, stamping, worker
from billing.lifecycle import checkout
from billing.models import CheckoutAttempt, Payment, Plan, StripeEvent
from billing.stripe_client import StripeUnavailable
from billing.testing import assert_all_processed
from billing.tests.processes import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres_only]


def post(event):
    return testing.deliver(event).json()


def test_a_duplicate_that_comes_while_its_batch_is_stamped_waits_and_ends_nobody(world, at_once, monkeypatch):
    """The worker has locked the event and wants its lane; the door must not have the lane and want the event."""
    ada = world.subscribe()
    world.deliver(work=False)
    duplicate = StripeEvent.objects.get(type="invoice.paid").payload
    apply, at_the_door = applying.apply, []

    def then_a_duplicate(lane, events, **kinds):
        apply(lane, events, **kinds)
        if lane == ada.customer and not at_the_door:
            at_the_door.append(at_once(lambda: post(duplicate)))
            time.sleep(1.5)

    monkeypatch.setattr(applying, "apply", then_a_duplicate)
    assert worker.drain(ada.customer) == "drained"
    assert at_the_door[0].result() == {"status": "duplicate"}
    assert StripeEvent.objects.get(type="invoice.paid").deliveries == 2


def _stamp(ids):
    with transaction.atomic():
        applying.apply("pi_nobody", list(StripeEvent.objects.filter(pk__in=ids).order_by("-pk")), is_ours=False)


def _wait(ids):
    stamping.stamp_unapplied("pi_nobody", StripeUnavailable("Stripe is away"))


@pytest.mark.parametrize(
    "work",
    [ledger.replay, ledger.mark_handled, _wait, _stamp],
    ids=["replay", "mark handled", "wait", "stamp"],
)
def test_who_locks_several_events_begins_with_the_first_id(at_once, monkeypatch, work):
    """So two who meet wait for each other in turn, not in a circle."""
    monkeypatch.setattr(applying, "_place", lambda event: applying.NOT_OURS)
    for number in (3, 2, 1):  # the last in the table comes first
        charge = {"object": "charge", "id": "ch_1", "payment_intent": "pi_nobody"}
        ledger.record(Event.of(testing.event("charge.dispute.created", charge, id=f"evt_{number}")))
    StripeEvent.objects.update(status="failed", lane="pi_nobody")
    with transaction.atomic():
        StripeEvent.objects.select_for_update().get(pk="evt_1")
        waiting = at_once(partial(work, ["evt_3", "evt_2", "evt_1"]))
        until(_somebody_waits, what="its wait for us")
        assert StripeEvent.objects.select_for_update(nowait=True).get(pk="evt_3")
    waiting.result()


def _somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


def test_the_same_event_at_two_doors_at_once_is_stored_once(world, at_once, monkeypatch):
    """One door has its lane asleep, the other finds it awake: neither waits for the other in a circle."""
    ada = world.subscribed()
    one, other = [testing.event("customer.updated", {"id": ada.customer, "object": "customer"}) for _ in range(2)]
    has_begun, wake = threading.Event(), lanes.wake

    def the_first_wakes_slowly(key):
        is_first, _ = not has_begun.is_set(), has_begun.set()
        if is_first:
            time.sleep(0.6)
        wake(key)

    monkeypatch.setattr(lanes, "wake", the_first_wakes_slowly)
    slow = at_once(lambda: post(one))
    has_begun.wait()
    assert post(other) == {"status": "received"}
    answers = [post(one)["status"], slow.result()["status"]]
    assert sorted(answers) == ["duplicate", "received"]
    testing.work()
    assert_all_processed()


def test_many_new_customers_at_once_do_not_stop_each_other(world, at_once):
    """Their mirrored rows share an account, products and prices that are all new."""
    subscribers = [
        world.subscribe(email=f"{number}@example.com", plan=plan, interval=interval)
        for number, (plan, interval) in enumerate([("pro", "month"), ("team", "month"), ("pro", "year")] * 2)
    ]
    world.deliver(work=False)
    drains = [at_once(partial(worker.drain, subscriber.customer)) for subscriber in subscribers]
    assert {drain.result() for drain in drains} <= {"drained", "busy"}
    testing.work()
    assert_all_processed()
    assert {subscriber.access.has_access for subscriber in subscribers} == {True}


def test_the_return_page_and_the_webhooks_at_once_announce_everything_once(world, at_once):
    ada = world.subscribe()
    world.deliver(work=False)
    both = [
        at_once(partial(worker.drain, ada.customer)),
        at_once(partial(checkout.refresh_outcome, CheckoutAttempt.objects.get())),
    ]
    for one in both:
        one.result()
    testing.work()
    assert_all_processed()
    assert Payment.objects.count() == 1
    assert sorted(world.said(ada)) == ["access_granted", "payment_succeeded", "subscription_started"]


@pytest.fixture
def crossing():
    """Two who write the same two rows of the host's, each beginning with the other one; at first they meet."""
    meeting, runs = threading.Barrier(2, timeout=20), []

    def write(first, second):
        runs.append(first)
        Plan.objects.filter(slug=first).update(description=f"{first} first")
        if len(runs) <= 2:
            meeting.wait()
        Plan.objects.filter(slug=second).update(description=f"{first} first")

    write.runs = runs
    return write


def test_customers_who_meet_in_a_deadlock_begin_again_at_once_and_no_event_is_tried_twice(world, at_once, crossing):
    ada, bob = world.subscribed(email="ada@example.com"), world.subscribed(email="bob@example.com")

    def write(sender, event, **kwargs):
        crossing(*(("pro", "team") if event.data["object"]["id"] == ada.customer else ("team", "pro")))

    djstripe_receiver("customer.updated")(write)
    try:
        for who in (ada, bob):
            post(testing.event("customer.updated", {"id": who.customer, "object": "customer"}))
        drains = [at_once(partial(worker.drain, who.customer)) for who in (ada, bob)]
        assert [drain.result() for drain in drains] == ["drained", "drained"]
    finally:
        WEBHOOK_SIGNALS["customer.updated"].disconnect(write, sender=DjstripeEvent)
    assert_all_processed()
    assert len(crossing.runs) == 3
    assert not StripeEvent.objects.filter(attempts__gt=1).exists()


def test_whoever_takes_a_lane_for_other_work_begins_again_too(world, at_once, crossing):
    def work(key, *slugs):
        with lanes.exclusive(key) as commit:
            commit(partial(crossing, *slugs))

    both = [at_once(partial(work, "cus_1", "pro", "team")), at_once(partial(work, "cus_2", "team", "pro"))]
    for one in both:
        one.result()
    assert len(crossing.runs) == 3


def test_another_error_of_the_database_is_raised_at_the_first_time(world):
    def lock():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)")

    with pytest.raises(OperationalError, match="timeout"), lanes.exclusive("cus_1") as commit:
        commit(lock)
