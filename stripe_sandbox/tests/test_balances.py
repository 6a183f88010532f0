"""A customer's credit balance: what an invoice takes of it, what comes back, and the ledger."""

from typing import Any

import stripe

from .test_manual_invoices import payer, work

__all__ = ["payer"]


def ledger(client: stripe.StripeClient, customer: Any) -> list[tuple[str, int, int]]:
    rows = client.v1.customers.balance_transactions.list(customer.id).data
    return [(row.type, row.amount, row.ending_balance) for row in rows[::-1]]


def test_every_movement_is_in_the_ledger(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"balance": -500})
    client.v1.customers.update(customer.id, {"balance": -700})
    client.v1.customers.balance_transactions.create(customer.id, {"amount": 100, "currency": "usd"})
    assert ledger(client, customer) == [("initial", -500, -500), ("adjustment", -200, -700), ("adjustment", 100, -600)]


def test_a_voided_invoice_returns_the_balance_it_used(client: stripe.StripeClient, payer: Any) -> None:
    client.v1.customers.update(payer.id, {"balance": -2000})
    invoice = client.v1.invoices.create({"customer": payer.id})
    work(client, payer, invoice=invoice.id)
    final = client.v1.invoices.finalize_invoice(invoice.id)
    assert (final.amount_due, final.starting_balance, final.ending_balance) == (3000, -2000, 0)
    assert client.v1.customers.retrieve(payer.id).balance == 0
    client.v1.invoices.void_invoice(invoice.id)
    assert client.v1.customers.retrieve(payer.id).balance == -2000
    assert [row[0] for row in ledger(client, payer)] == ["adjustment", "applied_to_invoice", "unapplied_from_invoice"]


def test_an_invoice_below_zero_is_a_credit(client: stripe.StripeClient, payer: Any) -> None:
    invoice = client.v1.invoices.create({"customer": payer.id})
    work(client, payer, -700, invoice=invoice.id)
    final = client.v1.invoices.finalize_invoice(invoice.id)
    assert (final.status, final.amount_due, final.ending_balance) == ("paid", 0, -700)
    assert ledger(client, payer) == [("invoice_too_small", -700, -700)]
