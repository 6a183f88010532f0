"""An invoice is paid in parts by payment intents that are attached to it, besides the default one that it has.

Sources: the SDK's types; https://docs.stripe.com/invoicing/partial-payments. Assumed: an intent pays one invoice, and
an overpayment counts in `amount_overpaid`, not in `amount_paid`.
"""

from ..errors import invalid
from ..events import emit, recorded
from ..store import Object, State
from . import balances, collection, invoicing

ATTACHABLE = ("requires_payment_method", "requires_confirmation", "requires_action", "requires_capture", "processing",
              "succeeded")  # fmt: skip


def attach(state: State, invoice: Object, intent: Object) -> None:
    """Add the intent to the invoice's payments; one that has succeeded counts at once."""
    _check(state, invoice, intent)
    payment = invoicing.new_payment(state, invoice, intent, intent["amount"], is_default=False)
    state.note(intent["id"])["pays"] = payment["id"]
    if intent["status"] == "succeeded":
        settle(state, intent)


def _check(state: State, invoice: Object, intent: Object) -> None:
    if invoice["status"] != "open":
        raise invalid(f"You can only attach payments to open invoices. This invoice is {invoice['status']}.")
    if invoicing.subscription_id(invoice) and invoice["collection_method"] == "charge_automatically":
        raise invalid("Partial payments are not supported for subscription invoices with `charge_automatically`.")
    note = state.note(intent["id"])
    if "invoice" in note or "pays" in note:
        raise invalid("This PaymentIntent is attached to an invoice already.", "payment_intent")
    if (intent["customer"], intent["currency"]) != (invoice["customer"], invoice["currency"]):
        raise invalid("The PaymentIntent must have the customer and the currency of the invoice.", "payment_intent")
    if intent["status"] not in ATTACHABLE:
        raise invalid(f"A PaymentIntent that is {intent['status']} cannot be attached.", "payment_intent")
    if intent["amount"] > invoice["amount_remaining"]:
        raise invalid("The amount of the PaymentIntent is greater than the amount remaining on the invoice.",
                      "payment_intent")  # fmt: skip


def attached(state: State, invoice: Object, *statuses: str) -> list[Object]:
    """Return the payments of these statuses that were attached to the invoice."""
    rows = state.table("invoice_payment").where("invoice", invoice["id"])
    return [row for row in rows if not row["is_default"] and row["status"] in statuses]


def _open_payment(state: State, intent: Object) -> Object | None:
    payment = state.find("invoice_payment", state.notes.get(intent["id"], {}).get("pays"))
    return payment if payment and payment["status"] == "open" else None


def settle(state: State, intent: Object) -> None:
    """Count an intent's payment towards its invoice, and credit any excess to the customer."""
    payment = _open_payment(state, intent)
    if payment is None:
        return
    invoice, received = state.get("invoice", payment["invoice"]), intent["amount_received"]
    counted = min(received, invoice["amount_remaining"])
    invoicing.mark_payment_paid(state, payment, received)
    if counted == invoice["amount_remaining"] and invoice["status"] == "open":
        invoice["amount_overpaid"] += received - counted
        invoicing.cancel_payment(state, invoice, "abandoned")
        collection.settle(state, invoice)
    else:
        with recorded(state, invoice, "invoice.updated"):
            invoice["amount_paid"] += counted
            invoice["amount_remaining"] -= counted
            invoice["amount_overpaid"] += received - counted
        invoicing.follow_remaining(state, invoice)
    emit(state, "invoice_payment.paid", payment)
    if received > counted:
        _give_back(state, invoice, received - counted)


def _give_back(state: State, invoice: Object, amount: int) -> None:
    emit(state, "invoice.overpaid", invoice)
    customer = state.find("customer", invoice["customer"])
    if customer is not None:
        values = {"invoice": invoice["id"], "currency": invoice["currency"]}
        balances.move(state, customer, -amount, "invoice_overpaid", **values)


def cancel(state: State, intent: Object) -> None:
    """Cancel the payment of an intent that is canceled; its invoice stays as it was."""
    payment = _open_payment(state, intent)
    if payment is not None:
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = state.now()
