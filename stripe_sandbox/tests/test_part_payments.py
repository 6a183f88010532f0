"""An invoice is paid in parts, by payment intents that are attached to it."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from .conftest import Checked, Control

Opened = Callable[..., stripe.Invoice]


@pytest.fixture
def opened(client: stripe.StripeClient, customer: stripe.Customer) -> Opened:
    """Make open invoices over 50.00."""

    def make(**more: Any) -> stripe.Invoice:
        draft = client.v1.invoices.create({"customer": customer.id, "auto_advance": False, **more})
        client.v1.invoice_items.create(
            {"customer": customer.id, "invoice": draft.id, "amount": 5000, "currency": "usd"}
        )
        return client.v1.invoices.finalize_invoice(draft.id)

    return make


@pytest.fixture
def intended(client: stripe.StripeClient, customer: stripe.Customer) -> Callable[..., stripe.PaymentIntent]:
    def make(amount: int, **more: Any) -> stripe.PaymentIntent:
        card: Any = {
            "payment_method": "pm_card_visa",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
        return client.v1.payment_intents.create(
            {"amount": amount, "currency": "usd", "customer": customer.id, **card, **more}
        )

    return make


def amounts(invoice: stripe.Invoice) -> tuple[str | None, int, int, int]:
    return invoice.status, invoice.amount_paid, invoice.amount_remaining, invoice.amount_overpaid


def test_two_parts_pay_an_invoice(client: stripe.StripeClient, opened: Opened, intended: Any, sandbox: Checked) -> None:
    invoice = opened()
    first, second = intended(2000), intended(3000, confirm=True)
    attached = client.v1.invoices.attach_payment(invoice.id, {"payment_intent": first.id, "expand": ["payments"]})
    assert [(row.is_default, row.status, row.amount_requested) for row in attached.payments.data] == [
        (False, "open", 2000),
        (True, "open", 5000),
    ]
    client.v1.payment_intents.confirm(first.id)
    after = client.v1.invoices.retrieve(invoice.id)
    assert amounts(after) == ("open", 2000, 3000, 0)
    default = client.v1.invoice_payments.list({"invoice": invoice.id, "status": "open"}).data[0]
    assert (default.is_default, default.amount_requested) == (True, 3000)
    waiting = client.v1.payment_intents.retrieve(str(default.payment.payment_intent))
    assert (waiting.amount, waiting.status) == (3000, "requires_payment_method")

    paid = client.v1.invoices.attach_payment(invoice.id, {"payment_intent": second.id})
    assert amounts(paid) == ("paid", 5000, 0, 0)
    assert client.v1.payment_intents.retrieve(waiting.id).status == "canceled"
    assert client.v1.invoice_payments.retrieve(default.id).status == "canceled"
    types = [event["type"] for event in sandbox.events()]
    assert (types.count("invoice_payment.paid"), types.count("invoice.paid")) == (2, 1)
    found = client.v1.invoice_payments.list({"payment": {"type": "payment_intent", "payment_intent": second.id}}).data
    assert [(row.amount_paid, row.invoice) for row in found] == [(3000, invoice.id)]


def test_the_rest_is_paid_by_the_invoices_own_payment(
    client: stripe.StripeClient, opened: Opened, intended: Any
) -> None:
    invoice = opened()
    client.v1.invoices.attach_payment(invoice.id, {"payment_intent": intended(2000, confirm=True).id})
    paid = client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})
    assert amounts(paid) == ("paid", 5000, 0, 0)
    assert sorted(charge.amount for charge in client.v1.charges.list().data) == [2000, 3000]


def test_what_is_paid_too_much_goes_to_the_customers_balance(
    client: stripe.StripeClient, opened: Opened, intended: Any, customer: stripe.Customer, sandbox: Checked
) -> None:
    invoice = opened()
    first, second = intended(4000), intended(3500)
    for each in (first, second):
        client.v1.invoices.attach_payment(invoice.id, {"payment_intent": each.id})
    client.v1.payment_intents.confirm(first.id)
    client.v1.payment_intents.confirm(second.id)
    assert amounts(client.v1.invoices.retrieve(invoice.id)) == ("paid", 5000, 0, 2500)
    assert client.v1.customers.retrieve(customer.id).balance == -2500
    moved = client.v1.customers.balance_transactions.list(customer.id).data[0]
    assert (moved.type, moved.amount, moved.invoice) == ("invoice_overpaid", -2500, invoice.id)
    overpaid = [event["data"]["object"] for event in sandbox.events() if event["type"] == "invoice.overpaid"]
    assert [(row["amount_overpaid"], row["status"]) for row in overpaid] == [(2500, "paid")]


def test_a_part_that_arrives_after_the_last_one_is_all_too_much(
    client: stripe.StripeClient, opened: Opened, intended: Any
) -> None:
    invoice, late = opened(), intended(1000)
    client.v1.invoices.attach_payment(invoice.id, {"payment_intent": late.id})
    client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})
    client.v1.payment_intents.confirm(late.id)
    assert amounts(client.v1.invoices.retrieve(invoice.id)) == ("paid", 5000, 0, 1000)


def test_a_held_payment_counts_with_what_is_captured(
    client: stripe.StripeClient, opened: Opened, intended: Any
) -> None:
    invoice, held = opened(), intended(3000, capture_method="manual", confirm=True)
    client.v1.invoices.attach_payment(invoice.id, {"payment_intent": held.id})
    assert amounts(client.v1.invoices.retrieve(invoice.id)) == ("open", 0, 5000, 0)
    client.v1.payment_intents.capture(held.id, {"amount_to_capture": 1200})
    assert amounts(client.v1.invoices.retrieve(invoice.id)) == ("open", 1200, 3800, 0)


def test_a_slow_payment_counts_when_its_bank_says_yes(
    client: stripe.StripeClient, opened: Opened, intended: Any, control: Control
) -> None:
    invoice = opened()
    mandate: Any = {"customer_acceptance": {"type": "offline"}}
    slow = intended(2000, payment_method="pm_usBankAccount_success", mandate_data=mandate, confirm=True)
    client.v1.invoices.attach_payment(invoice.id, {"payment_intent": slow.id})
    assert amounts(client.v1.invoices.retrieve(invoice.id)) == ("open", 0, 5000, 0)
    control(f"/payments/{slow.id}", {"outcome": "succeeded"})
    assert amounts(client.v1.invoices.retrieve(invoice.id)) == ("open", 2000, 3000, 0)


def test_a_canceled_part_leaves_the_invoice_as_it_was(
    client: stripe.StripeClient, opened: Opened, intended: Any
) -> None:
    invoice, part = opened(), intended(2000)
    client.v1.invoices.attach_payment(invoice.id, {"payment_intent": part.id})
    with pytest.raises(stripe.InvalidRequestError, match="can't void an invoice that has payments"):
        client.v1.invoices.void_invoice(invoice.id)
    with pytest.raises(stripe.InvalidRequestError, match="open payments"):
        client.v1.invoices.mark_uncollectible(invoice.id)
    client.v1.payment_intents.cancel(part.id)
    statuses = [row.status for row in client.v1.invoice_payments.list({"invoice": invoice.id}).data]
    assert statuses == ["canceled", "open"]
    assert client.v1.invoices.void_invoice(invoice.id).status == "void"


def test_what_was_paid_in_part_is_given_up_but_not_voided(
    client: stripe.StripeClient, opened: Opened, intended: Any
) -> None:
    invoice = opened()
    client.v1.invoices.attach_payment(invoice.id, {"payment_intent": intended(2000, confirm=True).id})
    with pytest.raises(stripe.InvalidRequestError, match="can't void"):
        client.v1.invoices.void_invoice(invoice.id)
    assert client.v1.invoices.mark_uncollectible(invoice.id).status == "uncollectible"


def test_a_subscriptions_invoice_is_paid_in_parts_only_if_it_is_sent(
    client: stripe.StripeClient, customer: Any, price: Any, intended: Any, control: Control
) -> None:
    sent = client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price.id}],
            "collection_method": "send_invoice",
            "days_until_due": 7,
        }
    )
    control("/advance", {"seconds": 4000})
    invoice = client.v1.invoices.retrieve(str(sent.latest_invoice))
    for amount in (800, 1200):
        client.v1.invoices.attach_payment(invoice.id, {"payment_intent": intended(amount, confirm=True).id})
    assert amounts(client.v1.invoices.retrieve(invoice.id)) == ("paid", 2000, 0, 0)
    assert client.v1.subscriptions.retrieve(sent.id).status == "active"

    charged = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "payment_behavior": "default_incomplete"}
    )
    with pytest.raises(stripe.InvalidRequestError, match="not supported for subscription invoices"):
        client.v1.invoices.attach_payment(str(charged.latest_invoice), {"payment_intent": intended(800).id})


def test_what_cannot_be_attached_is_refused(
    client: stripe.StripeClient, opened: Opened, intended: Any, customer: Any
) -> None:
    invoice, part, gone = opened(), intended(2000), intended(500)
    client.v1.payment_intents.cancel(gone.id)
    stranger = client.v1.customers.create({"email": "charlie@example.com"})
    default = client.v1.invoice_payments.list({"invoice": invoice.id}).data[0].payment.payment_intent
    client.v1.invoices.attach_payment(invoice.id, {"payment_intent": part.id})
    for intent, words in (
        (part.id, "attached to an invoice already"),
        (default, "attached to an invoice already"),
        (intended(5001).id, "greater than the amount remaining"),
        (intended(900, customer=stranger.id).id, "customer and the currency"),
        (intended(900, currency="eur").id, "customer and the currency"),
        (gone.id, "canceled cannot be attached"),
        ("pi_none", "No such payment_intent"),
    ):
        with pytest.raises(stripe.InvalidRequestError, match=words):
            client.v1.invoices.attach_payment(invoice.id, {"payment_intent": str(intent)})
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param: payment_intent"):
        client.v1.invoices.attach_payment(invoice.id)
    draft = client.v1.invoices.create({"customer": customer.id})
    with pytest.raises(stripe.InvalidRequestError, match="open invoices"):
        client.v1.invoices.attach_payment(draft.id, {"payment_intent": intended(900).id})


def test_the_invoices_own_payment_is_not_canceled_by_hand_and_ends_with_a_payment_elsewhere(
    client: stripe.StripeClient, opened: Opened
) -> None:
    invoice = opened()
    own = str(client.v1.invoice_payments.list({"invoice": invoice.id}).data[0].payment.payment_intent)
    with pytest.raises(stripe.InvalidRequestError, match="default payment of an invoice"):
        client.v1.payment_intents.cancel(own)
    paid = client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True})
    assert amounts(paid) == ("paid", 5000, 0, 0)
    assert client.v1.payment_intents.retrieve(own).status == "canceled"


def test_a_credit_note_takes_first_what_is_left_then_what_was_paid(
    client: stripe.StripeClient, opened: Opened, intended: Any
) -> None:
    invoice = opened()
    client.v1.invoices.attach_payment(invoice.id, {"payment_intent": intended(2000, confirm=True).id})
    with pytest.raises(stripe.InvalidRequestError, match="must equal the post-payment amount: 500"):
        client.v1.credit_notes.create({"invoice": invoice.id, "amount": 3500})
    note = client.v1.credit_notes.create({"invoice": invoice.id, "amount": 3500, "refund_amount": 500})
    assert (note.type, note.pre_payment_amount, note.post_payment_amount) == ("mixed", 3000, 500)
    after = client.v1.invoices.retrieve(invoice.id)
    assert amounts(after) == ("paid", 2000, 0, 0)
    assert client.v1.refunds.retrieve(str(note.refunds[0].refund)).amount == 500
