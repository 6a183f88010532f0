"""Invoice items are added by hand to a draft, or left for the next invoice of a customer or a subscription."""

from typing import Any

from ..books import discounting, extras, one_currency, standing
from ..books.tax import lines as taxing
from ..books.tax import rates
from ..errors import invalid, missing_parameter
from ..events import emit
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State

WHAT = (
    "amount description discountable metadata period pricing.price quantity discounts.coupon discounts.promotion_code "
    "discounts.discount tax_rates tax_behavior tax_code"
)


LASTING = ("id", "date", "invoice", "parent", "discounts")


@api.add(
    "POST", "/v1/invoiceitems", "InvoiceItemCreateParams", f"{WHAT} currency customer invoice subscription"
)  # fmt: skip
def create(state: State, params: Params) -> Object:
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = state.get("customer", params["customer"], "customer")
    invoice = _draft(state, params["invoice"], customer) if "invoice" in params else None
    payer = _payer(state, params, customer, invoice)
    one_currency.check(state, customer, payer["currency"])
    _refuse_rates(invoice or payer, params)
    row = state.put(extras.item(state, payer, params))
    discounting.give(state, params.get("discounts"), row, row["amount"], payer=payer)
    if invoice is not None:
        row["invoice"] = invoice["id"]
        state.put(row)
    elif "subscription" in params:
        state.note(params["subscription"]).setdefault("pending_items", []).append(row["id"])
    customer["currency"] = customer["currency"] or row["currency"]
    emit(state, "invoiceitem.created", row)
    if invoice is not None:
        extras.recount(state, invoice)
    return row


def _refuse_rates(holder: Object | None, params: Params) -> None:
    automatic = bool(holder and holder.get("automatic_tax", {}).get("enabled"))
    rates.refuse_both(automatic, bool(params.get("tax_rates")), "tax_rates")


def _draft(state: State, identifier: str, customer: Object) -> Object:
    invoice = state.get("invoice", identifier, "invoice")
    if invoice["status"] != "draft":
        raise frozen()
    if invoice["customer"] != customer["id"]:
        raise invalid(f"The invoice {identifier} is of another customer.", "invoice")
    return invoice


def frozen() -> Exception:
    return invalid("Finalized invoices can't be updated in this way", None, "invoice_not_editable")


def _payer(state: State, params: Params, customer: Object, invoice: Object | None) -> Object:
    if "subscription" not in params:
        return extras.buyer(customer, params.get("currency") or (invoice["currency"] if invoice else None))
    sub = state.get("subscription", params["subscription"], "subscription")
    if standing.is_over(sub) or sub["customer"] != customer["id"]:
        raise invalid("The subscription is over, or another customer's.", "subscription")
    return sub


@api.add("POST", "/v1/invoiceitems/{item}", "InvoiceItemUpdateParams", WHAT)
def update(state: State, item: str, params: Params) -> Object:
    row, invoice = _open_item(state, item)
    priced = row["pricing"]["price_details"]
    if "quantity" in params and priced is None and "pricing" not in params:
        raise invalid("An item with an amount of its own has no quantity to change.", "quantity")
    wanted: dict[str, Any] = {name: row[name] for name in (*extras.PLAIN, "period", "quantity")}
    if not params.keys() & {"amount", "pricing"}:
        wanted |= {"pricing": {"price": priced["price"]}} if priced else {"amount": row["amount"]}
    wanted |= {**params, "metadata": merged(row["metadata"], params)}
    payer = {"id": None, "customer": row["customer"], "currency": row["currency"]}
    _refuse_rates(invoice, params)
    fresh = extras.item(state, {**payer, "tax_inputs": taxing.remembered(state, item)}, wanted)
    taxing.remember(state, item, taxing.remembered(state, fresh["id"]))
    row.update({name: value for name, value in fresh.items() if name not in LASTING})
    if "discounts" in params:
        discounting.give(state, params["discounts"], row, row["amount"], payer=payer)
    if invoice is not None:
        extras.recount(state, invoice)
    return row


def _open_item(state: State, identifier: str) -> tuple[Object, Object | None]:
    row = state.get("invoiceitem", identifier)
    invoice = state.find("invoice", row["invoice"])
    if row["proration"] or (invoice is not None and invoice["status"] != "draft"):
        raise frozen()
    return row, invoice


@api.add("DELETE", "/v1/invoiceitems/{item}", "InvoiceItemDeleteParams")
def delete(state: State, item: str, params: Params) -> Object:
    row, invoice = _open_item(state, item)
    if row["parent"]:
        waiting = state.note(row["parent"]["subscription_details"]["subscription"]).get("pending_items", [])
        waiting[:] = [known for known in waiting if known != item]
    emit(state, "invoiceitem.deleted", row)
    state.table("invoiceitem").remove(item)
    if invoice is not None:
        extras.recount(state, invoice)
    gone: dict[str, Any] = {"id": item, "object": "invoiceitem", "deleted": True}
    state.note(item)["deleted"] = gone
    return gone


@api.add("GET", "/v1/invoiceitems", "InvoiceItemListParams", "created customer invoice pending")
def list_all(state: State, params: Params) -> Object:
    pending = params.get("pending")

    def keep(row: Object) -> bool:
        return pending is None or pending == (row["invoice"] is None)

    return page(state, "invoiceitem", "/v1/invoiceitems", params, keep, same="customer invoice")


@api.add("GET", "/v1/invoiceitems/{item}", "InvoiceItemRetrieveParams")
def retrieve(state: State, item: str, params: Params) -> Object:
    return state.get("invoiceitem", item)
