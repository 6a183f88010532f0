"""Tax ids are made, read and deleted here: those of customers, and the account's own."""

from ..books.tax import ids, places
from ..errors import invalid, missing_parameter, missing_resource, not_covered
from ..http.contract import Params
from ..http.expansion import INCLUDABLE
from ..http.listing import page
from ..http.routing import api
from ..store import Object, State


@api.add("POST", "/v1/customers/{customer}/tax_ids", "CustomerTaxIdCreateParams", "type value")
def create_for(state: State, customer: str, params: Params) -> Object:
    return ids.create(state, params["type"], params["value"], state.get("customer", customer))


@api.add("GET", "/v1/customers/{customer}/tax_ids", "CustomerTaxIdListParams")
def list_of(state: State, customer: str, params: Params) -> Object:
    state.get("customer", customer)
    return page(state, ids.KIND, f"/v1/customers/{customer}/tax_ids", {**params, "customer": customer}, same="customer")


@api.add("GET", "/v1/customers/{customer}/tax_ids/{tax_id}", "CustomerTaxIdRetrieveParams")
def retrieve_of(state: State, customer: str, tax_id: str, params: Params) -> Object:
    return _of(state, customer, tax_id)


@api.add("DELETE", "/v1/customers/{customer}/tax_ids/{tax_id}", "CustomerTaxIdDeleteParams")
def delete_of(state: State, customer: str, tax_id: str, params: Params) -> Object:
    return ids.delete(state, _of(state, customer, tax_id))


def _of(state: State, customer: str, tax_id: str) -> Object:
    state.get("customer", customer)
    row = state.get(ids.KIND, tax_id)
    if row["customer"] != customer:
        raise missing_resource(ids.KIND, tax_id)
    return row


@api.add("POST", "/v1/tax_ids", "TaxIdCreateParams", "type value owner.type owner.customer")
def create(state: State, params: Params) -> Object:
    """Create a tax id; without an owner it is the account's."""
    return ids.create(state, params["type"], params["value"], _owner(state, params))


def _owner(state: State, params: Params) -> Object | None:
    owner = params.get("owner") or {"type": "self"}
    if owner["type"] not in ("self", "customer"):
        raise not_covered(f"owner[type]={owner['type']}")
    if owner["type"] == "self":
        if "customer" in owner:
            raise invalid("`owner[customer]` goes with `owner[type]=customer`.", "owner[customer]")
        return None
    if "customer" not in owner:
        raise missing_parameter("owner[customer]")
    return state.get("customer", owner["customer"], "owner[customer]")


@api.add("GET", "/v1/tax_ids", "TaxIdListParams", "owner.type owner.customer", "id")
def list_all(state: State, params: Params) -> Object:
    """List the tax ids of the account, or of a customer. dj-stripe asks for those of a customer by `id`."""
    owner = state.get("customer", params["id"], "id") if "id" in params else _owner(state, params)

    def keep(row: Object) -> bool:
        return bool(row["customer"] == (owner["id"] if owner else None))

    return page(state, ids.KIND, "/v1/tax_ids", params, keep)


@api.add("GET", "/v1/tax_ids/{tax_id}", "TaxIdRetrieveParams")
def retrieve(state: State, tax_id: str, params: Params) -> Object:
    return state.get(ids.KIND, tax_id)


@api.add("DELETE", "/v1/tax_ids/{tax_id}", "TaxIdDeleteParams")
def delete(state: State, tax_id: str, params: Params) -> Object:
    return ids.delete(state, state.get(ids.KIND, tax_id))


def _included(state: State, customer: Object) -> Object:
    return list_of(state, customer["id"], {})


INCLUDABLE["customer", "tax_ids"] = _included
INCLUDABLE["customer", "tax"] = places.shown
