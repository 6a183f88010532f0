"""This section shows the open invoices that were sent with terms: what is owed to us, by how long it is overdue."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, Count, QuerySet, Sum, Value, When

from billing import clock
from billing.models import Invoice

from . import money
from .facts import Fact, counted, many, only, summed
from .parts import Cell, Figure, Section, Table, Term
from .scope import Scope

RECEIVABLE = Term(
    "Receivables",
    "What remains to be paid on open invoices that were sent rather than charged, today; the period does not matter. A "
    "payment that is on its way counts until it arrives.",
)
OVERDUE = Term("Overdue", "The part of the receivables whose due date has passed.")
BY_AGE = Term("Receivables by age", "The same invoices by the days that have passed since they were due.")


@dataclass(frozen=True)
class Age:
    """An age is a number of days since the due date: from the first one up to, and without, the other."""

    words: str
    first: int | None
    until: int | None

    def span(self, now: datetime) -> dict[str, datetime]:
        """Return the due dates of this age, as a query."""
        found: dict[str, datetime] = {}
        if self.first is not None:
            found["due_at__lte"] = now - timedelta(days=self.first)
        if self.until is not None:
            found["due_at__gt"] = now - timedelta(days=self.until)
        return found


NOT_DUE = Age("Not due yet", None, 0)
LATE = (Age("0–30 days", 0, 31), Age("31–60 days", 31, 61), Age("61–90 days", 61, 91), Age("Over 90 days", 91, None))
AGES = (NOT_DUE, *LATE)


def section(scope: Scope) -> Section:
    now = clock.now()
    found = _facts(now)
    late = [fact for fact in found if fact.kind != NOT_DUE.words]
    figures = [
        _figure(RECEIVABLE, found, _rows(scope, due_at__isnull=False)),
        _figure(OVERDUE, late, _rows(scope, due_at__lte=now), tone="bad" if late else ""),
    ]
    return Section("receivables", "Receivables", figures=figures, tables=[_table(scope, found, now)])


def receivable() -> QuerySet[Invoice]:
    """Return the invoices that were sent and wait for money."""
    return Invoice.objects.owed().filter(collection_method=Invoice.SENT, due_at__isnull=False)


def _facts(now: datetime) -> list[Fact]:
    """Return facts by kind, which is the age in words."""
    age = Case(
        *(When(**age.span(now), then=Value(age.words)) for age in AGES), default=Value(""), output_field=CharField()
    )
    by = receivable().order_by().annotate(age=age).values_list("currency", "age")
    return [Fact(None, *row) for row in by.annotate(n=Count("*"), sum=Sum("amount_remaining"))]


def _figure(term: Term, found: list[Fact], url: str, tone: str = "") -> Figure:
    values, parts = money.lines(summed(found))
    return Figure(term, values, [*parts, many(counted(found), "invoice")], url, tone)


def _table(scope: Scope, found: list[Fact], now: datetime) -> Table:
    def row(age: Age) -> list[str | Cell]:
        of_age = only(found, kind=age.words)
        number = counted(of_age)
        url = _rows(scope, **age.span(now)) if number else ""
        return [Cell(age.words, url), f"{number:,}", money.in_a_line(summed(of_age))]

    rows = [row(age) for age in AGES] if found else []
    return Table(BY_AGE, ("Since due", "Invoices", "Remaining"), rows, "No invoice that was sent waits for money.")


def _rows(scope: Scope, **query: Any) -> str:
    waits = {"status__exact": Invoice.Status.OPEN.value, "amount_remaining__gt": 0}
    purposes = f"{Invoice.Purpose.PLAN.value},{Invoice.Purpose.ONE_OFF.value}"
    of = {**waits, "collection_method": Invoice.SENT, "purpose__in": purposes}
    return scope.rows("invoice", **of, **query)
