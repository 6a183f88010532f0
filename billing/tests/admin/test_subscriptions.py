"""Staff reads a subscription: who, what, access and why, and all that belongs to the customer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.admin import people
from billing.models import (
    Customer,
    Dispute,
    Hold,
    Payment,
    PaymentFailure,
    Plan,
    Price,
    Refund,
    StripeEvent,
    Subscription,
)
from billing.subscriptions import mrr

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_noon")]

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LIST = "/admin/billing/subscription/"


@pytest.fixture
def _at_noon(settings):
    settings.BILLING_CLOCK = ""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser(email="root@example.com", password=None))
    return client


def subscribed(name: str = "alice", **state: Any) -> Subscription:
    payer = get_user_model().objects.create_user(email=f"{name}@example.com", password=None)
    customer = Customer.objects.create(id=f"cus_{name}", subscriber=payer, email=f"money+{name}@example.com")
    plan, _ = Plan.objects.get_or_create(slug="pro", name="Pro")
    facts = {"status": "active", "stripe_id": f"sub_{name}", "plan": plan, "current_period_end": NOON + 20 * DAY}
    return Subscription.objects.create(customer=customer, **{**facts, **state})


def paid(customer: Customer, amount: int = 2000, currency: str = "usd", **facts: Any) -> Payment:
    times = {"invoiced_at": NOON - DAY, "paid_at": NOON - DAY}
    invoice = f"in_{customer.pk}_{amount}"
    known = {"invoice_id": invoice, "amount": amount, "currency": currency, **times}
    return Payment.objects.create(customer=customer, **{**known, **facts})


def page(client: Client, subscription: Subscription) -> str:
    return client.get(reverse("admin:billing_subscription_change", args=[subscription.pk])).content.decode()


def found_by(client: Client, **query: Any) -> set[str]:
    return {row.customer_id for row in client.get(LIST, query).context["cl"].result_list}


# The list


@pytest.mark.parametrize("term", ["cus_alice", "sub_alice", "alice@example.com", "ALICE@exam", "money+alice@"])
def test_a_subscription_is_found_by_customer_subscription_or_address(staff, term):
    subscribed("alice")
    subscribed("bob")
    assert found_by(staff, q=term) == {"cus_alice"}


def test_subscriptions_are_narrowed_by_status_and_plan(staff):
    subscribed("alice")
    team = Plan.objects.create(slug="team", name="Team")
    subscribed("bob", status="past_due", plan=team)
    assert found_by(staff, status__exact="past_due") == {"cus_bob"}
    assert found_by(staff, plan__id__exact=team.pk) == {"cus_bob"}


def test_the_list_costs_the_same_queries_for_one_subscription_and_for_forty(staff):
    costs = []
    for numbers in (range(1), range(1, 40)):
        for number in numbers:
            subscribed(f"user{number}", past_due_since=NOON)
        with CaptureQueriesContext(connection) as queries:
            staff.get(LIST)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_the_list_tells_access_and_its_reason(staff):
    alice = subscribed("alice")
    Hold.objects.create(customer=alice.customer, kind="dispute", reference="dp_1", placed_at=NOON)
    answer = staff.get(LIST).content.decode()
    assert "no access" in answer
    assert "hold dispute" in answer


def test_the_list_tells_what_each_brings_a_month_by_its_currencys_own_decimals(staff):
    plan = Plan.objects.create(slug="pro", name="Pro")
    price = {"plan": plan, "interval": "year", "unit_amount": 24000}
    for currency in ("usd", "jpy"):
        yearly = Price.objects.create(id=f"price_{currency}", currency=currency, **price)
        subscribed(currency, status="past_due", price=yearly, currency=currency, quantity=2)
    subscribed("trying", status="trialing", price=yearly, currency="jpy")
    for row in Subscription.objects.select_related("price"):
        row.mrr = mrr.of_row(row)
        row.save()
    listed = staff.get(LIST).content.decode()
    assert "$40.00 per month" in listed
    assert "¥4,000 per month" in listed
    assert listed.count(" per month") == 2, "on a trial nothing is billed"


def test_the_list_tells_no_amount_where_no_plan_knows_the_price(staff):
    alice, ben = subscribed("alice"), subscribed("ben")
    Subscription.objects.update(mrr=2000, currency="usd")
    Subscription.objects.filter(pk=alice.pk).update(whose="unknown", unmapped_price="price_agreed")
    listed = staff.get(LIST).content.decode()
    assert listed.count("$20.00 per month") == 1
    assert listed.count("unknown price") == 1
    assert "$20.00" not in page(staff, alice)
    assert "$20.00" in staff.get(LIST, {"q": ben.customer_id}).content.decode()


def test_a_customer_without_a_subscriber_is_listed_by_its_address(staff):
    gone = subscribed("alice")
    Customer.objects.update(subscriber=None)
    assert "no subscriber" not in staff.get(LIST).content.decode()
    assert "money+alice@" in page(staff, gone)


def test_a_subscriber_model_without_an_address_is_searched_by_ids_alone(staff, monkeypatch):
    monkeypatch.setattr(people, "email_field", lambda: None)
    subscribed("alice")
    assert found_by(staff, q="cus_alice") == {"cus_alice"}
    assert found_by(staff, q="alice@example.com") == set()


# One subscription


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({}, "The subscription is active and paid until 13 Dec 2026, 12:00."),
        ({"cancel_at": NOON + 20 * DAY}, "It is cancelled and ends 13 Dec 2026, 12:00."),
        ({"status": "past_due", "past_due_since": NOON - DAY}, "grace lasts until 25 Nov 2026, 12:00."),
        ({"status": "past_due", "past_due_since": NOON - 4 * DAY}, "grace ended 22 Nov 2026, 12:00."),
        ({"status": "canceled", "ended_at": NOON - DAY}, "The subscription ended 22 Nov 2026, 12:00."),
        ({"status": "unpaid"}, "Every attempt to collect the payment failed."),
        ({"status": "none", "plan": None}, "There has never been a subscription."),
    ],
)
def test_the_page_says_in_a_sentence_why_there_is_access_or_not(staff, state, sentence):
    assert sentence in page(staff, subscribed(**state))


@pytest.mark.parametrize(("kind", "sentence"), [("dispute", "A payment is disputed"), ("staff", "A member of staff")])
def test_the_page_names_the_hold_that_outweighs_the_status(staff, kind, sentence):
    alice = subscribed()
    Hold.objects.create(customer=alice.customer, kind=kind, reference="dp_1", placed_at=NOON)
    assert sentence in page(staff, alice)


def test_the_page_shows_what_belongs_to_the_customer(staff):
    alice = subscribed()
    customer = alice.customer
    paid(customer, 123456, "jpy")
    known = {"customer": customer, "currency": "usd"}
    PaymentFailure.objects.create(invoice_id="in_2", attempt=2, amount=1100, failed_at=NOON, **known)
    Refund.objects.create(id="re_1", amount=700, status="succeeded", created_at=NOON, **known)
    Dispute.objects.create(id="dp_1", amount=900, status="needs_response", opened_at=NOON, **known)
    an_event = {"id": "evt_1", "type": "invoice.paid", "created": 1, "received_at": NOON, "livemode": False}
    StripeEvent.objects.create(lane=customer.pk, payload={}, **an_event)
    answer = page(staff, alice)
    for shown in ("¥123,456", "$11.00", "attempt 2", "$7.00", "succeeded", "$9.00", "needs response", "invoice.paid"):
        assert shown in answer


def test_the_page_costs_the_same_queries_however_much_there_is(staff):
    alice = subscribed()
    costs = []
    for amounts in (range(1000, 1002), range(2000, 2040)):
        for amount in amounts:
            paid(alice.customer, amount)
        with CaptureQueriesContext(connection) as queries:
            page(staff, alice)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_staff_sees_only_the_tables_they_may_view():
    bob = get_user_model().objects.create_user(email="bob@example.com", password=None, is_staff=True)
    bob.user_permissions.set(Permission.objects.filter(codename__in=["view_subscription", "view_refund"]))
    client = Client()
    client.force_login(bob)
    alice = subscribed()
    paid(alice.customer)
    Refund.objects.create(
        id="re_1", customer=alice.customer, amount=700, currency="usd", status="succeeded", created_at=NOON
    )
    answer = page(client, alice)
    assert "$7.00" in answer
    assert "$20.00" not in answer


def test_an_address_of_stripes_that_is_no_web_address_is_no_link(staff):
    alice = subscribed()
    paid(alice.customer, hosted_invoice_url="javascript:alert(1)")
    assert "javascript:" not in page(staff, alice)


def test_a_subscription_cannot_be_written_from_its_page(staff):
    alice = subscribed()
    address = reverse("admin:billing_subscription_change", args=[alice.pk])
    assert staff.post(address, {"status": "canceled"}).status_code == 403
    assert staff.get(reverse("admin:billing_subscription_add")).status_code == 403
