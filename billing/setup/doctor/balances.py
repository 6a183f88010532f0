"""These checks hold that credits add up: what was given is what is left, was used, has expired and was taken back.

The database refuses a row that does not. These find what was changed past it, by hand or by a restored table, and what
packs and codes promised and nobody has.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Concat

from billing import clock
from billing.models import Credit, Grant, KeyedUse, Purchase, Redemption, Usage, in_pages

from .findings import Finding, error, ok, warning

GIVEN = ("quantity", "left", "used", "expired", "taken_back")
BECAME = ("left", "used", "expired", "taken back")
LATE = timedelta(hours=3)
MOST_NAMED = 20
AT_ONCE = 500
BY_HAND = "Find who changed the table by hand, and correct the rows: the admin lists them under Credits."


def credit_balance() -> Iterator[Finding]:
    """Add up the credits of each feature, and find what the worker should have given back or written off."""
    late = clock.now() - LATE
    held = KeyedUse.objects.filter(lapses_at__lt=late).count()
    stale = Credit.objects.filter(left__gt=0, until__lt=late).count()
    if held or stale:
        text = f"Reservations that are over and still hold use: {held}. Credits that expired and are not written off: "
        yield warning("credits", f"{text}{stale}.", "Start the worker: it does both each minute.")
    for feature, given, *rest in Credit.objects.values_list("feature").annotate(*map(Sum, GIVEN)).order_by("feature"):
        parts = ", ".join(f"{number:,} {name}" for name, number in zip(BECAME, rest, strict=True))
        if given == sum(rest):
            yield ok("credits", f"{feature}: {given:,} given, {parts}.")
        else:
            yield error("credits", f"{feature}: {given:,} given, {parts}, which does not add up.", BY_HAND)


def credit_rows() -> Iterator[Finding]:
    """Name each row of credits that does not add up, also where another row hides it in the sum of the feature."""
    adds_up = Q(quantity=F("left") + F("used") + F("expired") + F("taken_back"), owed_back__lte=F("used"))
    wrong = list(Credit.objects.exclude(adds_up).order_by("pk").values_list("pk", flat=True)[:MOST_NAMED])
    if wrong:
        yield error("credits", f"Rows of credits that do not add up: {', '.join(map(str, wrong))}.", BY_HAND)


def keyed_uses() -> Iterator[Finding]:
    """Check that what keys took is counted: from credits, and from the counters of the months."""
    spent = defaultdict[int, int](int)
    for use in in_pages(KeyedUse.objects.exclude(spent=[]).only("spent"), AT_ONCE):
        for pk, part in use.spent:
            spent[pk] += part
    used = dict(Credit.objects.filter(pk__in=list(spent)).values_list("pk", "used")) if spent else {}
    if wrong := sorted(pk for pk, number in spent.items() if used.get(pk, 0) < number)[:MOST_NAMED]:
        text = f"Keys took more of these credits than were used: {', '.join(map(str, wrong))}."
        yield error("credits", text, BY_HAND)
    month = ("subscriber", "feature", "period_start")
    counters = Usage.objects.filter(**{name: OuterRef(name) for name in month}).values("used")
    by_key = KeyedUse.objects.filter(counted__gt=0).order_by().values(*month)
    sums = by_key.annotate(number=Sum("counted"), held=Coalesce(Subquery(counters), 0))
    short = sums.filter(number__gt=F("held")).order_by("subscriber").values_list("subscriber", flat=True)
    if people := list(dict.fromkeys(short[:MOST_NAMED])):
        text = f"Keys counted more than a month's counter holds, for the subscribers {', '.join(map(str, people))}."
        yield error("usage", text, "Find who changed the table by hand: the admin lists it under Usage records.")


def promised() -> Iterator[Finding]:
    """Check that each delivered pack and each redeemed code is there as credits or a grant."""
    delivered = Purchase.objects.exclude(delivered_at=None).exclude(pack__feature="")
    lost: list[str] = []
    for rows in _portions(delivered.filter(customer__subscriber__isnull=False)):
        sources = {row.source: row for row in rows}
        there = set(Credit.objects.filter(source__in=sources).values_list("source", "subscriber"))
        lost += [str(row.pk) for source, row in sources.items() if (source, row.customer.subscriber_id) not in there]
    if lost:
        text = f"Packs marked as delivered, whose credits nobody has: {', '.join(lost[:MOST_NAMED])}."
        yield error("packs", text, "Give them by Grants, Add grant.")
    made = Redemption.objects.annotate(gave=Concat(Value("code:"), "code__code"))
    theirs = {"source": OuterRef("gave"), "subscriber": OuterRef("subscriber")}
    nothing = made.filter(~Exists(Credit.objects.filter(**theirs)), ~Exists(Grant.objects.filter(**theirs)))
    if codes := list(nothing.order_by("pk").values_list("code__code", flat=True)[:MOST_NAMED]):
        text = f"Codes that were redeemed, and gave nothing that is there: {', '.join(codes)}."
        yield error("codes", text, "Give it by Add grant to who redeemed it: the admin lists them at the code.")


def _portions(purchases: Any) -> Iterator[list[Purchase]]:
    rows: list[Purchase] = []
    for row in in_pages(purchases.select_related("pack", "customer"), AT_ONCE):
        rows.append(row)
        if len(rows) == AT_ONCE:
            yield rows
            rows = []
    if rows:
        yield rows


CHECKS = (credit_balance, credit_rows, keyed_uses, promised)
