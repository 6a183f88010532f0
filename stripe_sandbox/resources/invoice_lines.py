"""The lines of a draft invoice are added, changed and removed here. Those of invoice items are changed with these."""

from typing import Any

from ..books import extras, line_items
from ..errors import invalid, missing_resource
from ..events import emit, recorded
from ..http.contract import Params
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from . import invoice_items

WHAT = (
    "amount description discountable metadata period.start period.end pricing.price quantity "
    "discounts.coupon discounts.promotion_code discounts.discount tax_rates"
)
LINES = " ".join(f"lines.{name}" for name in WHAT.split())
OF_A_PLAN = {"description", "metadata", "period"}


@api.add("POST", "/v1/invoices/{invoice}/add_lines", "InvoiceAddLinesParams",
         f"invoice_metadata lines.invoice_item {LINES}")  # fmt: skip
def add(state: State, invoice: str, params: Params) -> Object:
    """Add lines: each is a new invoice item, or one that waits."""
    row = _draft(state, invoice)
    for entry in params["lines"]:
        if "invoice_item" in entry:
            _assign(state, row, entry["invoice_item"])
        else:
            invoice_items.create(state, {**entry, "customer": row["customer"], "invoice": invoice})
    return _recounted(state, row, params)


def _draft(state: State, identifier: str) -> Object:
    row = state.get("invoice", identifier)
    if row["status"] != "draft":
        raise invoice_items.frozen()
    return row


def _assign(state: State, invoice: Object, identifier: str) -> None:
    item = state.get("invoiceitem", identifier, "lines[0][invoice_item]")
    if item["invoice"] or item["customer"] != invoice["customer"] or item["parent"]:
        raise invalid("The invoice item is on an invoice already, or another's.", "lines[0][invoice_item]")
    item["invoice"] = invoice["id"]
    state.put(item)


def _recounted(state: State, invoice: Object, params: Params) -> Object:
    with recorded(state, invoice, "invoice.updated"):
        invoice["metadata"] = merged(invoice["metadata"], {"metadata": params.get("invoice_metadata", {})})
    extras.recount(state, invoice)
    return invoice


def _line(invoice: Object, identifier: str, param: str | None = None) -> Object:
    for line in invoice["lines"]["data"]:
        if line["id"] == identifier:
            return dict(line)
    raise missing_resource("line_item", identifier, param)


@api.add(
    "POST", "/v1/invoices/{invoice}/update_lines", "InvoiceUpdateLinesParams", f"invoice_metadata lines.id {LINES}"
)
def update(state: State, invoice: str, params: Params) -> Object:
    row = _draft(state, invoice)
    for entry in params["lines"]:
        _change(state, row, _line(row, entry["id"], "lines[0][id]"), entry)
    return _recounted(state, row, params)


@api.add("POST", "/v1/invoices/{invoice}/lines/{line}", "InvoiceLineItemUpdateParams", WHAT)
def update_one(state: State, invoice: str, line: str, params: Params) -> Object:
    row = _draft(state, invoice)
    _change(state, row, _line(row, line), params)
    return _line(row, line)


def _change(state: State, invoice: Object, line: Object, params: dict[str, Any]) -> None:
    given = {name: value for name, value in params.items() if name != "id"}
    if item := line_items.item_of(line):
        invoice_items.update(state, item, given)
        return
    if given.keys() - OF_A_PLAN:
        raise invalid("The price of a subscription's line is its item's.", min(given.keys() - OF_A_PLAN))
    with recorded(state, invoice, "invoice.updated"):
        data = [{**each, **given} if each["id"] == line["id"] else each for each in invoice["lines"]["data"]]
        invoice["lines"] = {**invoice["lines"], "data": data}


@api.add("POST", "/v1/invoices/{invoice}/remove_lines", "InvoiceRemoveLinesParams",
         "invoice_metadata lines.id lines.behavior")  # fmt: skip
def remove(state: State, invoice: str, params: Params) -> Object:
    """`unassign` leaves the invoice item for another invoice."""
    row = _draft(state, invoice)
    for entry in params["lines"]:
        item = line_items.item_of(_line(row, entry["id"], "lines[0][id]"))
        if item is None:
            raise invalid("The lines of a subscription's items stay on its invoice.", "lines[0][id]")
        _take_off(state, item, entry["behavior"] == "delete")
    return _recounted(state, row, params)


def _take_off(state: State, identifier: str, for_good: bool) -> None:
    item = state.get("invoiceitem", identifier)
    item["invoice"] = None
    state.put(item)
    if for_good:
        emit(state, "invoiceitem.deleted", item)
        state.table("invoiceitem").remove(identifier)
        state.note(identifier)["deleted"] = {"id": identifier, "object": "invoiceitem", "deleted": True}
    elif item["parent"]:
        sub = item["parent"]["subscription_details"]["subscription"]
        state.note(sub).setdefault("pending_items", []).append(identifier)
