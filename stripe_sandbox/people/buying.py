"""A buyer completes a Checkout: pays, is declined, or passes 3D Secure. Only then the subscription exists."""

from typing import Any

from ..books import cards, charging, debits, extras, proration, standing, subscribing
from ..books.cards import Card, Means
from ..books.collection import collect
from ..books.debits import CURRENCIES, Account
from ..errors import invalid
from ..events import emit, in_order, recorded
from ..resources import payment_methods, setup_intents
from ..store import Object, State
from . import checkout_discounts, delayed, one_off
from .buyers import customer_of, details, mandate_for, saved

OUTCOMES = ("paid", "declined", "authenticated", "authentication_failed")
AT_CHECKOUT = (*OUTCOMES, "processing")
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
    state: State, identifier: str, given: Means | str | None, outcome: str | None, code: str | None = None
) -> dict[str, Any]:
    """`given` is a card or the name of one. `outcome` overrules it; without one, 3D Secure counts as passed.

    `processing` is a delayed payment. `code` is the text of a promotion code, entered before the payment.
    """
    if outcome is not None and outcome not in AT_CHECKOUT:
        raise invalid(f"Invalid outcome: must be one of {', '.join(AT_CHECKOUT)}", "outcome")
    session = state.get("checkout.session", identifier)
    if delayed.is_awaited(state, session):
        return delayed.settle_session(state, session, outcome)
    session = open_session(state, identifier)
    if code:
        checkout_discounts.enter(state, session, code)
    if not given and not needs_card(state, session):
        return _finish(state, session, None, None)
    card = given if isinstance(given, Card | Account) else cards.named(given or _usual(session), "payment_method")
    if isinstance(card, Account):
        outcome = _debited(session, card, outcome)
    if outcome == "processing" and is_free(session):
        raise invalid("There is nothing to pay at this Checkout that could be processing.", "outcome")
    failure = _failure(state, session, card, outcome)
    if failure:
        return {"outcome": failure[0], "error": failure[1], "session": session}
    return _finish(state, session, card, outcome)


def _usual(session: Object) -> str:
    """Return what a buyer pays with who names nothing."""
    usual = {"sepa_debit": "pm_sepaDebit_success_de", "us_bank_account": "pm_usBankAccount_success",
             "bacs_debit": "pm_bacsDebit_success"}  # fmt: skip
    return usual.get(session["payment_method_types"][0], "pm_card_visa")


def takes(session: Object, kind: str) -> bool:
    """Return whether the session names this kind of debit, or leaves the ways to pay to Stripe and has its currency."""
    if session["payment_method_configuration_details"] is None:
        return kind in session["payment_method_types"]
    return bool(session["currency"] == CURRENCIES[kind])


def accounts(session: Object) -> list[Account]:
    """Return the test accounts that the session's page offers."""
    named = session["payment_method_types"]
    currencies = {CURRENCIES[kind] for kind in CURRENCIES if kind in named and takes(session, kind)}
    return [account for currency in sorted(currencies) for account in debits.of_currency(currency)]


def _debited(session: Object, account: Account, outcome: str | None) -> str | None:
    """Debit the account: the payment is processing if there is anything to pay, and its bank says the outcome later."""
    if not takes(session, account.kind):
        raise invalid(
            f"This Checkout Session takes no {account.kind}: it takes {', '.join(session['payment_method_types'])}.",
            "payment_method",
        )
    if outcome not in (None, "processing"):
        raise invalid("A bank debit is processing first: its outcome comes later.", "outcome")
    return None if is_free(session) else "processing"


def needs_card(state: State, session: Object) -> bool:
    """Return whether a card is needed: not if nothing is to pay and the session asks for a card only then."""
    optional = session["payment_method_collection"] == "if_required" and session["mode"] != "setup"
    return not (is_free(session) and optional)


def is_free(session: Object) -> bool:
    return not session["amount_total"]


def _failure(state: State, session: Object, card: Means, outcome: str | None) -> tuple[str, Object] | None:
    if outcome == "authentication_failed":
        _fail(state, session, card, outcome)
        return outcome, dict(charging.AUTHENTICATION_FAILED)
    decline = card.decline or ("" if is_free(session) else card.later_decline)
    if outcome == "declined":
        decline = decline or "generic_decline"
    if not decline or outcome in ("paid", "authenticated", "processing"):
        return None
    _fail(state, session, card, "declined")
    return "declined", cards.refusal(decline)


def _fail(state: State, session: Object, card: Means, outcome: str) -> None:
    """Record the failed attempt; the session stays open."""
    if is_free(session):
        _fail_setup(state, session, card, outcome)
        return
    method = payment_methods.new(state, card)
    charging.attempt(state, one_off.intent_for(state, session), method["id"], True, outcome)


def _fail_setup(state: State, session: Object, card: Means, outcome: str) -> None:
    intent = state.find("setup_intent", session["setup_intent"]) or setup_intents.new(
        state, session["customer"], None, "requires_payment_method"
    )
    is_refused = outcome != "authentication_failed"
    refused = cards.refusal(card.decline or "generic_decline")
    intent["last_setup_error"] = refused if is_refused else dict(one_off.SETUP_AUTHENTICATION_FAILED)
    emit(state, "setup_intent.setup_failed", intent)


def _finish(state: State, session: Object, card: Means | None, outcome: str | None) -> dict[str, Any]:
    result = "processing" if outcome == "processing" else "paid"
    if session["mode"] == "subscription":
        _subscribe(state, session, card, result)
    else:
        one_off.finish(state, session, card, result)
    return {"outcome": result, "error": None, "session": session}


def _subscribe(state: State, session: Object, card: Means | None, result: str) -> None:
    trial = bool(state.note(session["id"])["trial"])
    with in_order(state, TRIAL_ORDER if trial else PAID_ORDER):
        customer = customer_of(state, session)
        with recorded(state, customer, "customer.updated"):
            method = saved(state, customer, card)
            sub = _subscription(state, session, customer, method)
        if trial and is_free(session):
            _set_up(state, customer, method)
        elif result == "paid" and not trial:
            sub["status"] = "active"
        invoice = subscribing.first_invoice(state, sub, proration.take_pending_lines(state, sub))
        checkout_discounts.remember(state, session, invoice["total_discount_amounts"])
        session.update(status="complete", subscription=sub["id"], invoice=invoice["id"], url=None)
        session["customer"] = customer["id"]
        session["payment_status"] = _payment_status(invoice, result)
        session["customer_details"] = details(customer, session)
        collect(state, invoice, on_session=True, outcome=result, method=method)
        emit(state, "customer.subscription.created", sub)
        emit(state, "checkout.session.completed", state.put(session))
    if result == "processing":
        delayed.await_payment(state, session)
    standing.plan(state, sub)


def _payment_status(invoice: Object, result: str) -> str:
    if not invoice["amount_due"]:
        return "no_payment_required"
    return "unpaid" if result == "processing" else "paid"


def _subscription(state: State, session: Object, customer: Object, method: str | None) -> Object:
    note = state.note(session["id"])
    options = {**note["subscription_data"], "currency": session["currency"], "default_payment_method": method}
    options |= {"discounts": note.get("discounts"), "session": session["id"]}
    recurring = [entry for entry in note["wanted"] if state.get("price", entry["price"])["recurring"]]
    sub = subscribing.build(state, customer, recurring, options)
    extras.wait(state, sub, {"add_invoice_items": [entry for entry in note["wanted"] if entry not in recurring]})
    return sub


def _set_up(state: State, customer: Object, method: str | None) -> None:
    if method:
        intent = setup_intents.new(state, customer["id"], method, "succeeded")
        intent["mandate"] = mandate_for(state, method)
        emit(state, "setup_intent.created", intent)
        emit(state, "setup_intent.succeeded", intent)
