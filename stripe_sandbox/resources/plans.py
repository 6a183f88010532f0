"""A plan is the older form of a recurring price, under the same id: it is read here, and made as a price."""

from ..books.items import plan_of
from ..errors import missing_resource
from ..http.contract import Params
from ..http.listing import page
from ..http.routing import api
from ..store import Object, State


@api.add("GET", "/v1/plans", "PlanListParams", "active created product")
def list_plans(state: State, params: Params) -> Object:
    found = page(state, "price", "/v1/plans", params, _is_plan, same="active product")
    return {**found, "data": [_plan(price) for price in found["data"]]}


@api.add("GET", "/v1/plans/{plan}", "PlanRetrieveParams")
def retrieve_plan(state: State, plan: str, params: Params) -> Object:
    price = state.find("price", plan)
    if price is None or not _is_plan(price):
        raise missing_resource("plan", plan)
    return _plan(price)


def _is_plan(price: Object) -> bool:
    return price["recurring"] is not None


def _plan(price: Object) -> Object:
    return plan_of(price, int(price["unit_amount"] or 0))
