"""What a month's limit had left rolls over as credits, where the plan says so, up to a number that the plan names.

It is carried over once, with the new month's counter locked: by the first use of the new month, or by the worker
within the hour. It counts what the plans in effect at the end of the month before gave; grants, limits of a
subscriber's own and the free plan of who has nothing else roll nothing over.
"""

from datetime import datetime, timedelta
from typing import Any, cast

from django.db import transaction
from django.db.models import Q, Sum

from billing import access, cause, clock
from billing.models import Credit, Grant, PlanLimit, Subscription, Usage, all_subscribers, in_pages

from . import crediting
from .allowances import Allowance, allowance
from .months import Period, month_of, month_start

SOURCE = "rollover:"
CAUSE = "calendar"
LOOKED_BACK = timedelta(days=3)
A_MOMENT = timedelta(microseconds=1)
AT_ONCE = 500


def carry_over(row: Usage, granted: Allowance) -> None:
    """Give what the month before had left, once; call it in a transaction, when the new month's counter is a row."""
    most = granted.rollovers.get(row.feature, 0)
    if not most or granted.withholds_credits:
        return
    start, _ = granted.period_of(row.feature)
    months = Usage.objects.filter(subscriber=row.subscriber, feature=row.feature)
    if months.select_for_update().filter(period_start=start).values_list("has_carried_over", flat=True).get():
        return
    months.filter(period_start=start).update(has_carried_over=True)
    before = _month_before(start, granted.anchor_of(row.feature))
    if before[1] != start:
        return  # the first month, or the first since the anchor moved
    used = months.filter(period_start=before[0]).values_list("used", flat=True).first() or 0
    quantity = min(_given(row, before[1] - A_MOMENT) - used, most - _kept(row))
    if quantity > 0:
        source = f"{SOURCE}{row.feature}:{before[0].isoformat()}"
        with cause.recorded_as(CAUSE):
            crediting.give(row.subscriber, row.feature, quantity, source=source, reason="left of the month before")


def _month_before(start: datetime, anchor: datetime) -> Period:
    """Return the month before the one that begins at `start`. Calendar months have themselves as their anchor."""
    is_calendar = anchor == start == month_start(start)
    return month_of(month_start(start - A_MOMENT) if is_calendar else anchor, start - A_MOMENT)


def _given(row: Usage, at: datetime) -> int:
    """Return what the plans in effect at a past moment gave of the feature, of those that roll over; 0 if one had no
    limit."""
    then = access.explain(row.subscriber, at)
    plans = [each.plan for each in (then.decided, *then.others.values()) if each.plan]
    limits = PlanLimit.objects.filter(plan__in=plans, feature=row.feature, rollover__gt=0)
    quantities = list(limits.values_list("quantity", flat=True))
    return 0 if None in quantities else sum(filter(None, quantities))


def _kept(row: Usage) -> int:
    """Return what is left of earlier months."""
    credits_left = Credit.objects.spendable(row.subscriber, clock.now())
    earlier = credits_left.filter(feature=row.feature, source__startswith=f"{SOURCE}{row.feature}:")
    return earlier.aggregate(sum=Sum("left"))["sum"] or 0


def hourly() -> str:
    """Carry over for those whose month has just begun and who have used nothing yet. Returns a summary."""
    plans = list(PlanLimit.objects.filter(rollover__gt=0).values_list("plan", flat=True).distinct())
    done = sum(_carry_over_all(subscriber) for subscriber in _begun(plans)) if plans else 0
    return f"{done} months carried over"


def _begun(plans: list[int]) -> list[Any]:
    """Return the subscribers of these plans whose month began in the last days."""
    now = clock.now()
    held = Subscription.objects.filter(counts=True, plan__in=plans, customer__subscriber__isnull=False)
    days = held.select_related("customer").only("customer__subscriber", "billing_cycle_anchor", "current_period_start")
    begun = {
        cast("Any", row.customer.subscriber_id)
        for row in in_pages(days, AT_ONCE)
        for day in (row.billing_cycle_anchor, row.current_period_start)
        if day and now - month_of(day, now)[0] < LOOKED_BACK
    }
    given = set(Grant.objects.open().filter(plan__in=plans).values_list("subscriber", flat=True))
    found = sorted(begun | given)
    portions = [found[start : start + AT_ONCE] for start in range(0, len(found), AT_ONCE)]
    return [row for portion in portions for row in all_subscribers().filter(Q(pk__in=portion)).order_by("pk")]


def _carry_over_all(subscriber: Any) -> int:
    granted = allowance(subscriber)
    done = 0
    for feature in granted.rollovers:
        start, _ = granted.period_of(feature)
        row = Usage(subscriber=subscriber, feature=feature, period_start=start)
        known = Usage.objects.filter(subscriber=subscriber, feature=feature, period_start=start, has_carried_over=True)
        if clock.now() - start < LOOKED_BACK and not granted.withholds_credits and not known.exists():
            with transaction.atomic():
                Usage.objects.bulk_create([row], ignore_conflicts=True)
                carry_over(row, granted)
            done += 1
    return done
