"""This section shows how often attempts to take money fail: over time, by the bank's reason, by currency."""

from typing import Any

from django.db.models import Count, Sum

from billing.models import Payment, PaymentFailure

from . import money, svg
from .facts import Fact, counted, currencies, only, percent, share, summed
from .parts import Cell, Chart, Figure, Section, Series, Table, Term
from .scope import Scope

COLLECTED = Term(
    "Collected",
    "The sum of invoices paid in the period, by the day they were paid. Refunds and lost disputes are not subtracted. "
    "Invoices of 0 are left out.",
)
TRIES = Term("Payment attempts", "Paid invoices, and every failed attempt to pay one.")
FAILURE_RATE = Term(
    "Payment failure rate",
    "Failed attempts as a share of all attempts. An attempt that awaits 3D Secure counts as failed.",
)
OVER_TIME = Term("Failure rate over time", "The payment failure rate of each day, week or month, for each currency.")
PAID_AND_FAILED = Term("Paid and failed", "Paid invoices and failed attempts of each day, week or month.")
BY_CODE = Term(
    "Failures by decline code",
    "Failed attempts by the reason that the bank or Stripe gave: the decline code of the payment intent's last "
    "error, else its error code. It is unknown if another attempt followed before we asked.",
)
BY_CURRENCY = Term("Payments by currency", "Paid invoices, failed attempts and the sum collected, for each currency.")

WAITS, UNKNOWN = "awaiting 3D Secure", "unknown"
# Of each line's own colour, so many are told apart.
MOST_LINES = 4


def section(scope: Scope) -> Section:
    paid, failed = scope.once("paid", lambda: _paid(scope)), _failed(scope)
    return Section(
        "payments",
        "Payments",
        figures=_figures(scope, paid, failed),
        charts=[_rates(scope, paid, failed), _tries(scope, paid, failed)],
        tables=[_by_code(scope, failed), _by_currency(scope, paid, failed)],
    )


def payments_made(scope: Scope) -> int:
    return counted(scope.once("paid", lambda: _paid(scope)))


def _paid(scope: Scope) -> list[Fact]:
    rows = Payment.objects.filter(scope.has("paid_at"), amount__gt=0).order_by()
    by = rows.annotate(at=scope.bucket("paid_at")).values_list("at", "currency")
    return [Fact(at, currency, "", *sums) for at, currency, *sums in by.annotate(n=Count("*"), sum=Sum("amount"))]


def _failed(scope: Scope) -> list[Fact]:
    """Return facts by kind, which is the decline code and whether the payment awaits 3D Secure."""
    rows = PaymentFailure.objects.filter(scope.has("failed_at")).order_by().annotate(at=scope.bucket("failed_at"))
    by = rows.values_list("at", "currency", "decline_code", "is_action_required").annotate(n=Count("*"))
    return [Fact(at, currency, (code, waits), number) for at, currency, code, waits, number in by]


def _figures(scope: Scope, paid: list[Fact], failed: list[Fact]) -> list[Figure]:
    good, bad = counted(paid), counted(failed)
    values, parts = money.lines(summed(paid))
    failures = scope.rows_within("paymentfailure", "failed_at")
    payments = scope.rows_within("payment", "paid_at", amount__gt=0)
    return [
        Figure(
            FAILURE_RATE,
            [percent(share(bad, good + bad))],
            [f"{bad:,} of {good + bad:,} attempts"] if good + bad else [],
            failures,
        ),
        Figure(TRIES, [f"{good + bad:,}"], [f"{good:,} paid", f"{bad:,} failed"], failures),
        Figure(COLLECTED, values, parts, payments),
    ]


def _rates(scope: Scope, paid: list[Fact], failed: list[Fact]) -> Chart:
    found = currencies(paid, failed)
    shown = found if 1 < len(found) <= MOST_LINES else [""]
    series = [_rate(scope, paid, failed, currency, colour + 1) for colour, currency in enumerate(shown)]
    return Chart(OVER_TIME, scope.period.labels, series, svg.lines, share_axis)


def share_axis(value: float) -> str:
    return f"{value * 100:g}%"


def _rate(scope: Scope, paid: list[Fact], failed: list[Fact], currency: str, colour: int) -> Series:
    """Return the rate of one currency; of all currencies if it is empty."""

    of = {"currency": currency} if currency else {}
    good, bad = only(paid, **of), only(failed, **of)
    pairs = scope.each(lambda at: (counted(good, at=at), counted(bad, at=at)))
    values = [share(bad, good + bad) for good, bad in pairs]
    words = [
        f"{percent(value)} ({bad} of {good + bad})" if good + bad else "–"
        for value, (good, bad) in zip(values, pairs, strict=True)
    ]
    urls = scope.links(values, lambda at: scope.rows_within("paymentfailure", "failed_at", at, **of))
    return Series(currency.upper() or "All currencies", values, words, str(colour), urls)


def _tries(scope: Scope, paid: list[Fact], failed: list[Fact]) -> Chart:
    def series(name: str, rows: list[Fact], colour: str, model: str, when: str, **query: Any) -> Series:
        values = scope.each(lambda at: counted(rows, at=at))
        urls = scope.links(values, lambda at: scope.rows_within(model, when, at, **query))
        return Series(name, values, [f"{value:,}" for value in values], colour, urls)

    both = [
        series("Paid", paid, "1", "payment", "paid_at", amount__gt=0),
        series("Failed", failed, "bad", "paymentfailure", "failed_at"),
    ]
    return Chart(PAID_AND_FAILED, scope.period.labels, both, svg.bars)


def _by_code(scope: Scope, failed: list[Fact]) -> Table:
    total = counted(failed)

    def row(kind: tuple[str, bool], number: int) -> list[str | Cell]:
        code, waits = kind
        query: dict[str, Any] = {"decline_code__exact": code, "is_action_required__exact": int(waits)}
        url = scope.rows_within("paymentfailure", "failed_at", **query)
        return [Cell(_reason(code, waits), url), f"{number:,}", _bar(share(number, total))]

    found = {fact.kind: counted(failed, kind=fact.kind) for fact in failed}
    most_first = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return Table(
        BY_CODE,
        ("Reason", "Attempts", "Share"),
        [row(*item) for item in most_first],
        "No attempt failed in this period.",
    )


def _reason(code: str, waits: bool) -> str:
    words = code.replace("_", " ")
    return (f"{words}, {WAITS}" if words else WAITS) if waits else words or UNKNOWN


def _bar(part: float | None) -> Cell:
    return Cell(percent(part), share=part)


def _by_currency(scope: Scope, paid: list[Fact], failed: list[Fact]) -> Table:
    def row(currency: str) -> list[str | Cell]:
        good, bad = (counted(rows, currency=currency) for rows in (paid, failed))
        collected = summed(paid).get(currency, 0)
        return [
            currency.upper(),
            Cell(f"{good:,}", scope.rows_within("payment", "paid_at", amount__gt=0, currency=currency)),
            Cell(f"{bad:,}", scope.rows_within("paymentfailure", "failed_at", currency=currency)),
            _bar(share(bad, good + bad)),
            money.worded(collected, currency),
        ]

    heads = ("Currency", "Paid", "Failed", "Failure rate", "Collected")
    return Table(BY_CURRENCY, heads, [row(currency) for currency in currencies(paid, failed)])
