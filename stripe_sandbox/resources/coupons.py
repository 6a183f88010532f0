"""These routes serve coupons and promotion codes, and end a subscription's discounts."""

import re
from typing import Any

from ..books import customer_discounts, discounting, standing
from ..errors import invalid, missing_parameter
from ..events import emit, recorded
from ..http.blanks import blank
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State

LEAST, MOST = 0.01, 100
SHAPE = (
    "applies_to.products amount_off currency currency_options percent_off duration duration_in_months id "
    "max_redemptions metadata name redeem_by"
)
RULES = " ".join(f"restrictions.{name}" for name in ("first_time_transaction", "minimum_amount",
                                                     "minimum_amount_currency", "currency_options"))  # fmt: skip


@api.add("POST", "/v1/coupons", "CouponCreateParams", SHAPE)
def create(state: State, params: Params) -> Object:
    _check(state, params)
    coupon = blank(
        "coupon",
        params.get("id") or state.new_id("c", 8)[2:],
        amount_off=params.get("amount_off"),
        created=state.now(),
        currency=params["currency"].lower() if "amount_off" in params else None,
        duration=params.get("duration", "once"),
        duration_in_months=params.get("duration_in_months"),
        livemode=False,
        max_redemptions=params.get("max_redemptions"),
        metadata=merged({}, params),
        name=params.get("name"),
        percent_off=params.get("percent_off"),
        redeem_by=params.get("redeem_by"),
        times_redeemed=0,
        valid=True,
    )
    state.put(coupon)
    state.note(coupon["id"]).update(applies_to=params.get("applies_to"), currency_options=_options(params))
    emit(state, "coupon.created", coupon)
    if coupon["redeem_by"]:
        state.schedule(coupon["redeem_by"], "coupon_expires", coupon["id"])
    return coupon


def _options(params: Params) -> Object:
    return {currency.lower(): values for currency, values in (params.get("currency_options") or {}).items()}


def _check(state: State, params: Params) -> None:
    if state.find("coupon", params.get("id")):
        raise invalid("Coupon already exists.", "id", "resource_already_exists")
    if "amount_off" in params and "percent_off" in params:
        raise invalid("Received both percent_off and amount_off parameters. Please pass in only one.")
    if "amount_off" not in params and "percent_off" not in params:
        raise invalid("Must provide percent_off or amount_off.", code="parameter_missing")
    percent = params.get("percent_off", 1)
    if not LEAST <= percent <= MOST:
        bound = f"greater than or equal to {LEAST}" if percent < LEAST else f"less than or equal to {MOST}"
        raise invalid(f"This value must be {bound} (it currently is '{float(percent)}').", "percent_off")
    if params.get("amount_off", 1) < 1:
        raise invalid("Invalid positive integer", "amount_off", "parameter_invalid_integer")
    for product in (params.get("applies_to") or {}).get("products", []):
        state.get("product", product, "applies_to[products]")
    if "currency_options" in params and "amount_off" not in params:
        only = "You may only specify one of these parameters: currency_options, percent_off."
        raise invalid(only, "currency_options")
    if "amount_off" in params and "currency" not in params:
        raise invalid("You must pass currency when passing amount_off", "currency")
    _check_currencies(params)
    _check_duration(params)
    _check_limits(state, params, "redeem_by")


def _check_currencies(params: Params) -> None:
    for currency in params.get("currency_options") or {}:
        if currency != currency.lower():
            lower = f"Use `{currency.lower()}` instead of `{currency}`."
            raise invalid(f"Currencies must be lowercase when used as keys in a map. {lower}", "currency_options")


def _check_duration(params: Params) -> None:
    is_repeating, has_months = params.get("duration") == "repeating", "duration_in_months" in params
    if is_repeating and not has_months:
        raise invalid(
            "The duration_in_months param must be set when creating a coupon with a repeating duration", "duration"
        )
    if has_months and not is_repeating:
        raise invalid("`duration_in_months` goes with `duration=repeating`.", "duration_in_months")


def _check_limits(state: State, params: Params, until: str) -> None:
    if params.get("max_redemptions", 1) < 1:
        raise invalid("Invalid positive integer", "max_redemptions", "parameter_invalid_integer")
    if params.get(until, state.now() + 1) <= state.now():
        raise invalid(
            f"The parameter `{until}` expects a unix timestamp representing a date and time in the future. You "
            f"specified the value `{params[until]}` which is in the past.",
            until,
        )


@api.add("POST", "/v1/coupons/{coupon}", "CouponUpdateParams", "currency_options metadata name")
def update(state: State, coupon: str, params: Params) -> Object:
    row = state.get("coupon", coupon)
    with recorded(state, row, "coupon.updated"):
        row["name"] = params.get("name", row["name"]) or None
        row["metadata"] = merged(row["metadata"], params)
    if _options(params) and row["amount_off"] is None:
        raise invalid("`currency_options` goes with `amount_off`.", "currency_options")
    state.note(coupon).setdefault("currency_options", {}).update(_options(params))
    return row


@api.add("GET", "/v1/coupons/{coupon}", "CouponRetrieveParams")
def retrieve(state: State, coupon: str, params: Params) -> Object:
    return state.get("coupon", coupon)


@api.add("GET", "/v1/coupons", "CouponListParams", "created")
def list_all(state: State, params: Params) -> Object:
    return page(state, "coupon", "/v1/coupons", params)


@api.add("DELETE", "/v1/coupons/{coupon}", "CouponDeleteParams")
def delete(state: State, coupon: str, params: Params) -> Object:
    """Delete the coupon; discounts that were given with it stay."""
    row = state.get("coupon", coupon)
    row["valid"] = False
    emit(state, "coupon.deleted", row)
    discounting.end_codes(state, row)
    state.table("coupon").remove(coupon)
    gone: dict[str, Any] = {"id": coupon, "object": "coupon", "deleted": True}
    state.note(coupon).update(deleted=gone, last=row)
    return gone


@api.add(
    "POST",
    "/v1/promotion_codes",
    "PromotionCodeCreateParams",
    f"active code customer expires_at max_redemptions metadata promotion.type promotion.coupon {RULES}",
)
def create_code(state: State, params: Params) -> Object:
    coupon = state.get("coupon", params["promotion"].get("coupon", ""), "promotion[coupon]")
    if not coupon["valid"]:
        raise invalid(f"Coupon expired: {coupon['id']}", "promotion[coupon]", "coupon_expired")
    if "customer" in params:
        state.get("customer", params["customer"], "customer")
    _check_limits(state, params, "expires_at")
    code = blank(
        "promotion_code",
        state.new_id("promo"),
        active=params.get("active", True),
        code=_unused(state, params.get("code") or state.new_id("c", 8)[2:].upper(), params.get("customer")),
        created=state.now(),
        customer=params.get("customer"),
        expires_at=params.get("expires_at"),
        livemode=False,
        max_redemptions=params.get("max_redemptions"),
        metadata=merged({}, params),
        promotion={"coupon": coupon["id"], "type": "coupon"},
        restrictions=_restrictions(params.get("restrictions") or {}),
        times_redeemed=0,
    )
    state.put(code)
    options = (params.get("restrictions") or {}).get("currency_options") or {}
    state.note(code["id"])["minimums"] = {name.lower(): each["minimum_amount"] for name, each in options.items()}
    emit(state, "promotion_code.created", code)
    if code["expires_at"]:
        state.schedule(code["expires_at"], "code_expires", code["id"])
    return code


def _restrictions(given: dict[str, Any]) -> Object:
    if ("minimum_amount" in given) != ("minimum_amount_currency" in given):
        raise missing_parameter("restrictions[minimum_amount_currency]")
    return {
        "first_time_transaction": given.get("first_time_transaction", False),
        "minimum_amount": given.get("minimum_amount"),
        "minimum_amount_currency": given.get("minimum_amount_currency"),
    }


def _unused(state: State, text: str, customer: str | None) -> str:
    """Return the code if no active promotion code has it, in upper or lower case; else refuse it."""
    if not re.fullmatch(r"[A-Za-z0-9-]+", text):
        raise invalid("Promotion codes consist of letters, digits and dashes.", "code")
    known = discounting.by_text(state, text, customer)
    if known is not None and known["active"]:
        raise invalid("An active promotion code with `code: " + text + "` already exists.", "code",
                      "resource_already_exists")  # fmt: skip
    return text


@api.add("POST", "/v1/promotion_codes/{code}", "PromotionCodeUpdateParams", "active metadata")
def update_code(state: State, code: str, params: Params) -> Object:
    row = state.get("promotion_code", code)
    coupon = state.find("coupon", row["promotion"]["coupon"])
    if params.get("active") and not (coupon and coupon["valid"]):
        raise invalid("The coupon of this promotion code is no longer valid.", "active")
    with recorded(state, row, "promotion_code.updated"):
        row["active"] = params.get("active", row["active"])
        row["metadata"] = merged(row["metadata"], params)
    return row


@api.add("GET", "/v1/promotion_codes/{code}", "PromotionCodeRetrieveParams")
def retrieve_code(state: State, code: str, params: Params) -> Object:
    return state.get("promotion_code", code)


@api.add("GET", "/v1/promotion_codes", "PromotionCodeListParams", "active code coupon created customer")
def list_codes(state: State, params: Params) -> Object:
    text, coupon = params.get("code"), params.get("coupon")

    def keep(row: Object) -> bool:
        named = text is None or row["code"].lower() == text.lower()
        return named and coupon in (None, row["promotion"]["coupon"])

    return page(state, "promotion_code", "/v1/promotion_codes", params, keep, same="active customer")


@api.add("DELETE", "/v1/customers/{customer}/discount", "CustomerDeleteDiscountParams")
def delete_of_customer(state: State, customer: str, params: Params) -> Object:
    """End a customer's own discount, which no parameter of the API gives: staff do in the Dashboard, and the control
    plane here."""
    last = state.get("customer", customer)["discount"]
    if last is None:
        raise invalid("No active discount for customer: " + customer, "id", "resource_missing")
    customer_discounts.end(state, last)
    return {**last, "deleted": True}


def give_customer(state: State, customer: str, entry: Params) -> Object:
    row = state.get("customer", customer)
    payer = {"customer": customer, "currency": row["currency"] or "usd"}
    coupon, code = discounting.chosen(state, entry, customer, payer["currency"], 0)
    customer_discounts.give(state, row, discounting.redeem(state, coupon, code, row, None, payer))
    return row


@api.add("DELETE", "/v1/subscriptions/{subscription}/discount", "SubscriptionDeleteDiscountParams")
def delete_discount(state: State, subscription: str, params: Params) -> Object:
    sub = state.get("subscription", subscription)
    if not sub["discounts"] or standing.is_over(sub):
        raise invalid("No active discount for subscription: " + subscription, "id", "resource_missing")
    last = state.get("discount", sub["discounts"][-1])
    with recorded(state, sub, "customer.subscription.updated"):
        discounting.give(state, [], sub, 0)
    return {**last, "deleted": True}
