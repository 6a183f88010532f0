"""This section shows how failed payments ended, and how much money is at stake now."""

from typing import Any

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Sum, Value, When

from billing.models import Payment, PaymentFailure, Subscription

from . import causes, money, svg
from .facts import Fact, counted, currencies, many, only, percent, share, summed
from .parts import Cell, Chart, Figure, Section, Series, Table, Term
from .scope import Scope
from .unpriced import HAS_UNKNOWN_PRICE, left_out

RECOVERED, OPEN, LOST = "recovered", "open", "lost"
OUTCOMES = {RECOVERED: "Recovered", OPEN: "Still open", LOST: "Lost"}
COLOURS = {RECOVERED: "good", OPEN: "waiting", LOST: "bad"}

RECOVERY_RATE = Term(
    "Recovery rate",
    "The share that was paid after all, of the subscription invoices whose first attempt failed in the period and"
    " whose outcome is known.",
)
RECOVERED_LATER = Term(
    "Recovered",
    "The amount due on invoices whose first attempt failed in the period and that are paid by now.",
)
LOST_FOR_GOOD = Term(
    "Lost",
    "The amount due on unpaid invoices whose first attempt failed in the period, if their subscription is no "
    "longer past due or incomplete.",
)
BY_OUTCOME = Term(
    "Failed invoices by outcome",
    "Invoices whose first attempt failed on that day, week or month: recovered (paid by now), still open (the "
    "subscription is past due or incomplete, and Stripe may try again), or lost.",
)
IN_MONEY = Term(
    "Recovered and lost by currency",
    "The same invoices in money: the amount due when the first attempt failed.",
)
PAST_DUE = Term("Past due now", "Subscriptions whose status at Stripe is past due today; the period does not matter.")
DUE = Term(
    "Outstanding",
    "The amount due, at their last failed attempt, on the unpaid invoices of subscriptions that are past due now.",
)
AT_RISK = Term("MRR at risk", "The monthly recurring revenue of the subscriptions that are past due now.")

IS_PAST_DUE = Q(status=Subscription.Status.PAST_DUE, past_due_since__isnull=False)
STILL_TRIED = (Subscription.Status.PAST_DUE, Subscription.Status.INCOMPLETE)


def section(scope: Scope) -> Section:
    found = _outcomes(scope)
    return Section(
        "recovery",
        "Recovered, lost and at risk",
        figures=[*_now(scope), *_then(scope, found)],
        charts=[_chart(scope, found)],
        tables=[_table(scope, found), causes.table(scope, causes.facts(scope, first_failures()), OUTCOMES)],
    )


def first_failures() -> QuerySet[PaymentFailure]:
    """Return the first failure of each subscription invoice, with its end as `outcome`."""
    same = PaymentFailure.objects.filter(invoice_id=OuterRef("invoice_id"), attempt__lt=OuterRef("attempt"))
    paid = Payment.objects.filter(invoice_id=OuterRef("invoice_id"))
    billed = Subscription.objects.filter(stripe_id=OuterRef("subscription_id"))
    may_come = Q(Exists(billed.filter(status__in=STILL_TRIED)))
    return (
        PaymentFailure.objects.filter(~Exists(same))
        .exclude(subscription_id="")
        .exclude(Exists(billed.filter(whose=Subscription.Whose.FOREIGN)))
        .annotate(
            outcome=Case(
                When(Exists(paid), then=Value(RECOVERED)), When(may_come, then=Value(OPEN)), default=Value(LOST)
            )
        )
    )


def unpaid() -> QuerySet[PaymentFailure]:
    """Return the last failure of each unpaid invoice of a subscription that is past due."""
    later = PaymentFailure.objects.filter(invoice_id=OuterRef("invoice_id"), attempt__gt=OuterRef("attempt"))
    paid = Payment.objects.filter(invoice_id=OuterRef("invoice_id"))
    past_due = Subscription.objects.filter(IS_PAST_DUE).values("stripe_id")
    return PaymentFailure.objects.filter(~Exists(later), ~Exists(paid), subscription_id__in=past_due)


def _outcomes(scope: Scope) -> list[Fact]:
    rows = first_failures().filter(scope.has("failed_at")).order_by().annotate(at=scope.bucket("failed_at"))
    by = rows.values_list("at", "currency", "outcome").annotate(n=Count("*"), sum=Sum("amount"))
    return [Fact(*row) for row in by]


def _then(scope: Scope, found: list[Fact]) -> list[Figure]:
    number = {outcome: counted(found, kind=outcome) for outcome in OUTCOMES}
    rate = share(number[RECOVERED], number[RECOVERED] + number[LOST])
    return [
        Figure(
            RECOVERY_RATE,
            [percent(rate)],
            [f"{number[RECOVERED]:,} recovered, {number[LOST]:,} lost"] if rate is not None else [],
            _rows(scope),
        ),
        _money(scope, RECOVERED_LATER, found, RECOVERED, number),
        _money(scope, LOST_FOR_GOOD, found, LOST, number),
    ]


def _money(scope: Scope, term: Term, found: list[Fact], outcome: str, number: dict[str, int]) -> Figure:
    values, parts = money.lines(summed(found, kind=outcome))
    return Figure(term, values, [*parts, many(number[outcome], "invoice")], _rows(scope, outcome=outcome))


def _rows(scope: Scope, bucket: Any = None, **query: Any) -> str:
    return scope.rows_within("paymentfailure", "failed_at", bucket, **{"outcome": "any", **query})


def _chart(scope: Scope, found: list[Fact]) -> Chart:
    def series(outcome: str, name: str) -> Series:
        rows = only(found, kind=outcome)
        values = scope.each(lambda at: counted(rows, at=at))
        urls = scope.links(values, lambda at: _rows(scope, at, outcome=outcome))
        return Series(name, values, [f"{value:,}" for value in values], COLOURS[outcome], urls)

    each = [series(outcome, name) for outcome, name in OUTCOMES.items()]
    return Chart(BY_OUTCOME, scope.period.labels, each, svg.bars)


def _table(scope: Scope, found: list[Fact]) -> Table:
    def cell(currency: str, outcome: str) -> Cell:
        due = summed(found, kind=outcome).get(currency, 0)
        return Cell(money.worded(due, currency), _rows(scope, outcome=outcome, currency=currency))

    rows: list[list[str | Cell]] = [
        [name.upper(), *(cell(name, outcome) for outcome in OUTCOMES)] for name in currencies(found)
    ]
    return Table(IN_MONEY, ("Currency", *OUTCOMES.values()), rows, "No invoice's first attempt failed in this period.")


def _now(scope: Scope) -> list[Figure]:
    late = Subscription.objects.filter(IS_PAST_DUE).order_by()
    number, unpriced = late.count(), late.filter(HAS_UNKNOWN_PRICE).count()
    risk = late.exclude(HAS_UNKNOWN_PRICE).values_list("currency").annotate(Sum("mrr"))
    due = dict(unpaid().order_by().values_list("currency").annotate(Sum("amount")))
    at_risk, parts_at_risk = money.lines({currency: minor for currency, minor in risk if minor})
    due_values, due_parts = money.lines(due)
    past_due = scope.rows("subscription", status__exact="past_due")
    return [
        Figure(
            PAST_DUE,
            [f"{number:,}"],
            [],
            past_due,
            "bad" if number else "good",
        ),
        Figure(DUE, due_values, due_parts, scope.rows("paymentfailure", outcome="due_now")),
        Figure(AT_RISK, at_risk, [*parts_at_risk, "per month", *left_out(unpriced)], past_due),
    ]
