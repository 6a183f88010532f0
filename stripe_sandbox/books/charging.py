"""Charging a card makes a payment intent, a charge and a movement of the balance."""

from typing import Any

from ..events import emit
from ..http.blanks import blank
from ..store import Object, State
from . import cards, charges, debiting
from .cards import Card
from .debits import Account
from .due import job

SUCCEEDED, DECLINED, REQUIRES_ACTION, PROCESSING = "succeeded", "declined", "requires_action", "processing"
CONFIGURATION = "pmc_1SandboxSandboxSandbox01"
CARD_OPTIONS = {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
AUTHENTICATION_FAILED = {
    "type": "invalid_request_error",
    "code": "payment_intent_authentication_failure",
    "message": "The provided payment method has failed authentication.",
}


def new_intent(state: State, amount: int, currency: str, **values: Any) -> Object:
    identifier = state.new_id("pi")
    intent = blank(
        "payment_intent",
        identifier,
        **{
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "capture_method": "automatic",
            "client_secret": f"{identifier}_secret_{state.new_id('s', 25)[2:]}",
            "confirmation_method": "automatic",
            "created": state.now(),
            "currency": currency,
            "livemode": False,
            "metadata": {},
            "payment_method_options": {"card": dict(CARD_OPTIONS)},
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
            **values,
        },
    )
    return state.put(intent)


def attempt(state: State, intent: Object, method: str | None, on_session: bool, outcome: str | None = None) -> str:
    """Charge the card as it behaves, or with the `outcome` given: paid, declined, authenticated, authentication_failed,
    or processing (the bank answers days later)."""
    if method is None:
        return _without_card(state, intent)
    card = cards.of_method(state, method)
    intent["payment_method"] = method
    if isinstance(card, Account):
        return PROCESSING if debiting.begin(state, intent, method, card) else DECLINED
    if outcome == "processing":
        return _wait(state, intent)
    if outcome == "authentication_failed":
        return _fail_authentication(state, intent, method)
    if outcome is None and needs_authentication(state, method, on_session):
        return _ask(state, intent)
    refused = _decline(card, outcome)
    if refused:
        return decline(state, intent, method, refused)
    return _succeed(state, intent, method, card)


def conclude(state: State, intent: Object, code: str) -> str:
    """End a payment that is processing as its bank says; an empty `code` is a yes."""
    method = intent["payment_method"]
    means = cards.of_method(state, method)
    if not isinstance(means, Account):
        return decline(state, intent, method, code) if code else _succeed(state, intent, method, means)
    if code:
        debiting.fail(state, intent, code)
    else:
        debiting.succeed(state, intent, means)
    return DECLINED if code else SUCCEEDED


def needs_authentication(state: State, method: str, on_session: bool) -> bool:
    """Return whether the bank asks for 3D Secure: of a card that asks once, also off session until it is set up
    (https://docs.stripe.com/testing#regulatory-cards)."""
    asks = cards.of_method(state, method).authentication
    is_set_up = asks == "on_session" or state.notes.get(method, {}).get("set_up")
    return asks == "always" or (bool(asks) and (on_session or not is_set_up))


def set_up(state: State, method: str) -> None:
    """Remember that the card's owner has agreed to payments off session."""
    state.note(method)["set_up"] = True


def keep_card(state: State, intent: Object) -> None:
    """Attach the card that has paid, or the debited account, to its customer, if `setup_future_usage` asks for it;
    without a customer it has paid once, and never again."""
    method = state.find("payment_method", intent["payment_method"])
    if method and intent["setup_future_usage"] and intent["customer"]:
        set_up(state, method["id"])
    if method is None or method["customer"]:
        return
    if not (intent["setup_future_usage"] and intent["customer"]):
        state.note(method["id"])["spent"] = True
    else:
        method["customer"] = intent["customer"]
        state.put(method)
        emit(state, "payment_method.attached", method)


def foreseen(state: State, method: str | None, on_session: bool) -> str:
    """Return the outcome that an attempt would have, without making it."""
    if method is None:
        return DECLINED
    card = cards.of_method(state, method)
    if isinstance(card, Account):
        return PROCESSING
    if needs_authentication(state, method, on_session):
        return REQUIRES_ACTION
    return DECLINED if _decline(card, None) else SUCCEEDED


def _decline(card: Card, outcome: str | None) -> str:
    if outcome in ("paid", "authenticated"):
        return card.later_decline if outcome == "authenticated" and card.authentication else ""
    if outcome == "declined":
        return card.decline or card.later_decline or "generic_decline"
    return card.decline or card.later_decline


def _without_card(state: State, intent: Object) -> str:
    intent["status"] = "requires_payment_method"
    intent["last_payment_error"] = {
        "type": "invalid_request_error",
        "code": "payment_intent_payment_attempt_failed",
        "message": "The customer has no payment method to charge.",
    }
    emit(state, "payment_intent.payment_failed", intent)
    return DECLINED


def next_action(state: State, intent: str, return_url: str | None) -> Object:
    """Return how the customer passes 3D Secure: at a page if there is an address to come back to, else by Stripe.js."""
    address = f"{state.base_url}/3ds/{intent}"
    state.note(intent)["return_url"] = return_url
    if return_url:
        return {"redirect_to_url": {"return_url": return_url, "url": address}, "type": "redirect_to_url"}
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": address},
    }


def _ask(state: State, intent: Object) -> str:
    intent["status"] = "requires_action"
    intent["next_action"] = next_action(state, intent["id"], state.note(intent["id"]).get("return_url"))
    emit(state, "payment_intent.requires_action", intent)
    return REQUIRES_ACTION


def _wait(state: State, intent: Object) -> str:
    intent["status"] = "processing"
    emit(state, "payment_intent.processing", intent)
    return PROCESSING


def _fail_authentication(state: State, intent: Object, method: str) -> str:
    intent.update(status="requires_payment_method", next_action=None, payment_method=None)
    intent["last_payment_error"] = {**AUTHENTICATION_FAILED, "payment_method": state.get("payment_method", method)}
    emit(state, "payment_intent.payment_failed", intent)
    return DECLINED


def decline(state: State, intent: Object, method: str, reason: str) -> str:
    card = cards.of_method(state, method)
    error = cards.refusal(reason)
    outcome = {
        "advice_code": cards.advice(reason),
        "network_advice_code": None,
        "network_decline_code": error.get("network_decline_code"),
        "network_status": "not_sent_to_network" if reason in cards.BLOCKED else "declined_by_network",
        "reason": reason,
        "risk_level": "highest" if reason in cards.BLOCKED else "normal",
        "risk_score": 20,
        "seller_message": "The bank returned the decline code `" + reason + "`.",
        "type": "blocked" if reason in cards.BLOCKED else "issuer_declined",
    }
    charge = charges.make(state, intent, method, card, outcome, status="failed", paid=False, captured=False)
    charge.update(failure_code=error["code"], failure_message=error["message"])
    intent.update(status="requires_payment_method", next_action=None, latest_charge=charge["id"], payment_method=None)
    intent["last_payment_error"] = {
        **error,
        "charge": charge["id"],
        "payment_method": state.get("payment_method", method),
    }
    emit(state, "charge.failed", charge)
    emit(state, "payment_intent.payment_failed", intent)
    return DECLINED


def _succeed(state: State, intent: Object, method: str, card: Card) -> str:
    outcome = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    is_held = intent["capture_method"] == "manual"
    charge = charges.make(state, intent, method, card, outcome, status="succeeded", paid=True, captured=not is_held)
    intent.update(next_action=None, last_payment_error=None, latest_charge=charge["id"])
    if is_held:
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        emit(state, "charge.succeeded", charge)
        emit(state, "payment_intent.amount_capturable_updated", intent)
        state.schedule(state.now() + charges.HELD, "hold_lapses", intent["id"])
        return SUCCEEDED
    _book(state, intent, charge)
    intent.update(status="succeeded", amount_received=intent["amount"])
    emit(state, "charge.succeeded", charge)
    emit(state, "payment_intent.succeeded", intent)
    follow(state, charge)
    return SUCCEEDED


@job
def hold_lapses(state: State, identifier: str) -> None:
    """Let an amount go that nobody captured within seven days."""
    intent = state.get("payment_intent", identifier)
    if intent["status"] != "requires_capture":
        return
    charges.release(state, state.get("charge", intent["latest_charge"]), "charge.expired")
    intent.update(status="canceled", canceled_at=state.now(), cancellation_reason="automatic", amount_capturable=0)
    emit(state, "payment_intent.canceled", intent)


def follow(state: State, charge: Object) -> None:
    """Plan the dispute or warning that some test cards end in, once the money is taken."""
    card = cards.of_method(state, charge["payment_method"])
    if isinstance(card, Card) and card.afterwards in ("dispute", "not_received", "inquiry", "fraud_warning"):
        state.schedule(state.now(), "after_charge", charge["id"], card.afterwards)


def _book(state: State, intent: Object, charge: Object) -> None:
    """Book the charge on the balance: with `automatic_async`, a moment after the answer."""
    if intent["capture_method"] == "automatic_async":
        state.schedule(state.now(), "charge_settles", charge["id"], urgency=0)
    else:
        charges.settle(state, charge)
