"""These invariants of Checkout sessions must hold after any history."""

from collections.abc import Iterator

from stripe_sandbox.store import Object, State


def sessions(state: State) -> Iterator[str]:
    """The lines add up to the session, and the session is what is paid."""
    for row in state.table("checkout.session").rows.values():
        if row["mode"] != "setup":
            yield from _sums(state, row)
        if row["status"] == "complete" and row["amount_total"]:
            yield from _paid(state, row)


def _sums(state: State, row: Object) -> Iterator[str]:
    lines, details = state.note(row["id"])["items"], row["total_details"]
    if row["amount_subtotal"] != sum(line["amount_subtotal"] for line in lines):
        yield f"{row['id']}: its lines add up to something else than {row['amount_subtotal']}"
    added = sum(line["amount_total"] - line["amount_subtotal"] + line["amount_discount"] for line in lines)
    shipped = row["shipping_cost"] or {"amount_total": 0, "amount_subtotal": 0}
    added += shipped["amount_total"] - shipped["amount_subtotal"]
    if row["amount_total"] != row["amount_subtotal"] - details["amount_discount"] + details["amount_shipping"] + added:
        yield f"{row['id']}: {row['amount_total']} is not its subtotal less {details}, with tax {added}"
    if details["amount_discount"] != sum(line["amount_discount"] for line in lines):
        yield f"{row['id']}: its lines are discounted by something else than {details['amount_discount']}"


def _paid(state: State, row: Object) -> Iterator[str]:
    intent, invoice = state.find("payment_intent", row["payment_intent"]), state.find("invoice", row["invoice"])
    if intent and intent["amount"] != row["amount_total"]:
        yield f"{row['id']}: its payment is over {intent['amount']}, not {row['amount_total']}"
    if invoice and invoice["total"] != row["amount_total"]:
        yield f"{row['id']}: its invoice is over {invoice['total']}, not {row['amount_total']}"
    if intent and (row["payment_status"] == "paid") != (intent["status"] == "succeeded"):
        yield f"{row['id']}: it is {row['payment_status']} and its payment {intent['status']}"
