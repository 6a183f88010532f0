"""The command and the worker go on with a move: both may at once, since each row is worked on in its lane."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q

from billing import cause, clock, lanes
from billing.lanes import tries
from billing.models import PriceMove, PriceMoveRow, in_pages
from billing.stripe_client import StripeRefused, StripeUnavailable

from . import listing, starting, telling
from .naming import NamedPrices, PriceMoveRefused

log = logging.getLogger(__name__)

Status = PriceMoveRow.Status
CAUSE = "price move"
AT_ONCE = 200
BUSY = timedelta(minutes=1)
LONGEST_WAIT = timedelta(days=1)
# A Checkout at the old price may have been open when the move began.
CHECKOUT_LASTS = timedelta(days=2)
Step = Callable[[PriceMoveRow], None]


@dataclass(frozen=True)
class Tally:
    """A tally counts the rows of a move by status, and says between which days the new price is charged first."""

    counts: dict[str, int]
    first: datetime | None
    last: datetime | None

    @classmethod
    def of(cls, move: PriceMove) -> "Tally":
        counts = dict(move.rows.order_by().values_list("status").annotate(Count("pk")))
        days = move.rows.filter(status__in=PriceMoveRow.OPEN).aggregate(first=Min("moves_at"), last=Max("moves_at"))
        return cls(counts, days["first"], days["last"])

    @property
    def total(self) -> int:
        return sum(self.counts.values())


WORDS = {
    Status.LISTED: "to be told",
    Status.TOLD: "told",
    Status.OWED: "being moved",
    Status.MOVED: "moved",
    Status.OBJECTED: "cancelled after being told",
    Status.LEFT: "ended before being told",
    Status.CHANGED: "pay another price",
    Status.UNTOLD: "could not be told",
    Status.REFUSED: "refused by Stripe",
    Status.KEPT: "keep the old price",
    Status.STOPPED: "keep the old price, since it was stopped",
}


def in_words(tally: Tally) -> str:
    """Return the counts in one line, and between which days the new price is charged first."""
    counts = [f"{tally.counts[status]:,} {words}" for status, words in WORDS.items() if tally.counts.get(status)]
    days = " to ".join(dict.fromkeys(f"{day:%Y-%m-%d}" for day in (tally.first, tally.last) if day))
    said = ", ".join(counts) or "nobody pays the old price"
    return f"{said}; the first charges at the new price are of {days}" if days else said


def each_minute() -> str:
    """Go on with every move, paced: so many rows a minute. Returns a summary for the queue."""
    unfinished = PriceMove.objects.filter(done_at=None).select_related("old_price__plan", "new_price__plan")
    still = Q(stopped_at=None) | Q(rows__status__in=PriceMoveRow.OPEN)
    done = sum(_proceed_safely(move) for move in unfinished.filter(still).distinct())
    return f"{done} subscriptions of price moves worked on"


def _proceed_safely(move: PriceMove) -> int:
    try:
        return proceed(move)
    except (StripeUnavailable, lanes.LaneBusy, PriceMoveRefused, *StripeRefused) as error:
        log.warning("price move waits", extra={"move": move.pk, "error": str(error)})
        return 0


def proceed(move: PriceMove, most: int = AT_ONCE) -> int:
    """Do the next part of a move: whom it finds, looks at, tells. Returns how many rows it worked on."""
    if not move.is_running:
        return _each(_first(move, most, status__in=PriceMoveRow.OPEN), telling.withdraw)
    starting.retire(move)
    listing.list_payers(move)
    listing.follow(move)
    done = _each(_due(move, Status.TOLD, most), telling.look) + _each(_due(move, Status.LISTED, most), telling.tell)
    _finish(move)
    return done


def run(move: PriceMove, tick: Callable[[int], None] = lambda done: None) -> Tally:
    """List and tell everybody now, or, of a stopped move, tell everybody that the price stays. Returns the tally."""
    while move.is_running and listing.list_payers(move):
        pass
    if move.is_running:
        listing.follow(move)
    done = 0
    while rows := _next_to_tell(move):
        done += _each(rows, telling.tell if move.is_running else telling.withdraw)
        tick(done)
        move.refresh_from_db(fields=["stopped_at", "done_at"])  # somebody may stop it meanwhile
    return Tally.of(move)


def forecast(prices: NamedPrices, *, notice_days: int, at_renewal: bool) -> Iterator[tuple[PriceMoveRow, str]]:
    """Yield what the move would tell each subscription, unsaved, and why not yet. Changes nothing."""
    starting.check_notice(notice_days)
    move = PriceMove(
        old_price=prices.old,
        new_price=prices.new,
        notice_days=notice_days,
        at_renewal=at_renewal,
        started_at=clock.now(),
    )
    found = listing.payers(move).select_related("customer", "price").prefetch_related("items")
    for subscription in in_pages(found, listing.AT_ONCE):
        row = PriceMoveRow(move=move, subscription=subscription)
        why = telling.plan(row, clock.now())
        yield row, why


def _next_to_tell(move: PriceMove) -> list[int]:
    if move.is_running:
        return _due(move, Status.LISTED, AT_ONCE)
    return _first(move, AT_ONCE, status__in=PriceMoveRow.OPEN)


def _due(move: PriceMove, status: PriceMoveRow.Status, most: int) -> list[int]:
    return _first(move, most, status=status)


def _first(move: PriceMove, most: int, **of: object) -> list[int]:
    """Return the rows whose time has come, those first that wait longest; `stop` makes all of them due."""
    rows = move.rows.filter(due_at__lte=clock.now(), **of)
    return list(rows.order_by("due_at", "pk").values_list("pk", flat=True)[:most])


def _each(rows: list[int], step: Step) -> int:
    for pk in rows:
        _in_lane(pk, step)
    return len(rows)


def _in_lane(pk: int, step: Step) -> None:
    """Work on one row in its lane. What goes wrong is this row's: it is noted there, and tried again later."""

    def work() -> None:
        rows = PriceMoveRow.objects.select_related(
            "move__old_price__plan", "move__new_price__plan", "subscription__customer__subscriber", "subscription__plan"
        )
        step(rows.get(pk=pk))

    lane = PriceMoveRow.objects.values_list("subscription__customer", flat=True).filter(pk=pk).first()
    if lane is None:
        return
    try:
        with cause.recorded_by_default_as(CAUSE), lanes.exclusive(lane, wait_seconds=0) as commit:
            commit(work)
    except lanes.LaneBusy:
        PriceMoveRow.objects.filter(pk=pk).update(due_at=clock.now() + BUSY)
    except Exception as error:
        log.exception("subscription of a price move not worked on", extra={"lane": lane})
        _note(pk, error)


def _note(pk: int, error: Exception) -> None:
    row = PriceMoveRow.objects.get(pk=pk)
    wait = min(timedelta(minutes=2**row.attempts), LONGEST_WAIT)
    PriceMoveRow.objects.filter(pk=pk).update(
        reason=tries.describe(error), attempts=min(row.attempts + 1, 12), due_at=clock.now() + wait
    )


def _finish(move: PriceMove) -> None:
    """End the move once nobody is left, and no Checkout at the old price can be open any more."""
    is_old = move.started_at + CHECKOUT_LASTS < clock.now()
    if is_old and not move.rows.open().exists():
        starting.archive(move)
        PriceMove.objects.running().filter(pk=move.pk).update(done_at=clock.now())
