"""A Checkout session is asked for with these parameters: each is there where it applies, and not else."""

import pytest
from django.contrib.auth import get_user_model

from billing import site
from billing.lifecycle import checkout_session, trials
from billing.models import CheckoutAttempt, Customer, Plan, Price

pytestmark = pytest.mark.django_db

PAGES = {"return": "https://shop.example/back", "prices": "https://shop.example/prices"}


@pytest.fixture
def attempt(settings):
    settings.BILLING_PAGES = PAGES
    plan = Plan.objects.create(slug="bought", name="Bought", rank=1)
    price = Price.objects.create(pk="price_1", plan=plan, currency="usd", unit_amount=500, interval="month")
    ada = get_user_model().objects.create_user("ada@example.com", "correct-horse-battery")
    customer = Customer.objects.create(pk="cus_1", subscriber=ada)
    return CheckoutAttempt.objects.create(customer=customer, price=price, quantity=3)


@pytest.fixture(autouse=True)
def offered(monkeypatch):
    """The trial that is offered, and whether it was asked for somebody's first subscription."""
    asked = Asked()

    def offer_of(attempt, *, is_first):
        asked.append(is_first)
        return asked.offer

    monkeypatch.setattr(trials, "offer_of", offer_of)
    return asked


class Asked(list):
    offer = trials.Offer()


def params(attempt, *, is_first=True):
    return checkout_session.session_params(attempt, is_first=is_first)


def test_it_names_the_attempt_and_the_subscriber_on_the_session_and_on_what_it_makes(attempt):
    asked = params(attempt)
    key = str(attempt.customer.subscriber.pk)
    metadata = {checkout_session.ATTEMPT_KEY: str(attempt.pk), checkout_session.METADATA_KEY: key}
    assert (asked["mode"], asked["customer"], asked["client_reference_id"]) == ("subscription", "cus_1", key)
    assert (asked["metadata"], asked["subscription_data"]) == (metadata, {"metadata": metadata})
    assert asked["line_items"] == [{"price": "price_1", "quantity": 3}]
    assert asked["success_url"] == "https://shop.example/back?session_id={CHECKOUT_SESSION_ID}"
    assert asked["cancel_url"] == "https://shop.example/prices"
    assert not {"payment_method_collection", "currency", "locale"} & set(asked)


def test_what_is_billed_by_usage_has_no_quantity(attempt, monkeypatch):
    monkeypatch.setattr(checkout_session.catalogue.amounts, "is_metered", lambda price: price == attempt.price)
    assert params(attempt)["line_items"] == [{"price": "price_1"}]


def test_a_return_page_with_a_query_keeps_it(attempt, settings):
    settings.BILLING_PAGES = {**PAGES, "return": "https://shop.example/back?from=stripe"}
    assert params(attempt)["success_url"].endswith("/back?from=stripe&session_id={CHECKOUT_SESSION_ID}")
    assert site.page("prices") == "https://shop.example/prices"


def test_currency_language_and_memo_are_sent_that_there_are(attempt, settings):
    settings.BILLING_INVOICE = {"memo": "Thanks"}
    attempt.currency, attempt.locale = "eur", "de"
    asked = params(attempt)
    assert (asked["currency"], asked["locale"], asked["subscription_data"]["description"]) == ("eur", "de", "Thanks")


@pytest.mark.parametrize(
    ("amount", "without_card", "asks_for_card"), [(500, "", True), (500, "cancel", False), (0, "", False)]
)
def test_no_card_is_asked_for_what_is_free_or_tried_without_one(attempt, offered, amount, without_card, asks_for_card):
    attempt.price.unit_amount = amount
    offered.offer = trials.Offer(14, without_card)
    asked = params(attempt)
    assert asked.get("payment_method_collection", "always") == ("always" if asks_for_card else "if_required")
    assert asked["subscription_data"]["trial_period_days"] == 14


@pytest.mark.parametrize("is_first", [True, False])
def test_the_trial_is_that_of_a_first_subscription_or_of_a_later_one(attempt, offered, is_first):
    params(attempt, is_first=is_first)
    assert offered == [is_first]


def test_parameters_of_the_project_and_of_the_page_that_shows_it_come_last(attempt, settings):
    settings.BILLING_CHECKOUT_EMBEDDED = True
    asked = params(attempt)
    assert asked["return_url"].startswith("https://shop.example/back?")
    assert "success_url" not in asked
