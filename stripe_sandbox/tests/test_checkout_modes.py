"""Checkout for one-off payments and saved cards, and payments that take days."""

from typing import Any

import pytest
import stripe

from .conftest import Control, Receiver

HOUR = 3600


@pytest.fixture
def book(client: stripe.StripeClient) -> stripe.Price:
    product = client.v1.products.create({"name": "Handbook"})
    return client.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 3500})


@pytest.fixture
def buying(client: stripe.StripeClient, book: Any) -> Any:
    def start(mode: str = "payment", **more: Any) -> stripe.checkout.Session:
        items = {"line_items": [{"price": book.id, "quantity": 2}]} if mode == "payment" else {"currency": "usd"}
        return client.v1.checkout.sessions.create({"mode": mode, "success_url": "http://127.0.0.1/", **items, **more})

    return start


def types_since(forwarding: Receiver, control: Control) -> list[str]:
    control("/settle")
    types = forwarding.types()
    forwarding.received.clear()
    return types


def test_a_guest_pays_once_and_stays_a_guest(client: stripe.StripeClient, control: Control, buying: Any) -> None:
    session = buying(customer_email="guest@example.com", payment_intent_data={"description": "Two handbooks"})
    assert (session.amount_total, session.payment_intent, session.payment_status) == (7000, None, "unpaid")
    control(f"/checkout/{session.id}/complete")
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (done.status, done.payment_status, done.customer, done.subscription) == ("complete", "paid", None, None)
    assert (done.payment_intent.status, done.payment_intent.description) == ("succeeded", "Two handbooks")
    assert (done.payment_intent.latest_charge.amount, done.customer_details.email) == (7000, "guest@example.com")
    assert client.v1.checkout.sessions.list({"payment_intent": done.payment_intent.id}).data[0].id == session.id


def test_a_one_off_payment_sends_its_events(forwarding: Receiver, control: Control, buying: Any, customer: Any) -> None:
    session = buying(customer=customer.id)
    types_since(forwarding, control)
    control(f"/checkout/{session.id}/complete")
    assert types_since(forwarding, control) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_a_declined_payment_leaves_the_session_open_with_its_intent(
    client: stripe.StripeClient, control: Control, buying: Any
) -> None:
    session = buying()
    control(f"/checkout/{session.id}/complete", {"payment_method": "pm_card_chargeDeclined"})
    tried = client.v1.checkout.sessions.retrieve(session.id)
    assert (tried.status, client.v1.payment_intents.retrieve(tried.payment_intent).status) == (
        "open",
        "requires_payment_method",
    )
    control(f"/checkout/{session.id}/complete")
    assert client.v1.payment_intents.retrieve(tried.payment_intent).status == "succeeded"


def test_the_card_of_a_one_off_payment_is_kept_when_asked_for(
    client: stripe.StripeClient, control: Control, buying: Any
) -> None:
    session = buying(payment_intent_data={"setup_future_usage": "off_session"}, customer_email="eve@example.com")
    done = control(f"/checkout/{session.id}/complete")["session"]
    assert [m.customer for m in client.v1.customers.payment_methods.list(done["customer"]).data] == [done["customer"]]


def test_a_one_off_payment_with_an_invoice(client: stripe.StripeClient, control: Control, buying: Any) -> None:
    session = buying(invoice_creation={"enabled": True, "invoice_data": {"description": "Thank you"}})
    done = control(f"/checkout/{session.id}/complete")["session"]
    invoice = client.v1.invoices.retrieve(done["invoice"], {"expand": ["payments"]})
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 7000, "manual")
    assert (invoice.parent, invoice.description, len(invoice.lines.data)) == (None, "Thank you", 1)
    assert invoice.payments.data[0].payment.payment_intent == done["payment_intent"]


def test_prices_can_be_made_on_the_spot(client: stripe.StripeClient, control: Control, buying: Any) -> None:
    data = {"currency": "eur", "unit_amount": 900, "product_data": {"name": "Sticker"}}
    session = buying(line_items=[{"price_data": data, "quantity": 3}])
    line = client.v1.checkout.sessions.line_items.list(session.id).data[0]
    assert (session.amount_total, line.description, line.price.type) == (2700, "Sticker", "one_time")


def test_a_session_in_setup_mode_saves_a_card(
    client: stripe.StripeClient, forwarding: Receiver, control: Control, buying: Any, customer: Any
) -> None:
    session = buying("setup", customer=customer.id, setup_intent_data={"metadata": {"for": "later"}})
    assert (session.amount_total, session.payment_status) == (None, "no_payment_required")
    types_since(forwarding, control)
    control(f"/checkout/{session.id}/complete")
    intent = client.v1.setup_intents.retrieve(session.setup_intent)
    assert (intent.status, intent.metadata["for"], intent.customer) == ("succeeded", "later", customer.id)
    assert client.v1.payment_methods.retrieve(intent.payment_method).customer == customer.id
    saved = ["payment_method.attached", "setup_intent.succeeded", "checkout.session.completed"]
    assert types_since(forwarding, control) == saved


def test_a_refused_card_is_not_saved(client: stripe.StripeClient, control: Control, buying: Any, customer: Any) -> None:
    session = buying("setup", customer=customer.id)
    control(f"/checkout/{session.id}/complete", {"payment_method": "pm_card_chargeDeclined"})
    intent = client.v1.setup_intents.retrieve(session.setup_intent)
    assert (intent.last_setup_error.code, intent.status) == ("card_declined", "requires_payment_method")
    control(f"/checkout/{session.id}/complete", {"outcome": "authentication_failed"})
    intent = client.v1.setup_intents.retrieve(session.setup_intent)
    assert intent.last_setup_error.code == "setup_intent_authentication_failure"


@pytest.mark.parametrize("with_invoice", [False, True])
def test_a_delayed_payment_is_unpaid_until_the_bank_says_yes(
    client: stripe.StripeClient, forwarding: Receiver, control: Control, buying: Any, with_invoice: bool
) -> None:
    session = buying(invoice_creation={"enabled": with_invoice})
    done = control(f"/checkout/{session.id}/complete", {"outcome": "processing"})
    assert (done["outcome"], done["session"]["status"], done["session"]["payment_status"]) == (
        "processing",
        "complete",
        "unpaid",
    )
    assert client.v1.payment_intents.retrieve(done["session"]["payment_intent"]).status == "processing"
    types_since(forwarding, control)
    control(f"/checkout/{session.id}/complete", {"outcome": "paid"})
    assert types_since(forwarding, control)[-1] == "checkout.session.async_payment_succeeded" or with_invoice
    settled = client.v1.checkout.sessions.retrieve(session.id)
    assert (settled.payment_status, bool(settled.invoice)) == ("paid", with_invoice)
    assert "nothing can be done" in control(f"/checkout/{session.id}/complete", {"outcome": "paid"})["error"]["message"]


def test_a_delayed_payment_that_the_bank_refuses(
    client: stripe.StripeClient, forwarding: Receiver, control: Control, buying: Any
) -> None:
    session = buying()
    control(f"/checkout/{session.id}/complete", {"outcome": "processing"})
    types_since(forwarding, control)
    refused = control(f"/checkout/{session.id}/complete", {"outcome": "declined"})
    assert (refused["outcome"], refused["error"]["code"]) == ("declined", "card_declined")
    assert types_since(forwarding, control) == [
        "charge.failed",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ]
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"


def test_a_subscription_bought_by_a_delayed_payment_waits_for_it(
    client: stripe.StripeClient, control: Control, checkout: Any
) -> None:
    session = checkout()
    done = control(f"/checkout/{session.id}/complete", {"outcome": "processing"})["session"]
    sub = client.v1.subscriptions.retrieve(done["subscription"], {"expand": ["latest_invoice"]})
    assert (done["payment_status"], sub.status, sub.latest_invoice.status) == ("unpaid", "incomplete", "open")
    control("/advance", {"seconds": 72 * HOUR})
    paid = control(f"/checkout/{session.id}/complete", {"outcome": "paid"})["session"]
    sub = client.v1.subscriptions.retrieve(sub.id, {"expand": ["latest_invoice"]})
    assert (paid["payment_status"], sub.status, sub.latest_invoice.status) == ("paid", "active", "paid")


def test_a_subscription_whose_delayed_payment_is_refused_expires(
    client: stripe.StripeClient, control: Control, checkout: Any
) -> None:
    session = checkout()
    done = control(f"/checkout/{session.id}/complete", {"outcome": "processing"})["session"]
    control(f"/checkout/{session.id}/complete", {"outcome": "declined"})
    assert client.v1.subscriptions.retrieve(done["subscription"]).status == "incomplete"
    control("/advance", {"seconds": 24 * HOUR})
    assert client.v1.subscriptions.retrieve(done["subscription"]).status == "incomplete_expired"


@pytest.mark.parametrize(
    ("mode", "more", "words"),
    [
        ("payment", {"subscription_data": {"trial_period_days": 3}}, "You can not pass `subscription_data`"),
        ("setup", {"line_items": [{"price": "price_x"}]}, "You can not pass `line_items`"),
        ("setup", {"invoice_creation": {"enabled": True}}, "You can not pass `invoice_creation`"),
        ("payment", {"line_items": []}, "Missing required param: line_items"),
    ],
)
def test_what_a_mode_does_not_have_is_refused(buying: Any, mode: str, more: Any, words: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=words):
        buying(mode, **more)


def test_a_recurring_price_is_not_for_a_one_off_payment(buying: Any, price: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="passed a recurring price"):
        buying(line_items=[{"price": price.id, "quantity": 1}])


def test_nothing_can_be_processing_where_nothing_is_paid(control: Control, buying: Any, customer: Any) -> None:
    session = buying("setup", customer=customer.id)
    refused = control(f"/checkout/{session.id}/complete", {"outcome": "processing"})
    assert "nothing to pay" in refused["error"]["message"]


def test_a_subscription_is_bought_at_a_price_made_for_it(
    client: stripe.StripeClient, control: Control, checkout: Any, price: Any
) -> None:
    data = {"currency": "usd", "product": price.product, "unit_amount": 1234, "recurring": {"interval": "week"}}
    session = checkout(line_items=[{"price_data": data, "quantity": 2}])
    assert session.amount_total == 2468
    done = control(f"/checkout/{session.id}/complete")["session"]
    sub = client.v1.subscriptions.retrieve(done["subscription"])
    made = sub["items"]["data"][0].price
    assert (made.unit_amount, made.recurring.interval, made.active) == (1234, "week", False)
    data["unit_amount"] = 999
    changed = client.v1.subscriptions.update(
        sub.id, {"items": [{"id": sub["items"]["data"][0].id, "price_data": data}]}
    )
    assert changed["items"]["data"][0].price.unit_amount == 999
    with pytest.raises(stripe.InvalidRequestError, match="and not both"):
        checkout(line_items=[{"price": price.id, "price_data": data, "quantity": 1}])


def test_a_subscription_is_bought_with_something_once(
    client: stripe.StripeClient, control: Control, checkout: Any, price: Any
) -> None:
    fee = client.v1.prices.create({"product": price.product, "currency": "usd", "unit_amount": 500})
    lines = [{"price": price.id, "quantity": 1}, {"price": fee.id, "quantity": 2}]
    session = checkout(line_items=lines)
    assert session.amount_total == 3000
    done = control(f"/checkout/{session.id}/complete")["session"]
    sub = client.v1.subscriptions.retrieve(done["subscription"], {"expand": ["latest_invoice"]})
    assert (sub.latest_invoice.amount_paid, len(sub["items"]["data"])) == (3000, 1)
    trial = checkout(line_items=lines, subscription_data={"trial_period_days": 7})
    assert trial.amount_total == 1000
    begun = control(f"/checkout/{trial.id}/complete")["session"]
    assert begun["payment_status"] == "paid"
    assert client.v1.subscriptions.retrieve(begun["subscription"]).status == "trialing"
    with pytest.raises(stripe.InvalidRequestError, match="at least one recurring price"):
        checkout(line_items=[{"price": fee.id, "quantity": 1}])
