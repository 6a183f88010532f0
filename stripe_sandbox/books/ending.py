"""The end of a subscription is set, moved, or taken back, with the period that it had shortened."""

from ..store import Object, State
from . import items, proration, standing

LIVE = ("active", "past_due", "unpaid")


def move(
    state: State, sub: Object, at: int | None, at_period_end: bool = False, prorations: str = "create_prorations"
) -> None:
    """Move the end of the subscription. A later end, or none (None), gives the period back what an earlier end took
    from it, and charges for it unless `prorations` is `none` (assumed). The caller announces what changes in the
    subscription."""
    standing.schedule_cancellation(state, sub, at, at_period_end)
    start, before, end = items.period_start(sub), items.period_end(sub), items.whole(sub)[1]
    end = min(end, at or end)
    if end <= before or sub["status"] not in LIVE:
        return
    change = proration.charge(state, sub, sub["items"]["data"], (start, end), before)
    items.set_period(sub, start, end)
    standing.plan(state, sub)
    if prorations == "always_invoice":
        state.schedule(state.now(), "collect_finalized", proration.bill(state, sub, change)["id"])
    elif prorations != "none":
        proration.file_items(state, sub, change)
