"""What a Checkout session is made with reaches what comes of it; sessions are found by it."""

from typing import Any

import pytest
import stripe

from .conftest import Checked, Control
from .test_checkout_pages import BOOK, RETURN
from .test_pages import Browser

DAY = 86400
PAYING: Any = {"mode": "payment", "line_items": [BOOK], "success_url": RETURN}


def test_a_payments_data_reach_the_payment_and_its_invoice(
    client: stripe.StripeClient, control: Control, sandbox: Checked
) -> None:
    fields: Any = [{"name": "Order", "value": "7"}]
    invoice: Any = {"footer": "Bye", "metadata": {"k": "v"}, "custom_fields": fields}
    session = client.v1.checkout.sessions.create(
        {
            **PAYING,
            "customer_creation": "always",
            "invoice_creation": {"enabled": True, "invoice_data": invoice},
            "payment_intent_data": {"metadata": {"order": "7"}, "receipt_email": "eve@example.com"},
            "submit_type": "donate",
            "locale": "fr",
            "integration_identifier": "shop-1",
        }
    )
    assert "Donate $35.00" in Browser(sandbox.url).ask("GET", str(session.url))[1]
    done = control(f"/checkout/{session.id}/complete", {"email": "eve@example.com"})["session"]
    intent = client.v1.payment_intents.retrieve(done["payment_intent"])
    assert (intent.metadata["order"], intent.receipt_email) == ("7", "eve@example.com")
    made = client.v1.invoices.retrieve(done["invoice"])
    assert (made.footer, made.metadata["k"], made.custom_fields[0].name) == ("Bye", "v", "Order")
    assert client.v1.customers.retrieve(done["customer"]).email == "eve@example.com"
    assert (done["locale"], done["integration_identifier"]) == ("fr", "shop-1")


def test_a_guest_who_need_not_be_kept_is_not(client: stripe.StripeClient, control: Control) -> None:
    session = client.v1.checkout.sessions.create({**PAYING, "customer_creation": "if_required"})
    assert control(f"/checkout/{session.id}/complete", {"email": "eve@example.com"})["session"]["customer"] is None


def test_a_trial_until_an_instant_and_a_description_reach_the_subscription(
    client: stripe.StripeClient, control: Control, checkout: Any, sandbox: Checked
) -> None:
    ends = sandbox.state.now() + 10 * DAY
    session = checkout(subscription_data={"trial_end": ends, "description": "The plan"}, submit_type="subscribe")
    sub = client.v1.subscriptions.retrieve(control(f"/checkout/{session.id}/complete")["session"]["subscription"])
    assert (sub.trial_end, sub.status, sub.description) == (ends, "trialing", "The plan")


def test_a_setup_has_its_description(client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "success_url": RETURN, "setup_intent_data": {"description": "For later"}}
    )
    assert client.v1.setup_intents.retrieve(str(session.setup_intent)).description == "For later"


def test_sessions_are_found_by_what_came_of_them(
    client: stripe.StripeClient, control: Control, checkout: Any, customer: stripe.Customer
) -> None:
    other = client.v1.checkout.sessions.create({**PAYING, "customer_email": "eve@example.com"})
    session = checkout()
    sub = control(f"/checkout/{session.id}/complete")["session"]["subscription"]

    def found(**asked: Any) -> list[str]:
        params: Any = asked
        return [row.id for row in client.v1.checkout.sessions.list(params).data]

    assert found(customer=customer.id) == found(subscription=sub) == [session.id]
    assert found(customer_details={"email": "eve@example.com"}) == [other.id]
    assert found(created={"gt": session.created + 1}) == []
    assert found(status="open") == [other.id]


def test_ways_to_pay_that_are_excluded_are_not_taken(
    client: stripe.StripeClient, control: Control, price: stripe.Price, customer: stripe.Customer
) -> None:
    line: Any = {"price": price.id, "quantity": 1}
    params: Any = {"mode": "subscription", "customer": customer.id, "line_items": [line], "success_url": RETURN}
    session = client.v1.checkout.sessions.create({**params, "excluded_payment_method_types": ["card"]})
    assert (session.excluded_payment_method_types, session.payment_method_types) == (["card"], [])
    refused = control(f"/checkout/{session.id}/complete", {"payment_method": "pm_card_visa"})
    assert "excludes card" in refused["error"]["message"]
    named: Any = {"payment_method_types": ["card"], "excluded_payment_method_types": ["sepa_debit"]}
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        client.v1.checkout.sessions.create({**params, **named})
