"""Tax rates are made by hand here, and read, with those that automatic tax made; tax codes are a short list."""

from decimal import Decimal

from ..books.tax import rates
from ..books.tax.codes import CODES, of_code
from ..errors import invalid
from ..events import emit, recorded
from ..http.contract import Params
from ..http.expansion import MADE
from ..http.listing import of_list, page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State

SHOWN = ("country", "description", "jurisdiction", "state", "tax_type")
NAMED = "active display_name metadata country description jurisdiction state tax_type"


@api.add("POST", "/v1/tax_rates", "TaxRateCreateParams", f"{NAMED} inclusive percentage")
def create(state: State, params: Params) -> Object:
    percentage = Decimal(str(params["percentage"]))
    if not 0 <= percentage <= 100:
        raise invalid("Invalid percentage: must be between 0 and 100.", "percentage")
    if percentage != round(percentage, 4):
        raise invalid("A tax rate's percentage has at most 4 decimal places.", "percentage")
    _check_name(params["display_name"])
    values = {name: params.get(name) for name in SHOWN}
    values |= {"active": params.get("active", True), "metadata": merged({}, params)}
    row = rates.new(state, params["percentage"], params["inclusive"], display_name=params["display_name"], **values)
    emit(state, "tax_rate.created", row)
    return row


def _check_name(name: str) -> None:
    if not 0 < len(name) <= 50:
        raise invalid("A display name has 1 to 50 characters.", "display_name")


@api.add("POST", "/v1/tax_rates/{rate}", "TaxRateUpdateParams", NAMED)
def update(state: State, rate: str, params: Params) -> Object:
    """Percentage and `inclusive` stay for good; what an archived rate is on already goes on with it."""
    row = state.get(rates.KIND, rate)
    if "display_name" in params:
        _check_name(params["display_name"])
    with recorded(state, row, "tax_rate.updated"):
        for name in ("active", "display_name", *SHOWN):
            if name in params:
                row[name] = None if params[name] == "" else params[name]
        row["metadata"] = merged(row["metadata"], params)
    return row


@api.add("GET", "/v1/tax_rates/{rate}", "TaxRateRetrieveParams")
def retrieve(state: State, rate: str, params: Params) -> Object:
    return state.get(rates.KIND, rate)


@api.add("GET", "/v1/tax_rates", "TaxRateListParams", "active created inclusive")
def list_all(state: State, params: Params) -> Object:
    return page(state, rates.KIND, "/v1/tax_rates", params, same="active inclusive")


@api.add("GET", "/v1/tax_codes/{code}", "TaxCodeRetrieveParams")
def retrieve_code(state: State, code: str, params: Params) -> Object:
    return of_code(code)


@api.add("GET", "/v1/tax_codes", "TaxCodeListParams")
def list_codes(state: State, params: Params) -> Object:
    return of_list([of_code(code) for code in CODES], params, "/v1/tax_codes")


MADE["txcd"] = of_code
