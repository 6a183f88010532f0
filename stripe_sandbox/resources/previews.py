"""`create_preview` shows the next invoice of a subscription as it is, as changed, or before it is made."""

from typing import Any

from ..books import balances, discounting, extras, invoicing, metered_invoices, proration, standing, subscribing
from ..books.billing_cycle import ends_by, preview_of_renewal
from ..books.items import period_end
from ..errors import invalid, missing_parameter
from ..http.contract import Params
from ..http.routing import api
from ..store import Object, State
from . import changes, preview_taxes, schedule_previews
from .schedules import PHASE
from .subscriptions import anchored

DETAILS = " ".join(
    f"subscription_details.{name}"
    for name in (
        "items.id items.price items.quantity items.deleted items.metadata proration_behavior proration_date "
        "billing_cycle_anchor trial_end default_tax_rates items.tax_rates"
    ).split()
)
# A preview takes these of no phase.
TEXTS = ("invoice_settings.custom_fields", "invoice_settings.description", "invoice_settings.footer")
SCHEDULE = "schedule schedule_details.end_behavior schedule_details.proration_behavior " + " ".join(
    f"schedule_details.{name}" for name in ["phases.start_date", *PHASE.split()] if not name.endswith(TEXTS)
)
EXTRAS = " ".join(
    f"invoice_items.{name}"
    for name in (
        "amount currency description price quantity discountable metadata period tax_rates tax_behavior tax_code"
    ).split()
)

OF_WHAT = (
    "The Preview Invoice API only supports previewing the upcoming invoice for a specific subscription or subscription "
    "schedule, not for a customer as a whole. You need to explicitly pass one of `subscription`, `schedule`, "
    "`subscription_details.items`, `schedule_details.phases`, or `invoice_items`."
)


@api.add(
    "POST",
    "/v1/invoices/create_preview",
    "InvoiceCreatePreviewParams",
    f"customer subscription currency {DETAILS} {EXTRAS} discounts.coupon discounts.promotion_code {SCHEDULE} "
    f"{preview_taxes.BUYER} automatic_tax.enabled",
)
def create_preview(state: State, params: Params) -> Object:
    return balances.foresee(state, _preview(state, params))


def _preview(state: State, params: Params) -> Object:
    if params.keys() & {"schedule", "schedule_details"}:
        return _identified(schedule_previews.preview(state, params), state.new_id("upcoming_in", 24))
    if "subscription" not in params:
        return _of_a_new_one(state, params)
    sub = _discounted(state, _named(state, params), params)
    taxes = preview_taxes.given(state, state.get("customer", sub["customer"]), params)
    details = params.get("subscription_details") or {}
    if standing.is_over(sub):
        raise schedule_previews.none(sub)
    identifier = state.new_id("upcoming_in", 24)
    more = [_line(state, sub, entry) for entry in params.get("invoice_items") or []]
    if not details:
        if ends_by(sub, period_end(sub)) and not more and not state.note(sub["id"]).get("pending_items"):
            raise schedule_previews.none(sub)
        return _identified(preview_of_renewal(state, sub, more, **taxes), identifier)
    change = changes.worked_out(state, sub, details)
    if change.is_due_now or details.get("proration_behavior") == "always_invoice":
        lines = proration.pending_lines(state, sub) + change.lines + more
        values = {"id": identifier, "period": change.period, **taxes}
        drawn_up = invoicing.document(state, sub, "subscription_update", lines, **values)
        return metered_invoices.foresee(state, drawn_up)
    after = {**sub, "items": {**sub["items"], "data": change.rows}}
    return _identified(preview_of_renewal(state, after, change.lines + more, **taxes), identifier)


def _named(state: State, params: Params) -> Object:
    sub = state.get("subscription", params["subscription"], "subscription")
    for name in ("customer", "currency"):
        if params.get(name, sub[name]) != sub[name]:
            raise invalid(f"The subscription has another {name}: {sub[name]}.", name)
    return sub


def _discounted(state: State, sub: Object, params: Params) -> Object:
    """Return the subscription with the discounts that are tried out, in place of its own."""
    if "discounts" not in params:
        return sub
    total = discounting.items_total(state, sub, sub["items"]["data"])
    return {**sub, "discounts": discounting.drawn_up_all(state, params["discounts"], sub, total, sub)}


def _line(state: State, payer: Object, entry: dict[str, Any]) -> Object:
    return extras.line(state, extras.item(state, payer, entry))


def _of_a_new_one(state: State, params: Params) -> Object:
    """Return the first invoice of a subscription that is not made, or of a customer's invoice items alone."""
    if "customer" not in params and "customer_details" not in params:
        raise missing_parameter("customer")
    customer: Object = preview_taxes.NOBODY
    if "customer" in params:
        customer = state.get("customer", params["customer"], "customer")
    details = params.get("subscription_details") or {}
    entries = params.get("invoice_items") or []
    if not details.get("items") and not entries:
        raise invalid(OF_WHAT, "subscription_details[items]", "parameter_missing")
    named = next((entry["currency"] for entry in entries if "currency" in entry), None)
    payer = extras.buyer(customer, params.get("currency") or named)
    lines: list[Object] = []
    if details.get("items"):
        options = {"currency": params.get("currency"), "trial_end": details.get("trial_end")}
        options |= anchored(state, details, details["items"])
        payer = subscribing.drawn_up(state, customer, details["items"], options)
        is_free = payer["billing_cycle_anchor"] > state.now() and details.get("proration_behavior") == "none"
        lines = [] if is_free and payer["status"] != "trialing" else subscribing.first_lines(state, payer)
        payer["id"] = None
        lines = [schedule_previews.without_subscription(line) for line in lines]
    lines += [_line(state, payer, entry) for entry in entries]
    picked = [discounting.chosen(state, entry, customer["id"], payer["currency"], sum(line["amount"] for line in lines))
              for entry in params.get("discounts") or []]  # fmt: skip
    discounts = [discounting.drawn_up(state, coupon, code, payer, None, payer) for coupon, code in picked]
    identifier = state.new_id("upcoming_in", 24)
    values = {"buyer": customer, **preview_taxes.given(state, customer, params)}
    return invoicing.document(
        state, payer, "upcoming", lines, id=identifier, parent=None, discount_rows=discounts, **values
    )


def _identified(invoice: Object, identifier: str) -> Object:
    data = [{**line, "invoice": identifier} for line in invoice["lines"]["data"]]
    listed = {**invoice["lines"], "data": data, "url": f"/v1/invoices/{identifier}/lines"}
    return {**invoice, "id": identifier, "lines": listed}
