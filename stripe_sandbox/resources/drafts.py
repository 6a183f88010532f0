"""Invoices made by hand are drawn up over waiting items, sent, and deleted while they are drafts."""

from typing import Any

from ..books import collection, discounting, extras, invoicing, standing
from ..books.periods import days
from ..errors import invalid, missing_parameter
from ..events import emit
from ..http.contract import Params
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from . import invoice_taxes
from .invoices import finalize_now
from .payment_methods import owned

COVERED = (
    "customer subscription currency description metadata footer auto_advance collection_method days_until_due due_date "
    "default_payment_method pending_invoice_items_behavior discounts.coupon discounts.promotion_code "
    f"{invoice_taxes.NAMES}"
)


@api.add("POST", "/v1/invoices", "InvoiceCreateParams", COVERED)
def create(state: State, params: Params) -> Object:
    """Create an invoice with the items of the subscription, or with those that wait for an invoice if they are to be
    included; else empty."""
    payer = _payer(state, params)
    customer = state.get("customer", payer["customer"])
    rows = _waiting(state, payer, params)
    values: dict[str, Any] = {name: params.get(name) for name in ("description", "default_payment_method")}
    values |= {"footer": params["footer"]} if "footer" in params else {}
    if values["default_payment_method"]:
        owned(state, values["default_payment_method"], customer["id"], "default_payment_method")
    values |= {"metadata": merged({}, params), "auto_advance": params.get("auto_advance", False)}
    values |= _terms(state, payer, params) | invoice_taxes.given(state, params)
    invoice_taxes.refuse_both(payer, values, rows)
    if values["auto_advance"]:
        values["automatically_finalizes_at"] = state.now() + state.settings["finalize_after"]
    values |= {"discounts": []} if "discounts" in params else {}
    invoice = extras.draft(state, payer, rows, **values)
    if params.get("discounts"):
        discounting.give(state, params["discounts"], invoice, invoice["subtotal"])
        extras.recount(state, invoice)
    if values["auto_advance"]:
        state.schedule(invoice["automatically_finalizes_at"], "finalize", invoice["id"], urgency=4)
    customer["currency"] = customer["currency"] or invoice["currency"]
    return invoice


def _payer(state: State, params: Params) -> Object:
    method = params.get("collection_method")
    if "subscription" in params:
        sub = state.get("subscription", params["subscription"], "subscription")
        if standing.is_over(sub) or params.get("customer", sub["customer"]) != sub["customer"]:
            raise invalid("The subscription is over, or another customer's.", "subscription")
        if method in (None, sub["collection_method"]):
            return sub
        return {**sub, "collection_method": method, "days_until_due": None}
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = state.get("customer", params["customer"], "customer")
    return extras.buyer(customer, params.get("currency"), collection_method=method or "charge_automatically")


def _waiting(state: State, payer: Object, params: Params) -> list[Object]:
    if payer["id"]:
        return [state.get("invoiceitem", each) for each in state.note(payer["id"]).pop("pending_items", [])]
    if params.get("pending_invoice_items_behavior", "exclude") == "exclude":
        return []
    rows = extras.waiting(state, payer["customer"])
    return [row for row in rows if row["currency"] == payer["currency"]]


def _terms(state: State, payer: Object, params: Params) -> Object:
    """Return when an invoice that is sent must be paid; one that is charged has no such day."""
    by_mail = payer["collection_method"] == "send_invoice"
    given = params.keys() & {"days_until_due", "due_date"}
    if not by_mail and given:
        only = "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'."
        raise invalid(only, min(given))
    if not by_mail:
        return {}
    if not given and payer.get("days_until_due") is not None:
        return {}
    if len(given) != 1:
        either = "you must specify 'due_date' or 'days_until_due'"
        raise invalid(f"If invoice collection method is 'send_invoice', {either}.", "days_until_due")
    due = params["due_date"] if "due_date" in params else state.now() + days(params["days_until_due"])
    if due < state.now():
        raise invalid("The due date must not be in the past.", "due_date")
    return {"due_date": due}


@api.add("POST", "/v1/invoices/{invoice}/send", "InvoiceSendInvoiceParams")
def send(state: State, invoice: str, params: Params) -> Object:
    """Send the invoice, after finalizing a draft. No mail leaves the sandbox."""
    row = state.get("invoice", invoice)
    if row["collection_method"] != "send_invoice":
        raise invalid("You can only manually send an invoice if its collection method is `send_invoice`.")
    if row["status"] not in ("draft", "open"):
        raise invalid(f"You can only send open invoices. This invoice is {row['status']}.")
    if row["status"] == "draft":
        finalize_now(state, row)
    collection.advance(state, row)
    return row


@api.add("DELETE", "/v1/invoices/{invoice}", "InvoiceDeleteParams")
def delete(state: State, invoice: str, params: Params) -> Object:
    row = state.get("invoice", invoice)
    if row["status"] != "draft":
        raise invalid("You can only delete draft invoices. Void this one instead.", None, "invoice_not_editable")
    if invoicing.subscription_id(row):
        raise invalid("You can't delete invoices created by subscriptions.")
    for item in state.table("invoiceitem").where("invoice", invoice):
        item["invoice"] = None
        state.put(item)
    emit(state, "invoice.deleted", row)
    state.table("invoice").remove(invoice)
    gone: dict[str, Any] = {"id": invoice, "object": "invoice", "deleted": True}
    state.note(invoice)["deleted"] = gone
    return gone
