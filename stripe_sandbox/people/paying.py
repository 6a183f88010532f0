"""A customer pays a hosted invoice with the saved card or a new one, and passes 3D Secure or fails it."""

from typing import Any

from ..books import cards, collection, invoicing
from ..books.debits import Account
from ..errors import invalid
from ..resources.invoices import payable
from ..resources.payment_methods import attached
from ..store import Object, State

NAMES = {"succeeded": "paid", "declined": "declined", "requires_action": "requires_action",
         "processing": "processing"}  # fmt: skip


def _waiting(state: State, invoice: Object) -> str | None:
    """Return the card of an attempt that waits for 3D Secure."""
    intent = invoicing.intent_of(state, invoice)
    return intent["payment_method"] if intent and intent["status"] == "requires_action" else None


def pay(state: State, identifier: str, outcome: str | None, token: str | None) -> dict[str, Any]:
    invoice = payable(state, identifier)
    method = _waiting(state, invoice) or collection.method_for(state, invoice)
    if token:
        method = attached(state, token, state.get("customer", invoice["customer"]))["id"]
    if method is None and invoice["amount_due"]:
        raise invalid("There is no card to pay with: give a payment_method.", "payment_method", "parameter_missing")
    if outcome and method and isinstance(cards.of_method(state, method), Account):
        raise invalid("A bank debit has no outcome at once: its bank answers later.", "outcome")
    result = collection.collect(state, invoice, on_session=True, outcome=outcome, method=method)
    intent = invoicing.intent_of(state, invoice)
    error = intent["last_payment_error"] if intent else None
    return {"outcome": NAMES[result], "error": error, "invoice": invoice}
