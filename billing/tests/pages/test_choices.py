"""The price page shows a subscriber's own terms, what a change does, and nothing to press that would be refused."""

import re

import pytest

from billing.lifecycle import change
from billing.models import Hold, Plan
from billing.setup import publishing_packs
from billing.subscriptions import holds
from billing.testing import Stripe
from billing.tests.browser import states
from billing.tests.world import customer_row

from .test_buying import text

pytestmark = pytest.mark.django_db


def pressed(answer):
    found = re.findall(
        r"<(?:a|button)[^>]*>((?:Choose|Change to|Preview the change to|Buy)[^<]*)", answer.content.decode()
    )
    return [words.strip() for words in found]


def test_a_visitor_may_choose_each_plan(world, client):
    assert pressed(client.get("/")) == ["Choose Pro", "Choose Team"]


def test_a_subscriber_sees_what_a_change_does_before_they_ask(world, client):
    client.force_login(world.subscribed().user)
    page = client.get("/")
    assert pressed(page) == ["Change to Team"]
    assert "You pay the difference, and it starts at once." in text(page)
    yearly = client.get("/?interval=year")
    assert pressed(yearly) == ["Change to Pro", "Change to Team"]
    assert "You have this plan by another interval." in text(yearly)


def test_who_pays_by_the_year_in_euros_sees_years_and_euros(world, client):
    ada = world.sign_up()
    Stripe.subscribe(world, ada, "pro", "year", currency="eur")
    world.deliver()
    client.force_login(ada)
    page = client.get("/?currency=usd")
    assert "€190" in text(page)
    assert "$" not in text(page)
    assert "It starts on " in text(client.get("/?interval=month"))


def test_a_change_that_waits_leaves_nothing_to_press_that_would_be_refused(world, client):
    Plan.objects.update(trial_days=0)
    ada = world.subscribed("pro")
    client.force_login(ada.user)
    change.change(ada.user, "team", "month")
    change.change(ada.user, "pro", "month")
    assert pressed(client.get("/")) == []
    assert pressed(client.get("/billing/change")) == []


def test_who_is_overdue_is_sent_to_the_account_page(world, client):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    client.force_login(ada.user)
    for path in ("/", "/billing/change"):
        page = client.get(path)
        assert pressed(page) == []
        assert "You have an unpaid invoice. Pay it first, then change your plan." in text(page)


SENTENCE = "Your access is on hold, so a purchase or a change would give you nothing now."


def test_under_a_hold_of_the_subscription_no_plan_is_sold(world, client):
    ada = world.subscribed()
    world.dispute(ada)
    world.deliver()
    client.force_login(ada.user)
    for path in ("/", "/billing/change"):
        page = client.get(path)
        assert pressed(page) == []
        assert SENTENCE in text(page)
        assert text(page).count("Your account page") == 1


def test_under_a_hold_of_the_subscriber_no_pack_is_sold_either_and_a_bystander_buys(world, client):
    publishing_packs.publish()
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    holds.place(customer_row(ada), Hold.Kind.STAFF, "grace")
    client.force_login(ada.user)
    assert "Or make a one-time purchase" not in text(client.get("/"))
    page = client.get("/billing/packs")
    assert pressed(page) == []
    assert SENTENCE in text(page)
    client.force_login(ben.user)
    assert len(pressed(client.get("/billing/packs"))) == 2


def test_who_pays_a_price_that_no_plan_knows_is_shown_no_change_on_any_page(world, client):
    ada = states.unknown_price(world)
    client.force_login(ada)
    assert "Change plan" not in text(client.get("/billing/"))
    assert pressed(client.get("/")) == []
    assert pressed(client.get("/billing/change")) == []
