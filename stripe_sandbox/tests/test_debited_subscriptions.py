"""Subscriptions paid by bank debit: the first payment, renewals, retries, and the ways to buy them."""

from typing import Any

import pytest
import stripe

from .conftest import Checked, Control

DAY, HOUR = 86_400, 3_600
SUCCESS, FAILS = "pm_usBankAccount_success", "pm_usBankAccount_insufficientFunds"


@pytest.fixture
def bought(client: stripe.StripeClient, customer: stripe.Customer, price: stripe.Price) -> Any:
    def buy(token: str = SUCCESS, **more: Any) -> stripe.Subscription:
        method = client.v1.payment_methods.attach(token, {"customer": customer.id})
        wanted: Any = {"customer": customer.id, "items": [{"price": price.id}], "default_payment_method": method.id}
        return client.v1.subscriptions.create({**wanted, "expand": ["latest_invoice"], **more})

    return buy


def intent_of(client: stripe.StripeClient, invoice: str) -> Any:
    payment: Any = client.v1.invoice_payments.list({"invoice": invoice}).data[0].payment
    return client.v1.payment_intents.retrieve(payment.payment_intent)


def standing(client: stripe.StripeClient, sub: str) -> tuple[str, str, str]:
    """Return the standing of the subscription, its latest invoice and that one's payment."""
    row: Any = client.v1.subscriptions.retrieve(sub, {"expand": ["latest_invoice"]})
    return row.status, row.latest_invoice.status, intent_of(client, row.latest_invoice.id).status


def renewed(client: stripe.StripeClient, control: Control, sub: str) -> str:
    """The invoice of the next renewal, its debit at the bank."""
    ends: Any = client.v1.subscriptions.retrieve(sub)
    control("/advance", {"to": ends["items"].data[0].current_period_end + 2 * HOUR})
    return str(client.v1.subscriptions.retrieve(sub).latest_invoice)


def told(sandbox: Checked, since: int) -> list[str]:
    return [event["type"] for event in sandbox.events()[since:]]


def test_a_first_debit_leaves_the_subscription_incomplete_until_its_bank_has_paid(
    client: stripe.StripeClient, control: Control, bought: Any, sandbox: Checked
) -> None:
    sub = bought()
    assert standing(client, sub.id) == ("incomplete", "open", "processing")
    assert (sub.latest_invoice.attempted, sub.latest_invoice.attempt_count) == (True, 1)
    control("/advance", {"seconds": 2 * DAY})
    assert standing(client, sub.id) == ("incomplete", "open", "processing")
    since = len(sandbox.events())
    control(f"/payments/{intent_of(client, sub.latest_invoice.id).id}", {"outcome": "succeeded"})
    assert standing(client, sub.id) == ("active", "paid", "succeeded")
    assert told(sandbox, since) == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "customer.subscription.updated",
    ]


def test_a_first_debit_that_fails_leaves_23_hours_for_another(
    client: stripe.StripeClient, control: Control, bought: Any, customer: stripe.Customer
) -> None:
    sub = bought(FAILS)
    control("/advance", {"seconds": 5 * DAY + 60})
    assert standing(client, sub.id) == ("incomplete", "open", "requires_payment_method")
    control("/advance", {"seconds": 22 * HOUR})
    assert standing(client, sub.id)[0] == "incomplete"
    control("/advance", {"seconds": 2 * HOUR})
    assert standing(client, sub.id) == ("incomplete_expired", "void", "canceled")


def test_another_debit_within_the_23_hours_is_waited_for(
    client: stripe.StripeClient, control: Control, bought: Any
) -> None:
    sub = bought(FAILS)
    control("/advance", {"seconds": 5 * DAY + 60})
    client.v1.invoices.pay(sub.latest_invoice.id, {"payment_method": SUCCESS})
    control("/advance", {"seconds": 2 * DAY})
    assert standing(client, sub.id) == ("incomplete", "open", "processing")
    control("/advance", {"seconds": 4 * DAY})
    assert standing(client, sub.id)[:2] == ("active", "paid")


def test_a_renewal_stays_active_while_its_debit_is_processing(
    client: stripe.StripeClient, control: Control, bought: Any
) -> None:
    sub = bought()
    control("/advance", {"seconds": 6 * DAY})
    invoice = renewed(client, control, sub.id)
    assert standing(client, sub.id) == ("active", "open", "processing")
    with pytest.raises(stripe.InvalidRequestError, match="processing"):
        client.v1.invoices.void_invoice(invoice)
    with pytest.raises(stripe.InvalidRequestError, match="processing"):
        client.v1.invoices.pay(invoice)
    control("/advance", {"seconds": 6 * DAY})
    assert standing(client, sub.id) == ("active", "paid", "succeeded")
    assert client.v1.invoices.retrieve(invoice).attempt_count == 1


def test_a_renewal_that_fails_is_past_due_and_tried_again(
    client: stripe.StripeClient, control: Control, bought: Any, sandbox: Checked
) -> None:
    sub = bought()
    control("/advance", {"seconds": 6 * DAY})
    invoice = renewed(client, control, sub.id)
    since = len(sandbox.events())
    control(f"/payments/{intent_of(client, invoice).id}", {"outcome": "failed", "code": "insufficient_funds"})
    assert told(sandbox, since) == [
        "charge.failed",
        "payment_intent.payment_failed",
        "invoice.updated",
        "invoice.payment_failed",
        "customer.subscription.updated",
    ]
    assert standing(client, sub.id) == ("past_due", "open", "requires_payment_method")
    control("/advance", {"seconds": 3 * DAY + HOUR})
    assert standing(client, sub.id) == ("past_due", "open", "processing")
    assert client.v1.invoices.retrieve(invoice).attempt_count == 2
    control("/advance", {"seconds": 6 * DAY})
    assert standing(client, sub.id)[:2] == ("active", "paid")


def test_an_account_that_forbids_debits_is_not_debited_again(
    client: stripe.StripeClient, control: Control, bought: Any
) -> None:
    sub = bought()
    control("/advance", {"seconds": 6 * DAY})
    invoice = renewed(client, control, sub.id)
    control(f"/payments/{intent_of(client, invoice).id}", {"outcome": "failed", "code": "debit_not_authorized"})
    before = len(client.v1.charges.list().data)
    with pytest.raises(stripe.InvalidRequestError, match="no existing mandate"):
        client.v1.invoices.pay(invoice)
    control("/advance", {"seconds": 4 * DAY})
    assert standing(client, sub.id) == ("past_due", "open", "requires_payment_method")
    assert len(client.v1.charges.list().data) == before


def test_a_debit_that_succeeds_after_the_subscription_ended_pays_its_invoice_and_revives_nothing(
    client: stripe.StripeClient, control: Control, bought: Any
) -> None:
    sub = bought()
    client.v1.subscriptions.cancel(sub.id)
    control("/advance", {"seconds": 6 * DAY})
    assert standing(client, sub.id) == ("canceled", "paid", "succeeded")


def test_another_customer_hears_nothing_of_a_debit(
    client: stripe.StripeClient, control: Control, bought: Any, subscribed: Any, price: stripe.Price
) -> None:
    other = client.v1.customers.create({"payment_method": "pm_card_visa"})
    other_method = client.v1.payment_methods.list({"customer": other.id}).data[0].id
    wanted: Any = {"customer": other.id, "items": [{"price": price.id}], "default_payment_method": other_method}
    bystander = client.v1.subscriptions.create(wanted)
    sub = bought(FAILS)
    control("/advance", {"seconds": 7 * DAY})
    assert standing(client, sub.id)[0] == "incomplete_expired"
    assert client.v1.subscriptions.retrieve(bystander.id).to_dict() == bystander.to_dict()


def test_a_pending_update_is_refused_for_bank_debits(
    client: stripe.StripeClient, control: Control, bought: Any, price: stripe.Price
) -> None:
    sub = bought()
    control("/advance", {"seconds": 6 * DAY})
    more: Any = {"items": [{"id": sub["items"].data[0].id, "quantity": 2}], "proration_behavior": "always_invoice"}
    with pytest.raises(stripe.InvalidRequestError, match="not supported for payments by bank debit") as refused:
        client.v1.subscriptions.update(sub.id, {**more, "payment_behavior": "pending_if_incomplete"})
    assert refused.value.param == "payment_behavior"
    changed = client.v1.subscriptions.update(sub.id, more)
    assert (changed["items"].data[0].quantity, standing(client, sub.id)) == (2, ("active", "open", "processing"))


def test_the_quickstart_confirms_the_first_invoice_with_an_account(
    client: stripe.StripeClient, control: Control, customer: stripe.Customer, price: stripe.Price
) -> None:
    settings: Any = {"save_default_payment_method": "on_subscription"}
    wanted: Any = {"customer": customer.id, "items": [{"price": price.id}], "payment_behavior": "default_incomplete"}
    sub = client.v1.subscriptions.create({**wanted, "payment_settings": settings})
    intent = intent_of(client, str(sub.latest_invoice))
    accepted: Any = {"customer_acceptance": {"type": "offline"}}
    with pytest.raises(stripe.InvalidRequestError, match="no existing mandate"):
        client.v1.payment_intents.confirm(intent.id, {"payment_method": SUCCESS})
    client.v1.payment_intents.confirm(intent.id, {"payment_method": SUCCESS, "mandate_data": accepted})
    assert standing(client, sub.id) == ("incomplete", "open", "processing")
    control("/advance", {"seconds": 6 * DAY})
    assert standing(client, sub.id) == ("active", "paid", "succeeded")
    method = client.v1.payment_methods.retrieve(str(client.v1.subscriptions.retrieve(sub.id).default_payment_method))
    assert (method.type, method.customer) == ("us_bank_account", customer.id)
