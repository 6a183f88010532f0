"""Currencies that do not mix, amounts too small or too large to charge, and balances that carry them."""

from typing import Any

import pytest
import stripe

from .conftest import Control
from .test_billing_cycle import DAY, fresh, renew


def recurring(client: stripe.StripeClient, price: Any, amount: int, currency: str = "usd") -> Any:
    params: Any = {"product": price.product, "currency": currency, "unit_amount": amount}
    return client.v1.prices.create({**params, "recurring": {"interval": "month"}})


@pytest.fixture
def payer(client: stripe.StripeClient) -> Any:
    return client.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )


def test_a_customer_has_one_currency_at_a_time(
    client: stripe.StripeClient, control: Control, payer: Any, price: Any
) -> None:
    """Stripe's words, as users report them: "You cannot combine currencies on a single customer."""
    euros = recurring(client, price, 2000, "eur")
    sub = client.v1.subscriptions.create({"customer": payer.id, "items": [{"price": price.id}]})
    with pytest.raises(stripe.InvalidRequestError, match="with currency usd"):
        client.v1.subscriptions.create({"customer": payer.id, "items": [{"price": euros.id}]})
    with pytest.raises(stripe.InvalidRequestError, match="combine currencies"):
        client.v1.invoice_items.create({"customer": payer.id, "amount": 500, "currency": "eur"})
    client.v1.subscriptions.cancel(sub.id)
    assert client.v1.subscriptions.create({"customer": payer.id, "items": [{"price": euros.id}]}).currency == "eur"


def test_what_is_about_to_be_bought_holds_the_currency_too(
    client: stripe.StripeClient, control: Control, payer: Any, price: Any
) -> None:
    """Reported: an open Checkout of a subscription counts, and so does whatever else the refusal names."""
    euros = recurring(client, price, 2000, "eur")

    def opened(bought: Any) -> Any:
        line: Any = [{"price": bought.id, "quantity": 1}]
        back = {"customer": payer.id, "success_url": "https://example.com/"}
        return client.v1.checkout.sessions.create({**back, "mode": "subscription", "line_items": line})

    session = opened(price)
    for second in (lambda: opened(euros), lambda: subscribed_to(client, payer, euros)):
        with pytest.raises(stripe.InvalidRequestError, match="checkout session with currency usd") as refused:
            second()
        assert refused.value.param == "currency"
    opened(price)
    for row in client.v1.checkout.sessions.list({"customer": payer.id}).data:
        client.v1.checkout.sessions.expire(row.id)
    assert opened(euros).currency == "eur"
    assert session.currency == "usd"


def subscribed_to(client: stripe.StripeClient, payer: Any, price: Any) -> Any:
    return client.v1.subscriptions.create({"customer": payer.id, "items": [{"price": price.id}]})


def scheduled(client: stripe.StripeClient, control: Control, payer: Any, price: Any) -> Any:
    start = control("/", method="GET")["now"] + 86_400
    phase: Any = {"items": [{"price": price.id}], "duration": {"interval": "month"}}
    return client.v1.subscription_schedules.create({"customer": payer.id, "start_date": start, "phases": [phase]})


def test_a_schedule_a_finalized_quote_and_a_discount_hold_the_currency(
    client: stripe.StripeClient, control: Control, payer: Any, price: Any
) -> None:
    euros = recurring(client, price, 2000, "eur")
    schedule = scheduled(client, control, payer, price)
    for second in (lambda: subscribed_to(client, payer, euros), lambda: scheduled(client, control, payer, euros)):
        with pytest.raises(stripe.InvalidRequestError, match="with currency usd"):
            second()
    client.v1.subscription_schedules.cancel(schedule.id)
    quote = client.v1.quotes.create({"customer": payer.id, "line_items": [{"price": price.id}]})
    client.v1.quotes.finalize_quote(quote.id)
    with pytest.raises(stripe.InvalidRequestError, match="with currency usd"):
        subscribed_to(client, payer, euros)
    client.v1.quotes.cancel(quote.id)
    coupon = client.v1.coupons.create({"amount_off": 100, "currency": "usd", "duration": "forever"})
    control(f"/customers/{payer.id}/discount", {"coupon": coupon.id})
    with pytest.raises(stripe.InvalidRequestError, match="with currency usd"):
        subscribed_to(client, payer, euros)
    client.v1.customers.delete_discount(payer.id)
    assert subscribed_to(client, payer, euros).currency == "eur"


@pytest.mark.parametrize(("amount", "currency", "code"), [
    (0, "usd", "parameter_invalid_integer"),
    (49, "usd", "amount_too_small"),
    (29, "gbp", "amount_too_small"),
    (49, "jpy", "amount_too_small"),
    (100_000_000, "usd", "amount_too_large"),
])  # fmt: skip
def test_an_amount_that_cannot_be_charged_is_refused(
    client: stripe.StripeClient, amount: int, currency: str, code: str
) -> None:
    """https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts; the first one is recorded."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create({"amount": amount, "currency": currency})
    assert (refused.value.code, refused.value.param) == (code, "amount")
    assert client.v1.payment_intents.list().data == []


@pytest.mark.parametrize(("amount", "currency"), [(50, "usd"), (30, "gbp"), (99_999_999, "usd")])
def test_the_smallest_and_the_largest_amount_are_charged(
    client: stripe.StripeClient, amount: int, currency: str
) -> None:
    assert client.v1.payment_intents.create({"amount": amount, "currency": currency}).amount == amount


def test_a_subscription_above_the_largest_amount_is_refused(
    client: stripe.StripeClient, payer: Any, price: Any
) -> None:
    large = recurring(client, price, 60_000_000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.subscriptions.create({"customer": payer.id, "items": [{"price": large.id, "quantity": 2}]})
    assert refused.value.code == "amount_too_large"
    assert client.v1.subscriptions.list().data == []


def test_an_invoice_below_the_smallest_amount_is_carried_to_the_balance(
    client: stripe.StripeClient, control: Control, payer: Any, price: Any
) -> None:
    """Recorded: what is too small to charge is owed with the next invoice."""
    little = recurring(client, price, 30)
    sub = client.v1.subscriptions.create({"customer": payer.id, "items": [{"price": little.id}]})
    invoice = fresh(client, sub).latest_invoice
    assert (sub.status, invoice.status, invoice.total, invoice.amount_due) == ("active", "paid", 30, 0)
    assert (invoice.ending_balance, client.v1.customers.retrieve(payer.id).balance) == (30, 30)
    moved = client.v1.customers.balance_transactions.list(payer.id).data
    assert [(row.type, row.amount) for row in moved] == [("invoice_too_small", 30)]
    renew(control, sub)
    second = fresh(client, sub).latest_invoice
    assert (second.starting_balance, second.amount_paid, second.ending_balance) == (30, 60, 0)
    assert client.v1.customers.retrieve(payer.id).balance == 0


def test_fees_round_half_up(client: stripe.StripeClient) -> None:
    """Recorded: 2.9 % of 2500 and 30 are 103."""
    paid: Any = {"amount": 2500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    intent = client.v1.payment_intents.create({**paid, "return_url": "https://example.com/"})
    charge = client.v1.charges.retrieve(intent.latest_charge, {"expand": ["balance_transaction"]})
    assert (charge.balance_transaction.fee, charge.balance_transaction.net) == (103, 2397)


@pytest.mark.parametrize(
    ("behavior", "credit", "status", "balance"),
    [
        ("void", -500, "void", -500),
        ("void", -5000, "void", -5000),
        ("mark_uncollectible", -500, "uncollectible", 0),
        ("mark_uncollectible", -5000, "paid", -3000),
        ("keep_as_draft", -5000, "draft", -5000),
    ],
)
def test_paused_collection_and_a_credit(
    client: stripe.StripeClient,
    control: Control,
    payer: Any,
    price: Any,
    behavior: Any,
    credit: int,
    status: str,
    balance: int,
) -> None:
    sub = client.v1.subscriptions.create({"customer": payer.id, "items": [{"price": price.id}]})
    client.v1.subscriptions.update(sub.id, {"pause_collection": {"behavior": behavior}})
    client.v1.customers.update(payer.id, {"balance": credit})
    renew(control, sub)
    assert fresh(client, sub).latest_invoice.status == status
    assert client.v1.customers.retrieve(payer.id).balance == balance


@pytest.mark.parametrize("is_paused", [True, False])
def test_no_upcoming_invoice_is_announced_while_collection_is_paused(
    client: stripe.StripeClient, control: Control, payer: Any, price: Any, is_paused: bool
) -> None:
    sub = client.v1.subscriptions.create({"customer": payer.id, "items": [{"price": price.id}]})
    if is_paused:
        client.v1.subscriptions.update(sub.id, {"pause_collection": {"behavior": "void"}})
    control("/advance", {"to": sub["items"]["data"][0].current_period_end - DAY})
    said = [event.type for event in client.v1.events.list({"limit": 50}).data]
    assert ("invoice.upcoming" in said) is not is_paused
