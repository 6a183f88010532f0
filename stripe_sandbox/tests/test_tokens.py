"""Tokens stand for cards and bank accounts, and are used once; payments take a card by its token."""

from typing import Any

import pytest
import stripe

from .conftest import Control

NUMBER = {"number": "4242424242424242", "exp_month": "7", "exp_year": "2031", "cvc": "123"}
ACCOUNT: Any = {"country": "US", "account_number": "000123456789", "routing_number": "110000000"}


def token_of(client: stripe.StripeClient, **more: Any) -> stripe.Token:
    card: Any = {**NUMBER, **more}
    return client.v1.tokens.create({"card": card})


def test_a_token_shows_its_card_and_makes_one_payment_method(client: stripe.StripeClient) -> None:
    token = token_of(client, name="Eve", address_line1="Main St 1", address_zip="90001", address_country="US")
    assert (token.type, token.used, token.card.last4, token.card.brand) == ("card", False, "4242", "Visa")
    assert (token.card.name, token.card.exp_year) == ("Eve", 2031)
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": token.id}})
    assert (method.card.exp_month, method.billing_details.name) == (7, "Eve")
    assert (method.billing_details.address.postal_code, method.card.fingerprint) == ("90001", token.card.fingerprint)
    assert client.v1.tokens.retrieve(token.id).used is True
    with pytest.raises(stripe.InvalidRequestError, match="more than once") as refused:
        client.v1.payment_methods.create({"type": "card", "card": {"token": token.id}})
    assert refused.value.code == "token_already_used"


@pytest.mark.parametrize("made", [True, False])
def test_a_payment_takes_a_card_by_its_token(client: stripe.StripeClient, made: bool) -> None:
    token = token_of(client).id if made else "tok_visa"
    data: Any = {"type": "card", "card": {"token": token}, "billing_details": {"email": "eve@example.com"}}
    params: Any = {"amount": 1200, "currency": "usd", "confirm": True, "payment_method_data": data}
    intent = client.v1.payment_intents.create(params)
    method = client.v1.payment_methods.retrieve(str(intent.payment_method))
    assert (intent.status, method.billing_details.email) == ("succeeded", "eve@example.com")


def test_intents_are_confirmed_with_a_card_that_is_described(client: stripe.StripeClient, customer: Any) -> None:
    intent = client.v1.payment_intents.create({"amount": 1200, "currency": "usd"})
    declined: Any = {"type": "card", "card": {"token": "tok_chargeDeclined"}}
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.confirm(intent.id, {"payment_method_data": declined})
    good: Any = {"type": "card", "card": NUMBER, "metadata": {"k": "v"}, "allow_redisplay": "always"}
    assert client.v1.payment_intents.confirm(intent.id, {"payment_method_data": good}).status == "succeeded"
    setup = client.v1.setup_intents.create({"customer": customer.id, "payment_method_data": good})
    assert setup.status == "requires_confirmation"
    other = client.v1.setup_intents.create({"customer": customer.id})
    client.v1.setup_intents.update(other.id, {"payment_method_data": good})
    saved = client.v1.setup_intents.confirm(other.id, {"payment_method_data": good})
    method = client.v1.payment_methods.retrieve(str(saved.payment_method))
    assert (saved.status, method.metadata["k"], method.allow_redisplay) == ("succeeded", "v", "always")


def test_a_bank_account_has_a_token(client: stripe.StripeClient) -> None:
    token = client.v1.tokens.create({"bank_account": {**ACCOUNT, "account_holder_name": "Eve"}})
    assert (token.id[:5], token.type, token.bank_account.last4) == ("btok_", "bank_account", "6789")
    assert token.bank_account.account_holder_name == "Eve"
    with pytest.raises(stripe.InvalidRequestError, match="No such token"):
        client.v1.payment_methods.create({"type": "card", "card": {"token": token.id}})


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "parameter_missing"),
        ({"card": {**NUMBER, "number": "4111111111111111"}}, "incorrect_number"),
        ({"card": {**NUMBER, "exp_month": "July"}}, "parameter_invalid_integer"),
        ({"card": "card_1"}, "sandbox_not_covered"),
        ({"pii": {"id_number": "1"}}, "sandbox_not_covered"),
        ({"bank_account": {**ACCOUNT, "country": "FR"}}, "sandbox_not_covered"),
        ({"bank_account": {**ACCOUNT, "routing_number": "1"}}, "routing_number_invalid"),
    ],
)
def test_what_is_no_card_or_account_is_refused(client: stripe.StripeClient, params: Any, code: str) -> None:
    with pytest.raises(stripe.StripeError) as refused:
        client.v1.tokens.create(params)
    assert refused.value.code == code


def test_a_card_of_a_token_is_declined_when_it_is_charged(client: stripe.StripeClient, control: Control) -> None:
    token = token_of(client, number="4000000000000341")
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": token.id}})
    params: Any = {"amount": 900, "currency": "usd", "confirm": True, "payment_method": method.id}
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.create(params)
