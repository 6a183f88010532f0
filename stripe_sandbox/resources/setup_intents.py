"""A setup intent saves a card without charging it."""

from typing import Any

from ..books import cards, charging, mandates, ownership
from ..books.debits import Account
from ..errors import invalid
from ..events import emit, recorded
from ..http.blanks import blank
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from . import bank_accounts
from .payment_methods import DATA, attached, given, refuse_unconfirmed, types_of, without_method

AUTOMATIC = "automatic_payment_methods.enabled automatic_payment_methods.allow_redirects"

CANCELABLE = "`requires_payment_method`, `requires_confirmation`, or `requires_action`"


def new(state: State, customer: str | None, method: str | None, status: str, **values: Any) -> Object:
    identifier = state.new_id("seti")
    return state.put(
        blank(
            "setup_intent",
            identifier,
            **{
                "client_secret": f"{identifier}_secret_{state.new_id('s', 25)[2:]}",
                "created": state.now(),
                "customer": customer,
                "livemode": False,
                "metadata": {},
                "payment_method": method,
                "payment_method_options": {
                    "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"},
                },
                "payment_method_types": ["card"],
                "status": status,
                "usage": "off_session",
                **values,
            },
        )
    )  # fmt: skip


@api.add(
    "POST",
    "/v1/setup_intents",
    "SetupIntentCreateParams",
    f"customer payment_method confirm usage metadata description return_url payment_method_types {AUTOMATIC} "
    f"{bank_accounts.ACCEPTED} {DATA}",
)
def create(state: State, params: Params) -> Object:
    refuse_unconfirmed("SetupIntent", params)
    customer = params.get("customer")
    if customer:
        state.get("customer", customer, "customer")
    method = given(state, params)
    status = "requires_confirmation" if method else "requires_payment_method"
    bank_accounts.check_types(params, None)
    values = {name: params[name] for name in ("usage", "metadata", "description") if name in params} | types_of(params)
    intent = new(state, customer, method, status, **values)
    ownership.check(state, intent, method)
    emit(state, "setup_intent.created", intent)
    return _confirm(state, intent, params) if params.get("confirm") else intent


@api.add("POST", "/v1/setup_intents/{intent}/confirm", "SetupIntentConfirmParams",
         f"payment_method return_url {DATA} {bank_accounts.ACCEPTED}")  # fmt: skip
def confirm(state: State, intent: str, params: Params) -> Object:
    row = state.get("setup_intent", intent)
    if (method := given(state, params)) is not None:
        row["payment_method"] = method
    return _confirm(state, row, params)


def _confirm(state: State, intent: Object, params: Params) -> Object:
    _check_open(intent, "confirm")
    if intent["payment_method"] is None:
        raise without_method("SetupIntent", setup_intent=intent)
    ownership.check(state, intent, intent["payment_method"])
    card = cards.of_method(state, intent["payment_method"])
    if isinstance(card, Account):
        bank_accounts.take(state, intent, card, params, is_named=not intent["automatic_payment_methods"])
    if card.authentication:
        intent.update(status="requires_action", last_setup_error=None)
        intent["next_action"] = charging.next_action(state, intent["id"], params.get("return_url"))
        emit(state, "setup_intent.requires_action", intent)
        return intent
    return succeed(state, intent)


def succeed(state: State, intent: Object) -> Object:
    """Give the card or account to the customer, and to a subscription that waited for it."""
    intent["mandate"] = (mandates.of(state, intent["payment_method"]) or {}).get("id")
    charging.set_up(state, intent["payment_method"])
    if intent["customer"]:
        attached(state, intent["payment_method"], state.get("customer", intent["customer"]))
    intent.update(status="succeeded", next_action=None, last_setup_error=None)
    emit(state, "setup_intent.succeeded", intent)
    sub = state.find("subscription", state.notes.get(intent["id"], {}).get("subscription"))
    if sub is not None and sub["pending_setup_intent"] == intent["id"]:
        _end_waiting(state, sub, intent["payment_method"])
    return intent


def _end_waiting(state: State, sub: Object, method: str) -> None:
    with recorded(state, sub, "customer.subscription.updated"):
        sub["pending_setup_intent"] = None
        if sub["payment_settings"]["save_default_payment_method"] == "on_subscription":
            sub["default_payment_method"] = method


def answer(state: State, identifier: str, outcome: str | None) -> Object:
    """Act as the customer who is asked for 3D Secure."""
    intent = state.get("setup_intent", identifier)
    if intent["status"] != "requires_action":
        raise invalid(f"This SetupIntent is {intent['status']}: it asks for no 3D Secure.", "intent")
    if outcome == "authenticated":
        return succeed(state, intent)
    if outcome != "authentication_failed":
        raise invalid("Invalid outcome: must be one of authenticated, authentication_failed", "outcome")
    failed = {**charging.AUTHENTICATION_FAILED, "code": "setup_intent_authentication_failure"}
    intent.update(status="requires_payment_method", next_action=None, last_setup_error=failed, payment_method=None)
    emit(state, "setup_intent.setup_failed", intent)
    return intent


@api.add("POST", "/v1/setup_intents/{intent}/cancel", "SetupIntentCancelParams", "cancellation_reason")
def cancel(state: State, intent: str, params: Params) -> Object:
    row = state.get("setup_intent", intent)
    _check_open(row, "cancel")
    row.update(status="canceled", cancellation_reason=params.get("cancellation_reason"), next_action=None)
    emit(state, "setup_intent.canceled", row)
    return row


@api.add("POST", "/v1/setup_intents/{intent}", "SetupIntentUpdateParams",
         f"customer description metadata payment_method {DATA}")  # fmt: skip
def update(state: State, intent: str, params: Params) -> Object:
    row = state.get("setup_intent", intent)
    if params.keys() - {"description", "metadata"}:
        _check_open(row, "update")
    if "customer" in params:
        row["customer"] = state.get("customer", params["customer"], "customer")["id"]
        state.put(row)
    if (method := given(state, params)) is not None:
        row.update(payment_method=method, status="requires_confirmation")
    row["description"] = params.get("description", row["description"])
    row["metadata"] = merged(row["metadata"], params)
    return row


def _check_open(row: Object, verb: str) -> None:
    """Refuse to change an intent that is over, in Stripe's words for each change."""
    if row["status"] not in ("succeeded", "canceled"):
        return
    because = "it has already succeeded" if row["status"] == "succeeded" else "it has been canceled"
    more = ""
    if verb == "cancel" and row["status"] == "canceled":
        because = "it is already canceled"
    elif verb == "cancel":
        because = "it has a status of succeeded"
        more = f" Only a SetupIntent with one of the following statuses may be canceled: {CANCELABLE}."
    message = f"You cannot {verb} this SetupIntent because {because}.{more}"
    raise invalid(message, None, "setup_intent_unexpected_state", setup_intent=row)


@api.add("GET", "/v1/setup_intents/{intent}", "SetupIntentRetrieveParams")
def retrieve(state: State, intent: str, params: Params) -> Object:
    return state.get("setup_intent", intent)


@api.add("GET", "/v1/setup_intents", "SetupIntentListParams", "customer created payment_method")
def list_all(state: State, params: Params) -> Object:
    return page(state, "setup_intent", "/v1/setup_intents", params, same="customer payment_method")
