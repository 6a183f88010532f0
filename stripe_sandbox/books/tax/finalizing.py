"""An invoice with automatic tax needs a place to be finalized. Without one, an invoice made by hand stays a draft; that
of a subscription goes on without tax, which is switched off (https://docs.stripe.com/tax/customer-locations)."""

from ...errors import ApiError, doc_url
from ...events import emit, recorded
from ...store import Object, State
from .. import phases
from . import places, table

OFF = "requires_location_inputs"
DETAILS = ("advice_code", "charge", "decline_code", "network_advice_code", "network_decline_code", "param")


def may_go_on(state: State, invoice: Object, sub: Object | None) -> bool:
    """Return whether the invoice, whose taxes are counted, can be finalized; switch tax off where that is the way."""
    if invoice["automatic_tax"]["status"] == "complete":
        invoice["last_finalization_error"] = None
        return True
    if sub is not None and table.of(state)["without_location"] == "finalize":
        _switch_off(state, invoice, sub)
        return True
    error = places.unrecognized()
    shown = {"code": places.CODE, "doc_url": doc_url(places.CODE), "message": error.message, "type": error.kind}
    invoice["last_finalization_error"] = {**dict.fromkeys(DETAILS), **shown}
    invoice["automatically_finalizes_at"] = None
    emit(state, "invoice.finalization_failed", invoice)
    return False


def failure(invoice: Object) -> ApiError:
    """Return the error of an invoice that could not be finalized, for the request that asked for it."""
    error = invoice["last_finalization_error"]
    refusal = ApiError(400, error["message"], error["type"], code=error["code"])
    refusal.is_outcome = True
    return refusal


def _switch_off(state: State, invoice: Object, sub: Object) -> None:
    with recorded(state, invoice, "invoice.updated"):
        off = {"enabled": False, "disabled_reason": f"finalization_{OFF}"}
        invoice["automatic_tax"] = {**invoice["automatic_tax"], **off}
    with recorded(state, sub, "customer.subscription.updated"):
        sub["automatic_tax"] = {**sub["automatic_tax"], "enabled": False, "disabled_reason": OFF}
    schedule = phases.governing(state, sub)
    if schedule is not None:
        with recorded(state, schedule, "subscription_schedule.updated"):
            _switch_off_schedule(schedule, phases.at(schedule, state.now()))


def _switch_off_schedule(schedule: Object, phase: Object | None) -> None:
    for holder in (schedule["default_settings"], phase):
        if holder is not None and (holder["automatic_tax"] or {}).get("enabled"):
            holder["automatic_tax"] = {**holder["automatic_tax"], "enabled": False, "disabled_reason": OFF}
