"""Checkout: from the session to the paid subscription."""

from typing import Any

import pytest
import stripe

from .conftest import Control, Receiver

OBSERVED = """charge.succeeded payment_method.attached checkout.session.completed customer.updated
customer.subscription.created payment_intent.succeeded payment_intent.created invoice.created invoice.finalized
invoice.paid invoice.payment_succeeded invoice_payment.paid""".split()


def test_a_paid_checkout_sends_the_events_in_the_order_seen_at_stripe(
    forwarding: Receiver, control: Control, checkout: Any
) -> None:
    session = checkout()
    control("/settle")
    forwarding.received.clear()
    control(f"/checkout/{session.id}/complete")
    control("/settle")
    assert forwarding.types() == OBSERVED


def test_there_is_no_subscription_before_payment(client: stripe.StripeClient, checkout: Any, customer: Any) -> None:
    session = checkout()
    assert (session.status, session.payment_status, session.subscription) == ("open", "unpaid", None)
    assert client.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data == []


def test_the_subscription_is_active_with_its_card_metadata_and_period(
    client: stripe.StripeClient, subscribed: Any
) -> None:
    sub = subscribed()
    method = client.v1.payment_methods.retrieve(sub.default_payment_method)
    item = sub["items"]["data"][0]
    assert (sub.status, sub.metadata["attempt"], method.card.last4) == ("active", "1", "4242")
    assert 28 * 86400 <= item.current_period_end - item.current_period_start <= 31 * 86400
    assert item.current_period_start == sub.start_date


def test_the_subscriptions_metadata_reaches_the_invoice(client: stripe.StripeClient, subscribed: Any) -> None:
    sub = subscribed()
    invoice = client.v1.invoices.retrieve(sub.latest_invoice)
    assert invoice.parent.subscription_details.metadata["attempt"] == "1"
    assert (invoice.status, invoice.amount_paid, invoice.attempt_count) == ("paid", 2000, 0)


def test_a_declined_card_leaves_the_session_open(client: stripe.StripeClient, control: Control, checkout: Any) -> None:
    session = checkout()
    answer = control(f"/checkout/{session.id}/complete", {"payment_method": "pm_card_chargeDeclined"})
    assert (answer["outcome"], answer["error"]["decline_code"]) == ("declined", "generic_decline")
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert control(f"/checkout/{session.id}/complete")["outcome"] == "paid"


def test_failed_3d_secure_leaves_the_session_open(control: Control, checkout: Any) -> None:
    body = {"payment_method": "pm_card_authenticationRequired", "outcome": "authentication_failed"}
    answer = control(f"/checkout/{checkout().id}/complete", body)
    assert (answer["outcome"], answer["session"]["status"]) == ("authentication_failed", "open")


def test_a_trial_starts_without_a_payment(client: stripe.StripeClient, subscribed: Any) -> None:
    sub = subscribed(subscription_data={"trial_period_days": 14})
    invoice = client.v1.invoices.retrieve(sub.latest_invoice)
    assert (sub.status, sub.trial_end - sub.trial_start, invoice.amount_due) == ("trialing", 14 * 86400, 0)
    assert client.v1.invoice_payments.list({"invoice": invoice.id}).data == []


def test_an_abandoned_session_expires_after_a_day(client: stripe.StripeClient, control: Control, checkout: Any) -> None:
    session = checkout()
    control("/advance", {"seconds": 86401})
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert [e.type for e in client.v1.events.list({"limit": 1}).data] == ["checkout.session.expired"]


def test_a_session_can_be_expired_once(client: stripe.StripeClient, checkout: Any) -> None:
    session = checkout()
    assert client.v1.checkout.sessions.expire(session.id).url is None
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        client.v1.checkout.sessions.expire(session.id)


def test_without_a_customer_one_is_made(client: stripe.StripeClient, control: Control, price: Any) -> None:
    params: Any = {
        "mode": "subscription",
        "customer_email": "bob@example.com",
        "line_items": [{"price": price.id, "quantity": 1}],
        "success_url": "http://127.0.0.1/",
    }
    session = client.v1.checkout.sessions.create(params)
    done = control(f"/checkout/{session.id}/complete")["session"]
    assert client.v1.customers.retrieve(done["customer"]).email == "bob@example.com"


def test_line_items_are_shown_when_expanded(client: stripe.StripeClient, checkout: Any) -> None:
    session = client.v1.checkout.sessions.retrieve(
        checkout().id, {"expand": ["line_items", "line_items.data.discounts"]}
    )
    assert session.line_items.data[0].amount_total == 2000
    assert client.v1.checkout.sessions.line_items.list(session.id).data[0].price.lookup_key == "pro"
