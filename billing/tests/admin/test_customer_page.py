"""The subscriber's page: the answer, now and back then, and the story in one line of time, as far as one may see it."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.admin import timeline
from billing.models import (
    AccountDeletion,
    CheckoutAttempt,
    Customer,
    Dispute,
    Grant,
    Hold,
    Payment,
    PaymentFailure,
    Plan,
    Price,
    Refund,
    StripeEvent,
    Subscription,
    SubscriptionChange,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_noon")]

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def _at_noon(settings):
    settings.BILLING_CLOCK = ""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def root():
    return get_user_model().objects.create_superuser(email="root@example.com", password=None)


@pytest.fixture
def staff(root) -> Client:
    client = Client()
    client.force_login(root)
    return client


@pytest.fixture
def alice() -> Customer:
    """Active on Pro for ten days, past due for the last four: grace is over since yesterday."""
    payer = get_user_model().objects.create_user(email="alice@example.com", password=None)
    with time_machine.travel(NOON - 10 * DAY, tick=False):
        customer = Customer.objects.create(id="cus_alice", subscriber=payer, email="money@example.com")
    plan = Plan.objects.create(slug="pro", name="Pro", rank=1)
    state = {"stripe_id": "sub_alice", "plan": plan, "current_period_end": NOON + 20 * DAY}
    due = NOON - 4 * DAY
    Subscription.objects.create(customer=customer, status="past_due", past_due_since=due, card_last4="4242",
                                card_brand="visa", card_expires_on="2027-01-31", **state)  # fmt: skip
    changed = customer.subscription_changes.create
    changed(status="active", recorded_at=NOON - 10 * DAY, cause="evt_paid", **state)
    changed(status="past_due", recorded_at=due, past_due_since=due, cause="sync", **state)
    return customer


def page(client: Client, customer: Customer, **query: Any) -> str:
    return client.get(reverse("admin:billing_customer_change", args=[customer.pk]), query).content.decode()


def lines(html: str) -> list[str]:
    """Return what each line of the timeline says, from the newest."""
    items = re.findall(r"<li>\s*<time.*?</li>", html.replace("<wbr>", ""), re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", item).split()) for item in items]


def an_event(customer: Customer, number: int, at: datetime = NOON, **facts: Any) -> StripeEvent:
    known = {"type": "invoice.paid", "status": "processed", "payload": {}, "received_at": at, "livemode": False}
    return StripeEvent.objects.create(
        id=f"evt_{number}", lane=customer.pk, created=int(at.timestamp()), **{**known, **facts}
    )


def everything(customer: Customer, root: Any, numbers: range) -> None:
    """A row of each kind for every number, a minute apart."""
    plan, of = Plan.objects.get(), {"customer": customer}
    price, _ = Price.objects.get_or_create(id="price_1", plan=plan, currency="usd", interval="month")
    mails = apps.get_model("billing_mail", "Mail")._default_manager
    log = ContentType.objects.get_for_model(Customer)
    for number in numbers:
        at = NOON - number * MINUTE
        money = {"amount": 1000 + number, "currency": "usd", **of}
        an_event(customer, number, at)
        Payment.objects.create(invoice_id=f"in_{number}", invoiced_at=at, paid_at=at, **money)
        PaymentFailure.objects.create(invoice_id=f"in_{number}", attempt=1, failed_at=at, **money)
        Refund.objects.create(id=f"re_{number}", status="succeeded", created_at=at, **money)
        Dispute.objects.create(id=f"dp_{number}", status="won", opened_at=at, **money)
        Hold.objects.create(kind="dispute", reference=f"dp_{number}", placed_at=at, released_at=at, **of)
        given = {"subscriber": customer.subscriber, "source": f"code {number}"}
        Grant.objects.create(plan=plan, granted_at=at, until=at, ended_at=at, **given)
        SubscriptionChange.objects.create(
            status="active", plan=plan, quantity=number, recorded_at=at, cause=f"evt_{number}", **of
        )
        CheckoutAttempt.objects.create(price=price, status="expired", **of)
        mails.create(key=f"m{number}", kind="refund", created_at=at, next_attempt_at=at, message_id="x", **of)
        LogEntry.objects.create(user=root, content_type=log, object_id=customer.pk, object_repr="", action_flag=CHANGE,
                                change_message=f"Placed a hold: case {number}", action_time=at)  # fmt: skip


# The answer


def test_it_says_in_a_sentence_why_there_is_no_access_and_what_is_known(staff, alice):
    told = page(staff, alice)
    assert "A payment has been due since 19 Nov 2026, 12:00, and grace ended 22 Nov 2026, 12:00." in told
    for fact in ("alice@example.com", "no access", "past due", "Pro", "Visa ending in 4242, until 01/2027"):
        assert fact in told


def test_it_says_what_gives_access_in_each_further_line_and_what_was_given_by_whom(staff, alice):
    storage = Plan.objects.create(slug="storage", name="Storage", line="storage", rank=1)
    of = {"customer": alice, "plan": storage, "line": "storage", "current_period_end": NOON}
    Subscription.objects.create(stripe_id="sub_storage", status="active", **of)
    Grant.objects.create(subscriber=alice.subscriber, source="appsumo:X", feature="exports", granted_at=NOON - DAY)
    told = page(staff, alice)
    assert "A payment has been due since" in told
    assert "In the line storage</dt><dd>Storage<" in told
    assert "The subscription is active and paid until 23 Nov 2026, 12:00." in told
    assert "The source appsumo:X gave exports for good" in told


def test_asked_about_a_day_it_answers_for_that_day_and_tells_what_had_happened_by_then(staff, alice):
    an_event(alice, 1, NOON - 10 * DAY)
    an_event(alice, 2, NOON, type="invoice.payment_failed")
    told = page(staff, alice, at="2026-11-15T08:00")
    assert "Access on 15 Nov 2026, 08:00" in told
    assert "The subscription is active and paid until 13 Dec 2026, 12:00." in told
    assert [line.split()[1:] for line in lines(told) if "Event" in line] == [["Event", "invoice.paid"]]
    assert "4242" not in told  # which card it was then is not known


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("yesterday", "is not a valid time"),
        ("2026-13-45", "is not a valid time"),
        ("0001-01-01", "is not a valid time"),
        ("\0", "is not a valid time"),
        ("<script>", "&lt;script&gt;” is not a valid time"),
        ("2026-11-24", "That is in the future"),
    ],
)
def test_a_time_that_cannot_be_is_said_to_be_none_and_now_is_told(staff, alice, asked, sentence):
    answer = staff.get(reverse("admin:billing_customer_change", args=[alice.pk]), {"at": asked})
    assert answer.status_code == 400
    told = answer.content.decode()
    assert sentence in told
    assert "Access now" in told


def test_holds_in_force_are_named_with_their_reason(staff, alice):
    Hold.objects.create(customer=alice, kind="staff", reference="x", reason="case <7>", placed_at=NOON)
    assert "case &lt;7&gt;" in page(staff, alice)


def test_events_that_the_answer_does_not_know_of_are_said_beside_it_and_led_to(staff, root, alice):
    assert "of their events" not in page(staff, alice)
    for number, state in enumerate(["dead", "failed", "received", "processed", "ignored"]):
        an_event(alice, number, status=state)
    an_event(alice, 7, status="dead", handled_at=NOON)
    an_event(Customer.objects.create(id="cus_bob"), 6, status="dead")
    html = page(staff, alice)
    assert "2 of their events have failed and are not applied" in html
    assert "1 of their events waits to be applied" in html
    led_to = re.findall(r'billing-not-applied"><a href="([^"]+)', html)
    listed = [re.findall(r"\bevt_\d\b", staff.get(unescape(address)).content.decode()) for address in led_to]
    assert [set(ids) for ids in listed] == [{"evt_0", "evt_1"}, {"evt_2"}]
    assert "of their events" not in page(staff, alice, at="2026-11-22T12:00"), "what was known then is another matter"


def test_who_never_bought_and_who_is_gone_are_told_of_too(staff):
    never = Customer.objects.create(id="cus_never", email="never@example.com")
    gone = Customer.objects.create(id="cus_gone", deleted_at=NOON)
    AccountDeletion.objects.create(customer=gone, lane=gone.pk, requested_at=NOON, done_at=NOON)
    assert "There has never been a subscription." in page(staff, never)
    assert "Account deleted" in page(staff, gone)


@pytest.mark.parametrize("term", ["cus_alice", "alice@example.com", "ALICE@exam", "money@"])
def test_a_subscriber_is_found_by_id_or_either_address(staff, alice, term):
    found = staff.get("/admin/billing/customer/", {"q": term}).context["cl"].result_list
    assert [row.pk for row in found] == ["cus_alice"]


# The story


def test_the_story_is_told_newest_first_with_what_caused_it(staff, root, alice):
    an_event(alice, 1, NOON - DAY, status="dead", error_message="Traceback\nKeyError: 'price'")
    Payment.objects.create(
        customer=alice, invoice_id="in_1", amount=123456, currency="jpy", invoiced_at=NOON, paid_at=NOON - 9 * DAY
    )
    Hold.objects.create(
        customer=alice, kind="dispute", reference="dp_1", placed_at=NOON - 2 * DAY, released_at=NOON, cause="evt_1"
    )
    said = lines(page(staff, alice))
    assert [line.split()[1] for line in said] == ["Hold", "Event", "Hold", "State", "Payment", "State"]
    assert "KeyError: 'price'" in said[1].replace("&#x27;", "'")
    assert "Dispute hold placed dp_1 invoice.paid" in said[2]
    assert "Active → past due past due since 19 Nov 2026 found by the sync" in said[3]
    assert "Paid ¥123,456" in said[4]
    assert "Active on Pro" in said[5]


def test_what_staff_did_is_told_once_by_name_with_the_reason(staff, root, alice):
    everything(alice, root, range(1))
    Hold.objects.create(customer=alice, kind="staff", reference="y", placed_at=NOON, cause=f"staff:{root.pk}")
    said = lines(page(staff, alice))
    assert [line for line in said if "Placed a hold" in line] == ["12:00 Staff Placed a hold: case 0 root@example.com"]
    assert not [line for line in said if "Staff hold placed" in line]


def test_a_cause_that_names_nobody_we_know_is_told_all_the_same(staff, alice):
    for cause in ("staff:nobody", "staff:", "evt_gone", "the host project's own"):
        alice.subscription_changes.update(cause=cause)
        assert "Active on Pro" in lines(page(staff, alice))[-1]


def test_page_by_page_every_line_is_told_once_in_order(staff, root, alice):
    everything(alice, root, range(20))
    for number in range(100, 200):
        an_event(alice, number)  # all of one second, over several pages
    address, query, told, moments = reverse("admin:billing_customer_change", args=[alice.pk]), "", [], []
    while True:
        shown = staff.get(address + query).context["timeline"]
        each = [one for line, _, folded in shown.lines for one in (line, *folded)]
        told += [str((line.kind, line.what, line.at)) for line in each]
        moments += [line.at for line, _, _ in shown.lines]
        if not shown.older:
            break
        query = shown.older
    assert len(told) == len(set(told)) == 20 * 13 + 100 + 2
    assert moments == sorted(moments, reverse=True)


def test_a_page_costs_the_same_queries_for_ten_rows_and_for_five_hundred(staff, root, alice):
    costs = []
    for numbers in (range(1), range(1, 45)):
        everything(alice, root, numbers)
        with CaptureQueriesContext(connection) as queries:
            page(staff, alice)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_the_story_is_narrowed_to_one_kind(staff, root, alice):
    everything(alice, root, range(2))
    kinds = {line.split()[1] for line in lines(page(staff, alice, only="money"))}
    assert kinds == {"Payment", "Refund", "Dispute", "Checkout"}
    assert lines(page(staff, alice, only="nonsense")) == lines(page(staff, alice))


@pytest.mark.parametrize("place", ["x", "2026-11-23~1", "0001-01-01T00:00:00+00:00~0", "2026-11-23T12:00:00+00:00~-1"])
def test_a_place_that_is_none_begins_with_the_newest(staff, root, alice, place):
    everything(alice, root, range(2))
    assert lines(page(staff, alice, **{"from": place})) == lines(page(staff, alice))


def test_each_kind_of_line_is_there_only_for_who_may_view_it(root, alice):
    everything(alice, root, range(1))
    bob = get_user_model().objects.create_user(email="bob@example.com", password=None, is_staff=True)
    client = Client()
    client.force_login(bob)
    assert client.get(reverse("admin:billing_customer_change", args=[alice.pk])).status_code == 403
    sees = {
        "view_customer": {"Staff"},
        "view_subscription": {"State"},
        "view_hold": {"Hold"},
        "view_grant": {"Grant"},
        "view_payment": {"Payment"},
        "view_refund": {"Refund"},
        "view_dispute": {"Dispute"},
        "view_checkoutattempt": {"Checkout"},
        "view_mail": {"Mail"},
        "view_stripeevent": {"Event"},
    }
    for codename, kinds in sees.items():
        allowed = Permission.objects.filter(
            codename__in=["view_customer", codename], content_type__app_label__in=["billing", "billing_mail"]
        )
        bob.user_permissions.set(allowed)
        assert {line.split()[1] for line in lines(page(client, alice))} == kinds | {"Staff"}


def test_the_sources_name_permissions_that_there_are():
    from billing.admin.timeline_sources import SOURCES

    named = {source.permission for source in SOURCES}
    assert named <= set(Permission.objects.values_list("codename", flat=True))
    assert {source.group for source in SOURCES} | {""} == set(timeline.GROUPS)
