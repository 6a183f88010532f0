"""This section shows how many customers have each plan now, whatever the period."""

from django.db.models import Count, F, QuerySet, Sum

from billing.models import Plan, Subscription

from . import add_ons, money
from .facts import Fact, counted, share, summed
from .parts import Cell, Section, Table, Term
from .scope import Scope
from .unpriced import HAS_UNKNOWN_PRICE, left_out

Status = Subscription.Status
SHOWN = {Status.ACTIVE: "Active", Status.TRIALING: "Trialing", Status.PAST_DUE: "Past due"}

BY_PLAN = Term(
    "Subscriptions by plan",
    "Subscriptions that are active, trialing or past due now, and their MRR, by plan; the period does not matter. "
    "After discounts: the MRR less the discounts that last for some months or for good.",
)


def section(scope: Scope) -> Section:
    table = _table(scope, _subscriptions(), _mrr(), _net(), _of_unknown_price())
    return Section("plans", "Active by plan", tables=[table, *([add_ons.table()] if add_ons.has_any() else [])])


def _subscriptions() -> list[Fact]:
    """Return facts by kind, which is plan and status."""
    rows = _shown().values_list("plan", "status").annotate(n=Count("*"))
    return [Fact(None, "", (plan, status), number) for plan, status, number in rows]


def _mrr() -> list[Fact]:
    """Return facts by kind, which is the plan."""
    rows = _shown().exclude(HAS_UNKNOWN_PRICE)
    by = rows.values_list("currency", "plan").annotate(n=Count("*"), sum=Sum("mrr"))
    return [Fact(None, *row) for row in by]


def _net() -> list[Fact]:
    """Return facts by kind, which is the plan: the MRR that is left after the discounts that last."""
    rows = _shown().exclude(HAS_UNKNOWN_PRICE)
    by = rows.values_list("currency", "plan").annotate(n=Count("*"), sum=Sum(F("mrr") - F("mrr_off")))
    return [Fact(None, *row) for row in by]


def _of_unknown_price() -> dict[int | None, int]:
    """Return by plan how many subscriptions have a price that no plan knows."""
    return dict(_shown().filter(HAS_UNKNOWN_PRICE).values_list("plan").annotate(n=Count("*")))


def _shown() -> QuerySet[Subscription]:
    return Subscription.objects.filter(status__in=SHOWN).exclude(whose=Subscription.Whose.FOREIGN).order_by()


def _table(scope: Scope, found: list[Fact], mrr: list[Fact], net: list[Fact], unpriced: dict[int | None, int]) -> Table:
    plans = [(plan.pk, plan.name) for plan in Plan.objects.order_by("rank", "slug")]
    total = counted(found)

    def row(plan: int | None, name: str) -> list[str | Cell]:
        number = counted(found, kind=_of(plan))
        brings = {currency: minor for currency, minor in summed(mrr, kind=plan).items() if minor}
        states = [_cell(scope, plan, status, found) for status in SHOWN]
        worth = ", ".join([money.in_a_line(brings), *left_out(unpriced.get(plan, 0))])
        less = money.in_a_line({currency: minor for currency, minor in summed(net, kind=plan).items() if minor})
        return [name, *states, Cell(f"{number:,}", share=share(number, total)), worth, less]

    rows = [row(plan, name) for plan, name in [*plans, (None, "No plan")] if counted(found, kind=_of(plan))]
    heads = ("Plan", *SHOWN.values(), "All", "MRR", "After discounts")
    return Table(BY_PLAN, heads, rows, "Nobody is subscribed now.")


def _of(plan: int | None) -> frozenset[tuple[int | None, str]]:
    return frozenset((plan, status.value) for status in SHOWN)


def _cell(scope: Scope, plan: int | None, status: Status, found: list[Fact]) -> Cell:
    number = counted(found, kind=(plan, status))
    which = {"plan__id__exact": plan} if plan else {"plan__isnull": "True"}
    return Cell(f"{number:,}", scope.rows("subscription", status__exact=status.value, **which) if number else "")
