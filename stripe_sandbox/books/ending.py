"""The end of a subscription is set, moved, or taken back, with the period that it had shortened."""

from collections.abc import Iterator

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


def _given_back(sub: Object, at: int | None) -> Iterator[tuple[Object, tuple[int, int]]]:
    """Yield the items whose period had been shortened, each with the part that it gets back."""
    for row in sub["items"]["data"]:
        before, end = row["current_period_end"], items.whole_of(row, sub["billing_cycle_anchor"])[1]
        end = min(end, at or end)
        if end > before:
            yield row, (before, end)
