"""A run of the sync: when it looks at everything, where it begins to ask for events, and what it leaves on record."""

import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from billing.models import Alert, Customer, Lane, Subscription, SyncRun
from billing.stripe_client import StripeUnavailable
from billing.sync import missed, runs
from billing.sync.alone import alone, is_free
from billing.sync.runs import DAY, EVENTS_ARE_KEPT, Wanted
from billing.testing import now as sandbox_now
from billing.tests.mailing import GRACE

pytestmark = pytest.mark.django_db(transaction=True)
TICK = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def staff(settings):
    settings.ADMINS = GRACE


def an_earlier_run(**columns):
    moment = timezone.now() - timedelta(minutes=5)
    usual = {"mode": "full", "status": "done", "started_at": moment, "clock_at": sandbox_now()}
    return SyncRun.objects.create(**{**usual, **columns})


def told():
    return {alert.cause: (alert.subject, alert.text) for alert in Alert.objects.all()}


# How far back


@pytest.mark.parametrize(
    ("ago", "seconds", "is_gap"),
    [
        (None, 0, True),
        (EVENTS_ARE_KEPT, 0, False),
        (EVENTS_ARE_KEPT + TICK, 0, True),
        (DAY, EVENTS_ARE_KEPT.total_seconds(), False),
        (DAY, EVENTS_ARE_KEPT.total_seconds() + 1, True),
    ],
)
def test_there_is_a_gap_where_stripe_may_have_forgotten_by_either_clock(ago, seconds, is_gap):
    now = timezone.now()
    last = None if ago is None else SimpleNamespace(clock_at=now - ago)
    assert runs._has_gap(SimpleNamespace(clock_at=now), last, seconds) is is_gap


def test_events_are_asked_for_again_from_a_little_before_the_watermark():
    assert (runs._with_overlap(None), runs._with_overlap(1000)) == (None, 1000 - missed.OVERLAP_SECONDS)


def test_the_watermark_is_the_newest_event_and_goes_only_forward(world):
    world.subscribed()
    newest = max(event["created"] for event in world.sandbox.events())
    assert runs.run(Wanted()).watermark == newest
    assert runs.run(Wanted()).watermark == newest
    an_earlier_run(watermark=newest + 50, started_at=timezone.now())
    assert runs.run(Wanted()).watermark == newest + 50


@pytest.mark.parametrize(("since", "moves"), [(-1, True), (0, True), (1, False)])
def test_a_look_that_left_out_what_came_after_the_watermark_does_not_move_it(world, since, moves):
    world.subscribed()
    newest = max(event["created"] for event in world.sandbox.events())
    an_earlier_run(watermark=newest)
    assert runs.run(Wanted(since=newest + since)).watermark == (newest if moves else None)
    assert runs.run(Wanted()).watermark == newest, "the next one goes on from the one before"


def test_where_stripe_has_no_event_there_is_no_watermark(world, monkeypatch):
    monkeypatch.setattr(missed, "EVENT_TYPES", frozenset({"invoice.paid"}))
    assert runs.run(Wanted()).watermark is None


def test_a_run_for_one_customer_tells_nothing_about_events(world):
    ada = world.subscribed()
    an_earlier_run(mode="customer", watermark=1)
    row = runs.run(Wanted(customer=ada.customer))
    assert (row.mode, row.watermark, row.compared) == ("customer", None, 1)
    assert runs.run(Wanted()).watermark > 1


# When everything


@pytest.mark.parametrize(
    ("earlier", "mode"),
    [
        ({}, "routine"),
        ({"status": "failed"}, "full"),
        ({"mode": "routine"}, "full"),
        ({"mode": "customer"}, "full"),
        (None, "full"),
    ],
)
def test_everything_is_looked_at_unless_that_was_done_lately(world, earlier, mode):
    if earlier is not None:
        an_earlier_run(**earlier)
    assert runs.run(Wanted()).mode == mode
    assert runs.run(Wanted()).mode == "routine", "it was done just now"


@pytest.mark.parametrize(("ago", "mode"), [(DAY, "routine"), (DAY + TICK, "full")])
def test_everything_is_looked_at_once_a_day_by_the_clock_of_the_rules(world, ago, mode):
    an_earlier_run(clock_at=sandbox_now() - ago)
    assert runs.run(Wanted()).mode == mode


def test_the_newest_full_run_counts(world):
    an_earlier_run(clock_at=sandbox_now() - 2 * DAY, started_at=timezone.now() - DAY)
    an_earlier_run()
    assert runs.run(Wanted()).mode == "routine"


def test_everything_is_looked_at_when_asked_for(world):
    an_earlier_run()
    assert runs.run(Wanted(is_full=True)).mode == "full"


def test_who_has_something_pending_is_asked_about_once(world):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    runs.run(Wanted())
    Subscription.objects.filter(customer=ada.customer).update(status="past_due")
    row = runs.run(Wanted())
    assert (row.mode, row.compared, row.drifted, row.healed) == ("routine", 1, 1, 1)
    assert (ada.row.status, ben.row.status) == ("active", "active")


# On record


def test_a_run_that_was_done_is_on_record_with_its_calls_and_silent(world):
    world.subscribed()
    runs.run(Wanted())
    before = world.calls()["total"]
    row = runs.run(Wanted())
    row.refresh_from_db()
    assert (row.status, row.error, row.calls) == ("done", "", world.calls()["total"] - before)
    assert row.calls > 0
    assert row.started_at <= row.finished_at
    assert told() == {}


def test_a_run_that_failed_says_why_and_staff_are_told_the_kind_alone(world):
    with world.down(), pytest.raises(StripeUnavailable) as raised:
        runs.run(Wanted())
    row = SyncRun.objects.get()
    assert (row.status, row.error) == ("failed", f"StripeUnanswered: {raised.value}")
    assert row.finished_at
    assert not Lane.objects.get(pk="sync").token
    [(cause, (subject, text))] = told().items()
    assert (cause, subject) == ("sync_failed", "The sync with Stripe failed")
    assert text.startswith("It ended with StripeUnanswered. The admin shows the run")


def test_one_that_was_broken_off_is_failed_by_the_next_and_others_stay_as_they_were(world):
    broken = an_earlier_run(status="running")
    done = an_earlier_run()
    runs.run(Wanted())
    broken.refresh_from_db()
    done.refresh_from_db()
    assert (broken.status, broken.error, bool(broken.finished_at)) == ("failed", "Broken off.", True)
    assert (done.status, done.error, done.finished_at) == ("done", "", None)


@pytest.mark.parametrize(("quantity", "subject"), [(7, "1 difference from Stripe found")])
def test_staff_are_told_what_differed_and_how_much_of_it_is_mended(world, quantity, subject):
    ada = world.subscribed()
    runs.run(Wanted())
    Subscription.objects.update(quantity=quantity)
    runs.run(Wanted(customer=ada.customer))
    [(cause, (told_subject, text))] = told().items()
    assert (cause, told_subject) == ("drift", subject)
    assert text.startswith("The sync corrected 1 of 1. ")


def test_a_customer_nobody_knows_is_refused_before_anything_is_begun(world):
    Customer.objects.create(pk="cus_ben")
    with pytest.raises(runs.UnknownCustomer, match="cus_ada is not a customer of ours"):
        runs.run(Wanted(customer="cus_ada"))
    assert not SyncRun.objects.exists()


# Alone


def holding(**leased):
    Lane.objects.create(
        pk="sync", woken_at=timezone.now(), token="0" * 32, leased_until=timezone.now() + timedelta(**leased)
    )


@pytest.mark.parametrize("is_dry", [False, True])
def test_two_never_run_at_once(world, is_dry):
    holding(minutes=1)
    with pytest.raises(runs.AnotherRuns):
        runs.run(Wanted(is_dry=is_dry))
    assert not SyncRun.objects.exists()
    assert runs.hourly() == "Another sync is running: this one did nothing."


@pytest.mark.parametrize("is_dry", [False, True])
def test_one_whose_lease_is_over_holds_up_nobody(world, is_dry):
    holding(minutes=-1)
    assert runs.run(Wanted(is_dry=is_dry)).mode == "full"


def test_a_free_lane_and_none_at_all_are_free(world):
    assert is_free()
    Lane.objects.create(pk="cus_ada", woken_at=timezone.now(), token="0" * 32,
                        leased_until=timezone.now() + timedelta(minutes=1))  # fmt: skip
    assert is_free(), "another's lane is not the sync's"
    ahead = timezone.now() + timedelta(minutes=1)
    Lane.objects.create(pk="sync", woken_at=timezone.now(), leased_until=ahead)
    assert is_free(), "nobody holds it"


def test_the_lease_is_renewed_when_a_quarter_of_it_is_over_and_not_before(world, settings):
    def leased_until():
        return Lane.objects.get(pk="sync").leased_until

    settings.BILLING_LEASE_SECONDS = 8
    with alone() as renew:
        first = leased_until()
        renew()
        assert leased_until() == first
        time.sleep(2.1)
        renew()
        assert (second := leased_until()) > first
        renew()
        assert leased_until() == second
    assert Lane.objects.get(pk="sync").token is None


def test_a_dry_run_looks_at_whom_the_missed_events_are_about_and_writes_nothing(world):
    ada = world.subscribed()
    runs.run(Wanted())
    Subscription.objects.update(quantity=7)
    world.stripe("POST", f"customers/{ada.customer}", name="Ada")
    row = runs.run(Wanted(is_dry=True))
    assert (row.events, row.drifted, row.healed, row.watermark) == ({"customer.updated": 1}, 1, 0, None)
    assert (SyncRun.objects.count(), ada.row.quantity) == (1, 7)
    assert not Lane.objects.get(pk="sync").token
