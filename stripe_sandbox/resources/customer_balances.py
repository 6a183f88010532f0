"""These routes serve the ledger of a customer's credit balance."""

from ..books import balances
from ..errors import invalid, missing_resource
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State

PATH = "/v1/customers/{customer}/balance_transactions"


@api.add("POST", PATH, "CustomerBalanceTransactionCreateParams", "amount currency description metadata")
def create(state: State, customer: str, params: Params) -> Object:
    row, currency = state.get("customer", customer), params["currency"].lower()
    if row["currency"] not in (None, currency):
        raise invalid(f"The customer's currency is {row['currency']}, not {currency}.", "currency")
    row["currency"] = currency
    values = {"description": params.get("description"), "metadata": merged({}, params)}
    return balances.move(state, row, params["amount"], "adjustment", **values)


@api.add("GET", PATH, "CustomerBalanceTransactionListParams", "created invoice")
def list_all(state: State, customer: str, params: Params) -> Object:
    state.get("customer", customer)
    url = PATH.format(customer=customer)
    return page(state, balances.KIND, url, {**params, "customer": customer}, same="customer invoice")


def _owned(state: State, customer: str, transaction: str) -> Object:
    row = state.get(balances.KIND, transaction)
    if row["customer"] != customer:
        raise missing_resource(balances.KIND, transaction)
    return row


@api.add("GET", PATH + "/{transaction}", "CustomerBalanceTransactionRetrieveParams")
def retrieve(state: State, customer: str, transaction: str, params: Params) -> Object:
    return _owned(state, customer, transaction)


@api.add("POST", PATH + "/{transaction}", "CustomerBalanceTransactionUpdateParams", "description metadata")
def update(state: State, customer: str, transaction: str, params: Params) -> Object:
    row = _owned(state, customer, transaction)
    row["description"] = params.get("description", row["description"]) or None
    row["metadata"] = merged(row["metadata"], params)
    return row
