"""Checkout sessions are made for subscriptions, one-off payments, and saving a card."""

from ..books import items, subscribing
from ..errors import invalid, missing_parameter, not_covered
from ..events import emit
from ..http.blanks import embedded_list
from ..http.contract import Params
from ..http.listing import of_list, page
from ..http.metadata import merged
from ..http.routing import api
from ..resources import bank_accounts, catalogue, setup_intents
from ..store import Object, State
from . import checkout_discounts, sessions

LINE = (
    "line_items.price line_items.quantity line_items.adjustable_quantity line_items.price_data.currency "
    "line_items.price_data.product line_items.price_data.product_data line_items.price_data.unit_amount "
    "line_items.price_data.recurring line_items.price_data.tax_behavior"
)
DATA = (
    "subscription_data.metadata subscription_data.description subscription_data.trial_period_days "
    "subscription_data.trial_end subscription_data.trial_settings subscription_data.billing_mode"
)
ONE_OFF = (
    "payment_intent_data.description payment_intent_data.metadata payment_intent_data.receipt_email "
    "payment_intent_data.setup_future_usage setup_intent_data.description setup_intent_data.metadata "
    "invoice_creation.enabled invoice_creation.invoice_data.custom_fields "
    "invoice_creation.invoice_data.description invoice_creation.invoice_data.footer "
    "invoice_creation.invoice_data.metadata"
)
DISCOUNTS = "discounts.coupon discounts.promotion_code"
TAKEN = "mode customer customer_email customer_update metadata currency expires_at payment_method_types"
FIXED = "automatic_tax ui_mode"
OF_MODE = {
    "allow_promotion_codes": ("payment", "subscription"),
    "discounts": ("payment", "subscription"),
    "line_items": ("payment", "subscription"),
    "subscription_data": ("subscription",),
    "payment_intent_data": ("payment",),
    "invoice_creation": ("payment",),
    "submit_type": ("payment",),
    "setup_intent_data": ("setup",),
    "customer_creation": ("payment", "setup"),
    "payment_method_collection": ("subscription",),
}


@api.add(
    "POST",
    "/v1/checkout/sessions",
    "checkout.SessionCreateParams",
    f"{LINE} {DATA} {ONE_OFF} {TAKEN} {FIXED} {DISCOUNTS} {' '.join(sessions.ECHOED)}",
)
def create(state: State, params: Params) -> Object:
    _check(params)
    customer = state.get("customer", params["customer"], "customer") if "customer" in params else None
    wanted, mode = _sold(state, params), params["mode"]
    if mode == "subscription":
        _check_recurring(state, wanted)
    currency = sessions.currency_of(state, wanted, params, customer) if wanted else params.get("currency")
    bank_accounts.check_types(params, currency)
    data = params.get("subscription_data") or {}
    subscribing.check_mode(data.get("billing_mode"))
    trial = data.get("trial_period_days") or data.get("trial_end")
    rows = [sessions.line(state, entry, str(currency), mode, bool(trial)) for entry in wanted]
    session = state.put(sessions.session(state, params, rows, currency, customer))
    one_off = params.get("payment_intent_data") or {}
    state.note(session["id"]).update(items=rows, wanted=wanted, subscription_data=data, trial=trial, one_off=one_off)
    if params.get("discounts"):
        checkout_discounts.choose(state, session, params["discounts"])
    if mode == "setup":
        _prepare_setup(state, session, params.get("setup_intent_data") or {})
    state.schedule(session["expires_at"], "session_expires", session["id"])
    return session


def _sold(state: State, params: Params) -> list[Object]:
    """Return the line items as price and quantity."""
    rows = [catalogue.inline(state, entry, "line_items[0]") for entry in params.get("line_items") or []]
    for index, row in enumerate(rows):
        if "quantity" not in row:
            raise missing_parameter(f"line_items[{index}][quantity]")
    return [{"price": row["price"], "quantity": row["quantity"]} for row in rows]


def _check_recurring(state: State, wanted: list[Object]) -> None:
    prices = [state.get("price", entry["price"], "line_items[0][price]") for entry in wanted]
    if not any(price["recurring"] for price in prices):
        raise invalid("You must provide at least one recurring price in `subscription` mode.", "line_items")
    items.check_rhythm(prices, "line_items")


def _prepare_setup(state: State, session: Object, values: Params) -> None:
    """Make the intent, which is there from the start in this mode."""
    intent = setup_intents.new(state, session["customer"], None, "requires_payment_method", **values)
    session["setup_intent"] = intent["id"]
    emit(state, "setup_intent.created", intent)


def _check_discounts(params: Params) -> None:
    if params.get("discounts") and "allow_promotion_codes" in params:
        names = "allow_promotion_codes, discounts"
        raise invalid(f"You may only specify one of these parameters: {names}.", "allow_promotion_codes")


def _check(params: Params) -> None:
    mode = params.get("mode")
    if mode is None:
        raise missing_parameter("mode")
    _check_discounts(params)
    for name, modes in OF_MODE.items():
        if name in params and mode not in modes:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_covered(f"ui_mode={params['ui_mode']}")
    if any((entry.get("adjustable_quantity") or {}).get("enabled") for entry in params.get("line_items") or []):
        raise not_covered("line_items[adjustable_quantity]")
    if (params.get("automatic_tax") or {}).get("enabled"):
        raise not_covered("automatic_tax[enabled]")
    for name in ("line_items", "success_url") if mode != "setup" else ("success_url",):
        if not params.get(name):
            raise missing_parameter(name)
    if "customer" in params and "customer_email" in params:
        raise invalid("You may only specify one of these parameters: customer, customer_email.", "customer")


@api.add("GET", "/v1/checkout/sessions/{session}", "checkout.SessionRetrieveParams")
def retrieve(state: State, session: str, params: Params) -> Object:
    return state.get("checkout.session", session)


@api.add(
    "GET",
    "/v1/checkout/sessions",
    "checkout.SessionListParams",
    "created customer payment_intent status subscription customer_details.email",
)
def list_all(state: State, params: Params) -> Object:
    email = (params.get("customer_details") or {}).get("email")

    def keep(row: Object) -> bool:
        return email is None or (row["customer_details"] or {}).get("email") == email

    same = "customer payment_intent status subscription"
    return page(state, "checkout.session", "/v1/checkout/sessions", params, keep, same=same)


@api.add("POST", "/v1/checkout/sessions/{session}/expire", "checkout.SessionExpireParams")
def expire(state: State, session: str, params: Params) -> Object:
    row = state.get("checkout.session", session)
    if row["status"] != "open":
        raise invalid(f'Only Checkout Sessions with a status in ["open"] can be expired. This one is {row["status"]}.')
    row.update(status="expired", url=None)
    emit(state, "checkout.session.expired", row)
    return row


@api.add("POST", "/v1/checkout/sessions/{session}", "checkout.SessionUpdateParams", "metadata")
def update(state: State, session: str, params: Params) -> Object:
    row = state.get("checkout.session", session)
    row["metadata"] = merged(row["metadata"], params)
    return row


@api.add("GET", "/v1/checkout/sessions/{session}/line_items", "checkout.SessionListLineItemsParams")
def line_items(state: State, session: str, params: Params) -> Object:
    state.get("checkout.session", session)
    url = f"/v1/checkout/sessions/{session}/line_items"
    rows = state.note(session)["items"]
    return of_list(rows, params, url) if params else embedded_list(url, rows)
