"""These functions preview the next invoice of a schedule: as it is, with other phases, or before it is made."""

from typing import Any

from ..books import discounting, extras, invoicing, phase_terms, phases, phasing, subscribing
from ..books.billing_cycle import preview_of_renewal
from ..books.items import changed, period_end
from ..errors import ApiError, invalid, missing_parameter
from ..http.contract import Params
from ..store import Object, State
from . import preview_taxes, schedules

NO_DEFAULTS: Object = {
    "billing_thresholds": None,
    "collection_method": "charge_automatically",
    "default_payment_method": None,
    "description": None,
    "invoice_settings": phase_terms.ISSUER,
}


def preview(state: State, params: Params) -> Object:
    """Return an invoice without lasting id or number."""
    details = params.get("schedule_details") or {}
    schedule = _named(state, params)
    shown = _phases(state, schedule, details)
    sub = state.find("subscription", schedule["subscription"] if schedule else None)
    if sub is None or schedule is None:
        customer = schedule["customer"] if schedule else params.get("customer")
        return _first(state, customer, schedule, shown[0], params)
    taxes = preview_taxes.given(state, state.get("customer", sub["customer"]), params)
    ends = details.get("end_behavior", schedule["end_behavior"])
    if ends == "cancel" and shown[-1]["end_date"] <= period_end(sub):
        raise none(sub)
    sub = _under(sub, schedule, phases.at({"phases": shown}, period_end(sub)) or shown[-1])
    return _next(state, sub, shown, details.get("proration_behavior", "create_prorations"), taxes)


def none(sub: Object) -> ApiError:
    return ApiError(404, "No upcoming invoices for customer: " + sub["customer"], code="invoice_upcoming_none")


def _under(sub: Object, schedule: Object, phase: Object) -> Object:
    """Return the subscription with the terms that the phase of its next invoice gives it."""
    terms = phase_terms.counting(schedule, phase)
    settings = {**sub["invoice_settings"], **terms.pop("invoice_settings")}
    return {**sub, **terms, "invoice_settings": settings, "metadata": {**sub["metadata"], **phase["metadata"]}}


def _named(state: State, params: Params) -> Object | None:
    """Return the schedule by its id, or the one that the subscription is under."""
    if "schedule" in params:
        return state.get(schedules.KIND, params["schedule"], "schedule")
    if "subscription" not in params:
        return None
    schedule = phases.governing(state, state.get("subscription", params["subscription"], "subscription"))
    if schedule is None:
        raise invalid("The subscription is under no schedule.", "schedule_details")
    return schedule


def _phases(state: State, schedule: Object | None, details: dict[str, Any]) -> list[Object]:
    if "phases" not in details:
        if schedule is None:
            raise missing_parameter("schedule_details[phases]")
        stored: list[Object] = schedule["phases"]
        return stored
    if schedule is None:
        return phases.read(state, details["phases"], state.now())
    return schedules.rewritten(state, schedule, details["phases"])


def _first(state: State, customer: str | None, schedule: Object | None, phase: Object, params: Params) -> Object:
    if customer is None:
        raise missing_parameter("customer")
    row = state.get("customer", customer, "customer")
    taxes = preview_taxes.given(state, row, params)
    terms = phase_terms.counting(schedule or {"default_settings": NO_DEFAULTS}, phase)
    options = {"currency": phase["currency"], "trial_end": phase["trial_end"], **phases.taxes(schedule, phase), **terms}
    payer = subscribing.drawn_up(state, row, phase["items"], options)
    payer["id"] = None
    payer["invoice_settings"] = {**payer["invoice_settings"], **terms["invoice_settings"]}
    given = discounting.foreseen(state, payer, phase, payer["items"]["data"])
    for row in payer["items"]["data"]:
        row["discounts"] = given.of_items[row["id"]]
    payer["discounts"] = given.whole
    lines = [without_subscription(line) for line in subscribing.first_lines(state, payer)]
    lines += [extras.line(state, extras.drawn_up(state, payer, each)) for each in extras.given(phase)]
    return invoicing.document(state, payer, "upcoming", lines, parent=None, **taxes)


def without_subscription(line: Object) -> Object:
    details = {**line["parent"]["subscription_item_details"], "subscription": None}
    return {**line, "subscription": None, "parent": {**line["parent"], "subscription_item_details": details}}


def _next(state: State, sub: Object, shown: list[Object], prorations: str, taxes: dict[str, Any]) -> Object:
    """Return what changes now, on an invoice of its own where it is billed at once, else with the renewal."""
    current = phases.at({"phases": shown}, state.now()) or shown[0]
    if not phases.differs(sub, current):
        return preview_of_renewal(state, sub, shown=shown, **taxes)
    rows = changed(state, sub, phases.wanted(sub, current))
    change = phasing.phased(state, sub, rows, prorations, current)
    if change.is_due_now or prorations == "always_invoice":
        return invoicing.document(state, sub, "subscription_update", change.lines, period=change.period, **taxes)
    after = {**sub, "items": {**sub["items"], "data": rows}}
    return preview_of_renewal(state, after, change.lines, shown, **taxes)
