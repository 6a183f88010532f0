"""This table shows what plans and add-ons bring now, each for itself, whatever the period."""

from collections import Counter
from fractions import Fraction

from django.db.models import Count, QuerySet, Sum

from billing.models import AddOn, AddOnPrice, Plan, Subscription, SubscriptionItem

from . import money
from .parts import Cell, Table, Term

BY_ADD_ON = Term(
    "MRR by plan and add-on",
    "The MRR of subscriptions that are active or past due now, before discounts: what the plans bring with their "
    "seats, and what each add-on brings on top of them. The rows sum up to the MRR of the table above.",
)
COUNTED = (Subscription.Status.ACTIVE, Subscription.Status.PAST_DUE)
NOT_COLLECTED = ("void", "mark_uncollectible")
# (plan or add-on, currency) → minor units a month
Brings = dict[tuple[int | None, str], Fraction]


def has_any() -> bool:
    return AddOn.objects.exists()


def table() -> Table:
    with_add_ons, of_add_on, numbers = _add_ons()
    plans, brings = _plans()
    for key, amount in with_add_ons.items():
        brings[key] = brings.get(key, Fraction(0)) - amount
    rows: list[list[str | Cell]] = []
    for pk, name in [*Plan.objects.order_by("rank", "slug").values_list("pk", "name"), (None, "No plan")]:
        if plans[pk]:
            rows.append([name, "Plan", f"{plans[pk]:,}", _words(brings, pk)])
    rows += [
        [add_on.name, "Add-on", f"{numbers[add_on.pk]:,}", _words(of_add_on, add_on.pk)]
        for add_on in AddOn.objects.all()
        if numbers[add_on.pk]
    ]
    return Table(BY_ADD_ON, ("Sold", "Kind", "Number", "MRR"), rows, "Nobody pays now.")


def _counting() -> QuerySet[Subscription]:
    rows = Subscription.objects.filter(status__in=COUNTED).exclude(whose=Subscription.Whose.FOREIGN)
    return rows.exclude(collection_paused__in=NOT_COLLECTED).order_by()


def _plans() -> tuple[Counter[int | None], Brings]:
    """Return how many subscriptions each plan has, and what they bring with their add-ons."""
    numbers, brings = Counter[int | None](), Brings()
    by = _counting().values_list("plan", "currency").annotate(n=Count("*"), sum=Sum("mrr"))
    for plan, currency, number, amount in by:
        numbers[plan] += number
        brings[plan, currency] = Fraction(amount)
    return numbers, brings


def _add_ons() -> tuple[Brings, Brings, Counter[int]]:
    """Return what add-ons bring by plan and by add-on, and how many of each there are."""
    by_plan, by_add_on, numbers = Brings(), Brings(), Counter[int]()
    items = SubscriptionItem.objects.filter(add_on_price__isnull=False, subscription__in=_counting()).order_by()
    of_subscription = ("subscription__plan", "subscription__currency", "subscription__included_tax")
    groups = items.values_list("add_on_price", *of_subscription).annotate(units=Sum("quantity"))
    prices = {price.pk: price for price in AddOnPrice.objects.select_related("add_on")}
    for price_id, plan, currency, tax, units in groups:
        price = prices[price_id]
        monthly = Fraction(price.amounts.get(currency) or 0) * (units or 0) / price.cadence.months
        net = monthly * 100 / (100 + Fraction(tax))
        by_plan[plan, currency] = by_plan.get((plan, currency), Fraction(0)) + net
        key = (price.add_on_id, currency)
        by_add_on[key] = by_add_on.get(key, Fraction(0)) + net
        numbers[price.add_on_id] += units or 0
    return by_plan, by_add_on, numbers


def _words(brings: Brings, pk: int | None) -> str:
    return money.in_a_line(
        {currency: round(sum_) for (of, currency), sum_ in brings.items() if of == pk and round(sum_)}
    )
