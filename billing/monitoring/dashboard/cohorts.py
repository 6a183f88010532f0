"""This section shows how many of the customers who began in a month still pay, month by month, whatever the period."""

from collections import defaultdict
from datetime import datetime, timedelta

from django.db.models import Count, Min, OuterRef, Subquery
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.formats import date_format

from billing.models import MrrMovement

from . import periods
from .facts import percent, share
from .parts import Cell, Section, Table, Term
from .scope import Scope

Kind = MrrMovement.Kind
MONTHS = 12

COHORTS = Term(
    "Customers who stayed",
    "Customers who began to pay in a month, and the share of them who pay at the end of that month, of the next one, "
    "and so on. The last twelve months are shown, whatever the period.",
)

Months = dict[datetime, dict[datetime, int]]


def section(scope: Scope) -> Section:
    months = _months(scope)
    begun, balance = _moved(months[0])
    rows = [_row(scope, month, months, begun[month], balance[month]) for month in months if begun[month]]
    heads = ("Began in", "Customers", *(f"{number}" for number in range(MONTHS)))
    return Section(
        "cohorts", "Retention by month", tables=[Table(COHORTS, heads, rows, "Nobody began to pay in twelve months.")]
    )


def _months(scope: Scope) -> list[datetime]:
    """Return when each of the twelve months up to the period's last day begins."""
    day = scope.period.last_day.replace(day=1)
    found = []
    for _ in range(MONTHS):
        found.append(periods.midnight(day))
        day = (day - timedelta(days=1)).replace(day=1)
    return found[::-1]


def _moved(start: datetime) -> tuple[dict[datetime, int], Months]:
    """Return how many began in each month, and of these, how many more or fewer paid after each month."""
    first = MrrMovement.objects.filter(customer=OuterRef("customer"), kind=Kind.NEW).order_by().values("customer")
    since = first.annotate(at=Min("moved_at")).values("at")
    rows = MrrMovement.objects.filter(kind__in=[Kind.NEW, Kind.CHURN, Kind.REACTIVATION], moved_at__gte=start)
    zone = timezone.get_current_timezone()
    dated = rows.annotate(began=TruncMonth(Subquery(since), tzinfo=zone), month=TruncMonth("moved_at", tzinfo=zone))
    by = dated.filter(began__gte=start).order_by().values_list("began", "month", "kind").annotate(n=Count("*"))
    begun: dict[datetime, int] = defaultdict(int)
    balance: Months = defaultdict(lambda: defaultdict(int))
    for began, month, kind, number in by:
        begun[began] += number if kind == Kind.NEW else 0
        balance[began][month] += -number if kind == Kind.CHURN else number
    return begun, balance


def _row(
    scope: Scope, began: datetime, months: list[datetime], size: int, balance: dict[datetime, int]
) -> list[str | Cell]:
    ahead = [month for month in months if month >= began]
    left, shares = 0, []
    for month in ahead:
        left += balance[month]
        shares.append(percent(share(left, size), 0))
    end = months[months.index(began) + 1] if began != months[-1] else scope.period.end
    url = scope.rows("mrrmovement", moved_at__gte=began, moved_at__lt=end, kind__exact=Kind.NEW.value)
    named = date_format(timezone.localtime(began), "M Y")
    return [Cell(named, url), f"{size:,}", *shares, *[""] * (MONTHS - len(shares))]
