"""A run of the sync reports its findings, counted whole, kept up to a bound, with the likeliest cause."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from billing.models import Plan, StripeEvent, SyncRun
from billing.sync import report

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    return SyncRun(mode="full", started_at=timezone.now(), clock_at=timezone.now())


def test_every_difference_is_counted_and_the_first_are_kept_in_order(run, monkeypatch):
    monkeypatch.setattr(report, "MOST_DRIFTS", 3)
    report.drift(run, "cus_ada", {"status": ("active", "canceled"), "plan_id": (None, None)}, "unknown")
    report.drift(run, "cus_ben", {"status": ("active", "unpaid"), "currency": ("", "eur")}, "event evt_1")
    assert run.drifted == 4
    assert [(row["customer"], row["field"], row["ours"], row["theirs"], row["cause"]) for row in run.drifts] == [
        ("cus_ada", "plan", None, None, "unknown"),
        ("cus_ada", "status", "active", "canceled", "unknown"),
        ("cus_ben", "currency", "", "eur", "event evt_1"),
    ]


def test_plans_and_days_are_shown_as_a_person_knows_them(run):
    plan = Plan.objects.create(slug="report-pro", name="Pro", rank=1)
    Plan.objects.create(slug="report-other", name="Other", rank=2)
    report.drift(run, "cus_ada", {"plan_id": (plan.pk, None), "ended_at": (None, date(2026, 5, 1))}, "unknown")
    assert [(row["ours"], row["theirs"]) for row in run.drifts] == [(None, "2026-05-01"), ("report-pro", None)]


def test_a_note_is_kept_once_and_no_more_than_some(run, monkeypatch):
    monkeypatch.setattr(report, "MOST_NOTES", 2)
    for text in ("one", "one", "two", "three"):
        report.note(run, text)
    assert run.notes == ["one", "two"]


@pytest.fixture
def event():
    def make(pk, status, lane="cus_ada", created=100):
        StripeEvent.objects.create(
            pk=pk, type="customer.updated", status=status, lane=lane, created=created, livemode=False,
            received_at=timezone.now(), payload={},
        )  # fmt: skip

    return make


def test_the_likeliest_cause_is_the_newest_event_of_that_customer_that_has_not_come_through(event):
    event("evt_ben", "dead", lane="cus_ben", created=900)
    event("evt_done", "processed", created=900)
    assert report.likely_cause("cus_ada") == "unknown"
    event("evt_old", "failed", created=50)
    assert report.likely_cause("cus_ada") == "failed event evt_old"
    event("evt_dead", "dead", created=60)
    assert report.likely_cause("cus_ada") == "failed event evt_dead"
    event("evt_new", "received", created=70)
    assert report.likely_cause("cus_ada") == "event evt_new not processed yet"
    assert report.likely_cause("cus_eve") == "unknown"


def test_the_line_of_a_cron_job_counts_what_there_was_and_is_silent_about_what_there_was_not(run):
    run.finished_at = run.started_at
    assert report.summary(run) == (
        "Synced with Stripe (full): found 0 missed events, compared 0 objects, found no difference, "
        "made 0 calls in 0.0 s."
    )
    run.events, run.compared, run.imported, run.drifted, run.healed, run.calls = {"a": 1}, 1000, 2, 4, 3, 1
    run.notes = ["One.", "2."]
    assert report.summary(run) == (
        "Synced with Stripe (full): found 1 missed event, compared 1,000 objects, imported 2, "
        "corrected 3 of 4 differences, made 1 call in 0.0 s. Note: One. 2."
    )
    assert report.summary(run, is_dry=True).startswith(
        "Dry run, nothing written (full): found 1 missed event, compared 1,000 objects, imported 2, found 4 differences"
    )


def test_the_details_name_events_by_type_and_each_difference(run):
    run.events = {"invoice.paid": 2, "customer.updated": 1}
    report.drift(run, "cus_ada", {"status": ("active", ""), "ended_at": (None, datetime(2026, 5, 1, tzinfo=UTC))}, "x")
    assert report.details(run) == [
        "       1  customer.updated",
        "       2  invoice.paid",
        "  cus_ada  ended_at: none → 2026-05-01T00:00:00+00:00  (x)",
        "  cus_ada  status: active → none  (x)",
    ]
