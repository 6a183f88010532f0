"""These routes serve shipping rates: a name and a fixed amount, for Checkout and payment links."""

from ..books.tax import codes
from ..errors import invalid, missing_parameter
from ..http.blanks import blank
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State

MADE = "display_name type metadata delivery_estimate fixed_amount.amount fixed_amount.currency tax_behavior tax_code"


@api.add("POST", "/v1/shipping_rates", "ShippingRateCreateParams", MADE)
def create(state: State, params: Params) -> Object:
    fixed = params.get("fixed_amount")
    if fixed is None:
        raise missing_parameter("fixed_amount")
    if fixed["amount"] < 0:
        raise invalid("Invalid non-negative integer", "fixed_amount[amount]", "parameter_invalid_integer")
    codes.check(params.get("tax_code"))
    estimate = params.get("delivery_estimate")
    return state.put(
        blank(
            "shipping_rate",
            state.new_id("shr"),
            active=True,
            created=state.now(),
            delivery_estimate={"maximum": None, "minimum": None, **estimate} if estimate else None,
            display_name=params["display_name"],
            fixed_amount={"amount": fixed["amount"], "currency": fixed["currency"].lower()},
            livemode=False,
            metadata=merged({}, params),
            tax_behavior=params.get("tax_behavior", "unspecified"),
            tax_code=params.get("tax_code"),
            type="fixed_amount",
        )
    )


@api.add("POST", "/v1/shipping_rates/{rate}", "ShippingRateUpdateParams", "active metadata tax_behavior")
def update(state: State, rate: str, params: Params) -> Object:
    row = state.get("shipping_rate", rate)
    known = row["tax_behavior"]
    if known != "unspecified" and params.get("tax_behavior", known) != known:
        raise invalid(f"The `tax_behavior` of a shipping rate cannot be changed once it is `{known}`.", "tax_behavior")
    row.update({name: params[name] for name in ("active", "tax_behavior") if name in params})
    row["metadata"] = merged(row["metadata"], params)
    return row


@api.add("GET", "/v1/shipping_rates/{rate}", "ShippingRateRetrieveParams")
def retrieve(state: State, rate: str, params: Params) -> Object:
    return state.get("shipping_rate", rate)


@api.add("GET", "/v1/shipping_rates", "ShippingRateListParams", "active created currency")
def list_all(state: State, params: Params) -> Object:
    def keep(row: Object) -> bool:
        return params.get("currency", row["fixed_amount"]["currency"]) == row["fixed_amount"]["currency"]

    return page(state, "shipping_rate", "/v1/shipping_rates", params, keep, same="active")
