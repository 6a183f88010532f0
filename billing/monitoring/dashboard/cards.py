"""This section counts cards that are to be charged and expire soon, and the revenue that is lost unless they are
replaced.
"""

from calendar import monthrange
from datetime import date, timedelta

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.formats import date_format

from billing import clock
from billing.models import Subscription

from . import money
from .facts import Fact, counted, only, summed
from .parts import Cell, Figure, Section, Table, Term
from .scope import Scope
from .unpriced import HAS_UNKNOWN_PRICE, left_out

AHEAD = timedelta(days=92)
CHARGED = (Subscription.Status.ACTIVE, Subscription.Status.TRIALING, Subscription.Status.PAST_DUE)

EXPIRING = Term(
    "On expiring cards",
    "The MRR of subscriptions whose card has expired or expires within 92 days from today; the period does not "
    "matter. Many banks replace a card automatically; Stripe then tells us the new date.",
)
BY_MONTH = Term("Cards by month of expiry", "The same subscriptions by the last month in which their card works.")


def section(scope: Scope) -> Section:
    today = timezone.localdate(clock.now())
    found = _expiring(today)
    values, parts = money.lines(summed(found))
    url = _rows(scope, card_expires_on__lte=today + AHEAD)
    notes = [*parts, f"per month, {counted(found):,} customers"]
    notes += left_out(_expire_soon(today).filter(HAS_UNKNOWN_PRICE).count())
    figure = Figure(EXPIRING, values, notes, url)
    return Section("cards", "Cards about to expire", figures=[figure], tables=[_table(scope, found, today)])


def _expire_soon(today: date) -> QuerySet[Subscription]:
    return Subscription.objects.filter(card_expires_on__lte=today + AHEAD, status__in=CHARGED)


def _expiring(today: date) -> list[Fact]:
    """Return facts by kind, which is the month in which the card works for the last time."""
    rows = _expire_soon(today).exclude(HAS_UNKNOWN_PRICE).exclude(mrr=0)
    by = rows.order_by().annotate(month=TruncMonth("card_expires_on")).values_list("currency", "month")
    return [Fact(None, *row) for row in by.annotate(n=Count("customer", distinct=True), sum=Sum("mrr"))]


def _table(scope: Scope, found: list[Fact], today: date) -> Table:
    def row(month: date) -> list[str | Cell]:
        of_month = only(found, kind=month)
        last = month.replace(day=monthrange(month.year, month.month)[1])
        url = _rows(scope, card_expires_on__gte=month, card_expires_on__lte=min(last, today + AHEAD))
        words = date_format(month, "F Y") + (", expired" if last < today else "")
        return [Cell(words, url), f"{counted(of_month):,}", money.in_a_line(summed(of_month))]

    months = sorted({fact.kind for fact in found})
    return Table(
        BY_MONTH, ("Last month", "Customers", "MRR"), [row(month) for month in months], "No card is about to expire."
    )


def _rows(scope: Scope, **query: date) -> str:
    return scope.rows("subscription", status__in=",".join(CHARGED), **query)
