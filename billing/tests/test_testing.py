"""The kit that host projects test with: what its page does not show. The page itself runs in `hosts`."""

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.test import TestCase

from billing import signals, testing
from billing.conf import conf
from billing.events.event_types import EVENT_TYPES
from billing.lifecycle.checkout import PriceNotOffered
from billing.models import Plan, Price, StripeEvent
from billing.stripe_client import StripeUnavailable
from stripe_sandbox.http.shapes import problems


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_there_is_an_example_for_every_event_we_listen_to_and_the_sdk_knows_its_shape(event_type):
    event = testing.event(event_type)
    assert problems(event) == []
    assert (event["type"], event["api_version"]) == (event_type, conf.api_version)


def test_an_example_shows_what_the_event_tells():
    assert testing.example("customer.subscription.deleted")["status"] == "canceled"
    assert testing.example("customer.subscription.paused")["status"] == "paused"
    assert testing.example("invoice.payment_failed")["attempt_count"] == 1
    assert testing.example("charge.refunded")["refunded"]
    assert testing.example("refund.failed")["status"] == "failed"
    assert testing.example("charge.dispute.closed")["status"] == "won"
    assert testing.example("checkout.session.expired")["status"] == "expired"


def test_an_example_is_ones_own_to_change():
    testing.example("invoice.paid")["lines"]["data"].clear()
    mine = testing.example("invoice.paid", customer="cus_mine")
    assert mine["customer"] == "cus_mine"
    assert mine["lines"]["data"]


def test_a_type_without_an_example_asks_for_its_object():
    with pytest.raises(LookupError, match=r"capability\.updated: give the event its object"):
        testing.event("capability.updated")
    assert testing.event("capability.updated", {"object": "capability"})["data"]["object"] == {"object": "capability"}


@pytest.mark.django_db
def test_the_prices_of_the_projects_own_plans_are_sold(settings):
    solo = Plan.objects.create(slug="solo", name="Solo", rank=1, is_public=True)
    Price.objects.create(
        id="price_ours", plan=solo, currency="eur", unit_amount=990, interval="month", currency_options={"usd": 1090}
    )
    with testing.using_sandbox() as stripe:
        ada = stripe.subscribe(get_user_model().objects.create_user("ada@example.com", "x"), "solo", currency="usd")
        stripe.deliver()
        assert (ada.row.plan, ada.last_payment.amount, ada.last_payment.currency) == (solo, 1090, "usd")
        assert set(Plan.objects.values_list("slug", flat=True)) == {"solo"}
        with pytest.raises(PriceNotOffered):
            stripe.subscribe(get_user_model().objects.create_user("ben@example.com", "x"), "pro")


def test_two_scrambles_of_one_seed_are_the_same_and_hold_each_event_twice(billing_stripe, monkeypatch):
    billing_stripe.subscribe(get_user_model().objects.create_user("ada@example.com", "x"), "pro")
    waiting = [event["id"] for event in billing_stripe.events()]
    posted = []
    deliver = testing.deliver
    monkeypatch.setattr(
        "billing.testing.events.deliver", lambda event, client: posted.append(event["id"]) or deliver(event)
    )
    for seed in (5, 5, 6):
        billing_stripe.delivered.clear()
        billing_stripe.deliver(scramble=True, seed=seed)
    first, second, third = (posted[i : i + 2 * len(waiting)] for i in range(0, len(posted), 2 * len(waiting)))
    assert first == second != third
    assert sorted(first) == sorted(waiting * 2)
    assert first[: len(waiting)] != waiting


def test_a_receiver_that_fails_fails_the_test_with_its_own_words(billing_stripe):
    def refuse(**kwargs):
        raise ValueError("no room in the club")

    billing_stripe.subscribe(get_user_model().objects.create_user("ada@example.com", "x"), "pro")
    signals.subscription_started.connect(refuse)
    try:
        with pytest.raises(AssertionError, match=r"customer\.subscription\.created is failed: .*no room in the club"):
            billing_stripe.deliver()
    finally:
        signals.subscription_started.disconnect(refuse)
    testing.retry()
    testing.assert_all_processed()


def test_an_outage_is_forgotten_when_it_is_over(billing_stripe):
    ada = get_user_model().objects.create_user("ada@example.com", "x")
    with billing_stripe.down():
        for _ in range(conf.circuit_failures + 1):
            with pytest.raises(StripeUnavailable):
                billing_stripe.subscribe(ada, "pro")
    assert billing_stripe.subscribe(ada, "pro").subscription


def test_what_the_sandbox_refuses_is_said_in_its_words(billing_stripe):
    with pytest.raises(ValueError, match="No such charge"):
        billing_stripe.control("disputes", charge="ch_none")


def test_each_test_has_a_stripe_of_its_own(billing_stripe):
    assert billing_stripe.api("GET", "customers")["data"] == []
    assert not billing_stripe.events("customer.created")
    assert not StripeEvent.objects.exists()


class WithoutPytest(TestCase):
    def setUp(self):
        self.stripe = self.enterContext(testing.using_sandbox())

    def test_the_settings_are_the_sandboxs_meanwhile_and_the_projects_afterwards(self):
        assert self.stripe.url == django_settings.STRIPE_API_BASE
        self.doCleanups()
        assert self.stripe.url != django_settings.STRIPE_API_BASE

    def test_a_subscriber_has_access_until_the_month_is_over(self):
        ada = self.stripe.subscribe(get_user_model().objects.create_user("ada@example.com", "x"), "pro")
        self.stripe.deliver()
        assert ada.access.has_access
        self.stripe.api("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
        self.stripe.advance(days=32)
        self.stripe.deliver(scramble=True)
        assert not ada.access.has_access
