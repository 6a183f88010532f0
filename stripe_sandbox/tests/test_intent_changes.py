"""A payment intent is changed until it is paid."""

from typing import Any

import pytest
import stripe

SHIPPING: Any = {"name": "Ada", "address": {"line1": "1 Main St", "country": "GB"}}
BACK = "https://shop.example/"


@pytest.fixture
def intent(client: stripe.StripeClient) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create({"amount": 3050, "currency": "eur"})


def test_what_is_changed_is_what_is_charged(client: stripe.StripeClient, intent: Any, customer: Any) -> None:
    changed = client.v1.payment_intents.update(
        intent.id,
        {
            "amount": 1200,
            "currency": "usd",
            "customer": customer.id,
            "setup_future_usage": "off_session",
            "shipping": SHIPPING,
        },
    )
    assert changed.status == "requires_payment_method"
    client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa", "return_url": BACK})
    charge = client.v1.charges.list({"customer": customer.id}).data[0]
    assert (charge.amount, charge.currency, charge.shipping.name) == (1200, "usd", "Ada")
    assert len(client.v1.customers.payment_methods.list(customer.id).data) == 1


def test_a_card_that_is_given_waits_for_its_confirmation(client: stripe.StripeClient, intent: Any) -> None:
    given = client.v1.payment_intents.update(intent.id, {"payment_method": "pm_card_visa"})
    assert given.status == "requires_confirmation"
    assert client.v1.payment_intents.confirm(intent.id, {"return_url": BACK}).status == "succeeded"


def test_values_are_taken_back(client: stripe.StripeClient, intent: Any) -> None:
    given: Any = {"payment_method": "pm_card_visa", "shipping": SHIPPING, "setup_future_usage": "on_session"}
    client.v1.payment_intents.update(intent.id, given)
    taken: Any = {"payment_method": "", "shipping": "", "setup_future_usage": ""}
    bare = client.v1.payment_intents.update(intent.id, taken)
    assert (bare.payment_method, bare.shipping, bare.setup_future_usage) == (None, None, None)
    assert bare.status == "requires_payment_method"


def test_a_payment_that_waits_for_3d_secure_is_confirmed_anew(client: stripe.StripeClient, intent: Any) -> None:
    secure = "pm_card_authenticationRequired"
    asked = client.v1.payment_intents.confirm(intent.id, {"payment_method": secure, "return_url": BACK})
    assert asked.status == "requires_action"
    changed = client.v1.payment_intents.update(intent.id, {"amount": 900})
    assert (changed.status, changed.next_action) == ("requires_confirmation", None)


def test_a_paid_intent_keeps_its_amount(client: stripe.StripeClient, intent: Any) -> None:
    client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa", "return_url": BACK})
    with pytest.raises(stripe.InvalidRequestError, match="amount could not be updated because it has a status") as no:
        client.v1.payment_intents.update(intent.id, {"amount": 900})
    assert no.value.code == "payment_intent_unexpected_state"
    assert client.v1.payment_intents.update(intent.id, {"description": "Hats"}).description == "Hats"


def test_the_amount_of_an_invoice_is_the_invoices(client: stripe.StripeClient, customer: Any) -> None:
    invoice = client.v1.invoices.create({"customer": customer.id, "auto_advance": False})
    client.v1.invoice_items.create({"customer": customer.id, "invoice": str(invoice.id), "amount": 900})
    client.v1.invoices.finalize_invoice(str(invoice.id), {"expand": ["payments"]})
    (payment,) = client.v1.invoice_payments.list({"invoice": str(invoice.id)}).data
    with pytest.raises(stripe.InvalidRequestError, match="pays an invoice"):
        client.v1.payment_intents.update(str(payment.payment.payment_intent), {"amount": 100})


def test_an_amount_too_small_is_refused(client: stripe.StripeClient, intent: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="at least") as refused:
        client.v1.payment_intents.update(intent.id, {"amount": 10})
    assert refused.value.code == "amount_too_small"
