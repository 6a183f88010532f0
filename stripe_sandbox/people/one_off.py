"""A Checkout without a subscription ends in one payment, with an invoice if asked for, or in a saved card."""

from typing import Any

from ..books import charging, invoicing, line_items
from ..books.tax import lines
from ..events import emit, in_order, recorded
from ..store import Object, State
from . import checkout_discounts, checkout_taxes, delayed
from .buyers import Buyer, customer_of, fill, mandate_for, saved, used_once, write

SETUP_AUTHENTICATION_FAILED = {**charging.AUTHENTICATION_FAILED, "code": "setup_intent_authentication_failure"}
PAYMENT_ORDER = (
    "customer.created customer.updated payment_intent.created charge.succeeded charge.pending "
    "payment_method.attached payment_intent.amount_capturable_updated payment_intent.succeeded "
    "payment_intent.processing checkout.session.completed invoiceitem.created "
    "invoice.created invoice.finalized "
    "invoice.paid invoice.payment_succeeded invoice_payment.paid"
).split()
SETUP_ORDER = (
    "customer.created customer.updated payment_method.attached setup_intent.succeeded checkout.session.completed"
).split()


def intent_for(state: State, session: Object) -> Object:
    """Return the payment intent of a session, made at the first attempt to pay."""
    note = state.note(session["id"])
    if "intent" in note:
        intent = state.get("payment_intent", note["intent"])
        intent["amount"] = session["amount_total"]
        return intent
    values: dict[str, Any] = {"setup_future_usage": "off_session" if session["mode"] == "subscription" else None}
    values |= {"customer": session["customer"], **note["one_off"]}
    intent = charging.new_intent(state, session["amount_total"], session["currency"], **values)
    note["intent"] = intent["id"]
    if session["mode"] == "payment":
        session["payment_intent"] = intent["id"]
        state.put(session)
    emit(state, "payment_intent.created", intent)
    return intent


def finish(state: State, session: Object, buyer: Buyer, result: str) -> None:
    with in_order(state, SETUP_ORDER if session["mode"] == "setup" else PAYMENT_ORDER):
        customer = customer_of(state, session, buyer.filled) if _has_customer(state, session, buyer) else None
        if customer:
            with recorded(state, customer, "customer.updated"):
                write(state, session, customer, buyer.filled)
                checkout_taxes.keep_ids(state, session, customer)
        session.update(status="complete", url=None, customer=customer["id"] if customer else None)
        fill(session, customer, buyer.filled)
        checkout_discounts.redeem(state, session)
        if session["mode"] == "setup":
            _save_card(state, session, customer, buyer)
        elif not session["amount_total"]:
            session["payment_status"] = "no_payment_required"
        else:
            _pay(state, session, customer, buyer, result)
        emit(state, "checkout.session.completed", state.put(session))


def _has_customer(state: State, session: Object, buyer: Buyer) -> bool:
    """Return whether the buyer becomes a customer: a guest does only if what was bought needs one."""
    keeps_card = buyer.keeps or bool(state.note(session["id"])["one_off"].get("setup_future_usage"))
    invoices = bool(session["invoice_creation"] and session["invoice_creation"]["enabled"])
    return bool(session["customer"]) or session["customer_creation"] == "always" or keeps_card or invoices


def _save_card(state: State, session: Object, customer: Object | None, buyer: Buyer) -> None:
    intent = state.get("setup_intent", session["setup_intent"])
    method = _method(state, session, customer, buyer)
    intent.update(status="succeeded", payment_method=method, customer=session["customer"], last_setup_error=None)
    intent["mandate"] = mandate_for(state, method)
    state.put(intent)
    emit(state, "setup_intent.succeeded", intent)


def _method(state: State, session: Object, customer: Object | None, buyer: Buyer) -> str:
    return str(saved(state, customer, buyer) if customer else used_once(state, session, buyer))


def _pay(state: State, session: Object, customer: Object | None, buyer: Buyer, result: str) -> None:
    intent = intent_for(state, session)
    intent.update(customer=session["customer"], shipping=_shipping(session))
    state.put(intent)
    keeps = customer if intent["setup_future_usage"] or buyer.keeps else None
    method = _method(state, session, keeps, buyer)
    charging.attempt(state, intent, method, True, result)
    if result == "processing":
        delayed.await_payment(state, session)
    elif intent["status"] != "requires_capture":
        settle(state, session)


def _shipping(session: Object) -> Object | None:
    """Return where to ship to, as the payment shows it."""
    details = session["collected_information"]["shipping_details"]
    if not details:
        return None
    return {**details, "carrier": None, "phone": session["customer_details"]["phone"], "tracking_number": None}


def settle(state: State, session: Object) -> None:
    """Complete a one-off payment; if an invoice was asked for, it comes after the payment, and is paid."""
    session["payment_status"] = "paid"
    if session["invoice_creation"]["enabled"]:
        session["invoice"] = _invoice(state, session)["id"]


def _invoice(state: State, session: Object) -> Object:
    given = session["invoice_creation"]["invoice_data"]
    buyer = {"id": None, "customer": session["customer"], "currency": session["currency"], "metadata": {},
             "collection_method": "charge_automatically", "discounts": []}  # fmt: skip
    lines = [_line(state, buyer, row) for row in state.note(session["id"])["items"]]
    values = {name: given[name] for name in ("custom_fields", "description", "footer", "metadata")}
    made = [entry["discount"]["id"] for entry in state.note(session["id"]).get("discount_amounts", [])]
    values |= {"parent": None, "auto_advance": False, "discounts": made}
    values |= checkout_taxes.invoice_values(state, session) | _shipped(state, session)
    invoice = invoicing.document(state, buyer, "manual", lines, **values)
    state.note(state.put(invoice)["id"])["shipping_taxes"] = state.note(session["id"]).get("shipping_taxes", [])
    emit(state, "invoice.created", invoice)
    invoicing.finalize(state, invoice, reserve=False)
    intent = state.get("payment_intent", session["payment_intent"])
    invoicing.tie_payment(state, invoice, intent)
    invoicing.mark_paid(state, invoice)
    invoicing.settle_payment(state, invoice)
    return invoice


def _shipped(state: State, session: Object) -> dict[str, Any]:
    """Return what the invoice says of the shipping."""
    details, cost = session["collected_information"]["shipping_details"], session["shipping_cost"]
    rate = {"shipping_rate": state.get("shipping_rate", cost["shipping_rate"])} if cost else {}
    phone = session["customer_details"]["phone"]
    return {**rate, "shipping_details": {**details, "phone": phone}} if details else rate


def _line(state: State, buyer: Object, row: Object) -> Object:
    now = state.now()
    words = {"description": row["description"], "invoice_item": state.new_id("ii")}
    item = {**row, **lines.remembered(state, row["id"])}
    return line_items.line(state, buyer, item, row["amount_subtotal"], (now, now), **words)
