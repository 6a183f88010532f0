"""Billing credits are granted, changed, ended and counted here."""

from typing import Any

from ..books import credit_grants, pricing
from ..books.credit_grants import GRANT, MOVEMENT
from ..errors import invalid, missing_parameter
from ..events import recorded
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State

PATH, LEDGER = "/v1/billing/credit_grants", "/v1/billing/credit_balance_transactions"
SCOPE = "applicability_config.scope.price_type applicability_config.scope.prices.id"
MOST_PRICES, LOWEST = 20, 100


@api.add(
    "POST",
    PATH,
    "billing.CreditGrantCreateParams",
    f"amount.monetary.currency amount.monetary.value amount.type {SCOPE} category customer effective_at expires_at "
    "metadata name priority",
)
def create(state: State, params: Params) -> Object:
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = state.get("customer", params["customer"], "customer")
    begins, ends = params.get("effective_at", state.now()), params.get("expires_at")
    _check_end(state, ends, begins)
    if not 0 <= params.get("priority", 50) <= LOWEST:
        raise invalid(f"The priority is between 0 and {LOWEST}.", "priority")
    return credit_grants.grant(
        state,
        customer,
        amount=_amount(params["amount"]),
        applicability_config={
            "scope": _scope(state, params["applicability_config"]["scope"], "applicability_config[scope]")
        },
        category=params.get("category", "paid"),
        effective_at=begins,
        expires_at=ends,
        metadata=merged({}, params),
        name=params.get("name"),
        priority=params.get("priority", 50),
    )


def _amount(given: dict[str, Any]) -> Object:
    if "monetary" not in given:
        raise missing_parameter("amount[monetary]")
    if given["monetary"]["value"] < 1:
        raise invalid("Invalid positive integer", "amount[monetary][value]", "parameter_invalid_integer")
    return {**given, "monetary": {**given["monetary"], "currency": given["monetary"]["currency"].lower()}}


def _scope(state: State, given: dict[str, Any], where: str) -> Object:
    """Return what the credits are for: every metered price, or some of them."""
    if ("price_type" in given) == ("prices" in given):
        raise invalid("Name one of these parameters: price_type, prices.", where)
    if "price_type" in given:
        return {"price_type": given["price_type"]}
    if not 1 <= len(given["prices"]) <= MOST_PRICES:
        raise invalid(f"Name between 1 and {MOST_PRICES} prices.", f"{where}[prices]")
    for index, entry in enumerate(given["prices"]):
        price = state.get("price", entry["id"], f"{where}[prices][{index}][id]")
        if not pricing.is_metered(price):
            raise invalid("Billing credits are for metered prices only.", f"{where}[prices][{index}][id]")
    return {"prices": [{"id": entry["id"]} for entry in given["prices"]]}


def _check_end(state: State, end: Any, begin: int) -> None:
    if isinstance(end, int) and end <= max(begin, state.now()):
        raise invalid("`expires_at` must be in the future, and after `effective_at`.", "expires_at")


@api.add("GET", PATH + "/{grant}", "billing.CreditGrantRetrieveParams")
def retrieve(state: State, grant: str, params: Params) -> Object:
    return state.get(GRANT, grant)


@api.add("GET", PATH, "billing.CreditGrantListParams", "customer")
def list_all(state: State, params: Params) -> Object:
    return page(state, GRANT, PATH, params, same="customer")


@api.add("POST", PATH + "/{grant}", "billing.CreditGrantUpdateParams", "expires_at metadata")
def update(state: State, grant: str, params: Params) -> Object:
    """Change when the grant expires (empty: never), or its metadata."""
    row = state.get(GRANT, grant)
    if "expires_at" in params and (row["voided_at"] or (row["expires_at"] or state.now() + 1) <= state.now()):
        raise invalid(f"The credit grant {grant} is voided or has expired already.", "expires_at")
    _check_end(state, params.get("expires_at"), row["effective_at"])
    with recorded(state, row, credit_grants.UPDATED):
        row.update(metadata=merged(row["metadata"], params), updated=state.now())
        if "expires_at" in params:
            row["expires_at"] = params["expires_at"] or None
    if params.get("expires_at"):
        credit_grants.plan_expiry(state, row)
    return row


@api.add("POST", PATH + "/{grant}/expire", "billing.CreditGrantExpireParams")
def expire(state: State, grant: str, params: Params) -> Object:
    row = state.get(GRANT, grant)
    credit_grants.expire(state, row)
    return row


@api.add("POST", PATH + "/{grant}/void", "billing.CreditGrantVoidGrantParams")
def void(state: State, grant: str, params: Params) -> Object:
    row = state.get(GRANT, grant)
    credit_grants.void(state, row)
    return row


@api.add("GET", LEDGER, "billing.CreditBalanceTransactionListParams", "customer credit_grant")
def list_transactions(state: State, params: Params) -> Object:
    customer = params.get("customer")
    narrowed = {name: value for name, value in params.items() if name != "customer"}

    def keep(row: Object) -> bool:
        return customer is None or state.note(row["id"])["customer"] == customer

    return page(state, MOVEMENT, LEDGER, narrowed, keep, same="credit_grant")


@api.add("GET", LEDGER + "/{transaction}", "billing.CreditBalanceTransactionRetrieveParams")
def retrieve_transaction(state: State, transaction: str, params: Params) -> Object:
    return state.get(MOVEMENT, transaction)


FILTER = "filter.applicability_scope.price_type filter.applicability_scope.prices.id filter.credit_grant filter.type"


@api.add(
    "GET", "/v1/billing/credit_balance_summary", "billing.CreditBalanceSummaryRetrieveParams", f"customer {FILTER}"
)
def summary(state: State, params: Params) -> Object:
    """Return the balance by currency of one grant, or of all grants for a scope."""
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = state.get("customer", params["customer"], "customer")
    left: dict[str, int] = {}
    for row in _filtered(state, customer["id"], params["filter"]):
        currency = row["amount"]["monetary"]["currency"]
        left[currency] = left.get(currency, 0) + credit_grants.balance(state, row)
    amounts = [{"monetary": {"currency": name, "value": value}, "type": "monetary"} for name, value in left.items()]
    return {
        "object": "billing.credit_balance_summary",
        "balances": [{"available_balance": amount, "ledger_balance": dict(amount)} for amount in amounts],
        "customer": customer["id"],
        "customer_account": None,
        "livemode": False,
    }


def _filtered(state: State, customer: str, wanted: dict[str, Any]) -> list[Object]:
    kind = wanted["type"]
    if kind not in wanted:
        raise missing_parameter(f"filter[{kind}]")
    rows = credit_grants.of_customer(state, customer)
    if kind == "credit_grant":
        state.get(GRANT, wanted["credit_grant"], "filter[credit_grant]")
        return [row for row in rows if row["id"] == wanted["credit_grant"]]
    scope = _scope(state, wanted["applicability_scope"], "filter[applicability_scope]")
    if "price_type" in scope:
        return [row for row in rows if row["applicability_config"]["scope"].get("price_type")]
    return [row for row in rows if any(credit_grants.covers(row, each["id"]) for each in scope["prices"])]
