"""This section shows monthly recurring revenue and customers who left, by the ledger of `billing.subscriptions.mrr`."""

from collections.abc import Callable
from itertools import accumulate

from django.db.models import Count, Sum

from billing.models import MrrMovement

from . import money, svg
from .facts import Fact, counted, currencies, only, summed
from .parts import Cell, Chart, Section, Series, Table, Term
from .scope import Scope

Kind = MrrMovement.Kind
LOSSES = frozenset({Kind.CHURN, Kind.CONTRACTION})
ARRIVALS = frozenset({Kind.NEW, Kind.REACTIVATION})
COLOURS = {
    Kind.NEW: "1",
    Kind.REACTIVATION: "2",
    Kind.EXPANSION: "good",
    Kind.CONTRACTION: "waiting",
    Kind.CHURN: "bad",
}

OVER_TIME = Term("MRR over time", "The MRR at the end of each day, week or month.")
MOVES = Term(
    "MRR movements",
    "Changes of the MRR in each day, week or month. New: a customer's first. Expansion and contraction: a change "
    "of plan, interval or quantity. Churn: it fell to zero. Reactivation: it came back, or in another currency.",
)
BY_KIND = Term("Movements by kind", "The sum and the number of the period's MRR movements, by kind.")


def section(scope: Scope) -> Section:
    before, moves = facts_before(scope), facts_within(scope)
    found = currencies(before, moves)
    drawn = money.drawn_in(found)
    return Section(
        "revenue",
        "Recurring revenue and churn",
        charts=[
            *(_over_time(scope, before, moves, currency, found) for currency in drawn),
            *(_movements(scope, moves, currency, found) for currency in drawn),
        ],
        tables=[_by_kind(scope, moves)],
    )


def facts_before(scope: Scope) -> list[Fact]:
    """Return the movements before the period, asked once for all sections."""
    return scope.once("mrr before", lambda: _before(scope))


def facts_within(scope: Scope) -> list[Fact]:
    """Return the movements of the period, by its days, weeks or months."""
    return scope.once("mrr moves", lambda: _moves(scope))


def _before(scope: Scope) -> list[Fact]:
    rows = MrrMovement.objects.filter(moved_at__lt=scope.period.start).order_by()
    by = rows.values_list("currency", "kind").annotate(n=Count("*"), sum=Sum("amount"))
    return [Fact(None, *row) for row in by]


def _moves(scope: Scope) -> list[Fact]:
    rows = MrrMovement.objects.filter(scope.has("moved_at")).order_by().annotate(at=scope.bucket("moved_at"))
    by = rows.values_list("at", "currency", "kind").annotate(n=Count("*"), sum=Sum("amount"))
    return [Fact(*row) for row in by]


def added(*sums: dict[str, int]) -> dict[str, int]:
    names = {currency for one in sums for currency in one}
    return {name: sum(one.get(name, 0) for one in sums) for name in names}


def _over_time(scope: Scope, before: list[Fact], moves: list[Fact], currency: str, found: list[str]) -> Chart:
    moved = scope.each(lambda at: money.sum_in(summed(moves, at=at), currency, found))
    opening = money.sum_in(summed(before), currency, found)
    sums = list(accumulate(moved, initial=opening))[1:]
    urls = scope.links(moved, lambda at: scope.rows_within("mrrmovement", "moved_at", at, **_only(currency, found)))
    series = _in_money("MRR", sums, currency, "1", urls)
    return Chart(OVER_TIME, scope.period.labels, [series], svg.lines, _axis(currency), currency.upper())


def _movements(scope: Scope, moves: list[Fact], currency: str, found: list[str]) -> Chart:
    def series(kind: MrrMovement.Kind) -> Series:
        rows = only(moves, kind=kind)
        query = {"kind__exact": kind.value, **_only(currency, found)}
        sums = scope.each(lambda at: money.sum_in(summed(rows, at=at), currency, found))
        urls = scope.links(sums, lambda at: scope.rows_within("mrrmovement", "moved_at", at, **query))
        return _in_money(str(kind.label), sums, currency, COLOURS[kind], urls)

    kinds = [series(kind) for kind in COLOURS]
    return Chart(MOVES, scope.period.labels, kinds, svg.bars, _axis(currency), currency.upper())


def _axis(currency: str) -> Callable[[float], str]:
    return lambda value: money.short(value, currency)


def _in_money(name: str, sums: list[int], currency: str, colour: str, urls: list[str]) -> Series:
    values = [money.value(minor, currency) for minor in sums]
    return Series(name, values, [money.worded(minor, currency) if minor else "–" for minor in sums], colour, urls)


def _only(currency: str, found: list[str]) -> dict[str, str]:
    return {} if money.is_converted(found) else {"currency": currency}


def _by_kind(scope: Scope, moves: list[Fact]) -> Table:
    def row(kind: MrrMovement.Kind) -> list[str | Cell]:
        number = counted(moves, kind=kind)
        url = scope.rows_within("mrrmovement", "moved_at", kind__exact=kind.value)
        moved = summed(moves, kind=kind)
        return [Cell(kind.label, url), f"{number:,}", money.in_a_line(moved)]

    rows = [row(kind) for kind in COLOURS if any(move.kind == kind for move in moves)]
    return Table(BY_KIND, ("Kind", "Number", "MRR"), rows, "Nothing moved in this period.")
