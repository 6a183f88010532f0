"""A buyer completes a Checkout: pays, is declined, or passes 3D Secure. Only then the subscription exists."""

from typing import Any

from ..books import cards, charging, extras, proration, standing, subscribing
from ..books.cards import Means
from ..books.collection import collect
from ..books.debits import Account
from ..books.tax import lines
from ..errors import invalid
from ..events import emit, in_order, recorded
from ..resources import setup_intents
from ..store import Object, State
from . import (
    checkout_discounts,
    checkout_taxes,
    delayed,
    filling,
    link_visits,
    means,
    one_off,
    quantities,
    shipping,
    totals,
)
from .buyers import Buyer, customer_of, fill, mandate_for, saved, used_once, write

OUTCOMES = ("paid", "declined", "authenticated", "authentication_failed")
AT_CHECKOUT = (*OUTCOMES, "processing")
AMOUNTS = ("quantities", "shipping_rate", "promotion_code")
TAXED = ("billing_address", "tax_id")
PAID_ORDER = (
    "customer.created charge.succeeded charge.pending payment_method.attached checkout.session.completed "
    "customer.updated customer.subscription.created payment_intent.succeeded payment_intent.processing "
    "payment_intent.created invoice.created invoice.finalized "
    "invoice.paid invoice.payment_succeeded invoice_payment.paid"
).split()
TRIAL_ORDER = (
    "customer.created setup_intent.created setup_intent.succeeded payment_method.attached customer.updated "
    "customer.subscription.created invoice.created invoice.finalized invoice.paid invoice.payment_succeeded "
    "checkout.session.completed"
).split()


def open_session(state: State, identifier: str) -> Object:
    session = state.get("checkout.session", identifier)
    if session["status"] != "open":
        raise invalid(f"The Checkout Session {identifier} is {session['status']}: nothing can be done at it any more.")
    return session


def complete(
    state: State,
    identifier: str,
    given: Means | str | None,
    outcome: str | None,
    entries: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Complete a Checkout. `given` is a card or the name of one. `outcome` overrules it; without one, 3D Secure counts
    as passed.

    `processing` is a delayed payment. `entries` are what the buyer fills in (`filling.FIELDS`) and chooses first.
    """
    if outcome is not None and outcome not in AT_CHECKOUT:
        raise invalid(f"Invalid outcome: must be one of {', '.join(AT_CHECKOUT)}", "outcome")
    session = state.get("checkout.session", identifier)
    if delayed.is_awaited(state, session):
        return delayed.settle_session(state, session, outcome)
    session, entries = open_session(state, identifier), entries or {}
    choose(state, session, entries)
    filled = filling.checked(session, entries)
    checkout_taxes.check_complete(state, session)
    if not given and not means.needs_card(session):
        return _finish(state, session, Buyer(filled), None)
    card, known = means.chosen(state, session, given)
    if isinstance(card, Account):
        outcome = means.debited(session, card, outcome)
    if outcome == "processing" and means.is_free(session):
        raise invalid("There is nothing to pay at this Checkout that could be processing.", "outcome")
    buyer = Buyer(filled, card, known, keeps=bool(entries.get("save_payment_method")))
    failure = _failure(state, session, buyer, outcome)
    if failure:
        return {"outcome": failure[0], "error": failure[1], "session": session}
    return _finish(state, session, buyer, outcome)


def choose(state: State, session: Object, entries: dict[str, Any]) -> None:
    """Enter what changes the amount: quantities and optional items, the way to ship, a promotion code, and what tax
    depends on."""
    if entries.get("quantities"):
        quantities.change(state, session, entries["quantities"])
    if entries.get("shipping_rate"):
        shipping.choose(state, session, entries["shipping_rate"])
        totals.recount(state, session)
    if entries.get("promotion_code"):
        checkout_discounts.enter(state, session, entries["promotion_code"])
    if any(entries.get(name) for name in TAXED):
        checkout_taxes.enter(state, session, entries)
        totals.recount(state, session)


def _failure(state: State, session: Object, buyer: Buyer, outcome: str | None) -> tuple[str, Object] | None:
    if outcome == "authentication_failed":
        _fail(state, session, buyer, outcome)
        return outcome, dict(charging.AUTHENTICATION_FAILED)
    card = buyer.means
    decline = (card.decline or ("" if means.is_free(session) else card.later_decline)) if card else ""
    if outcome == "declined":
        decline = decline or "generic_decline"
    if not decline or outcome in ("paid", "authenticated", "processing"):
        return None
    _fail(state, session, buyer, "declined")
    return "declined", cards.refusal(decline)


def _fail(state: State, session: Object, buyer: Buyer, outcome: str) -> None:
    """Record the failed attempt; the session stays open."""
    if means.is_free(session):
        _fail_setup(state, session, buyer, outcome)
        return
    method = used_once(state, session, buyer)
    charging.attempt(state, one_off.intent_for(state, session), method, True, outcome)


def _fail_setup(state: State, session: Object, buyer: Buyer, outcome: str) -> None:
    intent = state.find("setup_intent", session["setup_intent"]) or setup_intents.new(
        state, session["customer"], None, "requires_payment_method"
    )
    is_refused = outcome != "authentication_failed"
    refused = cards.refusal((buyer.means.decline if buyer.means else "") or "generic_decline")
    intent["last_setup_error"] = refused if is_refused else dict(one_off.SETUP_AUTHENTICATION_FAILED)
    emit(state, "setup_intent.setup_failed", intent)


def _finish(state: State, session: Object, buyer: Buyer, outcome: str | None) -> dict[str, Any]:
    result = "processing" if outcome == "processing" else "paid"
    if session["mode"] == "subscription":
        _subscribe(state, session, buyer, result)
    else:
        one_off.finish(state, session, buyer, result)
    link_visits.count(state, session)
    return {"outcome": result, "error": None, "session": session}


def _subscribe(state: State, session: Object, buyer: Buyer, result: str) -> None:
    trial = bool(state.note(session["id"])["trial"])
    with in_order(state, TRIAL_ORDER if trial else PAID_ORDER):
        customer = customer_of(state, session, buyer.filled)
        with recorded(state, customer, "customer.updated"):
            write(state, session, customer, buyer.filled)
            checkout_taxes.keep_ids(state, session, customer)
            method = saved(state, customer, buyer)
            sub = _subscription(state, session, customer, method)
        if trial and means.is_free(session):
            _set_up(state, customer, method)
        elif result == "paid" and not trial:
            sub["status"] = "active"
        invoice = subscribing.first_invoice(state, sub, proration.take_pending_lines(state, sub))
        if invoice is not None:
            checkout_discounts.remember(state, session, invoice["total_discount_amounts"])
            session["invoice"] = invoice["id"]
        session.update(status="complete", subscription=sub["id"], url=None)
        session["customer"] = customer["id"]
        session["payment_status"] = _payment_status(invoice, result)
        fill(session, customer, buyer.filled)
        if invoice is not None:
            collect(state, invoice, on_session=True, outcome=result, method=method)
        emit(state, "customer.subscription.created", sub)
        emit(state, "checkout.session.completed", state.put(session))
    if result == "processing":
        delayed.await_payment(state, session)
    standing.plan(state, sub)


def _payment_status(invoice: Object | None, result: str) -> str:
    if invoice is None or not invoice["amount_due"]:
        return "no_payment_required"
    return "unpaid" if result == "processing" else "paid"


def _subscription(state: State, session: Object, customer: Object, method: str | None) -> Object:
    note = state.note(session["id"])
    options = {**note["subscription_data"], "currency": session["currency"], "default_payment_method": method}
    options |= {"discounts": note.get("discounts"), "session": session["id"]}
    options["automatic_tax"] = session["automatic_tax"]
    lasting = [_wanted(state, row) for row in note["items"] if row["price"]["recurring"]]
    sub = subscribing.build(state, customer, lasting, options)
    once = [_wanted(state, row) for row in note["items"] if not row["price"]["recurring"]]
    extras.wait(state, sub, {"add_invoice_items": once})
    return sub


def _wanted(state: State, row: Object) -> Object:
    counted = {} if row["quantity"] is None else {"quantity": row["quantity"]}
    return {"price": row["price"]["id"], **counted, **lines.remembered(state, row["id"])}


def _set_up(state: State, customer: Object, method: str | None) -> None:
    if method:
        intent = setup_intents.new(state, customer["id"], method, "succeeded")
        intent["mandate"] = mandate_for(state, method)
        emit(state, "setup_intent.created", intent)
        emit(state, "setup_intent.succeeded", intent)
