"""A plan is the older name of a recurring price: both routes show the same object (https://docs.stripe.com/api/plans)."""

from typing import Any

from ..books.items import plan_of
from ..errors import invalid, missing_parameter
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from . import catalogue, price_events

MADE = "active amount amount_decimal billing_scheme currency id interval interval_count metadata nickname product"
RHYTHM = ("interval", "interval_count", "usage_type", "trial_period_days")
SAME = ("active", "billing_scheme", "currency", "id", "metadata", "nickname")


@api.add("POST", "/v1/plans", "PlanCreateParams", f"{MADE} trial_period_days usage_type")
def create(state: State, params: Params) -> Object:
    if "id" in params and state.find("price", params["id"]):
        raise invalid("Plan already exists.", "id", "resource_already_exists")
    if not params.keys() & {"amount", "amount_decimal"}:
        raise missing_parameter("amount")
    if "product" not in params:
        raise missing_parameter("product")
    given = {name: params[name] for name in SAME if name in params}
    given["recurring"] = {name: params[name] for name in RHYTHM if name in params}
    for plain, name in (("amount", "unit_amount"), ("amount_decimal", "unit_amount_decimal")):
        if plain in params:
            given[name] = params[plain]
    given["product_data" if isinstance(params["product"], dict) else "product"] = params["product"]
    return shown(catalogue.create_price(state, given))


def shown(price: Object) -> Object:
    return plan_of(price)


def _of(state: State, plan: str) -> Object:
    """Return the recurring price of that name."""
    price = state.get("price", plan) if state.find("price", plan) else state.get("plan", plan)
    if price["recurring"] is None:
        return state.get("plan", plan)
    return price


@api.add("POST", "/v1/plans/{plan}", "PlanUpdateParams", "active metadata nickname product trial_period_days")
def update(state: State, plan: str, params: Params) -> Object:
    price = _of(state, plan)
    if "product" in params:
        state.get("product", params["product"], "product")
    with price_events.changes(state, price):
        for name in ("active", "nickname", "product"):
            if name in params:
                price[name] = params[name]
        if "trial_period_days" in params:
            price["recurring"]["trial_period_days"] = params["trial_period_days"]
        price["metadata"] = merged(price["metadata"], params)
        state.put(price)
    return shown(price)


@api.add("GET", "/v1/plans/{plan}", "PlanRetrieveParams")
def retrieve(state: State, plan: str, params: Params) -> Object:
    return shown(_of(state, plan))


@api.add("GET", "/v1/plans", "PlanListParams", "active created product")
def list_all(state: State, params: Params) -> Object:
    found = page(state, "price", "/v1/plans", params, lambda row: row["recurring"] is not None, same="active product")
    return {**found, "data": [shown(row) for row in found["data"]]}


@api.add("DELETE", "/v1/plans/{plan}", "PlanDeleteParams")
def delete(state: State, plan: str, params: Params) -> Object:
    """Delete a plan; its subscribers keep it, and nobody else can subscribe to it."""
    price = _of(state, plan)
    price_events.tell(state, price, "deleted")
    state.table("price").remove(plan)
    gone: dict[str, Any] = {"id": plan, "object": "price", "deleted": True}
    state.note(plan).update(deleted=gone, last=price)
    return {**gone, "object": "plan"}
