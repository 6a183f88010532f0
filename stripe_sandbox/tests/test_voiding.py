"""Invoices that are voided, and what becomes of their subscriptions (https://docs.stripe.com/billing/subscriptions/overview)."""

from typing import Any

import pytest
import stripe

from .conftest import Control
from .test_billing_cycle import fresh, renew, use_card


def last_invoice(client: stripe.StripeClient, sub: Any) -> str:
    return str(fresh(client, sub).latest_invoice.id)


def test_voiding_the_first_invoice_of_an_incomplete_subscription_expires_it(
    client: stripe.StripeClient, customer: Any, price: Any
) -> None:
    sub = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "payment_behavior": "default_incomplete"}
    )
    client.v1.invoices.void_invoice(last_invoice(client, sub))
    expired = fresh(client, sub)
    assert (expired.status, expired.ended_at is None) == ("incomplete_expired", False)


def test_voiding_the_only_invoice_of_a_subscription_past_due_makes_it_active(
    client: stripe.StripeClient, control: Control, customer: Any, price: Any
) -> None:
    sub = client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price.id}],
            "collection_method": "send_invoice",
            "days_until_due": 1,
        }
    )
    control("/advance", {"seconds": 3 * 86400})
    assert fresh(client, sub).status == "past_due"
    client.v1.invoices.void_invoice(last_invoice(client, sub))
    assert fresh(client, sub).status == "active"


@pytest.mark.parametrize(("first", "status"), [("pm_card_visa", "active"), ("pm_card_chargeCustomerFail", "past_due")])
def test_voiding_the_latest_invoice_looks_back_to_the_last_that_is_not_void(
    client: stripe.StripeClient, control: Control, subscribed: Any, first: str, status: str
) -> None:
    control("/settings", {"after_last_retry": "past_due", "retry_days": []})
    sub = subscribed()
    use_card(client, sub, first)
    renew(control, sub)
    before = last_invoice(client, sub)
    use_card(client, sub, "pm_card_chargeCustomerFail")
    renew(control, fresh(client, sub))
    assert (fresh(client, sub).status, last_invoice(client, sub) != before) == ("past_due", True)
    client.v1.invoices.void_invoice(last_invoice(client, sub))
    assert fresh(client, sub).status == status


@pytest.mark.parametrize("act", ["void_invoice", "mark_uncollectible", "pay"])
def test_the_invoice_before_one_that_was_voided_decides_from_then_on(
    client: stripe.StripeClient, control: Control, subscribed: Any, act: str
) -> None:
    control("/settings", {"after_last_retry": "past_due", "retry_days": []})
    sub = subscribed()
    use_card(client, sub, "pm_card_chargeCustomerFail")
    renew(control, sub)
    before = last_invoice(client, sub)
    renew(control, fresh(client, sub))
    client.v1.invoices.void_invoice(last_invoice(client, sub))
    assert fresh(client, sub).status == "past_due"
    use_card(client, sub, "pm_card_visa")
    getattr(client.v1.invoices, act)(before)
    assert fresh(client, sub).status == "active"


def test_a_payment_that_is_processing_keeps_its_invoice(
    client: stripe.StripeClient, control: Control, checkout: Any
) -> None:
    session = checkout()
    control(f"/checkout/{session.id}/complete", {"outcome": "processing"})
    invoice = client.v1.invoices.list().data[0]
    with pytest.raises(stripe.InvalidRequestError, match="processing"):
        client.v1.invoices.void_invoice(invoice.id)
    assert client.v1.invoices.retrieve(invoice.id).status == "open"
    control(f"/checkout/{session.id}/complete", {"outcome": "paid"})
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"
