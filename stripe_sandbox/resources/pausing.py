"""This route resumes a subscription that was paused because its trial ended without a payment method."""

from ..books import collection, invoicing, periods, proration, standing, subscribing
from ..errors import invalid
from ..events import in_order, recorded
from ..http.contract import Params
from ..http.routing import api
from ..store import Object, State

ORDER = ("customer.subscription.updated", "invoiceitem.created", "invoice.created", "invoice.finalized")
LAPSES = 23 * 3600


@api.add(
    "POST", "/v1/subscriptions/{subscription}/resume", "SubscriptionResumeParams",
    "billing_cycle_anchor proration_behavior",
)  # fmt: skip
def resume(state: State, subscription: str, params: Params) -> Object:
    """Resume the subscription: at once, or, if there is something to pay, when that is paid or given up."""
    sub = state.get("subscription", subscription)
    if sub["status"] != "paused":
        raise invalid(f"You can only resume a subscription that is paused. This one is {sub['status']}.")
    if sub["collection_method"] != "charge_automatically":
        raise invalid("You can only resume a subscription that is charged automatically.")
    invoice = _restart(state, sub, params)
    if invoice is None:
        standing.resume(state, sub)
    else:
        state.schedule(state.now() + LAPSES, "resumption_lapsed", sub["id"], invoice["id"])
        collection.collect(state, invoice)
    standing.plan(state, sub)
    return sub


def _restart(state: State, sub: Object, params: Params) -> Object | None:
    """Begin a new period now, or (`unchanged`) what is left of the one that the anchor gives; return its invoice."""
    now = state.now()
    unchanged = params.get("billing_cycle_anchor") == "unchanged"
    behaviour = params.get("proration_behavior", "create_prorations")
    with in_order(state, ORDER), recorded(state, sub, ORDER[0]):
        sub["billing_cycle_anchor"] = sub["billing_cycle_anchor"] if unchanged else now
        rows = sub["items"]["data"]
        for row in rows:
            end = periods.end_of(sub["billing_cycle_anchor"], now, row["price"]["recurring"])
            row.update(current_period_start=now, current_period_end=end)
        if not unchanged:
            lines = [line for row in rows for line in subscribing.regular_lines(state, sub, row)]
            if not lines:
                return None
            invoice = invoicing.draft(state, sub, "subscription_update", lines)
            invoicing.finalize(state, invoice)
            return invoice
        change = proration.charge(state, sub, [(row, (now, row["current_period_end"])) for row in rows])
        if behaviour == "always_invoice":
            return proration.bill(state, sub, change)
        if behaviour == "create_prorations":
            proration.file_items(state, sub, change)
    return None
