"""The outer form of answers: headers, errors, embedded lists, the order and the words of lines."""

from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import stripe

from stripe_sandbox import Sandbox

from .test_billing_cycle import fresh


def write(sandbox: Sandbox, path: str, form: str, key: str | None = None) -> tuple[int, Any, bytes]:
    headers = {"Authorization": f"Bearer {sandbox.key}"} | ({"Idempotency-Key": key} if key else {})
    try:
        with urlopen(Request(f"{sandbox.url}/v1/{path}", form.encode(), headers)) as answer:
            return answer.status, answer.headers, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_an_answer_to_a_write_names_its_key_and_the_request_that_was_answered_first(sandbox: Sandbox) -> None:
    """https://docs.stripe.com/api/idempotent_requests, and recorded headers."""
    _, first, body = write(sandbox, "customers", "email=ada%40example.com&name=Ada", "k1")
    assert (first["Idempotency-Key"], first["Original-Request"]) == ("k1", first["Request-Id"])
    assert first["Idempotent-Replayed"] is None
    _, second, again = write(sandbox, "customers", "email=ada%40example.com&name=Ada", "k1")
    assert (second["Original-Request"], second["Idempotent-Replayed"], again) == (first["Request-Id"], "true", body)
    _, plain, _ = write(sandbox, "customers", "name=Bob")
    assert (plain["Idempotency-Key"], plain["Original-Request"], plain["Stripe-Should-Retry"]) == (None, None, None)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("name=Ada&email=ada%40example.com", 200),
        ("email=ada@example.com&name=A%64a", 200),
        ("email=ada%40example.com&name=Bob", 400),
        ("email=ada%40example.com", 400),
    ],
)
def test_a_key_goes_with_parameters_and_not_with_bytes(sandbox: Sandbox, form: str, status: int) -> None:
    write(sandbox, "customers", "email=ada%40example.com&name=Ada", "k1")
    again, headers, _ = write(sandbox, "customers", form, "k1")
    assert again == status
    assert headers["Stripe-Should-Retry"] == (None if status == 200 else "false")
    assert len(sandbox.state.table("customer").rows) == 1


def test_a_list_within_an_object_shows_ten_and_says_that_there_are_more(
    client: stripe.StripeClient, customer: Any
) -> None:
    """https://docs.stripe.com/api/invoices/line_item: the invoice embeds its first lines, its `url` has them all."""
    for number in range(12):
        client.v1.invoice_items.create({"customer": customer.id, "amount": 100 + number, "currency": "usd"})
    invoice = client.v1.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})
    assert (len(invoice.lines.data), invoice.lines.has_more) == (10, True)
    assert invoice.total == sum(range(100, 112))
    page = client.v1.invoices.line_items.list(invoice.id, {"limit": 100})
    assert (len(page.data), page.has_more) == (12, False)
    created = client.v1.events.list({"type": "invoice.created"}).data[0].data.object
    assert (len(created["lines"]["data"]), created["lines"]["has_more"]) == (10, True)


def test_ten_lines_are_all_there_are(client: stripe.StripeClient, customer: Any) -> None:
    for _ in range(10):
        client.v1.invoice_items.create({"customer": customer.id, "amount": 100, "currency": "usd"})
    invoice = client.v1.invoices.create({"customer": customer.id, "pending_invoice_items_behavior": "include"})
    assert (len(invoice.lines.data), invoice.lines.has_more) == (10, False)


def test_a_line_counts_in_the_units_of_its_product(client: stripe.StripeClient, customer: Any) -> None:
    """Recorded: `10 user × Test Subscription (at $25.00 / month)`, and a trial's line."""
    product = client.v1.products.create({"name": "Team", "unit_label": "seat"})
    recurring: Any = {"interval": "month"}
    price = client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 2500, "recurring": recurring}
    )
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    wanted: Any = {"customer": customer.id, "default_payment_method": card.id}
    wanted["items"] = [{"price": price.id, "quantity": 10}]
    paid = fresh(client, client.v1.subscriptions.create(wanted)).latest_invoice
    assert paid.lines.data[0].description == "10 seat × Team (at $25.00 / month)"
    tried = fresh(client, client.v1.subscriptions.create({**wanted, "trial_period_days": 3})).latest_invoice
    assert tried.lines.data[0].description == "Free trial for 10 seat × Team"
    assert tried.lines.data[0].pricing.unit_amount_decimal == 0


def test_what_was_waiting_stands_before_what_is_subscribed(
    client: stripe.StripeClient, customer: Any, price: Any
) -> None:
    """The SDK, of `lines`: pending invoice items first, then subscription items."""
    once = client.v1.prices.create({"product": price.product, "currency": "usd", "unit_amount": 700})
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    sub = client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "default_payment_method": card.id,
            "items": [{"price": price.id}],
            "add_invoice_items": [{"price": once.id}],
        }
    )
    lines = fresh(client, sub).latest_invoice.lines.data
    assert [(line.amount, line.parent.type) for line in lines] == [
        (700, "invoice_item_details"),
        (2000, "subscription_item_details"),
    ]


@pytest.mark.parametrize(
    ("token", "attempts", "attempted"),
    [("pm_card_visa", 1, True), ("pm_card_authenticationRequired", 0, True), ("pm_card_chargeCustomerFail", 1, True)],
)
def test_an_attempt_counts_unless_three_d_secure_stops_it(
    client: stripe.StripeClient, customer: Any, price: Any, token: str, attempts: int, attempted: bool
) -> None:
    """Recorded for the first two."""
    card = client.v1.payment_methods.attach(token, {"customer": customer.id})
    sub = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "default_payment_method": card.id}
    )
    invoice = fresh(client, sub).latest_invoice
    assert (invoice.attempt_count, invoice.attempted) == (attempts, attempted)


def test_the_subtotal_is_after_the_discounts_of_items_and_before_those_of_the_invoice(
    client: stripe.StripeClient, customer: Any, price: Any
) -> None:
    """The SDK, of `subtotal`: "Item discounts are already incorporated."""
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    half = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    tenth = client.v1.coupons.create({"percent_off": 10, "duration": "once"})
    sub = client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "default_payment_method": card.id,
            "items": [{"price": price.id, "discounts": [{"coupon": half.id}]}],
            "discounts": [{"coupon": tenth.id}],
        }
    )
    invoice = fresh(client, sub).latest_invoice
    assert (invoice.lines.data[0].amount, invoice.subtotal, invoice.total) == (2000, 1000, 900)


def test_who_is_known_is_shown_before_the_page_is_filled_in(checkout: Any, customer: Any) -> None:
    """Recorded: `customer_details` of an open session has the e-mail alone."""
    details = checkout().customer_details
    assert (details.email, details.name, details.tax_ids) == (customer.email, None, None)
    assert checkout(customer=None, customer_email="bob@example.com").customer_details.email == "bob@example.com"


@pytest.mark.parametrize(
    ("token", "brand", "funding"),
    [("discover", "discover", "credit"), ("jcb", "jcb", "credit"), ("visa_debit", "visa", "debit"),
     ("mastercard_prepaid", "mastercard", "prepaid"), ("unionpay", "unionpay", "credit"), ("us", "visa", "credit"),
     ("gb_debit", "visa", "debit"), ("amex_threeDSecureNotSupported", "amex", "credit")],
)  # fmt: skip
def test_stripes_test_cards_are_known_by_their_names(
    client: stripe.StripeClient, customer: Any, token: str, brand: str, funding: str
) -> None:
    """https://docs.stripe.com/testing"""
    card = client.v1.payment_methods.attach(f"pm_card_{token}", {"customer": customer.id}).card
    assert (card.brand, card.funding) == (brand, funding)


@pytest.mark.parametrize(("token", "country"), [("br", "BR"), ("de", "DE"), ("gb", "GB"), ("jp", "JP"), ("mx", "MX")])
def test_a_card_of_another_country_is_paid_and_says_where_it_is_from(
    client: stripe.StripeClient, token: str, country: str
) -> None:
    """https://docs.stripe.com/testing#international-cards"""
    paid: Any = {"amount": 900, "currency": "usd", "payment_method": f"pm_card_{token}", "confirm": True}
    intent = client.v1.payment_intents.create({**paid, "expand": ["latest_charge"]})
    assert (intent.status, intent.latest_charge.payment_method_details.card.country) == ("succeeded", country)


@pytest.mark.parametrize("token", ["pm_card_avsFail", "pm_card_riskLevelHighest", "pm_card_cvcCheckFail"])
def test_a_test_card_of_stripes_that_is_not_imitated_is_refused_by_its_name(
    client: stripe.StripeClient, token: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=token) as refused:
        client.v1.payment_intents.create({"amount": 900, "currency": "usd", "payment_method": token})
    assert refused.value.code == "sandbox_not_covered"


def test_a_payment_method_that_is_no_card_is_shown_and_charged_nowhere(
    client: stripe.StripeClient, customer: Any
) -> None:
    made = client.v1.payment_methods.create({"type": "ideal", "ideal": {"bank": "ing"}})
    assert made.ideal.bic == "INGBNL2A"
    with pytest.raises(stripe.InvalidRequestError, match="ideal") as refused:
        client.v1.payment_methods.attach(made.id, {"customer": customer.id})
    assert refused.value.code == "sandbox_not_covered"


def test_what_is_held_is_captured_or_let_go(client: stripe.StripeClient) -> None:
    """Recorded: `requires_capture`, and `capture_before` seven days on."""
    held: Any = {"amount": 2900, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    held |= {"capture_method": "manual", "return_url": "https://example.com/", "expand": ["latest_charge"]}
    intent, other = client.v1.payment_intents.create(held), client.v1.payment_intents.create(held)
    assert (intent.status, intent.amount_capturable, intent.latest_charge.captured) == ("requires_capture", 2900, False)
    assert client.v1.balance_transactions.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 2901})
    taken = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 2000})
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 2000, 0)
    assert [row.amount for row in client.v1.balance_transactions.list().data] == [2000]
    assert client.v1.payment_intents.cancel(other.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError, match="requires_capture"):
        client.v1.payment_intents.capture(other.id)
