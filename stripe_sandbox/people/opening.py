"""A Checkout session is opened: by the API, by a payment link, or as a copy of one that has expired."""

from typing import Any

from ..books import items, one_currency, pricing, subscribing
from ..errors import invalid, missing_parameter
from ..events import emit
from ..http.contract import Params
from ..resources import bank_accounts, catalogue, setup_intents
from ..store import Object, State
from . import checkout_discounts, checkout_rules, checkout_taxes, quantities, sessions, shipping, totals

# What a copy of a session does not take over.
OWN = ("expires_at", "permissions", "redirect_on_completion", "return_url", "ui_mode")
MOST = {"payment": 100, "subscription": 20}


def opened(state: State, params: Params, **marks: Any) -> Object:
    """Return a new session; `marks` are fields that no parameter sets: `payment_link`, `recovered_from`."""
    checkout_rules.check(params)
    customer = state.get("customer", params["customer"], "customer") if "customer" in params else None
    checkout_taxes.check(state, params, customer)
    wanted, mode = sold(state, params), params["mode"]
    if mode == "subscription":
        _check_recurring(state, wanted)
    currency = sessions.currency_of(state, wanted, params, customer) if wanted else params.get("currency")
    bank_accounts.check_types(params, currency)
    if mode == "subscription" and customer:
        one_currency.check(state, customer, str(currency))
    data = params.get("subscription_data") or {}
    subscribing.check_mode(data.get("billing_mode"))
    if not marks:
        checkout_rules.check_trial(state, data)
    rows = [sessions.line(state, entry, str(currency), mode) for entry in wanted]
    session = {**sessions.session(state, params, currency, customer), **marks}
    note = state.note(session["id"])
    note.update(items=rows, subscription_data=data, trial=data.get("trial_period_days") or data.get("trial_end"))
    note.update(params=_copyable(params, wanted), one_off=_one_off(params.get("payment_intent_data") or {}))
    checkout_taxes.begin(state, session, params, wanted)
    if mode == "setup":
        _prepare_setup(state, session, params.get("setup_intent_data") or {})
    else:
        _count(state, session, params)
    state.schedule(session["expires_at"], "session_expires", session["id"])
    return state.put(session)


def _count(state: State, session: Object, params: Params) -> None:
    if params.get("optional_items"):
        session["optional_items"] = quantities.optional(state, params["optional_items"])
        quantities.check_rhythm(state, session)
    _check_number(state, session)
    shipping.offer(state, session, params.get("shipping_options") or [])
    totals.recount(state, session)
    if params.get("discounts"):
        checkout_discounts.choose(state, session, params["discounts"])


def _check_number(state: State, session: Object) -> None:
    """A subscription takes 20 recurring lines and 20 that are bought once, a payment 100; optional ones count."""
    prices = [row["price"] for row in state.note(session["id"])["items"]]
    prices += [state.get("price", entry["price"]) for entry in session.get("optional_items") or []]
    most = MOST[session["mode"]]
    for kind in ("recurring", "one_time"):
        if sum(price["type"] == kind for price in prices) > most:
            raise invalid(f"A Checkout Session has at most {most} {kind} items.", "line_items")


def _one_off(given: Params) -> Params:
    held = {"capture_method": "manual"} if given.get("capture_method") == "manual" else {}
    return {name: value for name, value in given.items() if name != "capture_method"} | held


def _copyable(params: Params, wanted: list[Object]) -> Params:
    """Return the parameters as a copy of the session needs them: prices that were made for it are there now."""
    return {**params, **({"line_items": wanted} if wanted else {})}


def sold(state: State, params: Params) -> list[Object]:
    """Return the line items as price and quantity."""
    rows = [catalogue.inline(state, entry, "line_items[0]") for entry in params.get("line_items") or []]
    return [_sold(state, row, f"line_items[{index}]") for index, row in enumerate(rows)]


def _sold(state: State, row: Params, path: str) -> Object:
    """A metered line has no quantity; each other one needs it."""
    if pricing.is_metered(state.get("price", row["price"], f"{path}[price]")):
        items.refuse_quantity(row, f"{path}[quantity]")
        return {"price": row["price"], "metadata": row.get("metadata") or {}}
    if "quantity" not in row:
        raise missing_parameter(f"{path}[quantity]")
    bounds = quantities.adjustable(row.get("adjustable_quantity"), row["quantity"], path)
    plain = {"price": row["price"], "quantity": row["quantity"], "metadata": row.get("metadata") or {}}
    plain |= {"tax_rates": row["tax_rates"]} if row.get("tax_rates") else {}
    return {**plain, "adjustable_quantity": bounds} if bounds else plain


def _check_recurring(state: State, wanted: list[Object]) -> None:
    prices = [state.get("price", entry["price"], "line_items[0][price]") for entry in wanted]
    if not any(price["recurring"] for price in prices):
        raise invalid(
            "You must provide at least one recurring price in `subscription` mode when using prices.", "line_items"
        )
    items.check_rhythm(prices, "line_items")


def _prepare_setup(state: State, session: Object, values: Params) -> None:
    """Make the intent, which is there from the start in this mode."""
    intent = setup_intents.new(state, session["customer"], None, "requires_payment_method", **values)
    session["setup_intent"] = intent["id"]
    emit(state, "setup_intent.created", intent)


def recovered(state: State, expired: Object) -> Object:
    """Open the copy of an expired session that its address leads to: a hosted page, also of an embedded one."""
    params = {name: value for name, value in state.note(expired["id"])["params"].items() if name not in OWN}
    params["success_url"] = expired["success_url"] or expired["return_url"] or sessions.NOWHERE
    if expired["after_expiration"]["recovery"]["allow_promotion_codes"] and not params.get("discounts"):
        params["allow_promotion_codes"] = True
    return opened(state, params, recovered_from=expired["id"])
