"""Price moves are described to staff in these words."""

from typing import Any

from django.urls import reverse
from django.utils.html import format_html

from billing.catalogue import labels
from billing.conf import conf
from billing.lifecycle import price_moves
from billing.models import Price, PriceMove, PriceMoveRow
from billing.money import format_amount

from . import display

Status = PriceMoveRow.Status
NOT_RUNNING = "This move is not running any more. Nothing was changed."
STOPPED = "The price move is stopped. The worker tells those who keep the old price."
LEFT_OUT = "The others were in another state, their move has ended, or a worker was busy with them."
COLOURS: dict[str, str] = {
    Status.LISTED: "waiting",
    Status.TOLD: "waiting",
    Status.OWED: "waiting",
    Status.MOVED: "good",
    Status.OBJECTED: "quiet",
    Status.LEFT: "quiet",
    Status.CHANGED: "quiet",
    Status.UNTOLD: "bad",
    Status.REFUSED: "bad",
    Status.KEPT: "quiet",
    Status.STOPPED: "quiet",
}


def badge_of(row: PriceMoveRow) -> Any:
    return display.badge(row.get_status_display().lower(), COLOURS[row.status])


def state_of(move: PriceMove) -> Any:
    if move.stopped_at:
        return display.badge("stopped", "dead")
    if move.done_at:
        return display.badge("done", "good")
    return display.badge("running", "waiting")


def counts_of(move: PriceMove) -> Any:
    """Return how many subscriptions are in each state, each with a link to their list."""
    tally = price_moves.Tally.of(move)
    page = reverse(f"admin:{conf.app_label}_pricemoverow_changelist")
    links = [
        format_html(
            '<a href="{}?move__id__exact={}&amp;status__exact={}">{} {}</a>',
            page,
            move.pk,
            status,
            f"{tally.counts[status]:,}",
            Status(status).label.lower(),
        )
        for status in Status.values
        if tally.counts.get(status)
    ]
    return display.side_by_side(links, between=" · ") if links else "none yet"


def price_words(price: Price) -> str:
    """Return the plan, what it costs in its own currency and how often."""
    return f"{price.plan}, {labels.figure(price, price.currency)} {price.cadence.per}"


def change_of(move: PriceMove) -> str:
    old, new = (labels.figure(price, price.currency) for price in (move.old_price, move.new_price))
    return f"{move.old_price.plan}: {old} to {new} {move.old_price.cadence.per}"


def amounts_of(row: PriceMoveRow) -> Any:
    if row.new_amount is None or row.old_amount is None:
        return None
    seats = f"for {row.quantity:,}" if row.quantity > 1 else ""
    old, new = (format_amount(amount, row.currency) for amount in (row.old_amount, row.new_amount))
    return display.lines(f"{old} to {new}", seats)


def about_stopping(move: PriceMove) -> list[str]:
    """Return what stopping would do."""
    tally = price_moves.Tally.of(move)
    left = sum(tally.counts.get(status, 0) for status in PriceMoveRow.OPEN)
    moved = tally.counts.get(Status.MOVED, 0)
    return [
        f"{left:,} subscriptions keep the old price. Who was told of the new one gets a mail that it does not come.",
        f"{moved:,} have moved, and stay at the new price.",
        "The old price stays off sale.",
    ]
