"""A customer's credit balance: what moves it, and the ledger of its movements."""

from typing import Any

from ..events import recorded
from ..http.blanks import blank
from ..store import Object, State

KIND = "customer_balance_transaction"


def move(state: State, customer: Object, amount: int, kind: str, **values: Any) -> Object:
    """A credit is negative: it lowers what the next invoice asks for."""
    with recorded(state, customer, "customer.updated"):
        customer["balance"] += amount
    return book(state, customer, amount, kind, **values)


def book(state: State, customer: Object, amount: int, kind: str, **values: Any) -> Object:
    """A movement that the customer's balance has in it already."""
    return state.put(
        blank(
            KIND,
            state.new_id("cbtxn"),
            **{
                "amount": amount,
                "created": state.now(),
                "currency": customer["currency"] or "usd",
                "customer": customer["id"],
                "ending_balance": customer["balance"],
                "livemode": False,
                "metadata": {},
                "type": kind,
                **values,
            },
        )
    )


def apply(state: State, invoice: Object, customer: Object) -> None:
    """A credit or debt counts towards the invoice; what is left of it stays. An invoice below zero is a credit."""
    before = customer["balance"]
    due = invoice["total"] + before
    invoice.update(starting_balance=before, ending_balance=min(due, 0))
    invoice.update(amount_due=max(due, 0), amount_remaining=max(due, 0))
    moved = min(due, 0) - before
    if moved:
        kind = "invoice_too_small" if invoice["total"] < 0 and due < 0 else "applied_to_invoice"
        move(state, customer, moved, kind, invoice=invoice["id"], currency=invoice["currency"])


def give_back(state: State, invoice: Object) -> None:
    """A voided invoice has used nothing of the balance."""
    moved = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    customer = state.find("customer", invoice["customer"])
    if moved and customer is not None and invoice["ending_balance"] is not None:
        move(state, customer, -moved, "unapplied_from_invoice", invoice=invoice["id"], currency=invoice["currency"])
