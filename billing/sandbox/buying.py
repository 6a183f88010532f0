"""What a buyer does at a Checkout: pay, be declined, pass 3D Secure or not. Only then is there a subscription."""

from typing import Any

from . import cards, charging, collection, standing, subscribing
from .cards import Card
from .errors import invalid
from .events import emit, in_order, recorded
from .resources import customers, payment_methods
from .store import Object, State

OUTCOMES = ("paid", "declined", "authenticated", "authentication_failed")
PAID_ORDER = (
    "customer.created charge.succeeded payment_method.attached checkout.session.completed customer.updated "
    "customer.subscription.created payment_intent.succeeded payment_intent.created invoice.created invoice.finalized "
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


def complete(state: State, identifier: str, token: str | None, outcome: str | None) -> dict[str, Any]:
    """`outcome` overrules the card; without one, 3D Secure counts as passed."""
    session = open_session(state, identifier)
    if outcome is not None and outcome not in OUTCOMES:
        raise invalid(f"Invalid outcome: must be one of {', '.join(OUTCOMES)}", "outcome")
    if not token and not needs_card(state, session):
        return _finish(state, session, None)
    card = cards.by_token(token or "pm_card_visa", "payment_method")
    failure = _failure(state, session, card, outcome)
    if failure:
        return {"outcome": failure[0], "error": failure[1], "session": session}
    return _finish(state, session, card)


def needs_card(state: State, session: Object) -> bool:
    free = bool(state.note(session["id"])["trial"])
    return not (free and session["payment_method_collection"] == "if_required")


def _failure(state: State, session: Object, card: Card, outcome: str | None) -> tuple[str, Object] | None:
    if outcome == "authentication_failed":
        _fail_payment(state, session, card, outcome)
        return outcome, dict(charging.AUTHENTICATION_FAILED)
    trial = state.note(session["id"])["trial"]
    decline = card.decline or ("" if trial else card.later_decline)
    if outcome == "declined":
        decline = decline or "generic_decline"
    if not decline or outcome in ("paid", "authenticated"):
        return None
    _fail_payment(state, session, card, "declined")
    return "declined", cards.refusal(decline)


def _fail_payment(state: State, session: Object, card: Card, outcome: str) -> None:
    """The attempt is on record, the session stays open."""
    method = payment_methods.new(state, card)
    if state.note(session["id"])["trial"]:
        intent = payment_methods.new_setup_intent(state, session["customer"], None, "requires_payment_method")
        intent["last_setup_error"] = cards.refusal(card.decline or "generic_decline")
        emit(state, "setup_intent.setup_failed", intent)
        return
    note = state.note(session["id"])
    if "intent" not in note:
        amount, currency = session["amount_total"], session["currency"]
        made = charging.new_intent(
            state, amount, currency, customer=session["customer"], setup_future_usage="off_session"
        )
        note["intent"] = made["id"]
        emit(state, "payment_intent.created", made)
    charging.attempt(state, state.get("payment_intent", note["intent"]), method["id"], True, outcome)


def _finish(state: State, session: Object, card: Card | None) -> dict[str, Any]:
    trial = bool(state.note(session["id"])["trial"])
    with in_order(state, TRIAL_ORDER if trial else PAID_ORDER):
        customer = _customer(state, session)
        with recorded(state, customer, "customer.updated"):
            method = _method(state, session, customer, card)
            sub = _subscription(state, session, customer, method)
        if trial:
            _set_up(state, customer, method)
        else:
            sub["status"] = "active"
        invoice = subscribing.first_invoice(state, sub)
        session.update(status="complete", subscription=sub["id"], invoice=invoice["id"], url=None)
        session["customer"] = customer["id"]
        session["payment_status"] = "paid" if invoice["amount_due"] else "no_payment_required"
        session["customer_details"] = details(customer, session)
        collection.collect(state, invoice, on_session=True, outcome="paid", method=method)
        emit(state, "customer.subscription.created", sub)
        emit(state, "checkout.session.completed", session)
    standing.plan(state, sub)
    return {"outcome": "paid", "error": None, "session": session}


def _customer(state: State, session: Object) -> Object:
    if session["customer"]:
        return state.get("customer", session["customer"])
    customer = state.put(customers.new(state, {"email": session["customer_email"]}))
    emit(state, "customer.created", customer)
    return customer


def details(customer: Object, session: Object) -> Object:
    plain = {name: customer.get(name) for name in ("address", "name", "phone")}
    email = customer["email"] or session["customer_email"]
    exempt = customer["tax_exempt"] or "none"
    return {
        **plain,
        "email": email,
        "tax_exempt": exempt,
        "tax_ids": [],
        "business_name": None,
        "individual_name": None,
    }


def _method(state: State, session: Object, customer: Object, card: Card | None) -> str | None:
    if card is None:
        return None
    method = payment_methods.new(state, card)
    billing = {name: customer[name] for name in ("address", "email", "name", "phone")}
    payment_methods.write(method, {"billing_details": billing, "allow_redisplay": "limited"})
    method["customer"] = customer["id"]
    state.put(method)
    emit(state, "payment_method.attached", method)
    return str(method["id"])


def _subscription(state: State, session: Object, customer: Object, method: str | None) -> Object:
    note = state.note(session["id"])
    options = {**note["subscription_data"], "currency": session["currency"], "default_payment_method": method}
    return subscribing.build(state, customer, note["wanted"], options)


def _set_up(state: State, customer: Object, method: str | None) -> None:
    if method:
        intent = payment_methods.new_setup_intent(state, customer["id"], method, "succeeded")
        emit(state, "setup_intent.created", intent)
        emit(state, "setup_intent.succeeded", intent)
