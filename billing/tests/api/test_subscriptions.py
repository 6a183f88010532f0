"""Plans, the current subscription and Checkout by API, for the one who is signed in and nobody else."""

from datetime import UTC, datetime

import pytest
import time_machine
from rest_framework.test import APIClient

from billing import usage
from billing.models import CheckoutAttempt, Customer, Hold
from billing.subscriptions import holds

pytestmark = pytest.mark.django_db

CHECKOUT = "/api/v1/subscriptions/checkout"
CURRENT = "/api/v1/subscriptions/current"
PRO = {"plan": "pro", "interval": "month"}


def signed_in(user):
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def ada(world):
    return world.sign_up()


@pytest.fixture
def client(ada):
    return signed_in(ada)


# Plans


def test_anyone_sees_the_plans_with_limits_and_prices_in_every_currency(world):
    free, pro, team = APIClient().get("/api/v1/plans").json()
    assert [plan["slug"] for plan in (free, pro, team)] == ["free", "pro", "team"]
    assert free["prices"] == {}
    assert (pro["limits"], pro["rank"]) == ({"generations": 1000}, 1)
    dollars, yen = pro["prices"]["month"]["usd"], pro["prices"]["year"]["jpy"]
    assert (dollars["amount"], dollars["formatted"]) == (2000, "$20.00")
    assert (yen["amount"], yen["formatted"]) == (30000, "¥30,000")


def test_amounts_are_written_in_the_visitors_language(world):
    pro = APIClient().get("/api/v1/plans", headers={"Accept-Language": "de"}).json()[1]
    assert pro["prices"]["month"]["eur"]["formatted"] == "19,00\xa0€"


# The current subscription


def test_who_never_paid_is_on_the_free_plan(client):
    assert client.get(CURRENT).json() == {
        "plan": "free",
        "line": "main",
        "status": "none",
        "has_access": False,
        "reason": "no_subscription",
        "current_period_end": None,
        "cancel_at": None,
        "access_ends_at": None,
        "trial_end": None,
        "grace_ends_at": None,
        "discounts": [],
        "add_ons": [],
        "address_missing": False,
        "collection_paused": None,
        "holds": [],
        "usage": {"generations": {"used": 0, "limit": 10, "credits": 0, "remaining": 10, "overage": 0}},
        "pending_change": None,
        "price_change": None,
        "next_charge": None,
        "credit": None,
        "owed": [],
    }


def test_a_subscriber_sees_plan_access_period_and_usage(world):
    ada = world.subscribed()
    usage.consume(ada.user, "generations", 7)
    current = signed_in(ada.user).get(CURRENT).json()
    assert (current["plan"], current["status"], current["has_access"], current["reason"]) == (
        "pro",
        "active",
        True,
        "active",
    )
    assert current["current_period_end"] == ada.row.current_period_end.isoformat().replace("+00:00", "Z")
    assert current["usage"] == {"generations": {"used": 7, "limit": 1000, "credits": 0, "remaining": 993, "overage": 0}}


def test_a_trial_says_when_it_ends(world):
    ada = world.subscribed(plan="team")
    current = signed_in(ada.user).get(CURRENT).json()
    assert (current["status"], current["has_access"]) == ("trialing", True)
    assert current["trial_end"].endswith("Z")


def test_who_is_held_is_on_the_free_plan_and_sees_why(world):
    ada = world.subscribed()
    holds.place(Customer.objects.get(), Hold.Kind.STAFF, "case 1")
    current = signed_in(ada.user).get(CURRENT).json()
    assert (current["plan"], current["has_access"], current["reason"]) == ("free", False, "hold_staff")
    assert [hold["kind"] for hold in current["holds"]] == ["staff"]
    assert "reference" not in current["holds"][0]


def test_a_stranger_sees_nothing_of_mine(world):
    world.subscribed()
    charlie = world.sign_up("charlie@example.com")
    assert signed_in(charlie).get(CURRENT).json()["plan"] == "free"


# Checkout


def test_checkout_answers_with_the_session_and_where_to_send_the_buyer(client):
    answer = client.post(CHECKOUT, PRO)
    attempt = CheckoutAttempt.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {"session_id": attempt.session_id, "url": attempt.url}


def test_the_currency_may_be_chosen_in_any_case(client):
    assert client.post(CHECKOUT, {**PRO, "currency": "EUR"}).status_code == 201
    assert CheckoutAttempt.objects.get().currency == "eur"


def test_who_is_subscribed_is_refused(world):
    ada = world.subscribed()
    answer = signed_in(ada.user).post(CHECKOUT, PRO)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_subscribed")
    assert answer.json()["detail"].endswith("Change your plan instead. POST to /api/v1/subscriptions/change.")


def test_what_is_not_for_sale_is_refused(client):
    answer = client.post(CHECKOUT, {"plan": "free", "interval": "month"})
    assert (answer.status_code, answer.json()["code"]) == (400, "price_not_offered")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "plan"),
        ({"plan": "pro"}, "interval"),
        ({"plan": "pro", "interval": "fortnight"}, "interval"),
        ({**PRO, "currency": "euro"}, "currency"),
        ({**PRO, "plan": "no such/plan"}, "plan"),
    ],
)
def test_a_wrong_body_is_refused_field_by_field(client, body, field):
    answer = client.post(CHECKOUT, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert next(iter(answer.json()["fields"])) == field


def test_the_sixth_checkout_in_a_minute_waits(client, ada):
    with time_machine.travel(datetime.now(UTC), tick=False):
        answers = [client.post(CHECKOUT, PRO) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [201] * 5 + [429]
    assert answers[5].json()["code"] == "rate_limited"
    assert 1 <= int(answers[5]["Retry-After"]) <= 60


def test_one_users_clicks_do_not_count_against_another(world, client):
    for _ in range(6):
        client.post(CHECKOUT, PRO)
    bob = world.sign_up("bob@example.com")
    assert signed_in(bob).post(CHECKOUT, PRO).status_code == 201


def test_an_outage_is_said_and_changes_nothing(world, client):
    world.control("faults", api={"fail_next": 20, "status": 500})
    answer = client.post(CHECKOUT, PRO)
    assert (answer.status_code, answer.json()["code"]) == (503, "stripe_unavailable")
    assert int(answer["Retry-After"]) > 0
    assert not CheckoutAttempt.objects.exists()
