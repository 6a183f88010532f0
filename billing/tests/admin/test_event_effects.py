"""An event's page shows its effects after a real story: changes, records, mails and attempts."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from billing import testing
from billing.models import StripeEvent, SubscriptionChange
from billing.tests.events.failing import Broken, make_due

from .test_events import an_event, customer, member_of_staff, page_of
from .test_handling import handled_at

pytestmark = pytest.mark.django_db
Status = StripeEvent.Status


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root@example.com", "correct-horse-battery"))
    return client


@pytest.fixture
def reader() -> Client:
    return member_of_staff("reader@example.com", "view_stripeevent")


def tables(client: Client, event: StripeEvent) -> dict[str, list[tuple[str, ...]]]:
    """Title → rows, without their HTML."""
    shown = client.get(page_of(event)).context["effects"]
    return {one.title: [tuple(strip_tags(str(cell)) for cell in row) for row in one.rows] for one in shown}


def test_the_page_says_what_the_event_changed_recorded_and_mailed(world, root):
    ada = world.subscribed()
    change = SubscriptionChange.objects.filter(customer=ada.customer, plan__isnull=False).earliest("pk")
    shown = tables(root, StripeEvent.objects.get(pk=change.cause))
    assert ("Status", "–", "active") in shown["Changes"]
    assert ("Plan", "–", "Pro") in shown["Changes"]
    assert ("Access", "no subscription", "active") in shown["Changes"]
    paid = StripeEvent.objects.get(type="invoice.paid", lane=ada.customer)
    shown = tables(root, paid)
    assert [row[0].startswith("Payment") and row[2] for row in shown["Records of its object"]] == ["paid"]
    mails = [row for event in StripeEvent.objects.all() for row in tables(root, event).get("Mails", [])]
    assert any((row[0].lower(), row[1]) == ("payment received", "ada@example.com") for row in mails)


def test_a_refund_event_leads_to_the_refund_and_the_payment_it_is_about(world, root):
    ada = world.subscribed()
    world.stripe("POST", "refunds", charge=world.charge_of(ada)["id"], amount=500)
    world.deliver()
    event = StripeEvent.objects.filter(type="charge.refunded").latest("received_at")
    recorded = {row[0].split("re_")[0].split("in_")[0] for row in tables(root, event)["Records of its object"]}
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
    assert "Changes" not in shown
    assert shown["Records of its object"] == shown["Mails"] == []


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
