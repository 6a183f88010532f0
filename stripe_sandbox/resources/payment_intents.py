"""Payment intents: those of invoices, and one-off payments."""

from ..books import charging, collection
from ..events import emit
from ..http.contract import Params
from ..http.errors import declined, invalid, missing_parameter
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from .payment_methods import check_types, resolved

CREATED = "amount currency customer payment_method confirm description metadata off_session receipt_email"
AUTOMATIC = "automatic_payment_methods.enabled automatic_payment_methods.allow_redirects"
CHANGED = ("description", "receipt_email")


@api.add(
    "POST", "/v1/payment_intents", "PaymentIntentCreateParams", f"{CREATED} {AUTOMATIC} payment_method_types return_url"
)
def create(state: State, params: Params) -> Object:
    if params.get("customer"):
        state.get("customer", params["customer"], "customer")
    check_types(params)
    if params["amount"] < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    values = {name: params[name] for name in ("customer", "description", "metadata", "receipt_email") if name in params}
    intent = charging.new_intent(state, params["amount"], params["currency"].lower(), **values)
    if "automatic_payment_methods" in params:
        intent["automatic_payment_methods"] = {"allow_redirects": "always"} | params["automatic_payment_methods"]
    if "payment_method" in params:
        intent.update(payment_method=resolved(state, params["payment_method"])["id"], status="requires_confirmation")
    emit(state, "payment_intent.created", intent)
    return _confirm(state, intent, not params.get("off_session")) if params.get("confirm") else intent


def _confirm(state: State, intent: Object, on_session: bool) -> Object:
    if intent["payment_method"] is None:
        raise missing_parameter("payment_method")
    invoice = state.find("invoice", state.note(intent["id"]).get("invoice"))
    method = intent["payment_method"]
    if invoice is not None:
        result = collection.collect(state, invoice, on_session, method=method)
    else:
        result = charging.attempt(state, intent, method, on_session)
    if result == charging.DECLINED:
        raise declined({**intent["last_payment_error"], "payment_intent": intent})
    return intent


@api.add(
    "POST",
    "/v1/payment_intents/{intent}/confirm",
    "PaymentIntentConfirmParams",
    "payment_method off_session return_url",
)
def confirm(state: State, intent: str, params: Params) -> Object:
    row = state.get("payment_intent", intent)
    if row["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
        raise invalid(
            f"This PaymentIntent's payment cannot be confirmed: its status is {row['status']}.",
            None,
            "payment_intent_unexpected_state",
        )
    if "payment_method" in params:
        row["payment_method"] = resolved(state, params["payment_method"])["id"]
    return _confirm(state, row, not params.get("off_session"))


@api.add("POST", "/v1/payment_intents/{intent}/cancel", "PaymentIntentCancelParams", "cancellation_reason")
def cancel(state: State, intent: str, params: Params) -> Object:
    row = state.get("payment_intent", intent)
    if row["status"] in ("succeeded", "canceled"):
        raise invalid(
            f"You cannot cancel this PaymentIntent: it is {row['status']}.", None, "payment_intent_unexpected_state"
        )
    row.update(status="canceled", canceled_at=state.now(), cancellation_reason=params.get("cancellation_reason"))
    emit(state, "payment_intent.canceled", row)
    return row


@api.add("POST", "/v1/payment_intents/{intent}", "PaymentIntentUpdateParams", "description metadata receipt_email")
def update(state: State, intent: str, params: Params) -> Object:
    row = state.get("payment_intent", intent)
    row.update({name: params[name] or None for name in CHANGED if name in params})
    row["metadata"] = merged(row["metadata"], params)
    return row


@api.add("GET", "/v1/payment_intents/{intent}", "PaymentIntentRetrieveParams")
def retrieve(state: State, intent: str, params: Params) -> Object:
    return state.get("payment_intent", intent)


@api.add("GET", "/v1/payment_intents", "PaymentIntentListParams", "created customer")
def list_all(state: State, params: Params) -> Object:
    return page(state, "payment_intent", "/v1/payment_intents", params, same="customer")
