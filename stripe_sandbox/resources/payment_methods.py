"""These routes serve payment methods: cards, bank accounts, and those that are only shown."""

from datetime import UTC, datetime
from typing import Any

from ..books import cards, debits
from ..books.cards import Card, Means
from ..books.charging import CONFIGURATION
from ..books.debits import CURRENCIES, Account
from ..errors import ApiError, invalid, missing_parameter, not_covered
from ..events import emit, recorded
from ..http.blanks import blank
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from . import bank_accounts, other_methods, tokens

CARD = "card.number card.exp_month card.exp_year card.cvc card.token"
DETAILS = "billing_details metadata type allow_redisplay"

MADE = f"{DETAILS} {CARD} {bank_accounts.COVERED} {other_methods.COVERED}"
DATA = " ".join(f"payment_method_data.{name}" for name in f"{DETAILS} {CARD} {bank_accounts.COVERED}".split())

# These are Stripe's words, as users report them.
SPENT = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a "
    "connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use "
    "a PaymentMethod multiple times, you must attach it to a Customer first."
)
CONFIRMING = ("mandate_data", "off_session", "return_url")
MISSING = (
    "You cannot confirm this {what} because it's missing a payment method. You can either update the {what} with a "
    "payment method and then confirm it again, or confirm it again directly with a payment method."
)
NOT_AGAIN = (
    "This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, and "
    "may not be used again."
)


@api.add("POST", "/v1/payment_methods", "PaymentMethodCreateParams", MADE)
def create(state: State, params: Params) -> Object:
    kind = params.get("type", "card")
    if kind in other_methods.NEEDED:
        method = _document(state, state.new_id("pm"), kind, other_methods.details(kind, params.get(kind) or {}))
        write(method, params)
        return method
    if kind in CURRENCIES:
        method = _account(state, bank_accounts.entered(kind, params), params.get(kind) or {})
        write(method, params)
        return method
    if kind != "card":
        raise not_covered(f"type={kind}")
    given = params.get("card")
    if not given:
        raise missing_parameter("card")
    if state.find("token", given.get("token")):
        method = _of_token(state, given["token"])
    elif "token" in given:
        method = new(state, cards.by_token(given["token"], "card[token]"))
    else:
        method = new(state, cards.described(given), given.get("exp_month"), given.get("exp_year"))
    write(method, params)
    return method


def _of_token(state: State, identifier: str) -> Object:
    """Return the payment method of a token, which is used up; the name and address on the card are its holder's."""
    card = tokens.spend(state, identifier)["card"]
    method = new(state, cards.BY_TOKEN[state.note(identifier)["card"]], card["exp_month"], card["exp_year"])
    write(method, {"billing_details": tokens.holder(card)})
    return method


def given(state: State, params: Params) -> str | None:
    """Return the payment method that a request names, or describes by `payment_method_data`."""
    if "payment_method_data" in params:
        return str(create(state, params["payment_method_data"])["id"])
    return str(resolved(state, params["payment_method"])["id"]) if "payment_method" in params else None


def _account(state: State, account: Account, given: dict[str, Any]) -> Object:
    identifier = state.new_id("pm")
    state.note(identifier)["debit"] = account.token
    return _document(state, identifier, account.kind, bank_accounts.shown(account, given))


def new(state: State, card: Means, exp_month: int | None = None, exp_year: int | None = None) -> Object:
    if isinstance(card, Account):
        return _account(state, card, {})
    identifier = state.new_id("pm")
    today = datetime.fromtimestamp(state.now(), UTC)
    month, year = card.expires or (today.month, today.year + 1)
    state.note(identifier)["card"] = card.token
    return _document(state, identifier, "card", shown(card, exp_month or month, exp_year or year))


def _document(state: State, identifier: str, kind: str, how: Object) -> Object:
    return state.put(
        blank(
            "payment_method",
            identifier,
            **{
                "allow_redisplay": "unspecified",
                "billing_details": details({}),
                "created": state.now(),
                "livemode": False,
                "metadata": {},
                "type": kind,
                kind: how,
            },
        )
    )


def shown(card: Card, month: int, year: int) -> Object:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": month,
        "exp_year": year,
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def details(given: dict[str, Any]) -> Object:
    address = given.get("address") or {}
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    plain = {name: given.get(name) or None for name in ("email", "name", "phone", "tax_id")}
    return {"address": {name: address.get(name) for name in names}, **plain}


def write(method: Object, params: Params) -> None:
    if "billing_details" in params:
        method["billing_details"] = details({**method["billing_details"], **(params["billing_details"] or {})})
    if "allow_redisplay" in params:
        method["allow_redisplay"] = params["allow_redisplay"]
    if "metadata" in params:
        method["metadata"] = merged(method["metadata"], params)
    if "card" in params and method.get("card"):
        dates = {name: params["card"][name] for name in ("exp_month", "exp_year") if name in params["card"]}
        method["card"].update(dates)


def check_types(params: Params) -> None:
    """Refuse that a subscription's settings name other ways to pay than cards: its default payment method decides."""
    for name in params.get("payment_method_types") or []:
        if name != "card":
            raise not_covered(f"payment_method_types={name}")


def types_of(params: Params) -> Object:
    """Return the ways to pay: those that are named, else those of the account's configuration, which Stripe chooses."""
    if "payment_method_types" in params:
        return {"payment_method_types": params["payment_method_types"]}
    given = {"allow_redirects": "always", "enabled": True} | (params.get("automatic_payment_methods") or {})
    shown = {"automatic_payment_methods": given if given["enabled"] else None}
    return shown | {"payment_method_configuration_details": {"id": CONFIGURATION, "parent": None}}


def resolved(state: State, identifier: str, param: str = "payment_method") -> Object:
    """Return a payment method by id; `pm_card_visa` and its like make a new one."""
    if identifier.startswith(debits.PREFIXES):
        return new(state, debits.by_token(identifier, param))
    if identifier.startswith("pm_card_"):
        return new(state, cards.by_token(identifier, param))
    method = state.get("payment_method", identifier, param)
    if is_spent(state, method):
        raise invalid(SPENT, param)
    return method


def without_method(what: str, **details: Any) -> ApiError:
    """Refuse to confirm a PaymentIntent or SetupIntent (`what`) that names nothing to pay with."""
    code = "payment_intent_unexpected_state" if what == "PaymentIntent" else "setup_intent_unexpected_state"
    return invalid(MISSING.format(what=what), None, code, **details)


def refuse_unconfirmed(what: str, params: Params) -> None:
    """Refuse parameters that only count for a confirmation where a PaymentIntent or SetupIntent (`what`) is made
    without one."""
    for name in () if params.get("confirm") else CONFIRMING:
        if params.get(name):
            raise invalid(
                f"The parameter `{name}` cannot be passed when creating a {what} unless `confirm` is set to true.",
                name,
                "payment_intent_invalid_parameter" if what == "PaymentIntent" else "setup_intent_invalid_parameter",
            )


def is_spent(state: State, method: Object) -> bool:
    """Return whether the payment method was detached, or has paid without a customer: it can never be used again."""
    return method["customer"] is None and bool(state.notes.get(method["id"], {}).get("spent"))


def owned(state: State, identifier: str, customer: str, param: str) -> Object:
    method = state.get("payment_method", identifier, param)
    if method["customer"] != customer:
        raise invalid(
            f"The customer does not have a payment method with the ID {identifier}. The payment method must be "
            "attached to the customer.",
            param,
            "resource_missing",
        )
    return method


def attached(state: State, identifier: str, customer: Object, announce: bool = True) -> Object:
    """Attach the payment method; refuse a card that declines at once, as Stripe does."""
    method = resolved(state, identifier)
    card = cards.of_method(state, method["id"])
    if card.decline:
        raise cards.decline_error(card.decline)
    if method["customer"] not in (None, customer["id"]):
        raise invalid(
            "The payment method you provided has already been attached to a customer.",
            "payment_method",
            "payment_method_unexpected_state",
        )
    if method["customer"] is None:
        method["customer"] = customer["id"]
        state.put(method)
        if announce:
            emit(state, "payment_method.attached", method)
    return method


@api.add("POST", "/v1/payment_methods/{method}/attach", "PaymentMethodAttachParams", "customer")
def attach(state: State, method: str, params: Params) -> Object:
    if "customer" not in params:
        raise missing_parameter("customer")
    customer, known = state.get("customer", params["customer"], "customer"), state.find("payment_method", method)
    if known and is_spent(state, known):
        raise invalid(NOT_AGAIN, "payment_method")
    return attached(state, method, customer)


@api.add("POST", "/v1/payment_methods/{method}/detach", "PaymentMethodDetachParams")
def detach(state: State, method: str, params: Params) -> Object:
    row = state.get("payment_method", method)
    owner = row["customer"]
    if owner is None:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
    customer = state.find("customer", owner)
    row["customer"] = None
    state.note(method)["spent"] = True
    state.put(row)
    emit(state, "payment_method.detached", row, {"customer": owner})
    if customer and customer["invoice_settings"]["default_payment_method"] == method:
        with recorded(state, customer, "customer.updated"):
            customer["invoice_settings"]["default_payment_method"] = None
    for sub in state.table("subscription").where("customer", owner):
        if sub["default_payment_method"] == method:
            with recorded(state, sub, "customer.subscription.updated"):
                sub["default_payment_method"] = None
    return row


@api.add(
    "POST",
    "/v1/payment_methods/{method}",
    "PaymentMethodUpdateParams",
    "billing_details metadata allow_redisplay card.exp_month card.exp_year",
)
def update(state: State, method: str, params: Params) -> Object:
    row = state.get("payment_method", method)
    with recorded(state, row, "payment_method.updated"):
        write(row, params)
    return row


@api.add("GET", "/v1/payment_methods/{method}", "PaymentMethodRetrieveParams")
def retrieve(state: State, method: str, params: Params) -> Object:
    return state.get("payment_method", method)


@api.add("GET", "/v1/payment_methods", "PaymentMethodListParams", "customer type")
def list_all(state: State, params: Params) -> Object:
    return page(state, "payment_method", "/v1/payment_methods", params, same="customer type")
