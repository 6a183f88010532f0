"""A newcomer takes these first steps, in the ways that Stripe's own documentation shows."""

import argparse
from pathlib import Path
from typing import Any

import pytest
import stripe

from stripe_sandbox import command


def test_a_test_card_may_be_attached_and_made_the_default_in_one_call(client: stripe.StripeClient) -> None:
    settings: Any = {"default_payment_method": "pm_card_visa"}
    customer = client.v1.customers.create({"payment_method": "pm_card_visa", "invoice_settings": settings})
    (method,) = client.v1.customers.payment_methods.list(customer.id).data
    assert customer.invoice_settings.default_payment_method == method.id


def test_a_declined_payment_names_its_intent_in_the_error(client: stripe.StripeClient) -> None:
    wanted: Any = {"amount": 500, "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": True}
    with pytest.raises(stripe.CardError) as refused:
        client.v1.payment_intents.create(wanted)
    error: Any = refused.value.error
    assert error.payment_intent.status == "requires_payment_method"
    assert client.v1.payment_intents.retrieve(error.payment_intent.id).latest_charge == error.charge


def test_a_subscription_in_a_currency_its_price_lacks_is_refused(
    client: stripe.StripeClient, customer: stripe.Customer, price: stripe.Price
) -> None:
    wanted: Any = {"customer": customer.id, "items": [{"price": price.id}], "currency": "gbp"}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.subscriptions.create(wanted)
    assert refused.value.param == "currency"


def test_a_subscription_that_begins_with_a_charge_needs_a_card(
    client: stripe.StripeClient, customer: stripe.Customer, price: stripe.Price
) -> None:
    wanted: Any = {"customer": customer.id, "items": [{"price": price.id}]}
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source") as refused:
        client.v1.subscriptions.create(wanted)
    assert refused.value.code == "resource_missing"
    assert client.v1.subscriptions.list({"customer": customer.id}).data == []
    assert client.v1.subscriptions.create({**wanted, "trial_period_days": 7}).status == "trialing"
    assert client.v1.subscriptions.create({**wanted, "payment_behavior": "default_incomplete"}).status == "incomplete"
    sent = {**wanted, "collection_method": "send_invoice", "days_until_due": 7}
    assert client.v1.subscriptions.create(sent).status == "active"


def test_a_state_file_that_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--state", str(tmp_path / "missing" / "state.json")])
    assert "in a directory that exists" in capsys.readouterr().err


def test_an_intent_may_be_made_for_whatever_ways_to_pay_are_on(client: stripe.StripeClient) -> None:
    wanted: Any = {"amount": 500, "currency": "usd", "automatic_payment_methods": {"enabled": True}}
    intent = client.v1.payment_intents.create(wanted)
    assert (intent.status, intent.automatic_payment_methods.enabled) == ("requires_payment_method", True)
