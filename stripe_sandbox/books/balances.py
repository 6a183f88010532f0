"""A customer has a credit balance, and a ledger of what moved it."""

from typing import Any

from ..events import recorded
from ..http.blanks import blank
from ..store import Object, State
from . import amounts

KIND = "customer_balance_transaction"


def move(state: State, customer: Object, amount: int, kind: str, **values: Any) -> Object:
    """Move the customer's balance. A negative amount is a credit: it lowers the next invoice."""
    with recorded(state, customer, "customer.updated"):
        customer["balance"] += amount
    return book(state, customer, amount, kind, **values)


def book(state: State, customer: Object, amount: int, kind: str, **values: Any) -> Object:
    """Record a movement that the customer's balance has in it already."""
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


def foresee(state: State, invoice: Object) -> Object:
    """Return an unfiled invoice, with the amount due after the customer's balance."""
    customer = state.find("customer", invoice["customer"])
    if customer is None:
        return invoice
    due = invoice["total"] + customer["balance"]
    due = 0 if due < 0 or _is_carried(invoice, due) else due
    return {**invoice, "starting_balance": customer["balance"], "amount_due": due, "amount_remaining": due}


def apply(state: State, invoice: Object, customer: Object) -> None:
    """Apply the customer's credit or debt to the invoice; the rest stays on the balance. An invoice below zero becomes
    a credit, and one below the smallest charge becomes a debt for the next one."""
    before = customer["balance"]
    due = invoice["total"] + before
    carried = due if due < 0 or _is_carried(invoice, due) else 0
    invoice.update(starting_balance=before, ending_balance=carried)
    invoice.update(amount_due=due - carried, amount_remaining=due - carried)
    moved = carried - before
    if moved:
        kind = "invoice_too_small" if carried > 0 or invoice["total"] < 0 > due else "applied_to_invoice"
        move(state, customer, moved, kind, invoice=invoice["id"], currency=invoice["currency"])


def _is_carried(invoice: Object, due: int) -> bool:
    return invoice["collection_method"] == "charge_automatically" and amounts.is_too_small(due, invoice["currency"])


def give_back(state: State, invoice: Object) -> None:
    """Give back to the balance what a voided invoice took from it."""
    moved = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    customer = state.find("customer", invoice["customer"])
    if moved and customer is not None and invoice["ending_balance"] is not None:
        move(state, customer, -moved, "unapplied_from_invoice", invoice=invoice["id"], currency=invoice["currency"])
