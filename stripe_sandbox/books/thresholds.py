"""A subscription, or an item, whose usage reaches a threshold within its period is invoiced for it there and then
(https://docs.stripe.com/billing/subscriptions/usage-based/thresholds).

Assumed, where Stripe's documentation is silent: a reset of the cycle credits the unused time of what is not metered.
"""

from decimal import Decimal
from typing import Any

from ..errors import invalid
from ..events import in_order, recorded
from ..store import Object, State
from . import invoicing, items, line_items, pricing, proration, usage
from .due import job
from .periods import DAY

LEAST = 50
WATCHED = "subscriptions with thresholds"
UPDATED = "customer.subscription.updated"


def write(state: State, sub: Object, params: dict[str, Any]) -> None:
    """Set or clear the subscription's threshold, and look whether it, or an item's, is reached already."""
    given = params.get("billing_thresholds")
    if "billing_thresholds" in params:
        least = (given or {}).get("amount_gte")
        if least is not None and least < LEAST:
            raise invalid(f"The threshold must be at least {LEAST}.", "billing_thresholds[amount_gte]")
        shown = {"amount_gte": None, "reset_billing_cycle_anchor": False, **(sub["billing_thresholds"] or {})}
        sub["billing_thresholds"] = {**shown, **given} if given else None
    look_later(state, sub)


def look_later(state: State, sub: Object) -> None:
    """Look at the thresholds of a subscription that has any, which is kept with its customer: usage asks there."""
    watched: dict[str, None] = state.note(WATCHED).setdefault(sub["customer"], {})
    watched.pop(sub["id"], None)
    if sub["billing_thresholds"] or any(row["billing_thresholds"] for row in sub["items"]["data"]):
        watched[sub["id"]] = None
        state.schedule(state.now(), "threshold_checked", sub["id"])


def after_usage(state: State, meter: str, customer: str) -> None:
    for identifier in list(state.notes.get(WATCHED, {}).get(customer, {})):
        sub = state.get("subscription", identifier)
        if any(row["price"]["recurring"]["meter"] == meter for row in sub["items"]["data"]):
            look_later(state, sub)


@job
def threshold_checked(state: State, identifier: str) -> None:
    """No threshold counts in a trial, nor on the last day of a period."""
    sub = state.find("subscription", identifier)
    if sub is None or sub["status"] not in ("active", "past_due") or state.now() >= items.period_end(sub) - DAY:
        return
    reached = [row for row in sub["items"]["data"] if _has_used_enough(state, sub, row)]
    if reached or _owes_enough(state, sub):
        _bill(state, sub, reached)


def _has_used_enough(state: State, sub: Object, row: Object) -> bool:
    if not row["billing_thresholds"]:
        return False
    what = usage.span(state, row)
    used = usage.measured(state, sub["customer"], row["price"], what)
    return bool(
        used - Decimal(usage.billed_before(state, row["id"], what)["quantity"])
        >= row["billing_thresholds"]["usage_gte"]
    )


def _owes_enough(state: State, sub: Object) -> bool:
    """Compare what an invoice would ask for, discounts and waiting prorations included; usage is priced first, which
    is quick."""
    least = (sub["billing_thresholds"] or {}).get("amount_gte")
    if least is None:
        return False
    waiting = proration.pending_lines(state, sub)
    owed = sum(_owed(state, sub, row) for row in sub["items"]["data"]) + sum(line["amount"] for line in waiting)
    if owed < least:
        return False
    drawn_up = invoicing.document(state, sub, "subscription_threshold", waiting + usage.due(state, sub))
    return bool(drawn_up["total"] >= least)


def _owed(state: State, sub: Object, row: Object) -> int:
    if not pricing.is_metered(row["price"]):
        return 0
    what = usage.span(state, row)
    used = usage.measured(state, sub["customer"], row["price"], what)
    before: int = usage.billed_before(state, row["id"], what)["amount"]
    return pricing.cost(state, row["price"], sub["currency"], used) - before


def _bill(state: State, sub: Object, reached: list[Object]) -> None:
    """Draw up the invoice; it is finalized an hour later, without the usage that comes meanwhile."""
    resets = bool((sub["billing_thresholds"] or {}).get("reset_billing_cycle_anchor"))
    start, due = items.period_start(sub), state.now() + state.settings["finalize_after"]
    with in_order(state, (UPDATED, "invoiceitem.created", "invoice.created")), recorded(state, sub, UPDATED):
        used = usage.due(state, sub)
        lines = _restart(state, sub) if resets else []
        lines = proration.take_pending_lines(state, sub) + used + lines
        invoice = invoicing.draft(
            state, sub, "subscription_threshold", lines, period=(start, state.now()), automatically_finalizes_at=due,
            next_payment_attempt=due if sub["collection_method"] == "charge_automatically" else None,
        )  # fmt: skip
    invoice["threshold_reason"] = _reason(sub, invoice, reached)
    if not resets:
        _remember(state, invoice, sub)
    state.schedule(due, "finalize", invoice["id"], urgency=4)


def _restart(state: State, sub: Object) -> list[Object]:
    """Begin a period; return the lines of what is paid ahead in it, for which the old one's rest is credited."""
    for row in sub["items"]["data"]:
        usage.begin_anew(state, row, state.now())
    change = proration.work_out(state, sub, sub["items"]["data"], state.now(), True, reset=True)
    kept = [item for item in change.items if item["proration"]]
    change.lines = [line for line in change.lines if line_items.item_of(line) in {None, *(item["id"] for item in kept)}]
    change.items = kept
    proration.put(state, sub, change)
    proration.file_items(state, sub, change)
    return [line for line in change.lines if line_items.item_of(line) is None]


def _reason(sub: Object, invoice: Object, reached: list[Object]) -> Object:
    amount = (sub["billing_thresholds"] or {}).get("amount_gte")
    by_item = [
        {"line_item_ids": _lines_of(invoice, row["id"]), "usage_gte": row["billing_thresholds"]["usage_gte"]}
        for row in reached
    ]
    return {"amount_gte": None if reached else amount, "item_reasons": by_item}


def _lines_of(invoice: Object, item: str) -> list[str]:
    rows = invoice["lines"]["data"]
    return [
        line["id"]
        for line in rows
        if (line["parent"]["subscription_item_details"] or {}).get("subscription_item") == item
    ]


def _remember(state: State, invoice: Object, sub: Object) -> None:
    """The next invoice of the period takes off what this one bills, net of discounts."""
    for row in sub["items"]["data"]:
        ids = set(_lines_of(invoice, row["id"]))
        billed = [
            line
            for line in invoice["lines"]["data"]
            if line["id"] in ids and "usage" in state.notes.get(line["id"], {})
        ]
        if billed:
            what = usage.span(state, row)
            before = usage.billed_before(state, row["id"], what)
            net = sum(line["amount"] - sum(part["amount"] for part in line["discount_amounts"]) for line in billed)
            quantity = state.notes[billed[0]["id"]]["usage"]["quantity"]
            kept = {"span": before["span"], "amount": before["amount"] + net, "quantity": quantity}
            state.note(row["id"])["threshold"] = kept
