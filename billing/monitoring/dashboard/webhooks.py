"""This section shows whether Stripe's events arrive, how soon they take effect, and what the sync had to correct."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

from django.db.models import Case, Count, DurationField, ExpressionWrapper, F, IntegerField, Q, Sum, Value, When

from billing.models import StripeEvent, SyncRun

from . import svg
from .facts import counted, only, percent, share
from .parts import Chart, Figure, Section, Series, Term
from .scope import Scope

# The ledger holds ten events a payment: of more days than these it is not asked.
DAYS = 30
Status = StripeEvent.Status

VOLUME = Term(
    "Events received",
    "Stripe's events received in the period, at most its last 30 days. An event counts once, however often it was"
    " delivered.",
)
NOT_PROCESSED = Term(
    "Failed events",
    "Events among these that failed and are tried again, or are dead: not tried again until staff process them.",
)
LAG = Term(
    "Lag",
    "The time from an event's receipt until it was processed: half of the events took at most p50, 95 of 100 at "
    "most p95.",
)
DEAD = Term(
    "Dead events now",
    "Events that failed at the last attempt and that nobody has marked as handled; the period does not matter. "
    "Staff must look at each.",
)
BY_STATE = Term(
    "Events by state",
    "Events received on each day, week or month, by their state now: processed (or ignored on purpose), waiting, "
    "failed (or dead).",
)
LAG_OVER_TIME = Term("Lag over time", "p50 and p95 of the lag, of the events received on each day, week or month.")
DRIFT = Term(
    "Drift",
    "Differences between our rows and Stripe that sync runs of the period found, and how many of them they "
    "corrected. Each comes from a webhook that never arrived or was not applied.",
)
SYNC_RUNS = Term("Sync runs", "Sync runs that began in the period, and how many of them failed.")

STATES = {
    "Processed": frozenset({Status.PROCESSED, Status.IGNORED}),
    "Waiting": frozenset({Status.RECEIVED}),
    "Failed": frozenset({Status.FAILED, Status.DEAD}),
}
COLOURS = {"Processed": "1", "Waiting": "waiting", "Failed": "bad"}
TOOK = ExpressionWrapper(F("processed_at") - F("received_at"), DurationField())
# What a lag is rounded up to, in seconds: from a hundredth to a day. Counting them by these costs no sorting.
STEPS = [round(size * step, 3) for size in (0.01, 0.1, 1, 10, 100, 1000, 10_000) for step in (1, 1.5, 2, 3, 5, 7.5)]
# The number of its step; what took longer than the last is counted there.
ROUNDED = Case(
    When(processed_at=None, then=None),
    *(When(took__lte=timedelta(seconds=step), then=Value(number)) for number, step in enumerate(STEPS)),
    default=Value(len(STEPS) - 1),
    output_field=IntegerField(),
)


class Lag(NamedTuple):
    """A row counts events of one state and lag (None: not processed), in the bucket that begins `at`."""

    at: datetime
    kind: str
    lag: float | None
    number: int


def section(scope: Scope) -> Section:
    scope = scope.on_the_wall().newest(DAYS)
    found = _events(scope)
    return Section(
        "webhooks",
        "Webhooks",
        figures=[*_figures(scope, found), *_sync(scope)],
        charts=[_volume(scope, found), _lag_over_time(scope, found)],
        note=f"Events are looked at for at most {DAYS} days: {scope.period.words}.",
    )


def _events(scope: Scope) -> list[Lag]:
    """Return rows by kind, which is the event's status."""
    rows = StripeEvent.objects.filter(scope.has("received_at")).order_by().annotate(at=scope.bucket("received_at"))
    by = rows.annotate(took=TOOK, lag=ROUNDED).values_list("at", "status", "lag").annotate(n=Count("*"))
    return [Lag(at, kind, None if step is None else STEPS[step], number) for at, kind, step, number in by]


def _figures(scope: Scope, found: list[Lag]) -> list[Figure]:
    total, failed = counted(found), counted(found, kind=STATES["Failed"])
    waiting = counted(found, kind=STATES["Waiting"])
    half, most = _percentile(found, 0.5), _percentile(found, 0.95)
    dead = StripeEvent.objects.dead().count()
    return [
        Figure(VOLUME, [f"{total:,}"], [f"{waiting:,} waiting"], _rows(scope)),
        Figure(
            NOT_PROCESSED,
            [f"{failed:,}"],
            [f"{percent(share(failed, total))} of them"],
            _rows(scope, status__in="failed,dead"),
            _tone(failed),
        ),
        Figure(DEAD, [f"{dead:,}"], [], scope.rows("stripeevent", status__exact="dead"), _tone(dead)),
        Figure(LAG, [f"p50 {_seconds(half)}", f"p95 {_seconds(most)}"], [], _rows(scope, processed_at__isnull="False")),
    ]


def _tone(number: int) -> str:
    return "bad" if number else "good"


def _rows(scope: Scope, bucket: datetime | None = None, **query: str) -> str:
    return scope.rows_within("stripeevent", "received_at", bucket, **query)


def _percentile(found: Iterable[Lag], part: float) -> float | None:
    """Return the seconds that so large a part of the events did not surpass."""
    lags = sorted((row.lag, row.number) for row in found if row.lag is not None)
    sums = list(accumulate(number for _, number in lags))
    return next((lag for (lag, _), sum_ in zip(lags, sums, strict=True) if sum_ >= part * sums[-1]), None)


def _volume(scope: Scope, found: list[Lag]) -> Chart:
    def series(name: str) -> Series:
        rows, states = only(found, kind=STATES[name]), ",".join(sorted(STATES[name]))
        values = scope.each(lambda at: counted(rows, at=at))
        urls = scope.links(values, lambda at: _rows(scope, at, status__in=states))
        return Series(name, values, [f"{value:,}" for value in values], COLOURS[name], urls)

    return Chart(BY_STATE, scope.period.labels, [series(name) for name in STATES], svg.bars)


def _lag_over_time(scope: Scope, found: list[Lag]) -> Chart:
    def series(name: str, part: float, colour: str) -> Series:
        values = scope.each(lambda at: _percentile(only(found, at=at), part))
        return Series(
            name, values, [_seconds(lag) for lag in values], colour, scope.links(values, lambda at: _rows(scope, at))
        )

    both = [series("p50", 0.5, "1"), series("p95", 0.95, "3")]
    return Chart(LAG_OVER_TIME, scope.period.labels, both, svg.lines, lambda value: f"{value:g} s")


def _seconds(lag: float | None) -> str:
    return "–" if lag is None else f"{lag:,g} s"


def _sync(scope: Scope) -> list[Figure]:
    runs = SyncRun.objects.filter(scope.has("started_at"))
    known = runs.aggregate(
        number=Count("pk"),
        failed=Count("pk", filter=Q(status=SyncRun.Status.FAILED)),
        drifted=Sum("drifted", default=0),
        healed=Sum("healed", default=0),
    )
    link = scope.rows_within("syncrun", "started_at")
    drift = [f"{known['drifted']:,}"]
    failed = f"{known['failed']:,} failed"
    return [
        Figure(DRIFT, drift, [f"{known['healed']:,} corrected"], link, _tone(known["drifted"])),
        Figure(SYNC_RUNS, [f"{known['number']:,}"], [failed], link, "bad" if known["failed"] else ""),
    ]
