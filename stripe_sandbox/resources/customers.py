"""These routes serve customers, and the payment methods of each."""

from typing import Any

from ..books import balances, customer_texts, standing
from ..books.tax import ids, places
from ..errors import invalid
from ..events import emit, recorded
from ..http.blanks import blank
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from .payment_methods import attached, owned

FIELDS = (
    "address description email metadata name phone preferred_locales shipping tax_exempt tax.ip_address "
    "tax.validate_location"
)
SETTINGS = "invoice_settings.default_payment_method invoice_settings.footer invoice_settings.custom_fields"
PLAIN = ("description", "email", "name", "phone", "preferred_locales", "tax_exempt", "shipping")
STRIPPED = ("name", "phone")
IN_A_CLOCK = 3
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


@api.add("POST", "/v1/customers", "CustomerCreateParams",
         f"{FIELDS} {SETTINGS} payment_method balance test_clock tax_id_data.type tax_id_data.value")  # fmt: skip
def create(state: State, params: Params) -> Object:
    _check_clock(state, params.get("test_clock"))
    _check_location(state, {}, params)
    for entry in params.get("tax_id_data") or []:
        ids.check(entry["type"], entry["value"], "tax_id_data[0][value]")
    customer = state.put(new(state, params))
    _write_ip(state, customer, params)
    if "payment_method" in params:
        params = _with_default(params, attached(state, params["payment_method"], customer)["id"])
    emit(state, "customer.created", customer)
    if customer["balance"]:
        balances.book(state, customer, customer["balance"], "initial")
    _choose_default(state, customer, params)
    for entry in params.get("tax_id_data") or []:
        ids.create(state, entry["type"], entry["value"], customer)
    return customer


def _check_location(state: State, customer: Object, params: Params) -> None:
    """Validate the tax location where that is asked for. `auto`, which an update has if it says nothing, looks at an
    address that is given to a customer with automatic tax (assumed)."""
    details: Params = {name: params[name] for name in ("address", "shipping", "tax") if name in params}
    when = (params.get("tax") or {}).get("validate_location", "auto" if customer else "deferred")
    is_asked = when == "immediately" or (
        when == "auto" and any(details.get(name) for name in ("address", "shipping")) and _has_tax(state, customer)
    )
    if is_asked and places.party(state, customer, details).location is None:
        raise places.unrecognized()


def _has_tax(state: State, customer: Object) -> bool:
    subs = state.table("subscription").where("customer", customer["id"])
    return any(sub["automatic_tax"]["enabled"] and not standing.is_over(sub) for sub in subs)


def _write_ip(state: State, customer: Object, params: Params) -> None:
    tax = params.get("tax") or {}
    if "ip_address" in tax:
        state.note(customer["id"])["ip_address"] = tax["ip_address"] or None


def _with_default(params: Params, method: str) -> Params:
    """Use one payment method if `pm_card_visa` is given twice, to attach and as the default."""
    settings = params.get("invoice_settings") or {}
    if settings.get("default_payment_method") != params["payment_method"]:
        return params
    return {**params, "invoice_settings": {**settings, "default_payment_method": method}}


def _check_clock(state: State, clock: str | None) -> None:
    if clock is None:
        return
    state.get("test_helpers.test_clock", clock, "test_clock")
    if sum(row["test_clock"] == clock for row in state.table("customer").rows.values()) >= IN_A_CLOCK:
        raise invalid(f"A test clock may have at most {IN_A_CLOCK} customers.", "test_clock")


def new(state: State, params: Params) -> Object:
    identifier = state.new_id("cus")
    customer = blank(
        "customer",
        identifier,
        balance=params.get("balance", 0),
        created=state.now(),
        delinquent=False,
        invoice_prefix=state.new_id("p", 8)[2:].upper(),
        invoice_settings={
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        livemode=False,
        metadata={},
        next_invoice_sequence=1,
        preferred_locales=[],
        tax_exempt="none",
        test_clock=params.get("test_clock"),
    )
    _write(customer, params)
    return customer


def _write(customer: Object, params: Params) -> None:
    customer_texts.check(params)
    for name in PLAIN:
        if name in params:
            given = params[name].strip() if name in STRIPPED else params[name]
            customer[name] = None if given == "" else given
    if "address" in params:
        given = params["address"]
        customer["address"] = {name: given.get(name) for name in ADDRESS} if given else None
        if given and given.get("country"):
            customer["address"]["country"] = given["country"].upper()
    if "balance" in params:
        customer["balance"] = params["balance"]
    customer["metadata"] = merged(customer["metadata"], params)


def _choose_default(state: State, customer: Object, params: Params) -> None:
    settings = params.get("invoice_settings") or {}
    if "default_payment_method" in settings:
        method = settings["default_payment_method"]
        if method:
            owned(state, method, customer["id"], "invoice_settings[default_payment_method]")
        customer["invoice_settings"]["default_payment_method"] = method or None
    for name in ("footer", "custom_fields"):
        if name in settings:
            customer["invoice_settings"][name] = settings[name] or None


@api.add("GET", "/v1/customers/{customer}", "CustomerRetrieveParams")
def retrieve(state: State, customer: str, params: Params) -> Object:
    return deleted_or_found(state, customer)


def deleted_or_found(state: State, customer: str) -> Object:
    gone = state.notes.get(customer, {}).get("deleted")
    return gone or state.get("customer", customer)


def usable(state: State, customer: str, param: str = "customer") -> Object:
    return state.get("customer", customer, param)


@api.add("POST", "/v1/customers/{customer}", "CustomerUpdateParams", f"{FIELDS} {SETTINGS} balance")
def update(state: State, customer: str, params: Params) -> Object:
    row = state.get("customer", customer)
    _check_location(state, row, params)
    _write_ip(state, row, params)
    before = row["balance"]
    with recorded(state, row, "customer.updated"):
        _write(row, params)
        _choose_default(state, row, params)
    if row["balance"] != before:
        balances.book(state, row, row["balance"] - before, "adjustment")
    return row


@api.add("DELETE", "/v1/customers/{customer}", "CustomerDeleteParams")
def delete(state: State, customer: str, params: Params) -> Object:
    """Delete the customer, after ending its subscriptions."""
    row = state.get("customer", customer)
    for sub in state.table("subscription").where("customer", customer):
        if not standing.is_over(sub):
            standing.end(state, sub, "cancellation_requested")
    for method in state.table("payment_method").where("customer", customer):
        method["customer"] = None
        state.put(method)
    for tax_id in state.table(ids.KIND).where("customer", customer):
        state.table(ids.KIND).remove(tax_id["id"])
    emit(state, "customer.deleted", row)
    state.table("customer").remove(customer)
    gone: dict[str, Any] = {"id": customer, "object": "customer", "deleted": True}
    state.note(customer)["deleted"] = gone
    return gone


@api.add("GET", "/v1/customers", "CustomerListParams", "email created test_clock")
def list_all(state: State, params: Params) -> Object:
    return page(state, "customer", "/v1/customers", params, same="email test_clock")


@api.add("GET", "/v1/customers/{customer}/payment_methods", "CustomerPaymentMethodListParams", "type")
def methods(state: State, customer: str, params: Params) -> Object:
    state.get("customer", customer)
    url = f"/v1/customers/{customer}/payment_methods"
    return page(state, "payment_method", url, {**params, "customer": customer}, same="customer type")


@api.add("GET", "/v1/customers/{customer}/payment_methods/{method}", "CustomerPaymentMethodRetrieveParams")
def method_of(state: State, customer: str, method: str, params: Params) -> Object:
    row = state.get("payment_method", method)
    if row["customer"] != customer:
        raise invalid(f"The payment method {method} is not attached to the customer {customer}.", "payment_method")
    return row
