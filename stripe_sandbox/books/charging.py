"""Charging a card: payment intents, charges and the balance behind them."""

from typing import Any

from ..events import emit
from ..http.blanks import blank
from ..store import Object, State
from . import cards
from .cards import Card

SUCCEEDED, DECLINED, REQUIRES_ACTION, PROCESSING = "succeeded", "declined", "requires_action", "processing"
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
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
            **values,
        },
    )
    return state.put(intent)


def attempt(state: State, intent: Object, method: str | None, on_session: bool, outcome: str | None = None) -> str:
    """Charges the card as it behaves, or as `outcome` says: paid, declined, authenticated, authentication_failed,
    processing (the bank's answer comes days later)."""
    if method is None:
        return _without_card(state, intent)
    card = cards.of_method(state, method)
    intent["payment_method"] = method
    if outcome == "processing":
        return _wait(state, intent)
    if outcome == "authentication_failed":
        return _fail_authentication(state, intent, method)
    if outcome is None and needs_authentication(card, on_session):
        return _ask(state, intent)
    decline = _decline(card, outcome)
    if decline:
        return _decline_charge(state, intent, method, card, decline)
    return _succeed(state, intent, method, card)


def needs_authentication(card: Card, on_session: bool) -> bool:
    return card.authentication == "always" or (card.authentication == "setup" and on_session)


def foreseen(state: State, method: str | None, on_session: bool) -> str:
    """What an attempt would come to, without making it."""
    if method is None:
        return DECLINED
    card = cards.of_method(state, method)
    if needs_authentication(card, on_session):
        return REQUIRES_ACTION
    return DECLINED if _decline(card, None) else SUCCEEDED


def _decline(card: Card, outcome: str | None) -> str:
    if outcome in ("paid", "authenticated"):
        return ""
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


def _ask(state: State, intent: Object) -> str:
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": f"{state.base_url}/i/3ds"},
    }
    emit(state, "payment_intent.requires_action", intent)
    return REQUIRES_ACTION


def _wait(state: State, intent: Object) -> str:
    intent["status"] = "processing"
    emit(state, "payment_intent.processing", intent)
    return PROCESSING


def _fail_authentication(state: State, intent: Object, method: str) -> str:
    intent["status"], intent["next_action"] = "requires_payment_method", None
    intent["last_payment_error"] = {**AUTHENTICATION_FAILED, "payment_method": state.get("payment_method", method)}
    emit(state, "payment_intent.payment_failed", intent)
    return DECLINED


def _decline_charge(state: State, intent: Object, method: str, card: Card, decline: str) -> str:
    error = cards.refusal(decline)
    outcome = {
        "advice_code": "try_again_later",
        "network_advice_code": None,
        "network_decline_code": "01",
        "network_status": "declined_by_network",
        "reason": decline,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": "The bank returned the decline code `" + decline + "`.",
        "type": "issuer_declined",
    }
    charge = _charge(state, intent, method, card, outcome, status="failed", paid=False, captured=False)
    charge.update(failure_code=error["code"], failure_message=error["message"])
    intent.update(status="requires_payment_method", next_action=None, latest_charge=charge["id"])
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
    charge = _charge(state, intent, method, card, outcome, status="succeeded", paid=True, captured=True)
    fee = charge["amount"] * 29 // 1000 + 30
    charge["balance_transaction"] = book(state, charge, charge["amount"], "charge", "charge", fee)["id"]
    intent.update(status="succeeded", next_action=None, last_payment_error=None, latest_charge=charge["id"])
    intent["amount_received"] = intent["amount"]
    emit(state, "charge.succeeded", charge)
    emit(state, "payment_intent.succeeded", intent)
    if card.afterwards in ("dispute", "inquiry", "fraud_warning"):
        state.schedule(state.now(), "after_charge", charge["id"], card.afterwards)
    return SUCCEEDED


def _charge(state: State, intent: Object, method: str, card: Card, outcome: Object, **values: Any) -> Object:
    identifier = state.new_id("ch")
    paid = values["paid"]
    holder = state.get("payment_method", method)
    return state.put(
        blank(
            "charge",
            identifier,
            **{
                "amount": intent["amount"],
                "amount_captured": intent["amount"] if paid else 0,
                "amount_refunded": 0,
                "billing_details": holder["billing_details"],
                "calculated_statement_descriptor": "SANDBOX",
                "created": state.now(),
                "currency": intent["currency"],
                "customer": intent["customer"],
                "description": intent["description"],
                "disputed": False,
                "fraud_details": {},
                "livemode": False,
                "metadata": {},
                "outcome": outcome,
                "payment_intent": intent["id"],
                "payment_method": method,
                "payment_method_details": {"card": _card_details(intent, holder, card), "type": "card"},
                "receipt_url": f"{state.base_url}/i/receipt/{identifier}" if paid else None,
                "refunded": False,
                **values,
            },
        )
    )


def _card_details(intent: Object, method: Object, card: Card) -> Object:
    shown = method["card"]
    return {
        "amount_authorized": intent["amount"],
        "authorization_code": None,
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "exp_month": shown["exp_month"],
        "exp_year": shown["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": shown["fingerprint"],
        "funding": "credit",
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": None,
        "wallet": None,
    }


def book(state: State, source: Object, amount: int, kind: str, category: str, fee: int = 0) -> Object:
    """A movement of the account's balance."""
    described = {"application": None, "description": "Stripe processing fees", "type": "stripe_fee"}
    fees = [{**described, "amount": fee, "currency": source["currency"]}]
    return state.put(
        blank(
            "balance_transaction",
            state.new_id("txn"),
            amount=amount,
            available_on=state.now() + 2 * 86400,
            balance_type="payments",
            created=state.now(),
            currency=source["currency"],
            description=source.get("description"),
            fee=fee,
            fee_details=fees if fee else [],
            net=amount - fee,
            reporting_category=category,
            source=source["id"],
            status="pending",
            type=kind,
        )
    )
