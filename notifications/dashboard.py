"""This section of billing's dashboard shows how many mails were sent, delivered or failed."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import Count

from billing.monitoring.dashboard import (
    Cell,
    Chart,
    Figure,
    Scope,
    Section,
    Series,
    Table,
    Term,
    counted,
    only,
    percent,
    share,
    svg,
)

from .models import Mail

Status = Mail.Status
STATES = {
    "Delivered": frozenset({Status.DELIVERED.value}),
    "Sent": frozenset({Status.SENT.value}),
    "Waiting": frozenset({Status.QUEUED.value, Status.SENDING.value}),
    "Failed": frozenset({Status.FAILED.value, Status.UNCONFIRMED.value, Status.BOUNCED.value, Status.COMPLAINED.value}),
    "Skipped": frozenset({Status.SKIPPED.value}),
}
COLOURS = {"Delivered": "good", "Sent": "1", "Waiting": "waiting", "Failed": "bad", "Skipped": "quiet"}
HANDED_OVER = STATES["Sent"] | STATES["Delivered"]

SENT = Term(
    "Mails sent",
    "Mails reserved in the period that the provider accepted and has not reported a problem with, and how many of"
    " them it has reported as delivered.",
)
WRONG = Term(
    "Failed mails",
    "Mails reserved in the period that failed, bounced, were reported as spam or may not have been sent, and "
    "their share of all mails except waiting and skipped ones.",
)
BY_STATE = Term(
    "Mails by state",
    "Mails by their state now, and by the day, week or month in which they were reserved.",
)
BY_KIND = Term("Mails by kind", "The same mails by kind and state.")


class Mails(NamedTuple):
    """This counts mails of one state and kind, reserved in the bucket that begins `at`."""

    at: datetime
    status: str
    kind: str
    number: int


def section(scope: Scope) -> Section:
    """Return the section of the dashboard for the scope's period."""
    found = _mails(scope)
    return Section(
        "mail", "Mail", figures=_figures(scope, found), charts=[_chart(scope, found)], tables=[_by_kind(scope, found)]
    )


def _mails(scope: Scope) -> list[Mails]:
    rows = Mail.objects.filter(scope.has("created_at")).order_by().annotate(at=scope.bucket("created_at"))
    by = rows.values_list("at", "status", "kind").annotate(n=Count("*"))
    return [Mails(*row) for row in by]


def _figures(scope: Scope, found: list[Mails]) -> list[Figure]:
    sent, wrong = counted(found, status=HANDED_OVER), counted(found, status=STATES["Failed"])
    delivered, waiting = counted(found, status=STATES["Delivered"]), counted(found, status=STATES["Waiting"])
    part = percent(share(wrong, wrong + sent))
    tone = "bad" if wrong else "good"
    return [
        Figure(SENT, [f"{sent:,}"], [f"{delivered:,} delivered", f"{waiting:,} waiting"], _rows(scope, HANDED_OVER)),
        Figure(WRONG, [f"{wrong:,}"], [f"{part} of finished mails"], _rows(scope, STATES["Failed"]), tone),
    ]


def _chart(scope: Scope, found: list[Mails]) -> Chart:
    def series(name: str) -> Series:
        rows = only(found, status=STATES[name])
        values = scope.each(lambda at: counted(rows, at=at))
        urls = scope.links(values, lambda at: _rows(scope, STATES[name], at))
        return Series(name, values, [f"{value:,}" for value in values], COLOURS[name], urls)

    return Chart(BY_STATE, scope.period.labels, [series(name) for name in STATES], svg.bars)


def _by_kind(scope: Scope, found: list[Mails]) -> Table:
    def row(kind: str) -> list[str | Cell]:
        rows = only(found, kind=kind)
        states = [_cell(scope, kind, name, rows) for name in STATES]
        return [kind.replace("_", " "), *states, f"{counted(rows):,}"]

    kinds = sorted({row.kind for row in found})
    return Table(BY_KIND, ("Kind", *STATES, "All"), [row(kind) for kind in kinds], "No mails in this period.")


def _cell(scope: Scope, kind: str, name: str, rows: list[Mails]) -> Cell:
    number = counted(rows, status=STATES[name])
    return Cell(f"{number:,}", _rows(scope, STATES[name], kind__exact=kind) if number else "")


def _rows(scope: Scope, states: frozenset[str], bucket: datetime | None = None, **query: str) -> str:
    some = ",".join(sorted(states))
    return scope.rows_within(Mail._meta.label_lower, "created_at", bucket, status__in=some, **query)
