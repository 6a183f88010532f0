"""Credit notes are issued, previewed, read, changed and voided here."""

from ..books import crediting
from ..events import emit
from ..http.contract import Params
from ..http.listing import of_list, page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State

LINES = " ".join(
    f"lines.{name}"
    for name in (
        "type amount description invoice_line_item quantity unit_amount tax_rates tax_amounts.amount "
        "tax_amounts.tax_rate tax_amounts.taxable_amount"
    ).split()
)
COVERED = f"invoice amount memo reason {' '.join(crediting.PARTS)} {LINES}"


@api.add("POST", "/v1/credit_notes", "CreditNoteCreateParams", f"{COVERED} metadata")
def create(state: State, params: Params) -> Object:
    return crediting.issue(state, state.get("invoice", params["invoice"], "invoice"), params)


@api.add("GET", "/v1/credit_notes/preview", "CreditNotePreviewParams", COVERED)
def preview(state: State, params: Params) -> Object:
    return crediting.drawn_up(state, state.get("invoice", params["invoice"], "invoice"), params)


@api.add("GET", "/v1/credit_notes/{note}", "CreditNoteRetrieveParams")
def retrieve(state: State, note: str, params: Params) -> Object:
    return state.get("credit_note", note)


@api.add("GET", "/v1/credit_notes/{note}/lines", "CreditNoteLineItemListParams")
def lines(state: State, note: str, params: Params) -> Object:
    rows = state.get("credit_note", note)["lines"]["data"]
    return of_list(rows, params, f"/v1/credit_notes/{note}/lines")


@api.add("GET", "/v1/credit_notes", "CreditNoteListParams", "created customer invoice")
def list_all(state: State, params: Params) -> Object:
    return page(state, "credit_note", "/v1/credit_notes", params, same="customer invoice")


@api.add("POST", "/v1/credit_notes/{note}", "CreditNoteUpdateParams", "memo metadata")
def update(state: State, note: str, params: Params) -> Object:
    row = state.get("credit_note", note)
    row["memo"] = params.get("memo", row["memo"]) or None
    row["metadata"] = merged(row["metadata"], params)
    emit(state, "credit_note.updated", row)
    return row


@api.add("POST", "/v1/credit_notes/{note}/void", "CreditNoteVoidCreditNoteParams")
def void(state: State, note: str, params: Params) -> Object:
    row = state.get("credit_note", note)
    crediting.void(state, row)
    return row
