"""A credit note lowers what an invoice asks for, or gives back what it was paid.

Sources: the SDK's types; https://docs.stripe.com/invoicing/integration/programmatic-credit-notes.
"""

from typing import Any

from ..errors import invalid, missing_resource
from ..events import emit, recorded
from ..http.blanks import embedded_list
from ..http.metadata import merged
from ..store import Object, State
from . import aftermath, balances, collection, invoicing, pricing
from .tax import crediting as tax_shares
from .tax import lines as taxing

KIND = "credit_note"
PARTS = ("credit_amount", "refund_amount", "out_of_band_amount")
CREDITED = ("open", "paid", "uncollectible")


def lines_of(state: State, invoice: Object, params: dict[str, Any]) -> list[Object]:
    """Return what is credited: the invoice's lines or others, or one line over the whole amount."""
    if ("amount" in params) == ("lines" in params):
        raise invalid("One of `amount` or `lines` must be provided, and not both.", "amount")
    if "amount" in params:
        taxes = tax_shares.of_whole(state, invoice, params["amount"])
        amount = params["amount"] - taxing.exclusive(taxes)
        return [_line(state, amount, None, taxes, type="custom_line_item", description=None)]
    return [_of_entry(state, invoice, entry, index) for index, entry in enumerate(params["lines"])]


def _of_entry(state: State, invoice: Object, entry: dict[str, Any], index: int) -> Object:
    quantity = entry.get("quantity")
    if entry["type"] == "custom_line_item":
        amount = entry.get("unit_amount", 0) * (quantity or 1)
        taxes = tax_shares.of_entry(state, invoice, entry, amount)
        described = {"type": "custom_line_item", "description": entry.get("description")}
        return _line(state, amount, quantity or 1, taxes or [], **described)
    named = entry.get("invoice_line_item")
    row = next((line for line in invoice["lines"]["data"] if line["id"] == named), None)
    if row is None:
        raise missing_resource("line_item", str(named), f"lines[{index}][invoice_line_item]")
    whole = row["amount"] if quantity is None else pricing.share(row["amount"], quantity, row["quantity"] or 1)
    amount = entry.get("amount", whole)
    if not 0 < amount <= row["amount"]:
        raise invalid("The amount of a line must be positive, and no more than its invoice line's.", f"lines[{index}]")
    off = [{**each, "amount": pricing.share(each["amount"], amount, row["amount"])} for each in row["discount_amounts"]]
    described = {"description": row["description"], "invoice_line_item": row["id"], "discount_amounts": off}
    taxes = tax_shares.of_entry(state, invoice, entry, amount - sum(each["amount"] for each in off))
    taxes = tax_shares.of_line(state, invoice, row, amount) if taxes is None else taxes
    return _line(state, amount, quantity, taxes, type="invoice_line_item", **described)


def _line(state: State, amount: int, quantity: int | None, taxes: list[Object], **values: Any) -> Object:
    off = values.pop("discount_amounts", [])
    return {
        "id": state.new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "discount_amount": sum(each["amount"] for each in off),
        "discount_amounts": off,
        "invoice_line_item": None,
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [{**each, "type": "discount"} for each in off],
        "quantity": quantity,
        "tax_rates": tax_shares.rates_of(state, taxes),
        "taxes": taxes,
        "unit_amount": None,
        "unit_amount_decimal": None,
        **values,
    }


def drawn_up(state: State, invoice: Object, params: dict[str, Any]) -> Object:
    """Return the note as it would be; it is neither filed nor acted on."""
    if invoice["status"] not in CREDITED:
        raise invalid(f"Credit notes can only be created for open or paid invoices. This one is {invoice['status']}.",
                      "invoice")  # fmt: skip
    if invoicing.is_processing(state, invoice):
        raise invalid("You can't credit an invoice while its payment is processing.", "invoice")
    lines = lines_of(state, invoice, params)
    subtotal, off = sum(line["amount"] for line in lines), sum(line["discount_amount"] for line in lines)
    taxes = [tax for line in lines for tax in line["taxes"]]
    total = subtotal - off + taxing.exclusive(taxes)
    before = min(total, invoice["amount_remaining"])
    _check_amounts(invoice, total, total - before, {name: params.get(name) or 0 for name in PARTS})
    identifier = state.new_id("cn")
    notes = state.table(KIND).where("invoice", invoice["id"])
    return {
        "id": identifier,
        "object": KIND,
        "amount": total,
        "amount_shipping": 0,
        "created": state.now(),
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": off,
        "discount_amounts": [each for line in lines for each in line["discount_amounts"]],
        "effective_at": state.now(),
        "invoice": invoice["id"],
        "lines": embedded_list(f"/v1/credit_notes/{identifier}/lines", lines),
        "livemode": False,
        "memo": params.get("memo"),
        "metadata": merged({}, params),
        "number": f"{invoice['number']}-CN-{len(notes) + 1:02d}",
        "out_of_band_amount": params.get("out_of_band_amount"),
        "pdf": f"{state.base_url}/objects/{identifier}",
        "post_payment_amount": total - before,
        "pre_payment_amount": before,
        "pretax_credit_amounts": [each for line in lines for each in line["pretax_credit_amounts"]],
        "reason": params.get("reason"),
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": subtotal,
        "subtotal_excluding_tax": sum(taxing.without_tax(state, line["amount"], line["taxes"]) for line in lines),
        "total": total,
        "total_excluding_tax": total - sum(tax["amount"] for tax in taxes),
        "total_taxes": taxing.summed(taxes),
        "type": "post_payment" if not before else "pre_payment" if before == total else "mixed",
        "voided_at": None,
    }


def _check_amounts(invoice: Object, total: int, after: int, parts: dict[str, int]) -> None:
    """Check that the parts add up to the credited money that was paid (`after` paying): they say where it goes."""
    left = invoice["amount_remaining"] + invoice["amount_paid"] - invoice["post_payment_credit_notes_amount"]
    if total < 1:
        raise invalid("A credit note must be over a positive amount.", "amount")
    if total > left:
        shown = pricing.shown(left, invoice["currency"])
        raise invalid(f"The amount of the credit note is greater than what may still be credited ({shown}).", "amount")
    given = sum(parts.values())
    if min(parts.values()) < 0 or given != after:
        raise invalid(
            "The sum of `refund_amount`, `credit_amount` and `out_of_band_amount` must equal the post-payment amount: "
            f"{after}.",
            "refund_amount",
        )


def issue(state: State, invoice: Object, params: dict[str, Any]) -> Object:
    if amount := params.get("refund_amount"):
        _charge_of(state, invoice, amount)
    note = state.put(drawn_up(state, invoice, params))
    with recorded(state, invoice, "invoice.updated"):
        if note["pre_payment_amount"]:
            _lower(state, invoice, note["pre_payment_amount"])
        if note["post_payment_amount"]:
            invoice["post_payment_credit_notes_amount"] += note["post_payment_amount"]
            _give_back(state, invoice, note, params)
    emit(state, "credit_note.created", note)
    if invoice["status"] != "paid" and not invoice["amount_remaining"]:
        invoicing.cancel_payment(state, invoice, "abandoned")
        collection.settle(state, invoice, out_of_band=True)
    return note


def _lower(state: State, invoice: Object, amount: int) -> None:
    """Lower what is left to pay, also by the payment that waits; a negative amount raises it again."""
    invoice["pre_payment_credit_notes_amount"] += amount
    invoice["amount_due"] -= amount
    invoice["amount_remaining"] -= amount
    invoicing.follow_remaining(state, invoice)


def _give_back(state: State, invoice: Object, note: Object, params: dict[str, Any]) -> None:
    if credit := params.get("credit_amount"):
        values = {"credit_note": note["id"], "invoice": invoice["id"], "currency": invoice["currency"]}
        customer = state.get("customer", invoice["customer"])
        moved = balances.move(state, customer, -credit, KIND, **values)
        note["customer_balance_transaction"] = moved["id"]
    if amount := params.get("refund_amount"):
        made = aftermath.refund(state, _charge_of(state, invoice, amount), amount, None, {})
        note["refunds"] = [{"amount_refunded": amount, "payment_record_refund": None, "refund": made["id"],
                            "type": "refund"}]  # fmt: skip


def _charge_of(state: State, invoice: Object, amount: int) -> Object:
    """Return the newest charge that paid the invoice and can be refunded by so much."""
    charges = [charge for row in reversed(state.table("invoice_payment").where("invoice", invoice["id"]))
               if (charge := _paid_by(state, row)) is not None]  # fmt: skip
    if not charges:
        raise invalid("The invoice was not paid by a charge: it cannot be refunded.", "refund_amount")
    for charge in charges:
        if not charge["disputed"] and amount <= charge["amount"] - charge["amount_refunded"]:
            return charge
    raise invalid("The charge of this invoice cannot be refunded by so much.", "refund_amount")


def _paid_by(state: State, payment: Object) -> Object | None:
    intent = state.get("payment_intent", payment["payment"]["payment_intent"])
    charge = state.find("charge", intent["latest_charge"])
    return charge if charge and charge["status"] == "succeeded" and payment["status"] == "paid" else None


def void(state: State, note: Object) -> None:
    """Void a note of an open invoice, which then asks for as much as before."""
    invoice = state.get("invoice", note["invoice"])
    if note["status"] != "issued" or note["type"] != "pre_payment" or invoice["status"] != "open":
        raise invalid("You can only void an issued credit note of an open invoice.", "id")
    if invoicing.is_processing(state, invoice):
        raise invalid("You can't void a credit note while its invoice's payment is processing.", "id")
    with recorded(state, invoice, "invoice.updated"):
        _lower(state, invoice, -note["total"])
    note.update(status="void", voided_at=state.now())
    emit(state, "credit_note.voided", note)
