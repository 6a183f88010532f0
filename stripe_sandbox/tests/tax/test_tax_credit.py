"""Credit notes give back their share of tax, to the last cent."""

from typing import Any

import pytest
import stripe

from ..conftest import Control
from .conftest import BERLIN, Made, sums


@pytest.fixture
def opened(client: stripe.StripeClient, person: Made) -> Made:
    """Return a function that makes an open invoice with automatic tax over lines with these amounts."""

    def make(*amounts: int, behavior: str = "exclusive") -> stripe.Invoice:
        who = person(BERLIN)
        draft = client.v1.invoices.create({"customer": who.id, "currency": "eur", "automatic_tax": {"enabled": True}})
        item: Any = {"customer": who.id, "invoice": draft.id, "currency": "eur", "tax_behavior": behavior}
        for amount in amounts:
            client.v1.invoice_items.create({**item, "amount": amount})
        return client.v1.invoices.finalize_invoice(draft.id)

    return make


def test_a_line_is_credited_with_its_tax(client: stripe.StripeClient, opened: Made) -> None:
    invoice = opened(1000, 2000)
    line = next(row for row in invoice.lines.data if row.amount == 1000)
    lines: Any = [{"type": "invoice_line_item", "invoice_line_item": line.id, "amount": 500}]
    note = client.v1.credit_notes.create({"invoice": invoice.id, "lines": lines})
    assert (note.subtotal, note.total, note.total_excluding_tax) == (500, 595, 500)
    assert [(tax.amount, tax.taxable_amount) for tax in note.lines.data[0].taxes or []] == [(95, 500)]
    assert note.lines.data[0].tax_rates == []
    after = client.v1.invoices.retrieve(invoice.id)
    assert (after.total, after.amount_remaining) == (3570, 2975)


def test_notes_over_everything_give_back_all_of_the_tax(client: stripe.StripeClient, opened: Made) -> None:
    invoice = opened(100)
    (line,) = invoice.lines.data
    assert sums(invoice) == (100, 119, 100, [19])
    given = []
    for amount in [10] * 10:
        lines: Any = [{"type": "invoice_line_item", "invoice_line_item": line.id, "amount": amount}]
        given.append(client.v1.credit_notes.create({"invoice": invoice.id, "lines": lines}))
    assert [note.total for note in given] == [12, 12, 12, 12, 12, 11, 12, 12, 12, 12]
    assert sum(tax.amount for note in given for tax in note.total_taxes or []) == 19
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"


def test_an_amount_has_its_share_of_tax_within(client: stripe.StripeClient, opened: Made) -> None:
    invoice = opened(1000, 2000)
    note = client.v1.credit_notes.create({"invoice": invoice.id, "amount": 1190})
    assert (note.subtotal, note.total, [tax.amount for tax in note.total_taxes or []]) == (1000, 1190, [190])
    rest = client.v1.credit_notes.create({"invoice": invoice.id, "amount": 2380})
    assert [tax.amount for tax in rest.total_taxes or []] == [380]


def test_inclusive_tax_stays_within_what_is_credited(client: stripe.StripeClient, opened: Made) -> None:
    invoice = opened(1190, behavior="inclusive")
    note = client.v1.credit_notes.preview({"invoice": invoice.id, "amount": 595})
    assert (note.subtotal, note.subtotal_excluding_tax, note.total, note.total_excluding_tax) == (595, 500, 595, 500)
    assert client.v1.credit_notes.list({"invoice": invoice.id}).data == []


def test_a_refund_by_a_note_gives_the_tax_back_too(
    client: stripe.StripeClient, subscribe: Made, control: Control
) -> None:
    invoice = subscribe().latest_invoice
    lines: Any = [{"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[0].id, "amount": 1000}]
    with pytest.raises(stripe.InvalidRequestError, match="1190"):
        client.v1.credit_notes.create({"invoice": invoice.id, "lines": lines, "refund_amount": 1000})
    note = client.v1.credit_notes.create({"invoice": invoice.id, "lines": lines, "refund_amount": 1190})
    assert client.v1.refunds.retrieve(str(note.refunds[0].refund)).amount == 1190
    assert client.v1.invoices.retrieve(invoice.id).post_payment_credit_notes_amount == 1190


def test_a_line_of_a_note_names_its_own_taxes(client: stripe.StripeClient, opened: Made, by_hand: Made) -> None:
    invoice, rate = opened(5000), by_hand(10)
    (line,) = invoice.lines.data
    own: Any = {"amount": 7, "tax_rate": rate.id, "taxable_amount": 70}
    lines: Any = [
        {"type": "custom_line_item", "unit_amount": 300, "description": "Trouble", "tax_rates": [rate.id]},
        {"type": "invoice_line_item", "invoice_line_item": line.id, "amount": 100, "tax_amounts": [own]},
    ]
    preview = client.v1.credit_notes.preview({"invoice": invoice.id, "lines": lines})
    note = client.v1.credit_notes.create({"invoice": invoice.id, "lines": lines})
    assert (note.total, [tax.amount for tax in note.total_taxes or []]) == (437, [37])
    assert (preview.total, len(preview.lines.data)) == (437, 2)
    assert [[row.id for row in each.tax_rates] for each in note.lines.data] == [[rate.id], [rate.id]]
    both: Any = [{**lines[0], "tax_amounts": [own]}]
    with pytest.raises(stripe.InvalidRequestError, match="only specify one of"):
        client.v1.credit_notes.create({"invoice": invoice.id, "lines": both})


def test_a_voided_note_takes_its_tax_back(client: stripe.StripeClient, opened: Made) -> None:
    invoice = opened(101)
    lines: Any = [{"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[0].id, "amount": 100}]
    client.v1.credit_notes.void_credit_note(client.v1.credit_notes.create({"invoice": invoice.id, "lines": lines}).id)
    lines[0]["amount"] = 101
    assert client.v1.credit_notes.create({"invoice": invoice.id, "lines": lines}).total == 120
