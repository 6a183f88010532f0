"""Checkout sessions for subscriptions."""

from typing import Any

from .. import items, pricing
from ..blanks import blank, embedded_list
from ..contract import Params
from ..errors import invalid, missing_parameter, not_covered
from ..events import emit
from ..listing import of_list, page
from ..periods import DAY
from ..routing import api
from ..store import Object, State

LINE = "line_items.price line_items.quantity line_items.adjustable_quantity"
DATA = (
    "subscription_data.metadata subscription_data.description subscription_data.trial_period_days "
    "subscription_data.trial_end subscription_data.trial_settings subscription_data.billing_mode"
)
ECHOED = ("allow_promotion_codes", "billing_address_collection", "cancel_url", "client_reference_id", "locale",
          "payment_method_collection", "success_url", "integration_identifier")  # fmt: skip
TAKEN = "mode customer customer_email customer_update metadata currency expires_at payment_method_types"
FIXED = "automatic_tax ui_mode"


@api.add(
    "POST", "/v1/checkout/sessions", "checkout.SessionCreateParams", f"{LINE} {DATA} {TAKEN} {FIXED} {' '.join(ECHOED)}"
)
def create(state: State, params: Params) -> Object:
    _check(params)
    wanted = [{"price": entry.get("price", ""), "quantity": entry.get("quantity", 1)} for entry in params["line_items"]]
    customer = state.get("customer", params["customer"], "customer") if "customer" in params else None
    currency = _currency(state, wanted, params, customer)
    data = params.get("subscription_data") or {}
    trial = data.get("trial_period_days") or data.get("trial_end")
    rows = [_line(state, entry, currency, bool(trial)) for entry in wanted]
    session = state.put(_session(state, params, rows, currency))
    state.note(session["id"]).update(items=rows, wanted=wanted, subscription_data=data, trial=trial)
    state.schedule(session["expires_at"], "session_expires", session["id"])
    return session


def _check(params: Params) -> None:
    if params.get("mode") is None:
        raise missing_parameter("mode")
    if params["mode"] != "subscription":
        raise not_covered(f"mode={params['mode']}")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_covered(f"ui_mode={params['ui_mode']}")
    if (params.get("automatic_tax") or {}).get("enabled"):
        raise not_covered("automatic_tax[enabled]")
    for name in ("line_items", "success_url"):
        if not params.get(name):
            raise missing_parameter(name)
    if "customer" in params and "customer_email" in params:
        raise invalid("You may only specify one of these parameters: customer, customer_email.", "customer")


def _currency(state: State, wanted: list[Object], params: Params, customer: Object | None) -> str:
    price = items.recurring_price(state, wanted[0]["price"])
    known = {price["currency"], *(state.note(price["id"]).get("currency_options") or {})}
    asked = params.get("currency") or (customer["currency"] if customer and customer["currency"] in known else None)
    return str(asked or price["currency"]).lower()


def _line(state: State, entry: Object, currency: str, trial: bool) -> Object:
    price = items.recurring_price(state, entry["price"])
    product = state.get("product", price["product"])
    amount = 0 if trial else pricing.unit_amount(state, price, currency) * entry["quantity"]
    pricing.unit_amount(state, price, currency)
    return blank(
        "item",
        state.new_id("li"),
        amount_discount=0,
        amount_subtotal=amount,
        amount_tax=0,
        amount_total=amount,
        currency=currency,
        description=product["name"],
        metadata={},
        price=price,
        quantity=entry["quantity"],
    )


def _session(state: State, params: Params, rows: list[Object], currency: str) -> Object:
    identifier = "cs_test_a1" + state.new_id("x", 58)[2:]
    total = sum(row["amount_total"] for row in rows)
    echoed: dict[str, Any] = {name: params[name] for name in ECHOED if name in params}
    return blank(
        "checkout.session",
        identifier,
        **{
            "adaptive_pricing": {"enabled": False},
            "amount_subtotal": total,
            "amount_total": total,
            "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
            "created": state.now(),
            "currency": currency,
            "custom_fields": [],
            "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
            "customer": params.get("customer"),
            "customer_creation": None if "customer" in params else "always",
            "customer_email": params.get("customer_email"),
            "discounts": [],
            "expires_at": _expiry(state, params),
            "livemode": False,
            "metadata": params.get("metadata") or {},
            "mode": "subscription",
            "payment_method_collection": "always",
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": params.get("payment_method_types") or ["card"],
            "payment_status": "unpaid",
            "phone_number_collection": {"enabled": False},
            "saved_payment_method_options": {
                "allow_redisplay_filters": ["always"],
                "payment_method_remove": "disabled",
                "payment_method_save": None,
            },
            "shipping_options": [],
            "status": "open",
            "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            "ui_mode": "hosted_page",
            "url": f"{state.base_url}/c/{identifier}",
            **echoed,
        },
    )


def _expiry(state: State, params: Params) -> int:
    at = params.get("expires_at", state.now() + DAY)
    if not state.now() + 1800 - 60 <= at <= state.now() + DAY + 60:
        raise invalid("The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", "expires_at")
    return int(at)


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
    row["metadata"] = {**row["metadata"], **(params.get("metadata") or {})}
    return row


@api.add("GET", "/v1/checkout/sessions/{session}/line_items", "checkout.SessionListLineItemsParams")
def line_items(state: State, session: str, params: Params) -> Object:
    state.get("checkout.session", session)
    url = f"/v1/checkout/sessions/{session}/line_items"
    rows = state.note(session)["items"]
    return of_list(rows, params, url) if params else embedded_list(url, rows)
