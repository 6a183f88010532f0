"""Credit notes: of open invoices, of paid ones, what they refuse, and voiding them."""

from typing import Any

import pytest
import stripe

from .conftest import Checked, Control


@pytest.fixture
def opened(client: stripe.StripeClient, customer: stripe.Customer) -> Any:
    """A new open invoice over 50.00, of two lines."""

    def make() -> stripe.Invoice:
        draft = client.v1.invoices.create({"customer": customer.id, "auto_advance": False})
        product = client.v1.products.create({"name": "Hours"})
        hour = client.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 1000})
        item: Any = {"customer": customer.id, "invoice": draft.id}
        client.v1.invoice_items.create({**item, "pricing": {"price": hour.id}, "quantity": 2})
        client.v1.invoice_items.create({**item, "amount": 3000, "currency": "usd"})
        return client.v1.invoices.finalize_invoice(draft.id)

    return make


def paid(client: stripe.StripeClient, subscribed: Any) -> stripe.Invoice:
    return client.v1.invoices.retrieve(str(subscribed().latest_invoice))


def test_a_note_on_an_open_invoice_lowers_what_is_left_to_pay(
    client: stripe.StripeClient, opened: Any, sandbox: Checked
) -> None:
    invoice, other = opened(), opened()
    note = client.v1.credit_notes.create(
        {"invoice": invoice.id, "amount": 1200, "memo": "Sorry", "metadata": {"a": "b"}}
    )
    assert (note.type, note.pre_payment_amount, note.total, note.number) == (
        "pre_payment",
        1200,
        1200,
        f"{invoice.number}-CN-01",
    )
    after = client.v1.invoices.retrieve(invoice.id)
    assert (after.amount_remaining, after.pre_payment_credit_notes_amount, after.status) == (3800, 1200, "open")
    client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})
    assert client.v1.invoices.retrieve(invoice.id).amount_paid == 3800
    assert client.v1.invoices.retrieve(other.id).to_dict() == other.to_dict()
    created = [event for event in sandbox.events() if event["type"] == "credit_note.created"]
    assert [event["data"]["object"]["metadata"] for event in created] == [{"a": "b"}]


def test_a_note_over_all_that_is_left_pays_the_invoice(client: stripe.StripeClient, opened: Any) -> None:
    invoice = opened()
    client.v1.credit_notes.create({"invoice": invoice.id, "amount": 4999})
    assert client.v1.invoices.retrieve(invoice.id).status == "open"
    client.v1.credit_notes.create({"invoice": invoice.id, "amount": 1})
    after = client.v1.invoices.retrieve(invoice.id)
    assert (after.status, after.amount_remaining, after.amount_paid) == ("paid", 0, 0)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.credit_notes.create({"invoice": invoice.id, "amount": 1})


def test_a_note_of_lines_credits_them_or_their_share(client: stripe.StripeClient, opened: Any) -> None:
    invoice = opened()
    named = {line.quantity: line.id for line in invoice.lines.data}
    wanted: Any = [
        {"type": "invoice_line_item", "invoice_line_item": named[2], "quantity": 1},
        {"type": "invoice_line_item", "invoice_line_item": named[1], "amount": 500},
        {"type": "custom_line_item", "description": "Trouble", "unit_amount": 150, "quantity": 2},
    ]
    note = client.v1.credit_notes.create({"invoice": invoice.id, "lines": wanted})
    assert ([line.amount for line in note.lines.data], note.total) == ([1000, 500, 300], 1800)


def test_a_note_on_a_paid_invoice_says_where_the_money_goes(
    client: stripe.StripeClient, subscribed: Any, customer: stripe.Customer
) -> None:
    invoice = paid(client, subscribed)
    parts: Any = {"credit_amount": 300, "refund_amount": 500, "out_of_band_amount": 200}
    note = client.v1.credit_notes.create({"invoice": invoice.id, "amount": 1000, **parts})
    assert (note.type, note.post_payment_amount) == ("post_payment", 1000)
    assert client.v1.customers.retrieve(customer.id).balance == -300
    moved: Any = client.v1.customers.balance_transactions.retrieve(customer.id, str(note.customer_balance_transaction))
    assert (moved.type, moved.credit_note) == ("credit_note", note.id)
    assert client.v1.refunds.retrieve(str(note.refunds[0].refund)).amount == 500
    after = client.v1.invoices.retrieve(invoice.id)
    assert (after.status, after.amount_paid, after.post_payment_credit_notes_amount) == ("paid", 2000, 1000)


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"amount": 1000}, "refund_amount"),
        ({"amount": 1000, "refund_amount": 999}, "refund_amount"),
        ({"amount": 2001, "credit_amount": 2001}, "amount"),
        ({"amount": 0}, "amount"),
        ({}, "amount"),
        ({"amount": 1000, "lines": [{"type": "custom_line_item", "unit_amount": 5}]}, "amount"),
    ],
)
def test_amounts_that_do_not_fit_are_refused_and_nothing_is_done(
    client: stripe.StripeClient, subscribed: Any, customer: stripe.Customer, given: Any, param: str
) -> None:
    invoice = paid(client, subscribed)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.credit_notes.create({"invoice": invoice.id, **given})
    assert refused.value.param == param
    assert client.v1.credit_notes.list({"customer": customer.id}).data == []
    assert client.v1.invoices.retrieve(invoice.id).to_dict() == invoice.to_dict()


def test_what_was_refunded_already_is_not_refunded_by_a_note(
    client: stripe.StripeClient, control: Control, subscribed: Any
) -> None:
    invoice = paid(client, subscribed)
    (charge,) = client.v1.charges.list().data
    client.v1.refunds.create({"charge": charge.id, "amount": 1500})
    wanted: Any = {"invoice": invoice.id, "amount": 501, "refund_amount": 501}
    with pytest.raises(stripe.InvalidRequestError, match="cannot be refunded by so much"):
        client.v1.credit_notes.create(wanted)
    assert client.v1.credit_notes.list().data == []
    client.v1.credit_notes.create({**wanted, "amount": 500, "refund_amount": 500})


def test_a_preview_does_nothing(client: stripe.StripeClient, opened: Any) -> None:
    invoice = opened()
    assert client.v1.credit_notes.preview({"invoice": invoice.id, "amount": 700}).total == 700
    assert client.v1.credit_notes.list({"invoice": invoice.id}).data == []
    assert client.v1.invoices.retrieve(invoice.id).amount_remaining == 5000


def test_only_a_note_of_an_open_invoice_is_voided(client: stripe.StripeClient, opened: Any, sandbox: Checked) -> None:
    invoice = opened()
    note = client.v1.credit_notes.create({"invoice": invoice.id, "amount": 700})
    assert client.v1.credit_notes.void_credit_note(note.id).status == "void"
    after = client.v1.invoices.retrieve(invoice.id)
    assert (after.amount_remaining, after.pre_payment_credit_notes_amount) == (5000, 0)
    assert sandbox.events()[-1]["type"] == "credit_note.voided"
    with pytest.raises(stripe.InvalidRequestError, match="only void an issued"):
        client.v1.credit_notes.void_credit_note(note.id)


def test_what_is_not_covered_is_refused_by_name(client: stripe.StripeClient, opened: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="effective_at") as refused:
        client.v1.credit_notes.create({"invoice": opened().id, "amount": 700, "effective_at": 1})
    assert refused.value.code == "sandbox_not_covered"


def test_a_draft_is_not_credited(client: stripe.StripeClient, customer: stripe.Customer) -> None:
    draft = client.v1.invoices.create({"customer": customer.id, "auto_advance": False})
    with pytest.raises(stripe.InvalidRequestError, match="open or paid"):
        client.v1.credit_notes.create({"invoice": draft.id, "amount": 700})
