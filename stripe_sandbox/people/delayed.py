"""A payment may take days: what was bought is there and unpaid, until the bank says yes or no."""

from typing import Any

from ..books import cards, charging, collection, debits, invoicing, part_payments
from ..books.debits import Account
from ..books.due import job
from ..errors import invalid
from ..events import emit, in_order
from ..store import Object, State
from . import one_off

ORDER = (
    "charge.succeeded charge.failed payment_intent.succeeded payment_intent.payment_failed mandate.updated "
    "invoice.paid invoice.payment_succeeded invoice.updated invoice.payment_failed invoice_payment.paid "
    "customer.subscription.updated checkout.session.async_payment_succeeded checkout.session.async_payment_failed"
).split()


def await_payment(state: State, session: Object) -> None:
    """Have the session learn the outcome of its payment."""
    intent = session["payment_intent"]
    if session["mode"] == "subscription":
        paid_by = invoicing.intent_of(state, state.get("invoice", session["invoice"]))
        intent = paid_by["id"] if paid_by else None
    session["payment_status"] = "unpaid"
    state.note(session["id"])["awaits"] = intent
    state.note(intent)["session"] = session["id"]


def is_awaited(state: State, session: Object) -> bool:
    return "awaits" in state.note(session["id"])


def settle_session(state: State, session: Object, outcome: str | None) -> dict[str, Any]:
    """Settle a Checkout's payment as its bank says in the end: paid or declined."""
    if outcome not in ("paid", "declined"):
        raise invalid("This payment is processing: its outcome can be paid or declined.", "outcome")
    intent = state.get("payment_intent", state.note(session["id"])["awaits"])
    settle(state, intent, "" if outcome == "paid" else _usual_code(state, intent))
    return {"outcome": outcome, "error": intent["last_payment_error"], "session": session}


def answer(state: State, identifier: str, outcome: str | None, code: str | None) -> Object:
    """Answer for the bank of a payment that is processing: succeeded, or failed with a code."""
    intent = state.get("payment_intent", identifier, "payment_intent")
    if intent["status"] != "processing":
        raise invalid(
            f"This PaymentIntent is {intent['status']}: only one that is processing waits for its bank.",
            code="payment_intent_unexpected_state",
        )
    if outcome not in ("succeeded", "failed"):
        raise invalid("Invalid outcome: must be one of succeeded, failed", "outcome")
    if outcome == "succeeded":
        if code is not None:
            raise invalid("A payment that succeeded has no code: leave it out, or say `failed`.", "code")
        settle(state, intent)
    else:
        settle(state, intent, _known_code(state, intent, code))
    return intent


def _is_debit(state: State, intent: Object) -> bool:
    return isinstance(cards.of_method(state, intent["payment_method"]), Account)


def _usual_code(state: State, intent: Object) -> str:
    """Return the code that the test card or account has for its refusals, else the most general one."""
    usual = "generic_could_not_process" if _is_debit(state, intent) else "generic_decline"
    return cards.of_method(state, intent["payment_method"]).later_decline or usual


def _known_code(state: State, intent: Object, code: str | None) -> str:
    known = debits.MESSAGES if _is_debit(state, intent) else cards.MESSAGES
    if code is not None and code not in known:
        raise invalid(f"Invalid code: must be one of {', '.join(known)}", "code")
    return code or _usual_code(state, intent)


@job
def bank_answers(state: State, identifier: str, charge: str) -> None:
    """Answer as the test account does, unless somebody has answered for its bank."""
    intent = state.get("payment_intent", identifier)
    if intent["status"] == "processing" and intent["latest_charge"] == charge:
        settle(state, intent, cards.of_method(state, intent["payment_method"]).later_decline)


def settle(state: State, intent: Object, code: str = "") -> None:
    """Let the payment succeed, or fail with a code, and tell its invoice and its Checkout."""
    note = state.note(intent["id"])
    session = state.find("checkout.session", note.pop("session", None))
    invoice = state.find("invoice", note.get("invoice"))
    with in_order(state, ORDER):
        result = charging.conclude(state, intent, code)
        if invoice is not None:
            collection.conclude(state, invoice, result)
        elif result == charging.SUCCEEDED:
            part_payments.settle(state, intent)
        if session is not None:
            _tell(state, session, result)


def _tell(state: State, session: Object, result: str) -> None:
    del state.note(session["id"])["awaits"]
    if result != charging.SUCCEEDED:
        emit(state, "checkout.session.async_payment_failed", session)
        return
    if session["mode"] == "subscription":
        session["payment_status"] = "paid"
    else:
        one_off.settle(state, session)
    emit(state, "checkout.session.async_payment_succeeded", session)
