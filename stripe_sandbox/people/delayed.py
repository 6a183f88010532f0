"""Payments that take days: the session is complete and unpaid, until the bank says yes or no."""

from typing import Any

from ..books import cards, charging, collection
from ..errors import invalid
from ..events import emit, in_order
from ..store import Object, State
from . import one_off

GRACE = 23 * 3600
ORDER = (
    "charge.succeeded charge.failed payment_intent.succeeded payment_intent.payment_failed invoice.paid "
    "invoice.payment_succeeded invoice.updated invoice.payment_failed invoice_payment.paid "
    "customer.subscription.updated checkout.session.async_payment_succeeded checkout.session.async_payment_failed"
).split()


def await_payment(state: State, session: Object, method: str | None) -> None:
    session["payment_status"] = "unpaid"
    state.note(session["id"])["awaits"] = method


def is_awaited(state: State, session: Object) -> bool:
    return "awaits" in state.note(session["id"])


def settle(state: State, session: Object, outcome: str | None) -> dict[str, Any]:
    """What the bank says in the end: paid or declined."""
    if outcome not in ("paid", "declined"):
        raise invalid("This payment is processing: its outcome can be paid or declined.", "outcome")
    method = state.note(session["id"]).pop("awaits")
    with in_order(state, ORDER):
        if session["mode"] == "subscription":
            _settle_subscription(state, session, method, outcome)
        else:
            charging.attempt(state, state.get("payment_intent", session["payment_intent"]), method, True, outcome)
        if outcome == "paid":
            _succeed(state, session)
        else:
            emit(state, "checkout.session.async_payment_failed", session)
    error = None if outcome == "paid" else cards.refusal("generic_decline")
    return {"outcome": outcome, "error": error, "session": session}


def _succeed(state: State, session: Object) -> None:
    if session["mode"] == "subscription":
        session["payment_status"] = "paid"
    else:
        one_off.settle(state, session)
    emit(state, "checkout.session.async_payment_succeeded", session)


def _settle_subscription(state: State, session: Object, method: str | None, outcome: str) -> None:
    invoice = state.get("invoice", session["invoice"])
    collection.collect(state, invoice, on_session=True, outcome=outcome, method=method)
    if outcome == "declined":
        state.schedule(state.now() + GRACE, "incomplete_lapsed", session["subscription"])
