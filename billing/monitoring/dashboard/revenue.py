"""This section shows monthly recurring revenue and customers who left, by the ledger of `billing.subscriptions.mrr`."""

from collections.abc import Callable
from itertools import accumulate

from django.db.models import Count, Sum

from billing.models import MrrMovement

from . import money, svg
from .facts import Fact, counted, currencies, many, only, percent, share, summed
from .parts import Cell, Chart, Figure, Section, Series, Table, Term
from .scope import Scope
from .unpriced import counted_as_before

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

MRR = Term(
    "MRR",
    "Monthly recurring revenue at the period's end: price times quantity of every subscription that is active or "
    "past due, a year counted as 12 months and a week as 12/52 of a month. It leaves out trials, paused payments, "
    "discounts, taxes and metered usage.",
)
NET = Term("Net change", "The MRR gained or lost in the period, and as a share of the MRR at its beginning.")
CUSTOMERS = Term("Paying customers", "Customers with MRR at the period's end.")
CUSTOMER_CHURN = Term(
    "Customer churn",
    "Customers whose MRR fell to zero in the period, as a share of the paying customers at its beginning. A "
    "cancellation counts when it takes effect, not when it is scheduled.",
)
REVENUE_CHURN = Term(
    "Revenue churn",
    "MRR lost in the period by churn and contraction, as a share of the MRR at its beginning. Expansion is not "
    "subtracted.",
)
OVER_TIME = Term("MRR over time", "The MRR at the end of each day, week or month.")
MOVES = Term(
    "MRR movements",
    "Changes of the MRR in each day, week or month. New: a customer's first. Expansion and contraction: a change "
    "of plan, interval or quantity. Churn: it fell to zero. Reactivation: it came back, or in another currency.",
)
BY_KIND = Term("Movements by kind", "The sum and the number of the period's MRR movements, by kind.")


def section(scope: Scope) -> Section:
    before, moves = _before(scope), _moves(scope)
    found = currencies(before, moves)
    drawn = money.drawn_in(found)
    return Section(
        "revenue",
        "Recurring revenue and churn",
        figures=_figures(scope, before, moves),
        charts=[
            *(_over_time(scope, before, moves, currency, found) for currency in drawn),
            *(_movements(scope, moves, currency, found) for currency in drawn),
        ],
        tables=[_by_kind(scope, moves)],
    )


def _before(scope: Scope) -> list[Fact]:
    rows = MrrMovement.objects.filter(moved_at__lt=scope.period.start).order_by()
    by = rows.values_list("currency", "kind").annotate(n=Count("*"), sum=Sum("amount"))
    return [Fact(None, *row) for row in by]


def _moves(scope: Scope) -> list[Fact]:
    rows = MrrMovement.objects.filter(scope.has("moved_at")).order_by().annotate(at=scope.bucket("moved_at"))
    by = rows.values_list("at", "currency", "kind").annotate(n=Count("*"), sum=Sum("amount"))
    return [Fact(*row) for row in by]


def _customers(rows: list[Fact]) -> int:
    return counted(rows, kind=ARRIVALS) - counted(rows, kind=Kind.CHURN)


def _added(*sums: dict[str, int]) -> dict[str, int]:
    names = {currency for one in sums for currency in one}
    return {name: sum(one.get(name, 0) for one in sums) for name in names}


def _shares(part: dict[str, int], whole: dict[str, int]) -> list[str]:
    """Return each part's share of the whole sum, or of its currency's if there are no rates."""
    total = money.converted(whole) if len(whole) > 1 else None
    if total is not None:
        return [percent(share(money.converted({name: part.get(name, 0) for name in whole}) or 0, total))]
    named = len(whole) > 1
    each = [(name, percent(share(part.get(name, 0), whole[name]))) for name in sorted(whole)]
    return [f"{rate} {name.upper()}" if named else rate for name, rate in each] or ["–"]


def _figures(scope: Scope, before: list[Fact], moves: list[Fact]) -> list[Figure]:
    opening, change = summed(before), summed(moves)
    lost = {name: -minor for name, minor in summed(moves, kind=LOSSES).items()}
    at_start, left = _customers(before), counted(moves, kind=Kind.CHURN)
    now, parts = money.lines({name: minor for name, minor in _added(opening, change).items() if minor})
    net, net_parts = money.lines(change)
    gone, gone_parts = money.lines(lost)
    paying = scope.rows("subscription", status__in="active,past_due")
    churned = scope.rows_within("mrrmovement", "moved_at", kind__exact=Kind.CHURN.value)
    losses = scope.rows_within("mrrmovement", "moved_at", kind__in=",".join(sorted(LOSSES)))
    growth = [f"{', '.join(_shares(change, opening))} of the beginning"] if opening else []
    return [
        Figure(MRR, now, [*parts, *counted_as_before()], scope.rows("mrrmovement", moved_at__lt=scope.period.end)),
        Figure(NET, net, [*net_parts, *growth], scope.rows_within("mrrmovement", "moved_at")),
        Figure(CUSTOMERS, [f"{at_start + _customers(moves):,}"], [f"{at_start:,} at the beginning"], paying),
        Figure(CUSTOMER_CHURN, [percent(share(left, at_start))], [f"{many(left, 'customer')} left"], churned),
        Figure(REVENUE_CHURN, _shares(lost, opening), [f"{line} lost" for line in gone_parts or gone if lost], losses),
    ]


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
