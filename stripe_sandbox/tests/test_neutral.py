"""Values that change nothing are taken; any other value of the same parameter is refused by name."""

from typing import Any

import pytest
import stripe

from stripe_sandbox import Sandbox
from stripe_sandbox.http.neutral import NEUTRAL, is_neutral

BACK: Any = {"mode": "setup", "currency": "usd", "success_url": "https://example.com/"}
TAXLESS: Any = {"enabled": False}


def make_intent(client: stripe.StripeClient, **more: Any) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create({"amount": 1000, "currency": "usd", **more})


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"confirmation_method": "automatic"}, None),
        ({"confirmation_method": "manual"}, "confirmation_method"),
        ({"payment_method_options": {"card": {"request_three_d_secure": "automatic"}}}, None),
        ({"payment_method_options": {"card": {"request_three_d_secure": "any"}}}, "payment_method_options"),
        ({"use_stripe_sdk": False}, None),
        ({"use_stripe_sdk": True}, "use_stripe_sdk"),
        ({"payment_method_types": ["card"]}, None),
        ({"capture_method": "automatic"}, None),
    ],
)
def test_a_payment_is_made_for_neutral_values_and_for_no_others(
    sandbox: Sandbox, client: stripe.StripeClient, given: dict[str, Any], param: str | None
) -> None:
    if param is None:
        assert make_intent(client, **given).status == "requires_payment_method"
        return
    with pytest.raises(stripe.InvalidRequestError) as refused:
        make_intent(client, **given)
    assert (refused.value.code, refused.value.param) == ("sandbox_not_covered", param)
    assert sandbox.state.table("payment_intent").order == []


def test_a_neutral_value_beside_one_that_is_not_is_no_excuse(client: stripe.StripeClient) -> None:
    given = {"card": {"request_three_d_secure": "automatic", "moto": True}}
    with pytest.raises(stripe.InvalidRequestError, match="payment_method_options"):
        make_intent(client, payment_method_options=given)


def test_the_billing_that_there_is_may_be_named_in_a_preview_and_the_other_may_not(
    client: stripe.StripeClient, customer: stripe.Customer, price: stripe.Price
) -> None:
    def previewed(mode: Any) -> Any:
        details: Any = {"items": [{"price": price.id}], "billing_mode": mode}
        return client.v1.invoices.create_preview({"customer": customer.id, "subscription_details": details})

    assert previewed({"type": "flexible", "flexible": {"proration_discounts": "included"}}).amount_due == 2000
    for mode in ({"type": "classic"}, {"type": "flexible", "flexible": {"proration_discounts": "itemized"}}):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            previewed(mode)
        error: Any = refused.value.json_body
        assert (refused.value.code, error["error"].get("doc_url")) == ("sandbox_not_covered", None)


def test_tax_that_is_switched_off_is_taken_wherever_tax_could_be(
    client: stripe.StripeClient, customer: stripe.Customer, price: stripe.Price, subscribed: Any
) -> None:
    sub = subscribed()
    assert client.v1.subscriptions.update(sub.id, {"automatic_tax": TAXLESS}).automatic_tax.enabled is False
    draft = client.v1.invoices.create({"customer": customer.id, "automatic_tax": TAXLESS})
    assert draft.automatic_tax.enabled is False
    phase: Any = {"items": [{"price": price.id}], "automatic_tax": TAXLESS, "duration": {"interval": "month"}}
    schedule: Any = {"customer": customer.id, "start_date": "now", "phases": [phase]}
    assert client.v1.subscription_schedules.create(schedule).status in ("active", "not_started")


def test_a_checkout_takes_what_is_switched_off(client: stripe.StripeClient) -> None:
    off = {"adaptive_pricing": TAXLESS}
    taxless: Any = {"tax_id_collection": TAXLESS, "automatic_tax": TAXLESS}
    assert client.v1.checkout.sessions.create({**BACK, **off, **taxless}).status == "open"
    for name in off:
        with pytest.raises(stripe.InvalidRequestError, match=name):
            client.v1.checkout.sessions.create({**BACK, name: {"enabled": True}})


def test_the_kinds_of_payment_method_of_a_subscription_are_shown_where_they_are_cards(
    client: stripe.StripeClient, customer: stripe.Customer, price: stripe.Price, subscribed: Any
) -> None:
    sub = subscribed()
    updated = client.v1.subscriptions.update(sub.id, {"payment_settings": {"payment_method_types": ["card"]}})
    assert updated.payment_settings.payment_method_types == ["card"]
    wanted: Any = {"customer": customer.id, "items": [{"price": price.id}], "payment_behavior": "default_incomplete"}
    made = client.v1.subscriptions.create({**wanted, "payment_settings": {"payment_method_types": ["card"]}})
    assert made.payment_settings.payment_method_types == ["card"]
    with pytest.raises(stripe.InvalidRequestError, match="sepa_debit"):
        client.v1.subscriptions.update(sub.id, {"payment_settings": {"payment_method_types": ["sepa_debit"]}})


@pytest.mark.parametrize("name", NEUTRAL)
def test_each_entry_is_neutral_by_its_whole_name_and_inside_of_others(name: str) -> None:
    for value in NEUTRAL[name]:
        assert is_neutral(name, value)
        assert is_neutral(f"phases.{name}", value)
        assert not is_neutral(f"x{name}", value)
    assert not is_neutral(name, "something else")
    assert not is_neutral(name, {})
