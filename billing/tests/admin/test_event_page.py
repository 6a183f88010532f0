"""An event's page after a real story: what it changed and recorded, its mails and its tries; handling; the export."""

import csv
import io
import json
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from billing import cause, testing
from billing.events import ledger
from billing.lifecycle.cancel import cancel
from billing.models import StripeEvent, SubscriptionChange
from billing.monitoring import health
from billing.sync import runs
from billing.tests.events.failing import Broken, make_due

from .test_events import LIST, an_event, customer, found_by, member_of_staff, page_of

pytestmark = pytest.mark.django_db

EXPORT = f"{LIST}export/"
Status = StripeEvent.Status


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root@example.com", "correct-horse-battery"))
    return client


@pytest.fixture
def reader() -> Client:
    return member_of_staff("reader@example.com", "view_stripeevent")


@pytest.fixture
def operator() -> Client:
    return member_of_staff("operator@example.com", "view_stripeevent", "handle_stripeevent", "export_stripeevent")


def handled_at(event: StripeEvent) -> str:
    return reverse("admin:billing_stripeevent_mark_as_handled", args=[quote(event.pk)])


def tables(client: Client, event: StripeEvent) -> dict[str, list[tuple[str, ...]]]:
    """Title → rows, without their HTML."""
    shown = client.get(page_of(event)).context["effects"]
    return {one.title: [tuple(strip_tags(str(cell)) for cell in row) for row in one.rows] for one in shown}


def exported(client: Client, **query: str) -> list[dict[str, str]]:
    answer: Any = client.get(EXPORT, query)
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


# The cause of what is recorded


def test_a_change_says_what_made_it_an_event_the_subscriber_or_the_sync(world):
    ada = world.subscribed()
    assert SubscriptionChange.objects.latest("pk").cause.startswith("evt_")
    cancel(ada.user, "period_end")
    assert SubscriptionChange.objects.latest("pk").cause == "subscriber"
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=False)
    runs.run(runs.Wanted(customer=ada.customer))
    assert SubscriptionChange.objects.latest("pk").cause == "sync"


def test_the_innermost_cause_counts_and_ends_with_its_block():
    with cause.recorded_as("sync"):
        with cause.recorded_as("evt_1"):
            assert cause.current() == "evt_1"
        with cause.recorded_by_default_as("subscriber"):
            assert cause.current() == "sync"
    assert cause.current() == ""


# After a story


def test_the_page_says_what_the_event_changed_recorded_and_mailed(world, root):
    ada = world.subscribed()
    change = SubscriptionChange.objects.filter(customer=ada.customer, plan__isnull=False).earliest("pk")
    shown = tables(root, StripeEvent.objects.get(pk=change.cause))
    assert ("Status", "–", "active") in shown["What it changed"]
    assert ("Plan", "–", "Pro") in shown["What it changed"]
    assert ("Access", "no subscription", "active") in shown["What it changed"]
    paid = StripeEvent.objects.get(type="invoice.paid", lane=ada.customer)
    shown = tables(root, paid)
    assert [row[0].startswith("Payment") and row[2] for row in shown["Recorded about its object"]] == ["paid"]
    mails = [row for event in StripeEvent.objects.all() for row in tables(root, event).get("Mails it caused", [])]
    assert any((row[0].lower(), row[1]) == ("payment received", "ada@example.com") for row in mails)


def test_a_refund_event_leads_to_the_refund_and_the_payment_it_is_about(world, root):
    ada = world.subscribed()
    world.stripe("POST", "refunds", charge=world.charge_of(ada)["id"], amount=500)
    world.deliver()
    event = StripeEvent.objects.filter(type="charge.refunded").latest("received_at")
    recorded = {row[0].split("re_")[0].split("in_")[0] for row in tables(root, event)["Recorded about its object"]}
    assert {"Refund", "Payment"} <= recorded


def test_every_try_that_failed_is_kept_with_its_error_and_so_is_what_staff_did(world, root):
    world.subscribe()
    world.deliver(work=False)
    broken = Broken("invoice.paid")
    try:
        testing.work()
        make_due()
    finally:
        broken.disconnect()
    event = StripeEvent.objects.get(type="invoice.paid")
    assert [failure["error"] for failure in event.failures] == [event.error_message] * 2
    root.post(handled_at(event))
    history = tables(root, event)["History"]
    assert [what for _, what, _ in history] == ["received", "failed", "failed", "staff"]
    assert history[-1][2] == "Marked as handled: root@example.com"


def test_facts_and_state_are_shown_only_to_who_may_view_them(world, reader):
    ada = world.subscribed()
    shown = tables(reader, StripeEvent.objects.get(type="invoice.paid", lane=ada.customer))
    assert "What it changed" not in shown
    assert shown["Recorded about its object"] == shown["Mails it caused"] == []


def test_a_page_costs_the_same_queries_however_long_the_lane_is(root):
    customer("cus_alice", "alice@example.com")
    costs = []
    for numbers in (range(5), range(5, 100)):
        for number in numbers:
            event = an_event(number)
        with CaptureQueriesContext(connection) as queries:
            root.get(page_of(event))
        costs.append(len(queries))
    assert costs[0] == costs[1]


# Mark as handled


def test_a_dead_event_marked_as_handled_is_dead_no_more_for_health_and_is_logged(operator):
    event = an_event(status=Status.DEAD, attempts=7)
    assert health.backlog().dead_events == 1
    answer = operator.post(handled_at(event), follow=True)
    assert "1 event was marked as handled." in answer.content.decode()
    assert health.backlog().dead_events == 0
    assert LogEntry.objects.get(object_id=event.pk).change_message == "Marked as handled"
    assert found_by(operator, status__exact="dead") == set()
    assert found_by(operator, status__exact="handled") == {event.pk}


def test_a_failed_event_marked_as_handled_is_tried_no_more_and_only_a_replay_takes_it_back(operator):
    event = an_event(status=Status.FAILED, attempts=1)
    operator.post(LIST, {"action": "mark_as_handled", "_selected_action": [event.pk]})
    event.refresh_from_db()
    assert (event.status, event.next_attempt_at) == (Status.DEAD, None)
    assert not StripeEvent.objects.waiting().exists()
    ledger.replay([event.pk])
    event.refresh_from_db()
    assert (event.status, event.handled_at) == (Status.RECEIVED, None)


def test_what_was_processed_cannot_be_marked_as_handled(operator):
    event = an_event(status=Status.PROCESSED)
    answer = operator.post(handled_at(event), follow=True)
    assert "0 events were marked as handled." in answer.content.decode()
    assert not LogEntry.objects.exists()


def test_staff_without_the_permission_cannot_mark_as_handled(reader):
    event = an_event(status=Status.DEAD)
    assert "Mark as handled" not in reader.get(page_of(event)).content.decode()
    assert reader.post(handled_at(event)).status_code == 403
    reader.post(LIST, {"action": "mark_as_handled", "_selected_action": [event.pk]})
    event.refresh_from_db()
    assert event.handled_at is None


# Export


def test_the_export_holds_what_the_list_would_and_is_logged(operator, monkeypatch):
    monkeypatch.setattr("billing.admin.event_export.PORTION", 2)
    for number in range(1, 6):
        an_event(number, type=["invoice.paid", "charge.refunded"][number % 2])
    assert [row["id"] for row in exported(operator)] == [f"evt_{number}" for number in range(1, 6)]
    assert [row["id"] for row in exported(operator, type="charge.refunded", p="1")] == ["evt_1", "evt_3", "evt_5"]
    assert LogEntry.objects.filter(change_message="Exported as CSV").count() == 2


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "\n", "\r"])
@pytest.mark.parametrize("formula", ["=1+1|calc!a0", "+1", "-1", "@SUM(1)", " =1", '"=1', "\t=1", "＝1"])
def test_a_spreadsheet_finds_no_formula_whatever_it_takes_for_a_separator(operator, formula, separator):
    """W15: `"a;=1+1|calc!a0;b"@example.com` in a file that is split at semicolons."""
    an_event(1, error_message=f"a{separator}{formula}{separator}b", object_id=formula)
    text = b"".join(operator.get(EXPORT).streaming_content).decode()
    for split_at in (",", ";", "\t", "|"):
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=split_at):
            assert not [cell for cell in row if re.match(r'["\s]*[=+@＝＋＠-]', cell)]


@pytest.mark.parametrize("text", ["in_1=2", "a-b; c-d, e+f", "ada@example.com", "2026-05-10T12:00:00+00:00", "x; y"])
def test_the_export_leaves_other_text_as_it_is(operator, text):
    an_event(1, error_message=text)
    assert exported(operator)[0]["note"] == text


def test_a_spreadsheet_takes_nothing_in_the_export_for_a_formula(operator):
    an_event(1, error_message='=HYPERLINK("https://evil.example")', object_id="@SUM(1)")
    row = exported(operator)[0]
    assert (row["note"][:2], row["object"]) == ("'=", "'@SUM(1)")


def test_payloads_are_exported_only_for_who_may_see_them_and_without_secrets(operator):
    an_event(1, payload={"client_secret": "pi_1_secret_2", "name": "Ada"})
    assert "payload" not in exported(operator)[0]
    seer = member_of_staff("seer@example.com", "view_stripeevent", "export_stripeevent", "view_payload")
    assert json.loads(exported(seer)[0]["payload"]) == {"client_secret": "•••", "name": "Ada"}


def test_staff_without_the_permission_cannot_export(reader, operator):
    assert reader.get(EXPORT).status_code == 403
    assert "Export as CSV" not in reader.get(LIST).content.decode()
    assert "Export as CSV" in operator.get(LIST).content.decode()


def test_an_export_by_payload_is_refused(operator):
    assert operator.get(EXPORT, {"payload__name": "Ada"}).status_code == 400
