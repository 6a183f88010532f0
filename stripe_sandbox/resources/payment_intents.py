"""These routes serve payment intents, those of invoices and one-off payments."""

from ..books import amounts, cards, charges, charging, collection, ownership, part_payments
from ..books.debits import Account
from ..errors import declined, invalid, not_covered
from ..events import emit
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from . import bank_accounts, off_session
from .payment_methods import DATA, given, refuse_unconfirmed, types_of, without_method

CREATED = (
    "amount currency customer payment_method confirm description metadata off_session receipt_email capture_method "
    "setup_future_usage shipping"
)
AUTOMATIC = "automatic_payment_methods.enabled automatic_payment_methods.allow_redirects"
COPIED = ("customer", "description", "metadata", "receipt_email", "setup_future_usage")
NOBODY_THERE = (
    "You cannot confirm with `off_session=true` when `setup_future_usage` is also set on the PaymentIntent. The "
    "customer needs to be on-session to perform the steps which may be required to set up the PaymentMethod for "
    "future usage. Please confirm this PaymentIntent with your customer on-session."
)
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")


@api.add(
    "POST",
    "/v1/payment_intents",
    "PaymentIntentCreateParams",
    f"{CREATED} {AUTOMATIC} {bank_accounts.ACCEPTED} {DATA} payment_method_types return_url",
)
def create(state: State, params: Params) -> Object:
    refuse_unconfirmed("PaymentIntent", params)
    if params.get("customer"):
        state.get("customer", params["customer"], "customer")
    bank_accounts.check_types(params, params["currency"])
    amounts.check(params["amount"], params["currency"].lower())
    values = {name: params[name] for name in COPIED if name in params}
    values |= types_of(params) | {"capture_method": params.get("capture_method", "automatic_async")}
    values["shipping"] = shipping_of(params["shipping"]) if params.get("shipping") else None
    intent = charging.new_intent(state, params["amount"], params["currency"].lower(), **values)
    if (method := given(state, params)) is not None:
        intent.update(payment_method=method, status="requires_confirmation")
    emit(state, "payment_intent.created", intent)
    return _confirm(state, intent, params) if params.get("confirm") else intent


def shipping_of(given: Params) -> Object:
    address = {
        name: given["address"].get(name) for name in ("city", "country", "line1", "line2", "postal_code", "state")
    }
    plain = {name: given.get(name) for name in ("carrier", "name", "phone", "tracking_number")}
    return {"address": address, **plain}


def _confirm(state: State, intent: Object, params: Params) -> Object:
    if intent["payment_method"] is None:
        raise without_method("PaymentIntent", payment_intent=intent)
    ownership.check(state, intent, intent["payment_method"])
    if params.get("off_session") and intent["setup_future_usage"]:
        raise invalid(NOBODY_THERE, "off_session", "payment_intent_invalid_parameter", payment_intent=intent)
    state.note(intent["id"])["return_url"] = params.get("return_url")
    _check_account(state, intent, params)
    on_session, method = not params.get("off_session"), intent["payment_method"]
    is_of_invoice = "invoice" in state.note(intent["id"])
    if not on_session and not is_of_invoice and off_session.needs_customer(state, method):
        result = off_session.refuse(state, intent, method)
    else:
        result = _attempt(state, intent, on_session)
    if result == charging.DECLINED:
        raise declined({**intent["last_payment_error"], "payment_intent": intent})
    if result in (charging.SUCCEEDED, charging.PROCESSING):
        charging.keep_card(state, intent)
    return intent


def _check_account(state: State, intent: Object, params: Params) -> None:
    """Check a bank account that pays the intent; Stripe chose the ways to pay for an invoice's intent, and where none
    were named."""
    means = cards.of_method(state, intent["payment_method"])
    if isinstance(means, Account):
        is_chosen = intent["automatic_payment_methods"] or "invoice" in state.note(intent["id"])
        bank_accounts.take(state, intent, means, params, is_named=not is_chosen)


@api.add(
    "POST",
    "/v1/payment_intents/{intent}/confirm",
    "PaymentIntentConfirmParams",
    f"payment_method off_session return_url {DATA} {bank_accounts.ACCEPTED}",
)
def confirm(state: State, intent: str, params: Params) -> Object:
    row = state.get("payment_intent", intent)
    if row["status"] == "succeeded":
        words = (
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
        )
        raise invalid(words, None, "payment_intent_unexpected_state", payment_intent=row)
    if row["status"] not in OPEN:
        raise _unexpected(row, "confirmed", OPEN)
    if (method := given(state, params)) is not None:
        row["payment_method"] = method
    return _confirm(state, row, params)


def _unexpected(intent: Object, what: str, allowed: tuple[str, ...]) -> Exception:
    """Return Stripe's words, as users report them."""
    begins = "You cannot cancel this PaymentIntent" if what == "canceled" else f"This PaymentIntent could not be {what}"
    return invalid(
        f"{begins} because it has a status of {intent['status']}. Only a PaymentIntent with one of the following "
        f"statuses may be {what}: {', '.join(allowed)}.",
        None,
        "payment_intent_unexpected_state",
        payment_intent=intent,
    )


def answer(state: State, identifier: str, outcome: str | None) -> Object:
    """Act as the customer who is asked for 3D Secure."""
    row = state.get("payment_intent", identifier)
    if row["status"] != "requires_action":
        raise invalid(f"This PaymentIntent is {row['status']}: it asks for no 3D Secure.", "intent")
    if outcome not in ("authenticated", "authentication_failed"):
        raise invalid("Invalid outcome: must be one of authenticated, authentication_failed", "outcome")
    result = _attempt(state, row, True, outcome)
    if result == charging.SUCCEEDED:
        charging.keep_card(state, row)
    return row


def _attempt(state: State, intent: Object, on_session: bool, outcome: str | None = None) -> str:
    """Try to pay; an invoice's intent pays its invoice."""
    invoice, method = state.find("invoice", state.note(intent["id"]).get("invoice")), intent["payment_method"]
    if invoice is not None:
        return collection.collect(state, invoice, on_session, outcome, method)
    result = charging.attempt(state, intent, method, on_session, outcome)
    if intent["status"] == charging.SUCCEEDED:
        part_payments.settle(state, intent)
    return result


@api.add("POST", "/v1/payment_intents/{intent}/capture", "PaymentIntentCaptureParams", "amount_to_capture metadata")
def capture(state: State, intent: str, params: Params) -> Object:
    row = state.get("payment_intent", intent)
    if row["status"] != "requires_capture":
        raise _unexpected(row, "captured", ("requires_capture",))
    amount = int(params.get("amount_to_capture") or row["amount_capturable"])
    if not 1 <= amount <= row["amount_capturable"]:
        raise invalid("The amount to capture must be between 1 and the amount that is held.", "amount_to_capture")
    charge = state.get("charge", row["latest_charge"])
    charges.capture(state, row, charge, amount)
    charging.follow(state, charge)
    row.update(status="succeeded", amount_capturable=0, amount_received=amount)
    row["metadata"] = merged(row["metadata"], params)
    for session in state.table("checkout.session").where("payment_intent", intent):
        session["payment_status"] = "paid"
    emit(state, "payment_intent.succeeded", row)
    part_payments.settle(state, row)
    return row


@api.add("POST", "/v1/payment_intents/{intent}/cancel", "PaymentIntentCancelParams", "cancellation_reason")
def cancel(state: State, intent: str, params: Params) -> Object:
    row = state.get("payment_intent", intent)
    if row["status"] == "processing":
        raise not_covered("cancel of a payment that is processing")
    if row["status"] not in CANCELABLE:
        raise _unexpected(row, "canceled", CANCELABLE)
    if "invoice" in state.notes.get(intent, {}):
        raise invalid("You cannot cancel this PaymentIntent because it is the default payment of an invoice. Void the "
                      "invoice instead.", None, "payment_intent_unexpected_state")  # fmt: skip
    if row["status"] == "requires_capture":
        charges.release(state, state.get("charge", row["latest_charge"]))
    row.update(status="canceled", canceled_at=state.now(), cancellation_reason=params.get("cancellation_reason"))
    row.update(amount_capturable=0, next_action=None)
    emit(state, "payment_intent.canceled", row)
    part_payments.cancel(state, row)
    return row


@api.add("GET", "/v1/payment_intents/{intent}", "PaymentIntentRetrieveParams")
def retrieve(state: State, intent: str, params: Params) -> Object:
    return state.get("payment_intent", intent)


@api.add("GET", "/v1/payment_intents", "PaymentIntentListParams", "created customer")
def list_all(state: State, params: Params) -> Object:
    return page(state, "payment_intent", "/v1/payment_intents", params, same="customer")
