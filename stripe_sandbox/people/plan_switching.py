"""A customer changes the plan in the portal, as its configuration allows: at once, or at the period's end by a
schedule."""

from typing import Any

from ..books import items, pricing
from ..errors import invalid
from ..resources import changes, schedules
from ..store import Object, State


def choices(state: State, sub: Object, feature: Object) -> list[Object]:
    """Return the prices of the configuration that the subscription could have, with the one it has."""
    if not feature["enabled"] or "price" not in feature["default_allowed_updates"] or len(sub["items"]["data"]) != 1:
        return []
    named = [price for product in feature["products"] or [] for price in product["prices"]]
    rows = [row for row in (state.find("price", price) for price in named) if row and row["active"]]
    current = sub["items"]["data"][0]["price"]
    if pricing.is_metered(current):
        return []
    rows = [row for row in rows if not pricing.is_metered(row)]
    return rows if any(row["id"] != current["id"] for row in rows) else []


def check(state: State, sub: Object, feature: Object, price: str, quantity: int) -> None:
    """Return whether the portal offers the subscription that price in that quantity."""
    item = sub["items"]["data"][0]
    if price != item["price"]["id"] and price not in [row["id"] for row in choices(state, sub, feature)]:
        raise invalid("This portal does not offer that plan.", "price")
    if quantity != pricing.quantity_of(item) and "quantity" not in feature["default_allowed_updates"]:
        raise invalid("This portal does not let the quantity be changed.", "quantity")
    if (price, quantity) == (item["price"]["id"], pricing.quantity_of(item)):
        raise invalid("That is the plan you have.", "price")


def switch(state: State, sub: Object, feature: Object, wanted: dict[str, Any]) -> str:
    """Switch the plan, and return when it takes effect. `wanted` has a price, and perhaps a quantity and discounts."""
    item = sub["items"]["data"][0]
    wanted = {"quantity": pricing.quantity_of(item), **wanted}
    check(state, sub, feature, wanted["price"], wanted["quantity"])
    if _waits(state, sub, feature, state.get("price", wanted["price"])):
        _at_period_end(state, sub, item, wanted)
        return "at the end of the period"
    changes.update(state, sub["id"], change(sub, feature, wanted))
    return "now"


def change(sub: Object, feature: Object, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of the update."""
    row = {name: wanted[name] for name in ("price", "quantity") if name in wanted}
    params: dict[str, Any] = {
        "items": [{"id": sub["items"]["data"][0]["id"], **row}],
        "proration_behavior": feature["proration_behavior"],
        "payment_behavior": "error_if_incomplete",
    }
    if wanted.get("discounts"):
        params["discounts"] = wanted["discounts"]
    if sub["status"] == "trialing" and feature["trial_update_behavior"] == "end_trial":
        params["trial_end"] = "now"
    if feature["billing_cycle_anchor"] == "now":
        params["billing_cycle_anchor"] = "now"
    return params


def _waits(state: State, sub: Object, feature: Object, price: Object) -> bool:
    conditions = {row["type"] for row in (feature["schedule_at_period_end"] or {}).get("conditions", [])}
    item = sub["items"]["data"][0]
    before = pricing.cost(state, item["price"], sub["currency"], 1)
    is_less = pricing.cost(state, price, sub["currency"], 1) < before
    is_shorter = _days(price["recurring"]) < _days(item["price"]["recurring"])
    return ("decreasing_item_amount" in conditions and is_less) or ("shortening_interval" in conditions and is_shorter)


def _days(recurring: Object) -> int:
    return {"day": 1, "week": 7, "month": 30, "year": 365}[recurring["interval"]] * int(recurring["interval_count"])


def _at_period_end(state: State, sub: Object, item: Object, wanted: dict[str, Any]) -> None:
    made = schedules.create(state, {"from_subscription": sub["id"]})
    start, end = items.period_start(sub), items.period_end(sub)
    kept = {"price": item["price"]["id"], "quantity": item["quantity"]}
    phases = [
        {"items": [kept], "start_date": start, "end_date": end},
        {"items": [{"price": wanted["price"], "quantity": wanted["quantity"]}], "start_date": end},
    ]
    schedules.update(state, made["id"], {"phases": phases, "end_behavior": "release"})
