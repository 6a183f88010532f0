"""A project adds parameters to Checkout by BILLING_CHECKOUT; what billing relies on is refused before all begins."""

from typing import Any

import pytest
from django.utils.translation import gettext_lazy

from billing.lifecycle import attempts, checkout, host_params
from billing.lifecycle.refusals import AlreadySubscribed, CheckoutMisconfigured
from billing.models import Alert, CheckoutAttempt, Price
from billing.setup.doctor import functions

pytestmark = pytest.mark.django_db(transaction=True)

ADDED: dict[str, Any] = {}


def added(subscriber, attempt):
    return {name: value(attempt) if callable(value) else value for name, value in ADDED.items()}


@pytest.fixture
def adds(settings):
    """The project adds this."""
    settings.BILLING_CHECKOUT = f"{__name__}.added"

    def say(**params):
        ADDED.clear()
        ADDED.update(params)

    yield say
    ADDED.clear()


@pytest.fixture
def ada(world):
    return world.sign_up()


def session_of(world, attempt):
    return world.stripe("GET", f"checkout/sessions/{attempt.session_id}")


def test_what_the_project_adds_reaches_the_session_and_the_subscription(world, ada, adds):
    field = {"key": "order", "label": {"type": "custom", "custom": "Order number"}, "type": "text", "optional": True}
    adds(
        phone_number_collection={"enabled": True},
        consent_collection={"promotions": "auto"},
        custom_fields=[field],
        metadata={"campaign": "spring"},
        subscription_data={"metadata": {"seller": "7"}, "description": gettext_lazy("Thanks")},
        excluded_payment_method_types=["sepa_debit"],
    )
    attempt = checkout.start(ada, "pro", "month")
    session = session_of(world, attempt)
    assert session["phone_number_collection"] == {"enabled": True}
    assert session["consent_collection"]["promotions"] == "auto"
    assert session["custom_fields"][0]["key"] == "order"
    assert session["excluded_payment_method_types"] == ["sepa_debit"]
    ours = {"billing_attempt": str(attempt.pk), "billing_subscriber": str(ada.pk)}
    assert session["metadata"] == {**ours, "campaign": "spring"}
    assert attempt.params["subscription_data"] == {"metadata": {**ours, "seller": "7"}, "description": "Thanks"}


@pytest.mark.parametrize("name", [name for name in host_params.OURS if "." not in name])
def test_what_is_billings_own_is_refused_with_nothing_begun(world, ada, adds, name):
    adds(**{name: "anything"})
    with pytest.raises(CheckoutMisconfigured):
        checkout.start(ada, "pro", "month")
    assert not CheckoutAttempt.objects.exists()
    assert not world.stripe("GET", "checkout/sessions")["data"]
    assert f"`{name}`" in Alert.objects.get(cause="checkout_params").text


@pytest.mark.parametrize("params", [
    {"metadata": {"billing_attempt": "another"}},
    {"subscription_data": {"metadata": {"billing_subscriber": "7"}}},
    {"subscription_data": {"trial_period_days": 90}},
    {"subscription_data": {"trial_settings": {"end_behavior": {"missing_payment_method": "pause"}}}},
    {"subscription_data": "text"},
    {"metadata": ["a"]},
    {"ui_mode": "elements"},
    {"optional_items": "text"},
    {"custom_text": {"submit": object()}},
    {"custom_text": {"submit": float("nan")}},
])  # fmt: skip
def test_what_lies_deeper_and_what_is_no_plain_json_is_refused_too(ada, world, adds, params):
    adds(**params)
    with pytest.raises(CheckoutMisconfigured):
        checkout.start(ada, "pro", "month")
    assert not CheckoutAttempt.objects.exists()


def test_an_embedded_page_needs_the_key_that_it_shows_but_for_the_sandbox(settings):
    embedded = {"ui_mode": "embedded_page"}
    assert list(host_params.problems(embedded)) == []
    settings.STRIPE_API_BASE = ""
    assert "STRIPE_PUBLISHABLE_KEY" in next(host_params.problems(embedded))
    settings.STRIPE_PUBLISHABLE_KEY = "pk_live_1"
    assert list(host_params.problems(embedded)) == []


def test_an_answer_that_is_no_dictionary_is_refused(world, ada, adds, monkeypatch):
    adds()
    monkeypatch.setattr(f"{__name__}.added", lambda subscriber, attempt: None)
    with pytest.raises(CheckoutMisconfigured):
        checkout.start(ada, "pro", "month")


def test_a_further_plan_is_refused_as_an_optional_item_and_another_price_is_not(world, ada, adds):
    team = Price.objects.get(plan__slug="team", interval="month")
    adds(optional_items=[{"price": team.pk, "quantity": 1}])
    with pytest.raises(CheckoutMisconfigured):
        checkout.start(ada, "pro", "month")
    product = world.stripe("POST", "products", name="Mug")["id"]
    mug = world.stripe("POST", "prices", product=product, currency="usd", unit_amount=900)["id"]
    adds(optional_items=[{"price": mug, "quantity": 1}])
    assert session_of(world, checkout.start(ada, "pro", "month"))["optional_items"][0]["price"] == mug


def test_a_refusal_leaves_the_open_checkout_as_it_was(world, ada, adds):
    adds()
    before = checkout.start(ada, "pro", "month")
    adds(mode="payment")
    with pytest.raises(CheckoutMisconfigured):
        checkout.start(ada, "team", "month")
    before.refresh_from_db()
    assert (before.status, session_of(world, before)["status"]) == ("open", "open")


def test_a_discount_of_the_project_replaces_the_field_for_codes(world, ada, adds):
    coupon = world.stripe("POST", "coupons", percent_off=50, duration="once")["id"]
    adds(discounts=[{"coupon": coupon}])
    attempt = checkout.start(ada, "pro", "month")
    assert "allow_promotion_codes" not in attempt.params
    assert session_of(world, attempt)["amount_total"] == 1_000


# The attempt remembers


def test_the_same_click_again_leads_to_the_same_session(world, ada, adds):
    adds(metadata={"campaign": "spring"})
    first = checkout.start(ada, "pro", "month")
    assert checkout.start(ada, "pro", "month") == first


def test_a_session_that_would_be_another_now_is_expired_and_made_anew(world, ada, adds):
    adds(metadata={"campaign": "spring"})
    first = checkout.start(ada, "pro", "month")
    adds(metadata={"campaign": "summer"})
    second = checkout.start(ada, "pro", "month")
    assert second != first
    assert [session_of(world, each)["status"] for each in (first, second)] == ["expired", "open"]
    assert list(CheckoutAttempt.objects.order_by("created_at").values_list("status", flat=True)) == ["expired", "open"]


def test_one_that_was_paid_in_this_moment_is_not_sold_again(world, ada, adds, monkeypatch):
    adds(metadata={"campaign": "spring"})
    first = checkout.start(ada, "pro", "month")
    adds(metadata={"campaign": "summer"})
    expire = attempts.expire

    def paid_just_now(attempt):
        world.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa")
        return expire(attempt)

    monkeypatch.setattr(attempts, "expire", paid_just_now)
    with pytest.raises(AlreadySubscribed):
        checkout.start(ada, "pro", "month")
    first.refresh_from_db()
    assert first.status == "completed"


def test_after_a_lost_answer_the_same_is_sent_again_by_the_same_key(world, ada, adds):
    adds(metadata={"campaign": "spring"})
    world.control("faults", api={"lose_answer": 3})
    with pytest.raises(checkout.stripe_client.StripeUnavailable):
        checkout.start(ada, "pro", "month")
    world.control("faults")
    checkout.start(ada, "pro", "month")
    assert len(world.stripe("GET", "checkout/sessions")["data"]) == 1


def test_after_a_lost_answer_and_a_change_of_the_setting_another_attempt_is_made(world, ada, adds):
    adds(metadata={"campaign": "spring"})
    CheckoutAttempt.objects.all().delete()
    checkout.start(ada, "pro", "month")
    CheckoutAttempt.objects.update(session_id="", url="")  # its answer was lost
    adds(metadata={"campaign": "summer"})
    again = checkout.start(ada, "pro", "month")
    assert session_of(world, again)["metadata"]["campaign"] == "summer"
    assert sorted(CheckoutAttempt.objects.values_list("status", flat=True)) == ["expired", "open"]


# The doctor


def test_the_doctor_asks_the_callable_about_the_newest_checkout(world, ada, adds):
    assert list(functions.checkout()) == []
    adds()
    checkout.start(ada, "pro", "month")
    assert [finding.level for finding in functions.checkout()] == ["ok"]
    adds(mode="payment")
    assert "`mode`" in next(iter(functions.checkout())).text
    adds(metadata=lambda attempt: 1 / 0)
    assert "ZeroDivisionError" in next(iter(functions.checkout())).text
