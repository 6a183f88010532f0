"""These routes serve features, the products that have them, and the entitlements of a customer."""

from typing import Any

from ..books import entitling
from ..errors import invalid
from ..http.blanks import blank
from ..http.contract import Params
from ..http.listing import of_list, page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State

FEATURE = "entitlements.feature"


@api.add("POST", "/v1/entitlements/features", "entitlements.FeatureCreateParams", "lookup_key name metadata")
def create(state: State, params: Params) -> Object:
    if any(row["lookup_key"] == params["lookup_key"] for row in state.table(FEATURE).rows.values()):
        raise invalid("A feature with this lookup key already exists.", "lookup_key", "resource_already_exists")
    values = {"lookup_key": params["lookup_key"], "name": params["name"], "metadata": merged({}, params)}
    return state.put(blank(FEATURE, state.new_id("feat"), active=True, livemode=False, **values))


@api.add("POST", "/v1/entitlements/features/{feature}", "entitlements.FeatureUpdateParams", "active name metadata")
def update(state: State, feature: str, params: Params) -> Object:
    row = state.get(FEATURE, feature)
    row.update({name: params[name] for name in ("active", "name") if name in params})
    row["metadata"] = merged(row["metadata"], params)
    return row


@api.add("GET", "/v1/entitlements/features/{feature}", "entitlements.FeatureRetrieveParams")
def retrieve(state: State, feature: str, params: Params) -> Object:
    return state.get(FEATURE, feature)


@api.add("GET", "/v1/entitlements/features", "entitlements.FeatureListParams", "archived lookup_key")
def list_all(state: State, params: Params) -> Object:
    def keep(row: Object) -> bool:
        return "archived" not in params or params["archived"] is not row["active"]

    return page(state, FEATURE, "/v1/entitlements/features", params, keep, same="lookup_key")


@api.add("POST", "/v1/products/{product}/features", "ProductFeatureCreateParams", "entitlement_feature")
def attach(state: State, product: str, params: Params) -> Object:
    state.get("product", product)
    feature = state.get(FEATURE, params["entitlement_feature"], "entitlement_feature")
    if not feature["active"]:
        raise invalid("An archived feature cannot be attached to a product.", "entitlement_feature")
    if any(row["entitlement_feature"]["id"] == feature["id"] for row in entitling.attached(state, product)):
        raise invalid("This feature is attached to the product already.", "entitlement_feature")
    row = blank("product_feature", state.new_id("prodft"), entitlement_feature=feature, livemode=False)
    row.pop("deleted", None)
    state.put(row)
    state.note(product).setdefault("features", []).append(row["id"])
    entitling.refresh_all(state)
    return row


@api.add("GET", "/v1/products/{product}/features", "ProductFeatureListParams")
def list_of_product(state: State, product: str, params: Params) -> Object:
    state.get("product", product)
    return of_list(entitling.attached(state, product), params, f"/v1/products/{product}/features")


def _of_product(state: State, product: str, feature: str) -> Object:
    rows = [row for row in entitling.attached(state, product) if row["id"] == feature]
    return rows[0] if rows else state.get("product_feature", "")


@api.add("GET", "/v1/products/{product}/features/{feature}", "ProductFeatureRetrieveParams")
def retrieve_of_product(state: State, product: str, feature: str, params: Params) -> Object:
    return _of_product(state, product, feature)


@api.add("DELETE", "/v1/products/{product}/features/{feature}", "ProductFeatureDeleteParams")
def detach(state: State, product: str, feature: str, params: Params) -> Object:
    _of_product(state, product, feature)
    state.note(product)["features"].remove(feature)
    state.table("product_feature").remove(feature)
    entitling.refresh_all(state)
    gone: dict[str, Any] = {"id": feature, "object": "product_feature", "deleted": True}
    return gone


@api.add(
    "GET", "/v1/entitlements/active_entitlements", "entitlements.ActiveEntitlementListParams", "customer", "customer"
)
def list_active(state: State, params: Params) -> Object:
    """Answer with nothing if no customer is named: dj-stripe's sync asks so, which Stripe refuses."""
    customer = state.get("customer", params["customer"], "customer") if "customer" in params else None
    rows = entitling.held(state, customer["id"]) if customer else []
    return of_list(rows, params, "/v1/entitlements/active_entitlements")


@api.add("GET", "/v1/entitlements/active_entitlements/{entitlement}", "entitlements.ActiveEntitlementRetrieveParams")
def retrieve_active(state: State, entitlement: str, params: Params) -> Object:
    return state.get(entitling.ENTITLEMENT, entitlement)
