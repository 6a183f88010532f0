"""These routes serve Checkout sessions for subscriptions, one-off payments, and saving a card."""

from ..errors import invalid
from ..http.blanks import embedded_list
from ..http.contract import Params
from ..http.listing import of_list, page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from . import collecting, opening, recovering, sessions, shipping, totals

LINE = (
    "line_items.price line_items.quantity line_items.adjustable_quantity line_items.metadata "
    "line_items.price_data.currency line_items.price_data.product line_items.price_data.product_data "
    "line_items.price_data.unit_amount line_items.price_data.recurring line_items.price_data.tax_behavior "
    "line_items.tax_rates"
)
DATA = (
    "subscription_data.metadata subscription_data.description subscription_data.trial_period_days "
    "subscription_data.trial_end subscription_data.trial_settings subscription_data.billing_mode "
    "subscription_data.default_tax_rates"
)
ONE_OFF = (
    "payment_intent_data.capture_method payment_intent_data.description payment_intent_data.metadata "
    "payment_intent_data.receipt_email payment_intent_data.setup_future_usage setup_intent_data.description "
    "setup_intent_data.metadata invoice_creation.enabled invoice_creation.invoice_data.custom_fields "
    "invoice_creation.invoice_data.description invoice_creation.invoice_data.footer "
    "invoice_creation.invoice_data.metadata"
)
RATE = (
    "shipping_options.shipping_rate shipping_options.shipping_rate_data.delivery_estimate "
    "shipping_options.shipping_rate_data.display_name shipping_options.shipping_rate_data.fixed_amount.amount "
    "shipping_options.shipping_rate_data.fixed_amount.currency shipping_options.shipping_rate_data.metadata "
    "shipping_options.shipping_rate_data.tax_behavior shipping_options.shipping_rate_data.tax_code "
    "shipping_options.shipping_rate_data.type"
)
DISCOUNTS = "discounts.coupon discounts.promotion_code"
PAGE = (
    "ui_mode return_url redirect_on_completion permissions.update_shipping_details after_expiration optional_items "
    "saved_payment_method_options"
)
TAKEN = (
    "mode customer customer_email customer_update.address customer_update.name customer_update.shipping metadata "
    "currency expires_at payment_method_types excluded_payment_method_types"
)
TAXES = "automatic_tax.enabled tax_id_collection.enabled tax_id_collection.required"


@api.add(
    "POST",
    "/v1/checkout/sessions",
    "checkout.SessionCreateParams",
    f"{LINE} {DATA} {ONE_OFF} {TAKEN} {TAXES} {DISCOUNTS} {RATE} {PAGE} {collecting.COVERED} "
    f"{' '.join(sessions.ECHOED)}",
)
def create(state: State, params: Params) -> Object:
    return opening.opened(state, params)


@api.add("GET", "/v1/checkout/sessions/{session}", "checkout.SessionRetrieveParams")
def retrieve(state: State, session: str, params: Params) -> Object:
    return state.get("checkout.session", session)


@api.add(
    "GET",
    "/v1/checkout/sessions",
    "checkout.SessionListParams",
    "created customer payment_intent payment_link status subscription customer_details.email",
)
def list_all(state: State, params: Params) -> Object:
    email = (params.get("customer_details") or {}).get("email")

    def keep(row: Object) -> bool:
        return email is None or (row["customer_details"] or {}).get("email") == email

    same = "customer payment_intent payment_link status subscription"
    return page(state, "checkout.session", "/v1/checkout/sessions", params, keep, same=same)


@api.add("POST", "/v1/checkout/sessions/{session}/expire", "checkout.SessionExpireParams")
def expire(state: State, session: str, params: Params) -> Object:
    row = state.get("checkout.session", session)
    if row["status"] != "open":
        raise invalid(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a '
            f"status of `{row['status']}`."
        )
    recovering.expire(state, row)
    return row


@api.add(
    "POST",
    "/v1/checkout/sessions/{session}",
    "checkout.SessionUpdateParams",
    f"metadata collected_information.shipping_details {RATE}",
)
def update(state: State, session: str, params: Params) -> Object:
    row = state.get("checkout.session", session)
    row["metadata"] = merged(row["metadata"], params)
    if "collected_information" in params or "shipping_options" in params:
        _reship(state, row, params)
    return row


def _reship(state: State, row: Object, params: Params) -> None:
    """Record where to ship to, as the site says while the page is open, and offer other ways to ship."""
    allows = (row["permissions"] or {}).get("update_shipping_details") == "server_only"
    if not allows or row["status"] != "open":
        name = "collected_information" if "collected_information" in params else "shipping_options"
        raise invalid(
            f"`{name}` can only be set on an open Checkout Session whose `permissions.update_shipping_details` is "
            "`server_only`.",
            name,
        )
    if "collected_information" in params:
        details = params["collected_information"]["shipping_details"]
        address = {name: details["address"].get(name) for name in collecting.ADDRESS}
        row["collected_information"]["shipping_details"] = {"name": details["name"], "address": address}
    if "shipping_options" in params:
        shipping.offer(state, row, params["shipping_options"] or [])
        totals.recount(state, row)


@api.add("GET", "/v1/checkout/sessions/{session}/line_items", "checkout.SessionListLineItemsParams")
def line_items(state: State, session: str, params: Params) -> Object:
    state.get("checkout.session", session)
    url = f"/v1/checkout/sessions/{session}/line_items"
    rows = state.note(session)["items"]
    return of_list(rows, params, url) if params else embedded_list(url, rows)
