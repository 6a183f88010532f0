"""This section shows money that goes back: refunds that were given, and disputes that cardholders opened."""

from collections.abc import Callable
from datetime import datetime

from django.db.models import Count, Q, Sum

from billing.models import Dispute, Refund

from . import money, svg
from .facts import Fact, counted, currencies, many, percent, share, summed
from .parts import Cell, Chart, Figure, Section, Series, Table, Term
from .payments import payments_made
from .scope import Scope

REFUNDED = Term(
    "Refunded",
    "Refunds made in the period that have succeeded or are pending; failed and canceled ones are left out.",
)
DISPUTED = Term(
    "Disputed",
    "The amounts that cardholders disputed, by the day the dispute was opened. Inquiries are left out, since they"
    " move no money.",
)
DISPUTE_RATE = Term(
    "Dispute rate",
    "Disputes opened in the period as a share of the payments made in it. Card networks monitor a merchant from "
    "about 0.75%.",
)
WON = Term("Disputes won", "The share that was won, of the disputes opened in the period and closed by now.")
OVER_TIME = Term(
    "Refunds and disputes",
    "Refunds made, disputes opened and inquiries opened in each day, week or month.",
)
BY_CURRENCY = Term("Refunds and disputes by currency", "The same in money, for each currency.")

UNDONE = ("failed", "canceled")
IS_INQUIRY = Q(status__startswith="warning_")


def section(scope: Scope) -> Section:
    refunds, disputes = _refunds(scope), _disputes(scope)
    return Section(
        "reversals",
        "Refunds and disputes",
        figures=[*_amounts(scope, refunds, disputes), *_rates(scope, disputes)],
        charts=[_over_time(scope, refunds, disputes)],
        tables=[_table(scope, refunds, disputes)],
    )


def _refunds(scope: Scope) -> list[Fact]:
    rows = Refund.objects.filter(scope.has("created_at")).exclude(status__in=UNDONE).order_by()
    by = rows.annotate(at=scope.bucket("created_at")).values_list("at", "currency", "is_full")
    return [Fact(*row) for row in by.annotate(n=Count("*"), sum=Sum("amount"))]


def _disputes(scope: Scope) -> list[Fact]:
    rows = Dispute.objects.filter(scope.has("opened_at")).exclude(IS_INQUIRY).order_by()
    by = rows.annotate(at=scope.bucket("opened_at")).values_list("at", "currency", "status")
    return [Fact(*row) for row in by.annotate(n=Count("*"), sum=Sum("amount"))]


def _refund_rows(scope: Scope, bucket: datetime | None = None, **query: str) -> str:
    return scope.rows_within("refund", "created_at", bucket, status__in="succeeded,pending,requires_action", **query)


def _dispute_rows(scope: Scope, bucket: datetime | None = None, **query: str) -> str:
    real = ",".join(sorted(Dispute.REAL))
    return scope.rows_within("dispute", "opened_at", bucket, **{"status__in": real, **query})


def _amounts(scope: Scope, refunds: list[Fact], disputes: list[Fact]) -> list[Figure]:
    refunded, refunded_parts = money.lines(summed(refunds))
    disputed, disputed_parts = money.lines(summed(disputes))
    full = counted(refunds, kind=True)
    return [
        Figure(
            REFUNDED,
            refunded,
            [*refunded_parts, f"{many(counted(refunds), 'refund')}, {full:,} in full"],
            _refund_rows(scope),
        ),
        Figure(DISPUTED, disputed, [*disputed_parts, many(counted(disputes), "dispute")], _dispute_rows(scope)),
    ]


def _rates(scope: Scope, disputes: list[Fact]) -> list[Figure]:
    number, payments = counted(disputes), payments_made(scope)
    won, lost = (counted(disputes, kind=end) for end in ("won", "lost"))
    still_open = sum(counted(disputes, kind=status) for status in Dispute.OPEN)
    rate = percent(share(number, payments), digits=2)
    return [
        Figure(
            DISPUTE_RATE, [rate], [f"{number:,} of {payments:,} payments"] if payments else [], _dispute_rows(scope)
        ),
        Figure(
            WON,
            [percent(share(won, won + lost))],
            [f"{won:,} won, {lost:,} lost, {still_open:,} open"],
            _dispute_rows(scope, status__in="won,lost"),
        ),
    ]


def _over_time(scope: Scope, refunds: list[Fact], disputes: list[Fact]) -> Chart:
    def series(name: str, rows: list[Fact], colour: str, link: Callable[..., str]) -> Series:
        values = scope.each(lambda at: counted(rows, at=at))
        urls = scope.links(values, lambda at: link(scope, at))
        return Series(name, values, [f"{value:,}" for value in values], colour, urls)

    both = [series("Refunds", refunds, "2", _refund_rows), series("Disputes", disputes, "bad", _dispute_rows)]
    return Chart(OVER_TIME, scope.period.labels, both, svg.bars)


def _table(scope: Scope, refunds: list[Fact], disputes: list[Fact]) -> Table:
    def row(currency: str) -> list[str | Cell]:
        refunded, disputed = (summed(rows).get(currency, 0) for rows in (refunds, disputes))
        lost = summed(disputes, kind="lost").get(currency, 0)
        return [
            currency.upper(),
            Cell(money.worded(refunded, currency), _refund_rows(scope, currency=currency)),
            Cell(money.worded(disputed, currency), _dispute_rows(scope, currency=currency)),
            Cell(money.worded(lost, currency), _dispute_rows(scope, currency=currency, status__in="lost")),
        ]

    heads = ("Currency", "Refunded", "Disputed", "Lost disputes")
    found = currencies(refunds, disputes)
    return Table(BY_CURRENCY, heads, [row(currency) for currency in found], "No refund and no dispute in this period.")
