"""The dashboard begins with this section: recurring revenue, what moved it, and what a customer is worth.

Rates are monthly averages, and "–" while too few customers were there at the beginning to mean anything.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models import Count, Exists, OuterRef

from billing.models import MrrMovement, Payment, Trial

from . import money
from .facts import Fact, counted, many, percent, share, summed
from .parts import Figure, Section, Term
from .revenue import ARRIVALS, LOSSES, added, facts_before, facts_within
from .scope import Scope
from .unpriced import counted_as_before

Kind = MrrMovement.Kind
Sums = dict[str, int]
# Fewer customers at the beginning than this make no rate: one who leaves would be ten per cent.
SMALLEST_BASE = 10
MONTH = timedelta(days=365.25 / 12)
GAINS = ARRIVALS | {Kind.EXPANSION}

MRR = Term(
    "MRR",
    "Monthly recurring revenue at the period's end: price times quantity of every subscription that is active or "
    "past due, a year counted as 12 months and a week as 12/52 of a month. It leaves out trials, paused payments, "
    "discounts, taxes and metered usage.",
)
NET = Term("Net change", "The MRR gained or lost in the period, and in the period of the same length before it.")
CUSTOMERS = Term("Paying customers", "Customers with MRR at the period's end.")
NEW = Term("New", "The MRR of customers who began to pay in the period, or came back.")
EXPANSION = Term(
    "Expansion", "The MRR that customers added in the period by another plan, quantity, interval or add-on."
)
CONTRACTION = Term("Contraction", "The MRR that customers took away in the period, and went on paying.")
CHURN = Term("Churn", "The MRR of customers who paid no more at the end of their subscription, in the period.")
CUSTOMER_CHURN = Term(
    "Customer churn",
    "Customers whose MRR fell to zero, as a share of the paying customers at the period's beginning: the average of a "
    "month. It is not shown for fewer than 10 customers. A cancellation counts when it takes effect.",
)
REVENUE_CHURN = Term(
    "Revenue churn",
    "MRR lost by churn and contraction, as a share of the MRR at the period's beginning: the average of a month. It is "
    "not shown for fewer than 10 customers. Expansion is not subtracted.",
)
ARPU = Term("Revenue per customer", "The MRR at the period's end, divided by the paying customers.")
LTV = Term(
    "Lifetime value",
    "What a customer brings until they leave: the revenue per customer, divided by the monthly customer churn.",
)
QUICK = Term(
    "Quick ratio",
    "The MRR won by new customers and expansion, divided by the MRR lost by churn and contraction. Above 4 is fast "
    "growth; below 1 the MRR shrinks.",
)
TRIALS = Term("Trial conversion", "The share that paid, of the trials whose end was in the period.")


@dataclass(frozen=True)
class Grown:
    """These are the movements before the period, within it, and within the one before it."""

    before: list[Fact]
    moves: list[Fact]
    earlier: list[Fact]
    months: float

    @property
    def opening(self) -> Sums:
        return summed(self.before)

    @property
    def now(self) -> Sums:
        return {name: minor for name, minor in added(self.opening, summed(self.moves)).items() if minor}

    @property
    def customers(self) -> int:
        return _paying(self.before) + _paying(self.moves)

    @property
    def has_base(self) -> bool:
        return _paying(self.before) >= SMALLEST_BASE

    @property
    def churn_a_month(self) -> float | None:
        left = share(counted(self.moves, kind=Kind.CHURN), _paying(self.before))
        return a_month(left, self.months) if self.has_base and left is not None else None


def a_month(part: float, months: float) -> float:
    """Return the monthly average of a share that was lost over so many months."""
    return 1 - (1 - min(part, 1.0)) ** (1 / months)


def section(scope: Scope) -> Section:
    length = scope.period.end - scope.period.start
    before = replace(scope.period, start=scope.period.start - length, end=scope.period.start, name="")
    earlier = replace(scope, period=before, _known={})
    grown = Grown(facts_before(scope), facts_within(scope), facts_within(earlier), length / MONTH)
    figures = [*_size(scope, grown), *_moved(scope, grown), *_rates(scope, grown), _trials(scope)]
    return Section("growth", "At a glance", figures=figures)


def _paying(rows: list[Fact]) -> int:
    return counted(rows, kind=ARRIVALS) - counted(rows, kind=Kind.CHURN)


def _size(scope: Scope, grown: Grown) -> list[Figure]:
    now, parts = money.lines(grown.now)
    net, net_parts = money.lines(summed(grown.moves))
    then = money.in_a_line({name: minor for name, minor in grown.opening.items() if minor})
    began = [f"{then} at the beginning{_against(grown.now, grown.opening)}"] if then != "–" else []
    paying = scope.rows("subscription", status__in="active,past_due")
    opened = _paying(grown.before)
    all_moves = scope.rows("mrrmovement", moved_at__lt=scope.period.end)
    return [
        Figure(MRR, now, [*parts, *began, *counted_as_before()], all_moves),
        Figure(
            NET,
            net,
            [*net_parts, *_earlier(summed(grown.earlier))],
            scope.rows_within("mrrmovement", "moved_at"),
            _tone(summed(grown.moves)),
        ),
        Figure(CUSTOMERS, [f"{grown.customers:,}"], [f"{opened:,} at the beginning"] if opened else [], paying),
    ]


def _moved(scope: Scope, grown: Grown) -> list[Figure]:
    def figure(term: Term, kinds: frozenset[Kind], what: str) -> Figure:
        number, before = counted(grown.moves, kind=kinds), summed(grown.earlier, kind=kinds)
        values, parts = money.lines(_positive(summed(grown.moves, kind=kinds)))
        notes = [*parts, *([many(number, what)] if number else []), *_earlier(_positive(before))]
        which = ",".join(sorted(kind.value for kind in kinds))
        return Figure(term, values, notes, scope.rows_within("mrrmovement", "moved_at", kind__in=which))

    return [
        figure(NEW, frozenset(ARRIVALS), "customer"),
        figure(EXPANSION, frozenset({Kind.EXPANSION}), "change"),
        figure(CONTRACTION, frozenset({Kind.CONTRACTION}), "change"),
        figure(CHURN, frozenset({Kind.CHURN}), "customer"),
    ]


def _rates(scope: Scope, grown: Grown) -> list[Figure]:
    churned = scope.rows_within("mrrmovement", "moved_at", kind__exact=Kind.CHURN.value)
    losses = scope.rows_within("mrrmovement", "moved_at", kind__in=",".join(sorted(LOSSES)))
    all_moves = scope.rows_within("mrrmovement", "moved_at")
    paying = scope.rows("subscription", status__in="active,past_due")
    small = [] if grown.has_base else [f"fewer than {SMALLEST_BASE} customers at the beginning"]
    a_rate = ["a month"] if grown.has_base else small
    each, each_parts = money.lines(_divided(grown, grown.customers))
    churn = grown.churn_a_month
    life = money.lines(_divided(grown, grown.customers * churn)) if churn else (["–"], [])
    return [
        Figure(CUSTOMER_CHURN, [percent(churn)], a_rate, churned),
        Figure(REVENUE_CHURN, [percent(_lost_a_month(grown))], a_rate, losses),
        Figure(ARPU, each, [*each_parts, *(["a month"] if grown.customers else [])], paying),
        Figure(LTV, life[0], life[1] or (small if churn is None else []), paying),
        Figure(QUICK, [_quick(grown)], [] if _total(summed(grown.moves, kind=LOSSES)) else ["nothing lost"], all_moves),
    ]


def _trials(scope: Scope) -> Figure:
    paid = Payment.objects.filter(subscription_id=OuterRef("subscription_id"), amount__gt=0)
    ended = Trial.objects.filter(scope.has("ends_at")).order_by().annotate(is_paid=Exists(paid))
    by = dict(ended.values_list("is_paid").annotate(n=Count("*")))
    number = sum(by.values())
    notes = [f"{by.get(True, 0):,} of {many(number, 'trial')}"] if number else ["no trial ended"]
    return Figure(TRIALS, [percent(share(by.get(True, 0), number))], notes, scope.rows_within("trial", "ends_at"))


def _divided(grown: Grown, number: float) -> Sums:
    """Return the MRR for each of so many: of one currency, or of all where they can be added up."""
    total = _total(grown.now)
    if not number or total is None:
        return {}
    currency = next(iter(grown.now)) if len(grown.now) == 1 else money.base()
    return {currency: round(total / number)}


def _lost_a_month(grown: Grown) -> float | None:
    lost, whole = _total(summed(grown.moves, kind=LOSSES)), _total(grown.opening)
    if not grown.has_base or lost is None or not whole:
        return None
    return a_month(-lost / whole, grown.months)


def _quick(grown: Grown) -> str:
    won, lost = _total(summed(grown.moves, kind=frozenset(GAINS))), _total(summed(grown.moves, kind=LOSSES))
    return f"{won / -lost:.1f}" if won is not None and lost else "–"


def _total(sums: Sums) -> int | None:
    """Return the sum of one currency, or of several in the project's; None where they do not add up."""
    if len(sums) > 1:
        return money.converted(sums)
    return next(iter(sums.values()), 0)


def _positive(sums: Sums) -> Sums:
    return {name: abs(minor) for name, minor in sums.items() if minor}


def _earlier(before: Sums) -> list[str]:
    found = {name: minor for name, minor in before.items() if minor}
    return [f"{money.in_a_line(found)} in the period before"] if found else []


def _against(now: Sums, then: Sums) -> str:
    first, last = _total(then), _total(now)
    if not first or last is None or last == first or not set(now) <= set(then):
        return ""
    return f", {'down' if last < first else 'up'} {abs(last - first) / first:.1%}"


def _tone(change: Sums) -> str:
    total = _total(change)
    return "" if not total else ("good" if total > 0 else "bad")
