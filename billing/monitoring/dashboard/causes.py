"""This table shows the failed invoices by the cause of the first failure, and how many of each were paid after all."""

from django.db.models import Count

from .facts import Fact, counted, only, percent, share
from .parts import Cell, Table, Term
from .scope import Scope

BY_CAUSE = Term(
    "Recovery by cause",
    "Invoices whose first attempt failed in the period, by the decline or error code of that attempt: how many were "
    "recovered, are still open or lost, and the recovery rate of those whose outcome is known.",
)
UNKNOWN = "unknown"


def facts(scope: Scope, first: object) -> list[Fact]:
    """Return facts whose kind is cause and outcome, of the first failures in the period."""
    rows = first.filter(scope.has("failed_at")).order_by()  # type: ignore[attr-defined]
    by = rows.values_list("decline_code", "outcome").annotate(n=Count("*"))
    return [Fact(None, code, outcome, number) for code, outcome, number in by]


def table(scope: Scope, found: list[Fact], outcomes: dict[str, str]) -> Table:
    """`found`: facts whose currency is the cause; `outcomes`: recovered, open and lost, in words."""
    recovered, _, lost = outcomes
    causes = sorted({row.currency for row in found}, key=lambda code: (-counted(found, currency=code), code))

    def row(code: str) -> list[str | Cell]:
        of = only(found, currency=code)
        number = {outcome: counted(of, kind=outcome) for outcome in outcomes}
        url = scope.rows_within("paymentfailure", "failed_at", None, outcome="any", decline_code=code)
        rate = share(number[recovered], number[recovered] + number[lost])
        words = code.replace("_", " ") or UNKNOWN
        return [Cell(words, url), *(f"{number[outcome]:,}" for outcome in outcomes), Cell(percent(rate), share=rate)]

    heads = ("Cause", *outcomes.values(), "Recovery rate")
    return Table(BY_CAUSE, heads, [row(code) for code in causes], "No invoice's first attempt failed in this period.")
