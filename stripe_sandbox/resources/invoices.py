"""Invoices are read, updated, finalized, paid and voided here, with their lines and payments."""

from ..books import collection, discounting, extras, invoicing, mandates, part_payments, standing
from ..books.tax import finalizing
from ..errors import declined, invalid, missing_parameter
from ..events import recorded
from ..http.contract import Params
from ..http.listing import of_list, page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from . import invoice_taxes
from .payment_methods import resolved


@api.add("GET", "/v1/invoices/{invoice}", "InvoiceRetrieveParams")
def retrieve(state: State, invoice: str, params: Params) -> Object:
    return state.get("invoice", invoice)


@api.add("GET", "/v1/invoices", "InvoiceListParams", "created customer subscription status collection_method")
def list_all(state: State, params: Params) -> Object:
    wanted = params.get("subscription")
    sub = state.find("subscription", wanted)
    narrowed = {**params, "customer": sub["customer"]} if sub and "customer" not in params else params

    def keep(row: Object) -> bool:
        return wanted is None or invoicing.subscription_id(row) == wanted

    return page(state, "invoice", "/v1/invoices", narrowed, keep, same="customer status collection_method")


@api.add("GET", "/v1/invoices/{invoice}/lines", "InvoiceLineItemListParams")
def lines(state: State, invoice: str, params: Params) -> Object:
    return of_list(state.get("invoice", invoice)["lines"]["data"], params, f"/v1/invoices/{invoice}/lines")


@api.add("POST", "/v1/invoices/{invoice}/pay", "InvoicePayParams", "payment_method paid_out_of_band off_session")
def pay(state: State, invoice: str, params: Params) -> Object:
    row = payable(state, invoice)
    if params.get("paid_out_of_band"):
        invoicing.cancel_payment(state, row, "abandoned")
        collection.settle(state, row, out_of_band=True)
        return row
    method = resolved(state, params["payment_method"])["id"] if "payment_method" in params else None
    chosen = method or collection.method_for(state, row)
    if chosen is None and row["amount_due"]:
        raise invalid(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set one, or pass one.",
            None,
            "invoice_payment_intent_requires_action" if row["attempted"] else "resource_missing",
        )
    result = collection.collect(state, row, on_session=params.get("off_session") is False, method=chosen, counts=True)
    _refuse_failure(state, row, result)
    return row


def _refuse_failure(state: State, invoice: Object, result: str) -> None:
    intent = invoicing.intent_of(state, invoice)
    if result == collection.DECLINED and intent and intent["last_payment_error"]["code"] == mandates.CODE:
        raise mandates.missing("PaymentIntent", payment_intent=intent)
    if result == collection.DECLINED and intent is not None:
        raise declined(intent["last_payment_error"])
    if result == collection.REQUIRES_ACTION:
        raise declined(
            {
                "code": "invoice_payment_intent_requires_action",
                "message": "This payment requires additional user action before it can be completed successfully.",
            }
        )


def payable(state: State, identifier: str) -> Object:
    invoice = state.get("invoice", identifier)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", None, "invoice_already_paid")
    if invoice["status"] == "draft":
        finalize_now(state, invoice)
    if invoicing.is_processing(state, invoice):
        raise invalid(f"Invoice {identifier} has a payment that is processing: it cannot be paid again.", None,
                      "invoice_not_editable")  # fmt: skip
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"Invoice {identifier} is {invoice['status']}: it cannot be paid.", None, "invoice_not_editable")
    return invoice


def finalize_now(state: State, invoice: Object) -> None:
    """Finalize, or say why it is not possible."""
    if not invoicing.finalize(state, invoice):
        raise finalizing.failure(invoice)


@api.add("POST", "/v1/invoices/{invoice}/finalize", "InvoiceFinalizeInvoiceParams", "auto_advance")
def finalize(state: State, invoice: str, params: Params) -> Object:
    row = state.get("invoice", invoice)
    if row["status"] != "draft":
        raise invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.", None,
                      "invoice_not_editable")  # fmt: skip
    finalize_now(state, row)
    row["auto_advance"] = params.get("auto_advance", row["auto_advance"])
    if row["amount_due"] == 0:
        collection.settle(state, row)
    elif row["auto_advance"] and row["collection_method"] == "send_invoice":
        collection.advance(state, row)
    elif row["auto_advance"]:
        state.schedule(state.now() + 3600, "collect_finalized", invoice)
    return row


@api.add("POST", "/v1/invoices/{invoice}/void", "InvoiceVoidInvoiceParams")
def void(state: State, invoice: str, params: Params) -> Object:
    row = state.get("invoice", invoice)
    if row["status"] not in ("open", "uncollectible"):
        raise invalid("You can only pass in open invoices. This invoice isn't open.")
    if invoicing.is_processing(state, row):
        raise invalid("You can't void an invoice while its payment is processing.", None, "invoice_not_editable")
    if part_payments.attached(state, row, "open", "paid"):
        raise invalid("You can't void an invoice that has payments.", None, "invoice_not_editable")
    standing.close_invoice(state, row, "void")
    return row


@api.add("POST", "/v1/invoices/{invoice}/mark_uncollectible", "InvoiceMarkUncollectibleParams")
def mark_uncollectible(state: State, invoice: str, params: Params) -> Object:
    row = state.get("invoice", invoice)
    if row["status"] != "open":
        raise invalid(f"You can only mark open invoices as uncollectible. This invoice is {row['status']}.")
    if part_payments.attached(state, row, "open"):
        raise invalid("You can't mark an invoice as uncollectible while it has open payments.", None,
                      "invoice_not_editable")  # fmt: skip
    standing.close_invoice(state, row, "uncollectible")
    return row


@api.add("POST", "/v1/invoices/{invoice}/attach_payment", "InvoiceAttachPaymentParams", "payment_intent")
def attach_payment(state: State, invoice: str, params: Params) -> Object:
    row = state.get("invoice", invoice)
    if "payment_intent" not in params:
        raise missing_parameter("payment_intent")
    part_payments.attach(state, row, state.get("payment_intent", params["payment_intent"], "payment_intent"))
    return row


TAXES = {"automatic_tax", "default_tax_rates", "account_tax_ids"}
DRAFT_ONLY = {"description", "footer", "discounts", *TAXES}


@api.add(
    "POST",
    "/v1/invoices/{invoice}",
    "InvoiceUpdateParams",
    "auto_advance default_payment_method description footer metadata discounts.coupon discounts.promotion_code "
    f"discounts.discount {invoice_taxes.NAMES}",
)
def update(state: State, invoice: str, params: Params) -> Object:
    row = state.get("invoice", invoice)
    if row["status"] != "draft" and params.keys() & DRAFT_ONLY:
        raise invalid("Finalized invoices can't be updated in this way", None, "invoice_not_editable")
    with recorded(state, row, "invoice.updated"):
        for name in ("auto_advance", "default_payment_method", "description", "footer"):
            if name in params:
                row[name] = None if params[name] == "" else params[name]
        row["metadata"] = merged(row["metadata"], params)
        if params.keys() & TAXES:
            invoice_taxes.write(state, row, params)
        if "discounts" in params:
            discounting.give(state, params["discounts"], row, row["subtotal"])
    if params.keys() & {"discounts", *TAXES}:
        extras.recount(state, row)
    if params.get("auto_advance") and row["status"] == "draft":
        state.schedule(state.now() + state.settings["finalize_after"], "finalize", invoice, urgency=4)
    return row


@api.add("GET", "/v1/invoice_payments/{payment}", "InvoicePaymentRetrieveParams")
def retrieve_payment(state: State, payment: str, params: Params) -> Object:
    return state.get("invoice_payment", payment)


@api.add(
    "GET",
    "/v1/invoice_payments",
    "InvoicePaymentListParams",
    "invoice status created payment.type payment.payment_intent",
)
def list_payments(state: State, params: Params) -> Object:
    wanted = params.get("payment") or {}
    intent = wanted.get("payment_intent")
    narrowed = dict(params)
    if intent and "invoice" not in narrowed:
        narrowed["invoice"] = _paid_by(state, intent)

    def keep(row: Object) -> bool:
        return all(row["payment"].get(name) == value for name, value in wanted.items())

    return page(state, "invoice_payment", "/v1/invoice_payments", narrowed, keep, same="invoice status")


def _paid_by(state: State, intent: str) -> str:
    """Return the invoice that an intent pays, as its default payment or attached to it."""
    note = state.notes.get(intent, {})
    payment = state.find("invoice_payment", note.get("pays"))
    return str(payment["invoice"] if payment else note.get("invoice", "none"))
