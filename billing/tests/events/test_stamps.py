"""A stamp writes on its own event and on no other, and says when the next try is due, or that there is none."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.conf import conf
from billing.events import stamping
from billing.events.stamping import BATCH, MOST_FAILURES, OUTAGE
from billing.lanes import tries
from billing.models import Alert, StripeEvent
from billing.stripe_client import StripeDiffers, StripeUnanswered, StripeUnavailable
from billing.tests.mailing import GRACE

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def now(time_machine, monkeypatch, settings):
    settings.ADMINS = GRACE
    time_machine.move_to(timezone.now(), tick=False)
    monkeypatch.setattr(tries.random, "uniform", lambda low, high: 1)
    return timezone.now()


@pytest.fixture
def answers(monkeypatch):
    """Stripe answers others, until told otherwise."""
    monkeypatch.setattr(stamping.stripe_client, "answers", lambda: True)
    return lambda answers: monkeypatch.setattr(stamping.stripe_client, "answers", lambda: answers)


def event(pk, lane="cus_ada", **columns):
    usual = {"type": "invoice.paid", "created": 1, "livemode": False, "status": "received", "payload": {"id": pk}}
    return StripeEvent.objects.create(pk=pk, lane=lane, received_at=timezone.now(), **{**usual, **columns})


def state(pk):
    row = StripeEvent.objects.get(pk=pk)
    return row.status, row.attempts, row.error_message, row.next_attempt_at


UNTOUCHED = ("received", 0, "", None)


@pytest.mark.parametrize(
    ("columns", "is_due"),
    [
        ({}, True),
        ({"status": "failed"}, True),
        ({"status": "processed"}, False),
        ({"status": "dead"}, False),
        ({"status": "ignored"}, False),
        ({"lane": "cus_ben"}, False),
        ({"ahead": -TICK}, True),
        ({"ahead": timedelta(0)}, True),
        ({"ahead": TICK}, False),
    ],
)
def test_what_waits_on_a_lane_is_due_from_its_moment(now, columns, is_due):
    columns = dict(columns)
    ahead = columns.pop("ahead", None)
    made = event("evt_1", next_attempt_at=None if ahead is None else now + ahead, **columns)
    assert stamping.due_events("cus_ada") == ([made] if is_due else [])


def test_the_oldest_by_stripes_clock_are_due_first_and_no_more_than_a_batch():
    for number in range(BATCH + 1):
        event(f"evt_{number:03}", created=1000 - number)
    event("evt_same", created=1000)
    found = [row.pk for row in stamping.due_events("cus_ada")]
    assert (len(found), found[0], found[-1]) == (BATCH, f"evt_{BATCH:03}", "evt_001")
    StripeEvent.objects.exclude(pk__in=["evt_same", "evt_000"]).delete()
    assert [row.pk for row in stamping.due_events("cus_ada")] == ["evt_000", "evt_same"]


def test_what_was_processed_says_so_and_what_was_not_named_does_not(now):
    event("evt_1", attempts=2, status="failed", error_message="x", next_attempt_at=now)
    event("evt_2")
    stamping.stamp_processed(["evt_1"], "No effect")
    assert state("evt_1") == ("processed", 3, "No effect", None)
    assert StripeEvent.objects.get(pk="evt_1").processed_at == now
    assert (state("evt_2"), StripeEvent.objects.get(pk="evt_2").processed_at) == (UNTOUCHED, None)


@pytest.mark.parametrize(("attempts", "minutes"), [(0, 1), (1, 5), (5, 720)])
def test_what_failed_is_tried_again_and_staff_are_not_told(now, attempts, minutes):
    made = event("evt_1", attempts=attempts)
    event("evt_2")
    stamping.stamp_failed(made, LookupError("no shelf"))
    due = now + timedelta(minutes=minutes)
    assert state("evt_1") == ("failed", attempts + 1, "LookupError: no shelf", due)
    failures = StripeEvent.objects.get(pk="evt_1").failures
    assert failures == [{"at": now.isoformat(), "error": "LookupError: no shelf"}]
    assert (state("evt_2"), Alert.objects.count()) == (UNTOUCHED, 0)


@pytest.mark.django_db(transaction=True)
def test_what_failed_for_the_last_time_is_dead_and_staff_are_told_without_its_words():
    made = event("evt_1", attempts=len(tries.WAITS))
    stamping.stamp_failed(made, LookupError("no shelf for ada@example.com"))
    assert state("evt_1") == ("dead", 7, "LookupError: no shelf for ada@example.com", None)
    alert = Alert.objects.get()
    assert (alert.cause, alert.subject) == ("dead_events", "Event evt_1 could not be processed")
    assert alert.text.startswith("The invoice.paid event evt_1 of cus_ada failed 7 times and is not tried again.")
    assert "ada@" not in alert.text


def test_of_many_failures_the_newest_are_kept():
    made = event("evt_1", failures=[{"at": "then", "error": str(number)} for number in range(MOST_FAILURES)])
    stamping.stamp_failed(made, LookupError("x" * 3000))
    failures = StripeEvent.objects.get(pk="evt_1").failures
    assert (len(failures), failures[0]["error"]) == (MOST_FAILURES, "1")
    assert failures[-1]["error"] == ("LookupError: " + "x" * 3000)[:2000]


def test_what_staff_called_handled_stays_so(now):
    made = event("evt_1", status="dead", handled_at=now, attempts=3)
    stamping.stamp_failed(made, LookupError("again"))
    assert state("evt_1") == ("dead", 3, "", None)


def test_of_what_was_redacted_only_the_class_of_an_error_is_kept():
    stamping.stamp_failed(event("evt_1", payload={"redacted": True}), LookupError("no shelf for Ada"))
    assert state("evt_1")[2] == "LookupError"


@pytest.mark.parametrize(
    ("error", "answers_others", "is_try"),
    [
        (StripeUnanswered("x"), True, True),
        (StripeUnanswered("x"), False, False),
        (StripeUnavailable("x"), True, False),
        (StripeUnavailable("x"), False, False),
    ],
)
def test_it_is_a_try_only_if_stripe_answers_others(answers, now, error, answers_others, is_try):
    answers(answers_others)
    event("evt_ben", lane="cus_ben")
    event("evt_later", next_attempt_at=now + timedelta(hours=1))
    made, named = event("evt_1"), event("evt_2")
    stamping.stamp_unavailable(named, error)
    assert state("evt_1") == UNTOUCHED
    failed = ("failed", 1, f"{type(error).__name__}: x", now + timedelta(minutes=1))
    waits = ("received", 0, "Waiting: x", now + OUTAGE)
    assert state("evt_2") == (failed if is_try else waits)
    stamping.stamp_unapplied("cus_ada", error)
    assert state(made.pk) == (failed if is_try else waits)
    assert state("evt_ben") == UNTOUCHED
    assert state("evt_later")[:3] == ("received", 0, "")


def test_an_answer_of_another_version_is_no_try_of_a_whole_lane_though_it_is_one_of_an_event(answers, now):
    error = StripeDiffers("invoice.parent", conf.api_version)
    event("evt_1")
    stamping.stamp_unapplied("cus_ada", error)
    assert state("evt_1") == ("received", 0, f"Waiting: {error}", now + OUTAGE)
    stamping.stamp_unavailable(event("evt_2"), error)
    assert state("evt_2")[:2] == ("failed", 1)
