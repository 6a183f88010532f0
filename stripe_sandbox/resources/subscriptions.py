"""Subscriptions are created, read and cancelled here, with their items."""

from typing import Any

from ..books import anchoring, charging, collection, extras, items, proration, standing, subscribing, thresholds, usage
from ..books.cards import decline_error, of_method
from ..books.charging import PROCESSING, SUCCEEDED
from ..books.invoicing import draft, finalize
from ..errors import ApiError, invalid, missing_parameter
from ..events import emit, forget, in_order
from ..http.contract import Params
from ..http.listing import page
from ..http.routing import api
from ..store import Object, State
from . import catalogue, pending_setup
from .payment_methods import check_types, owned

THRESHOLDS = (
    "billing_thresholds.amount_gte billing_thresholds.reset_billing_cycle_anchor items.billing_thresholds.usage_gte"
)
ITEM_DISCOUNTS = "items.discounts.coupon items.discounts.promotion_code items.discounts.discount"
PRICE_DATA = " ".join(
    f"items.price_data.{name}"
    for name in ("currency", "product", "recurring", "unit_amount", "unit_amount_decimal", "tax_behavior")
)
ITEMS = (
    f"items.price items.plan {PRICE_DATA} items.quantity items.metadata items.tax_rates {ITEM_DISCOUNTS} {THRESHOLDS}"
)
DISCOUNTS = "discounts.coupon discounts.promotion_code discounts.discount"
OPTIONS = (
    "customer currency default_payment_method description metadata off_session payment_behavior collection_method "
    "days_until_due backdate_start_date add_invoice_items.price add_invoice_items.quantity add_invoice_items.metadata "
    "add_invoice_items.discountable add_invoice_items.discounts.coupon add_invoice_items.discounts.promotion_code "
    "add_invoice_items.tax_rates automatic_tax.enabled default_tax_rates"
)
SETTINGS = (
    "payment_settings.payment_method_types payment_settings.save_default_payment_method "
    "invoice_settings.custom_fields invoice_settings.description invoice_settings.footer"
)
TIMES = (
    "trial_period_days trial_end trial_settings cancel_at cancel_at_period_end proration_behavior billing_mode "
    "billing_cycle_anchor billing_cycle_anchor_config"
)
ANCHORS = ("billing_cycle_anchor", "billing_cycle_anchor_config")


@api.add(
    "POST",
    "/v1/subscriptions",
    "SubscriptionCreateParams",
    f"{ITEMS} {OPTIONS} {TIMES} {DISCOUNTS} {SETTINGS}",
)
def create(state: State, params: Params) -> Object:
    if "customer" not in params:
        raise missing_parameter("customer")
    if not params.get("items"):
        raise missing_parameter("items")
    check_types(params.get("payment_settings") or {})
    charged = params.get("collection_method", "charge_automatically") == "charge_automatically"
    subscribing.check_terms(params.get("collection_method", "charge_automatically"), params.get("days_until_due"))
    subscribing.check_end(state, params.get("cancel_at"))
    subscribing.check_fields(params.get("invoice_settings"))
    customer = state.get("customer", params["customer"], "customer")
    if params.get("default_payment_method"):
        owned(state, params["default_payment_method"], customer["id"], "default_payment_method")
    behaviour = params.get("payment_behavior", "allow_incomplete")
    if behaviour == "error_if_incomplete" and charged:
        _refuse_unpayable(state, customer, params)
    wanted = [catalogue.inline(state, catalogue.by_plan(entry), "items[0][price]") for entry in params["items"]]
    options = {"currency": None, **params, "start_date": _backdated(state, params)}
    options |= anchored(state, params, wanted)
    if behaviour == "allow_incomplete" and charged:
        _refuse_without_card(state, customer, wanted, options)
    with in_order(state, ("customer.subscription.created",)):
        sub = subscribing.build(state, customer, wanted, options)
        _end_as_asked(state, sub, params)
        extras.wait(state, sub, params)
        thresholds.write(state, sub, params)
        invoice = _begin(state, sub)
        is_due = invoice is not None and (behaviour != "default_incomplete" or invoice["amount_due"] == 0)
        if invoice is None and sub["status"] == "incomplete":
            sub["status"] = "active"
        elif invoice is not None and invoice["status"] == "open" and is_due:
            collection.advance(state, invoice, on_session=not params.get("off_session"))
        if invoice is not None:
            pending_setup.begin(state, sub, invoice)
        forget(state, "customer.subscription.updated", sub)
        emit(state, "customer.subscription.created", sub)
    subscribing.begin(state, sub)
    return sub


def _backdated(state: State, params: Params) -> int | None:
    start: int | None = params.get("backdate_start_date")
    if start is not None and start > state.now():
        raise invalid("`backdate_start_date` must be in the past.", "backdate_start_date")
    return start


def anchored(state: State, params: Params, wanted: list[Object]) -> dict[str, Any]:
    """Return the options by which a subscription to these prices is anchored."""
    prices = [state.find("price", entry.get("price")) for entry in wanted]
    intervals = {price["recurring"]["interval"] for price in prices if price and price["recurring"]}
    return anchoring.read(params, state.now(), intervals, params.get("trial_end"))


def _begin(state: State, sub: Object) -> Object | None:
    """Begin a subscription: one whose invoices are sent, or that has nothing to pay ahead, is active at once; what has
    nothing to pay has no invoice."""
    more = proration.take_pending_lines(state, sub)
    if not more and subscribing.is_free_until_anchor(state, sub) and sub["status"] != "trialing":
        return None
    if sub["collection_method"] == "charge_automatically" or sub["status"] == "trialing":
        invoice = subscribing.first_invoice(state, sub, more)
        sub["status"] = "active" if invoice is None and sub["status"] == "incomplete" else sub["status"]
        return invoice
    sub["status"] = "active"
    return subscribing.draft_first(state, sub, more)


def _end_as_asked(state: State, sub: Object, params: Params) -> None:
    if params.get("cancel_at_period_end"):
        standing.schedule_cancellation(state, sub, items.period_end(sub), True)
    elif params.get("cancel_at"):
        standing.schedule_cancellation(state, sub, items.instant(sub, params["cancel_at"]), False)


def _refuse_unpayable(state: State, customer: Object, params: Params) -> None:
    is_free = params.get("proration_behavior") == "none" and params.keys() & set(ANCHORS)
    if is_free or params.get("trial_period_days") or params.get("trial_end") not in (None, "now"):
        return
    refuse_unpayable(state, customer, params.get("default_payment_method"), bool(params.get("off_session")))


def _refuse_without_card(state: State, customer: Object, wanted: list[Object], options: dict[str, Any]) -> None:
    """A subscription that begins with a charge needs a card; a credit or a discount may leave nothing to charge."""
    card = options.get("default_payment_method") or customer["invoice_settings"]["default_payment_method"]
    is_reduced = (
        customer["balance"] < 0
        or customer["discount"]
        or options.get("discounts")
        or any(entry.get("discounts") for entry in wanted)
    )
    if card or is_reduced:
        return
    planned = subscribing.drawn_up(state, customer, wanted, options)
    is_free = options.get("proration_behavior") == "none" and planned["billing_cycle_anchor"] > state.now()
    if planned["status"] != "trialing" and not is_free and items.total(state, planned):
        raise _no_card()


def _no_card() -> ApiError:
    return invalid("This customer has no attached payment source or default payment method.", None, "resource_missing")


def refuse_unpayable(state: State, customer: Object, chosen: str | None, off_session: bool) -> None:
    """Refuse the request if its payment would fail (`error_if_incomplete`)."""
    method = chosen or customer["invoice_settings"]["default_payment_method"]
    result = charging.foreseen(state, method, not off_session)
    if result in (SUCCEEDED, PROCESSING):
        return
    if method is None:
        raise _no_card()
    card = of_method(state, method)
    if result == charging.REQUIRES_ACTION:
        raise ApiError(
            402, "Payment for this subscription requires additional user action.", "card_error",
            code="subscription_payment_intent_requires_action",
        )  # fmt: skip
    raise decline_error(card.decline or card.later_decline)


@api.add("GET", "/v1/subscriptions/{subscription}", "SubscriptionRetrieveParams")
def retrieve(state: State, subscription: str, params: Params) -> Object:
    return state.get("subscription", subscription)


@api.add("GET", "/v1/subscriptions", "SubscriptionListParams",
         "created customer price status collection_method automatic_tax.enabled test_clock")  # fmt: skip
def list_all(state: State, params: Params) -> Object:
    status, price, tax = params.get("status"), params.get("price"), params.get("automatic_tax")

    def keep(row: Object) -> bool:
        priced = price is None or any(item["price"]["id"] == price for item in row["items"]["data"])
        taxed = tax is None or row["automatic_tax"]["enabled"] == tax["enabled"]
        return priced and taxed and _has_status(row, status)

    return page(state, "subscription", "/v1/subscriptions", params, keep, same="customer collection_method test_clock")


def _has_status(row: Object, status: str | None) -> bool:
    """Select by status: all but the canceled ones, unless a status, `all` or `ended` is asked for."""
    if status is None:
        return bool(row["status"] != "canceled")
    if status == "ended":
        return standing.is_over(row)
    return status in ("all", row["status"])


@api.add(
    "DELETE",
    "/v1/subscriptions/{subscription}",
    "SubscriptionCancelParams",
    "cancellation_details.comment cancellation_details.feedback invoice_now prorate",
)
def cancel(state: State, subscription: str, params: Params) -> Object:
    sub = state.get("subscription", subscription)
    if standing.is_over(sub):
        raise ApiError(404, f"No such subscription: '{subscription}'", code="resource_missing", param="id")
    asked = {name: bool(params.get(name)) for name in ("prorate", "invoice_now")}
    return end_now(state, sub, comment=params.get("cancellation_details"), **asked)


def end_now(state: State, sub: Object, prorate: bool, invoice_now: bool, comment: Object | None = None) -> Object:
    if prorate and sub["status"] in ("active", "past_due"):
        rows = sub["items"]["data"]
        change = proration.credit(state, sub, rows, state.now())
        proration.file_items(state, sub, change)
    lines = proration.take_pending_lines(state, sub) + usage.due(state, sub) if invoice_now else []
    period = (items.period_start(sub), state.now())
    standing.end(state, sub, "cancellation_requested", comment=comment)
    if lines:
        invoice = draft(state, sub, "subscription_update", lines, period=period)
        finalize(state, invoice)
        collection.advance(state, invoice)
    return sub
