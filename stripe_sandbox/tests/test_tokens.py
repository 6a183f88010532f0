"""Tokens stand for cards and bank accounts, and are used once; payments take a card by its token."""

from typing import Any

import pytest
import stripe

from .conftest import Control

NUMBER = {"number": "4242424242424242", "exp_month": "7", "exp_year": "2031", "cvc": "123"}
ACCOUNT: Any = {"country": "US", "account_number": "000123456789", "routing_number": "110000000"}
HOLDER: Any = {"account_holder_name": "Eve", "account_holder_type": "individual", "currency": "usd"}
EVE: Any = {"name": "Eve", "email": "eve@example.com", "address": {"country": "GB", "line1": "Strand 1"}}
DEBITS: Any = {
    "sepa_debit": ("eur", {"iban": "AT611904300234573201"}),
    "bacs_debit": ("gbp", {"account_number": "00012345", "sort_code": "108800"}),
    "us_bank_account": (
        "usd",
        {
            "account_number": "000123456789",
            "routing_number": "110000000",
            "account_type": "savings",
            "account_holder_type": "company",
        },
    ),
}
ACCEPTED: Any = {"customer_acceptance": {"type": "offline", "offline": {}}}


def token_of(client: stripe.StripeClient, **more: Any) -> stripe.Token:
    card: Any = {**NUMBER, **more}
    return client.v1.tokens.create({"card": card})


def test_a_token_shows_its_card_and_makes_one_payment_method(client: stripe.StripeClient) -> None:
    home = {"address_line1": "Main St 1", "address_line2": "Rear", "address_city": "Reno", "address_state": "NV"}
    token = token_of(client, name="Eve", address_zip="90001", address_country="US", **home)
    assert (token.type, token.used, token.card.last4, token.card.brand) == ("card", False, "4242", "Visa")
    assert (token.card.name, token.card.exp_year) == ("Eve", 2031)
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": token.id}})
    assert (method.card.exp_month, method.billing_details.name) == (7, "Eve")
    shown = method.billing_details.address
    assert (shown.line1, shown.line2, shown.city, shown.state) == ("Main St 1", "Rear", "Reno", "NV")
    assert (shown.postal_code, method.card.fingerprint) == ("90001", token.card.fingerprint)
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


def made(client: stripe.StripeClient, data: Any, currency: str, kind: str) -> list[Any]:
    """Send the same description to every route that takes one; the payment methods that came of it."""
    kinds: Any = {"payment_method_types": [kind]}
    mandate: Any = {"mandate_data": ACCEPTED} if kind != "card" else {}
    payments, setups = client.v1.payment_intents, client.v1.setup_intents
    asked: Any = {"amount": 1200, "currency": currency, **kinds}
    waiting = setups.create(kinds).id
    intents: list[Any] = [
        payments.create({**asked, "payment_method_data": data}),
        payments.update(payments.create(asked).id, {"payment_method_data": data}),
        payments.confirm(payments.create(asked).id, {"payment_method_data": data, **mandate}),
        setups.create({**kinds, "payment_method_data": data}),
        setups.update(waiting, {"payment_method_data": data}),
        setups.confirm(setups.create(kinds).id, {"payment_method_data": data, **mandate}),
    ]
    return [client.v1.payment_methods.retrieve(str(intent.payment_method)) for intent in intents]


@pytest.mark.parametrize("kind", DEBITS)
def test_every_intent_takes_an_account_that_is_described(client: stripe.StripeClient, kind: str) -> None:
    currency, account = DEBITS[kind]
    data = {"type": kind, kind: account, "billing_details": EVE, "metadata": {"k": "v"}, "allow_redisplay": "limited"}
    for method in made(client, data, currency, kind):
        assert (method.type, method[kind].last4) == (kind, next(iter(account.values()))[-4:])
        assert (method.billing_details.name, method.metadata["k"], method.allow_redisplay) == ("Eve", "v", "limited")
        if kind == "us_bank_account":
            assert (method[kind].account_holder_type, method[kind].account_type) == ("company", "savings")


@pytest.mark.parametrize("card", [NUMBER, {"token": "tok_visa"}], ids=["number", "token"])
def test_every_intent_takes_a_card_that_is_described(client: stripe.StripeClient, card: Any) -> None:
    data = {"type": "card", "card": card, "billing_details": EVE, "metadata": {"k": "v"}, "allow_redisplay": "always"}
    for method in made(client, data, "usd", "card"):
        assert (method.card.last4, method.billing_details.email) == ("4242", "eve@example.com")
        assert (method.metadata["k"], method.allow_redisplay) == ("v", "always")
        assert method.card.exp_year == 2031 or card != NUMBER


def test_a_described_card_that_is_declined_leaves_the_payment_open(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create({"amount": 1200, "currency": "usd"})
    declined: Any = {"type": "card", "card": {"token": "tok_chargeDeclined"}}
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.confirm(intent.id, {"payment_method_data": declined})
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"


def test_a_bank_account_has_a_token(client: stripe.StripeClient) -> None:
    token = client.v1.tokens.create({"bank_account": {**ACCOUNT, **HOLDER}})
    assert (token.id[:5], token.type, token.bank_account.last4) == ("btok_", "bank_account", "6789")
    assert (token.bank_account.account_holder_name, token.bank_account.account_holder_type) == ("Eve", "individual")
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


@pytest.mark.parametrize(("cvc", "is_right"), [("123", True), ("1234", True), ("1", False), ("abc", False)])
def test_a_security_code_has_three_or_four_digits(client: stripe.StripeClient, cvc: str, is_right: bool) -> None:
    card: Any = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": cvc}
    makes: Any = (
        lambda: client.v1.payment_methods.create({"type": "card", "card": card}),
        lambda: client.v1.tokens.create({"card": {**card, "exp_month": "12", "exp_year": "2040"}}),
    )
    for make in makes:
        if is_right:
            assert make().card.last4 == "4242"
            continue
        with pytest.raises(stripe.CardError) as refused:
            make()
        assert (refused.value.code, refused.value.param) == ("invalid_cvc", "card[cvc]")
