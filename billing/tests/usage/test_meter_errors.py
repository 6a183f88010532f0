"""Stripe's error reports refuse the reports that they name, each once; what is another's or settled stays."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from billing import stripe_client
from billing.models import Alert, OveragePrice, Plan, Usage, UsageReport
from billing.stripe_client import StripeUnavailable
from billing.usage import meter_errors

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
LATE, SECOND = timedelta(minutes=15), timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def counter(ada):
    plan = Plan.objects.create(slug="metered", name="Metered", rank=500)
    for number, (name, meter) in enumerate((("one", "mtr_1"), ("two", "mtr_2"), ("again", "mtr_1"))):
        OveragePrice.objects.create(pk=f"price_{name}", plan=plan, feature="exports", interval="month", meter=meter,
                                    interval_count=number + 1, event_name=name)  # fmt: skip
    return Usage.objects.create(subscriber=ada, feature="exports", period_start=NOW)


def report(counter, **columns):
    usual = {"price_id": "price_one", "customer_id": "cus_ada", "subscription_id": "sub_ada", "currency": "usd",
             "quantity": 5, "at": NOW, "made_at": NOW, "state": "sent"}  # fmt: skip
    return UsageReport.objects.create(usage=counter, **{**usual, **columns})


@pytest.fixture(autouse=True)
def stays(counter):
    """A report of which no error is told."""
    other = report(counter)
    before = UsageReport.objects.filter(pk=other.pk).values().get()
    yield other
    assert UsageReport.objects.filter(pk=other.pk).values().get() == before


def sample(row, **changes):
    return {"error_message": "No such customer", "request": {"identifier": f"{row.pk}:1"}, **changes}


def event(*samples, kind=meter_errors.REPORT, code="meter_event_customer_not_found"):
    return {"type": kind, "data": {"reason": {"error_types": [{"code": code, "sample_errors": list(samples)}]}}}


@pytest.mark.parametrize("state", ["sent", "sending"])
def test_what_is_named_is_refused_once_with_stripes_words(counter, state):
    row, other = report(counter, state=state), report(counter)
    assert meter_errors.note(event(sample(row), sample(other), sample(row))) == 2
    row.refresh_from_db()
    assert (row.state, row.error_message) == ("refused", "meter_event_customer_not_found: No such customer")
    assert meter_errors.note(event(sample(row))) == 0


@pytest.mark.parametrize("columns", [{"state": "waiting"}, {"settled_by": "staff:1"}])
def test_what_was_not_sent_or_was_decided_by_somebody_stays(counter, columns):
    row = report(counter, **columns)
    assert meter_errors.note(event(sample(row))) == 0
    row.refresh_from_db()
    assert row.state == columns.get("state", "sent")


@pytest.mark.parametrize("odd", [
    {"request": {"identifier": "no-uuid:1"}}, {"request": {"identifier": f"{uuid.uuid4()}:1"}},
    {"request": {"identifier": None}}, {"request": {}}, {"request": None},
])  # fmt: skip
def test_what_names_no_report_of_ours_is_passed_over(counter, stays, odd):
    row = report(counter)
    assert meter_errors.note(event(sample(stays, **odd), sample(row))) == 1


@pytest.mark.parametrize("said", [
    {}, {"data": None}, {"data": {}}, {"data": {"reason": None}}, {"data": {"reason": {"error_types": None}}},
    {"data": {"reason": {"error_types": [{"code": "x", "sample_errors": None}]}}},
])  # fmt: skip
def test_an_event_that_names_nothing_refuses_nothing(counter, said, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert meter_errors.note({"type": meter_errors.REPORT, **said}) == 0
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    ("kind", "names_a_report", "data", "is_told"),
    [
        (meter_errors.NO_METER, False, True, True),
        (meter_errors.NO_METER, True, True, False),
        (meter_errors.NO_METER, False, False, False),
        (meter_errors.REPORT, False, True, False),
    ],
)
def test_use_for_which_stripe_has_no_meter_is_told_to_staff(
    counter, django_capture_on_commit_callbacks, kind, names_a_report, data, is_told
):
    told = event(*([sample(report(counter))] if names_a_report else []), kind=kind)
    with django_capture_on_commit_callbacks(execute=True):
        meter_errors.note(told if data else {"type": kind, "data": {}})
    assert Alert.objects.filter(cause="no_meter").exists() is is_told


# Asked for


@pytest.fixture
def asked(monkeypatch, counter, stays):
    """What Stripe was asked for; each meter has an event of ours, and one of another kind."""
    calls = Asked()
    rows = {meter: report(counter) for meter in ("mtr_1", "mtr_2")}

    def get(path, **params):
        if calls.fails:
            raise calls.fails
        calls.append((path, params, calls.is_patient))
        if "object_id" not in params:
            return event(sample(rows["mtr_1"]))
        row = rows[params["object_id"]]
        return {"data": [{**event(sample(stays)), "type": "v1.billing.meter.odd"}, event(sample(row))]}

    class Patient:
        def __enter__(self):
            calls.is_patient = True

        def __exit__(self, *error):
            calls.is_patient = False

    monkeypatch.setattr(stripe_client, "get", get)
    monkeypatch.setattr(stripe_client, "patient", Patient)
    return calls


class Asked(list):
    fails: Exception | None = None
    is_patient = False


def test_each_meter_is_asked_once_for_its_errors(asked):
    assert meter_errors.ask() == 2
    assert asked == [
        ("/v2/core/events", {"object_id": meter, "limit": 100}, False) for meter in ("mtr_1", "mtr_2")
    ]  # fmt: skip


def test_one_that_stripe_told_of_is_read_alone(asked):
    assert meter_errors.hear("evt_1") == 1
    assert asked == [("/v2/core/events/evt_1", {}, False)]


@pytest.mark.parametrize(("ago", "is_asked"), [(timedelta(0), True), (LATE - SECOND, True), (LATE, False)])
def test_errors_are_asked_for_while_something_was_sent_of_late_and_patiently(counter, asked, ago, is_asked):
    report(counter, sent_at=NOW - ago)
    assert meter_errors.ask_of_late() == (2 if is_asked else 0)
    assert [patient for *_, patient in asked] == [True, True] * is_asked


def test_an_outage_waits(counter, asked):
    report(counter, sent_at=NOW)
    asked.fails = StripeUnavailable("away")
    assert meter_errors.ask_of_late() == 0
    asked.fails = None
    assert meter_errors.ask_of_late() == 2
