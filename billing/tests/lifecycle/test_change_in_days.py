"""Who pays by bank debit or by invoice gets the higher plan when it is paid, and not before."""

import pytest
from rest_framework.test import APIClient

from billing import testing
from billing.lifecycle import cancel, change, refusals
from billing.models import PlanChange
from billing.testing import Stripe
from billing.tests.world import Subscriber, World

pytestmark = pytest.mark.django_db
SLOW = "pm_usBankAccount_success"


@pytest.fixture
def ada(world):
    return world.subscribed()


def debited(world, ada, token=SLOW):
    world.change_card(ada, token)
    world.deliver()
    return ada


def sent(world, ada):
    world.stripe("POST", f"subscriptions/{ada.subscription}", collection_method="send_invoice", days_until_due=7)
    world.deliver()
    return ada


def price_at_stripe(world, ada):
    found = world.stripe("GET", f"subscriptions/{ada.subscription}")
    return found["items"]["data"][0]["price"]["lookup_key"]


def page_of(client, ada):
    client.force_login(ada.user)
    return client.get("/billing/").content.decode()


def in_euros(world):
    made = Stripe.subscribe(world, world.sign_up(), "pro", currency="eur")
    world.deliver()
    return Subscriber(made.subscriber, made.customer, made.subscription)


@pytest.mark.parametrize(("buy", "token"), [(World.subscribed, SLOW), (in_euros, "pm_sepaDebit_success_de")])
def test_a_debit_is_on_its_way_and_the_plan_comes_with_the_money(world, client, buy, token):
    ada = debited(world, buy(world), token)
    row = change.change(ada.user, "team", "month")
    assert (row.plan.slug, row.pending_kind, row.pending_price.plan.slug) == ("pro", "awaiting_payment", "team")
    world.deliver(scramble=True)
    assert (ada.row.plan.slug, ada.access.plan.slug) == ("pro", "pro")
    page = page_of(client, ada)
    assert "Your change to Team is on its way" in page
    assert "did not go through" not in page
    world.heard.clear()
    world.advance(days=8)
    world.deliver()
    assert (ada.row.plan.slug, ada.row.pending_kind, ada.access.plan.slug) == ("team", "", "team")
    assert "subscription_changed" in world.said(ada)
    assert PlanChange.objects.get(status="made").price.lookup_key == "team_month"


def test_a_debit_that_is_refused_gives_nothing_and_leaves_nothing_to_pay(world, ada):
    debited(world, ada, "pm_usBankAccount_insufficientFunds")
    change.change(ada.user, "team", "month")
    world.deliver()
    world.advance(days=8)
    world.deliver()
    testing.work()
    world.deliver()
    assert price_at_stripe(world, ada) == "pro_month"
    assert (ada.row.plan.slug, ada.row.pending_kind, ada.row.status) == ("pro", "", "active")
    assert ada.access.has_access
    assert world.stripe("GET", "invoices", subscription=ada.subscription, status="open")["data"] == []


def test_a_sent_invoice_is_paid_first(world, ada, client):
    sent(world, ada)
    row = change.change(ada.user, "team", "month")
    assert (row.plan.slug, row.pending_kind) == ("pro", "awaiting_payment")
    assert row.pending_url.startswith("http")
    world.deliver()
    assert "waits for its payment" in page_of(client, ada)
    assert ada.access.plan.slug == "pro"
    world.pay(ada)
    world.deliver()
    assert (ada.row.plan.slug, ada.row.pending_kind) == ("team", "")


def test_a_sent_invoice_that_nobody_pays_undoes_the_change_when_it_is_overdue(world, ada):
    sent(world, ada)
    change.change(ada.user, "team", "month")
    world.deliver()
    world.advance(days=9)
    world.deliver()
    testing.work()
    world.deliver()
    assert (ada.row.plan.slug, ada.row.status, price_at_stripe(world, ada)) == ("pro", "active", "pro_month")


def test_while_it_waits_the_same_choice_changes_nothing_and_another_is_refused(world, ada):
    debited(world, ada)
    change.change(ada.user, "team", "month")
    again = change.change(ada.user, "team", "month")
    assert again.pending_kind == "awaiting_payment"
    assert len(world.stripe("GET", "invoices", subscription=ada.subscription, status="open")["data"]) == 1
    with pytest.raises(refusals.ChangePending):
        change.change(ada.user, "team", "year")


def test_a_sent_invoice_can_be_taken_back_and_a_debit_under_way_cannot(world, ada):
    sent(world, ada)
    change.change(ada.user, "team", "month")
    row = change.change(ada.user, "pro", "month")
    assert (row.plan.slug, row.pending_kind, price_at_stripe(world, ada)) == ("pro", "", "pro_month")
    ben = debited(world, world.subscribed(email="ben@example.com"))
    change.change(ben.user, "team", "month")
    with pytest.raises(refusals.ChangePending, match="already paying"):
        change.take_back(ben.user)


def test_a_cancellation_while_it_waits_keeps_the_end_of_the_period(world, ada):
    debited(world, ada)
    change.change(ada.user, "team", "month")
    row = cancel.cancel(ada.user, "period_end")
    assert (row.status, row.cancel_at) == ("active", row.current_period_end)


def test_the_api_says_that_it_waits(world, ada):
    debited(world, ada)
    api = APIClient()
    api.force_authenticate(ada.user)
    answer = api.post("/api/v1/subscriptions/change", {"plan": "team", "interval": "month"}, format="json")
    assert answer.status_code == 200
    assert answer.json()["plan"] == "pro"
    assert answer.json()["pending_change"]["kind"] == "awaiting_payment"
