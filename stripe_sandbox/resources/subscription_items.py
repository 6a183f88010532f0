"""These routes serve the items of a subscription one by one; a change of one is a change of its subscription."""

from typing import Any

from ..http.contract import Params
from ..http.listing import of_list
from ..http.routing import api
from ..store import Object, State
from . import changes

HOW = "payment_behavior proration_behavior proration_date"
ITEM = ("price", "quantity", "metadata", "discounts", "tax_rates", "billing_thresholds")
COVERED = "price quantity metadata discounts tax_rates billing_thresholds.usage_gte"


@api.add("GET", "/v1/subscription_items", "SubscriptionItemListParams", "subscription")
def list_items(state: State, params: Params) -> Object:
    sub = state.get("subscription", params["subscription"], "subscription")
    return of_list(sub["items"]["data"], params, "/v1/subscription_items")


@api.add("GET", "/v1/subscription_items/{item}", "SubscriptionItemRetrieveParams")
def retrieve(state: State, item: str, params: Params) -> Object:
    return dict(_row(state, _holder(state, item), item))


def _holder(state: State, item: str) -> Object:
    """Return the subscription that an item is of; 404 for the item where there is none."""
    sub = state.find("subscription", state.notes.get(item, {}).get("subscription"))
    return sub or state.get("subscription_item", item)


def _row(state: State, sub: Object, item: str) -> Object:
    rows: list[Object] = sub["items"]["data"]
    return next((row for row in rows if row["id"] == item), None) or state.get("subscription_item", item)


def _change(state: State, sub: Object, entry: dict[str, Any], params: Params) -> None:
    rest = {name: value for name, value in params.items() if name not in (*ITEM, "subscription", "clear_usage")}
    changes.update(state, sub["id"], {"items": [entry], **rest})


@api.add("POST", "/v1/subscription_items", "SubscriptionItemCreateParams", f"subscription {COVERED} {HOW}")
def create(state: State, params: Params) -> Object:
    sub = state.get("subscription", params["subscription"], "subscription")
    before = {row["id"] for row in sub["items"]["data"]}
    _change(state, sub, {name: params[name] for name in ITEM if name in params}, params)
    held = (sub["pending_update"] or {}).get("subscription_items") or []
    rows = [*sub["items"]["data"], *held]
    return dict(next(row for row in rows if row["id"] not in before))


@api.add("POST", "/v1/subscription_items/{item}", "SubscriptionItemUpdateParams", f"{COVERED} {HOW} off_session")
def update(state: State, item: str, params: Params) -> Object:
    sub = _holder(state, item)
    _row(state, sub, item)
    entry = {name: params[name] for name in ITEM if name in params}
    _change(state, sub, {"id": item, **entry}, params)
    return dict(_row(state, sub, item))


@api.add("DELETE", "/v1/subscription_items/{item}", "SubscriptionItemDeleteParams", f"{HOW} clear_usage")
def delete(state: State, item: str, params: Params) -> Object:
    sub = _holder(state, item)
    _row(state, sub, item)
    cleared = {name: params[name] for name in ("clear_usage",) if name in params}
    _change(state, sub, {"id": item, "deleted": True, **cleared}, params)
    return {"id": item, "object": "subscription_item", "deleted": True}
