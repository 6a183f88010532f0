"""This module sets, moves or removes the end of a subscription, and bills what was used until it."""

from collections.abc import Iterator

from ..store import Object, State
from . import invoicing, items, proration, standing

LIVE = ("active", "past_due", "unpaid")


def move(
    state: State, sub: Object, at: int | None, at_period_end: bool = False, prorations: str = "create_prorations"
) -> None:
    """Move the end of the subscription. A later end, or none (None), gives the period back what an earlier end took
    from it, and charges for it unless `prorations` is `none` (assumed). The caller announces what changes in the
    subscription."""
    standing.schedule_cancellation(state, sub, at, at_period_end)
    parts = list(_given_back(sub, at)) if sub["status"] in LIVE else []
    if not parts:
        return
    change = proration.charge(state, sub, parts)
    for row, (_, end) in parts:
        row["current_period_end"] = end
    standing.plan(state, sub)
    if prorations == "always_invoice":
        state.schedule(state.now(), "collect_finalized", proration.bill(state, sub, change)["id"])
    elif prorations != "none":
        proration.file_items(state, sub, change)


def bill_last(state: State, sub: Object, used: list[Object]) -> None:
    """Bill what was used until the end after it, with what waits (https://docs.stripe.com/billing/subscriptions/cancel)."""
    due = state.now() + state.settings["finalize_after"]
    lines = proration.take_pending_lines(state, sub) + used
    is_charged = sub["collection_method"] == "charge_automatically"
    values = {"automatically_finalizes_at": due, "next_payment_attempt": due if is_charged else None}
    period = (items.period_start(sub), state.now())
    invoice = invoicing.draft(state, sub, "subscription_cycle", lines, period=period, **values)
    state.schedule(due, "finalize", invoice["id"], urgency=4)


def _given_back(sub: Object, at: int | None) -> Iterator[tuple[Object, tuple[int, int]]]:
    """Yield the items whose period had been shortened, each with the part that it gets back."""
    for row in sub["items"]["data"]:
        before, end = row["current_period_end"], items.whole_of(row, sub["billing_cycle_anchor"])[1]
        end = min(end, at or end)
        if end > before:
            yield row, (before, end)
