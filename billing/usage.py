"""How much of a feature was used, and whether there is more: counted in the database, exact under parallel callers.

The limit is the effective plan's: the paid one while there is access, else the free one. Limits are per month: a paid
plan's months begin with the subscription's own period, the free plan's with the calendar's (UTC). A counter only ever
goes up: after a downgrade it may stand above the new limit, which blocks new use and changes nothing else.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from billing import access, clock
from billing.conf import conf
from billing.models import Plan, Usage


class QuotaExceeded(Exception):
    """`used` of `limit` were used before; nothing was counted."""

    def __init__(self, used: int, limit: int) -> None:
        super().__init__(f"{used} of {limit} are used in this period.")
        self.used, self.limit = used, limit


class NoAccess(Exception):
    """The plan does not include the feature at all."""


@dataclass(frozen=True)
class Quota:
    """`limit` and `remaining` are None where the plan sets no limit; `remaining` is never below zero."""

    used: int
    limit: int | None

    @property
    def remaining(self) -> int | None:
        return None if self.limit is None else max(self.limit - self.used, 0)


@dataclass(frozen=True)
class Allowance:
    """What a subscriber may use in the period that is running."""

    plan: Plan | None
    period_start: datetime
    limits: dict[str, int | None]


def consume(subscriber: Any, feature: str, quantity: int = 1) -> Quota:
    """Count `quantity` uses of `feature`, all or nothing.

    Raises `NoAccess`, `QuotaExceeded`; ValueError for a quantity below one.
    """
    if quantity < 1:
        raise ValueError("quantity must be at least 1")
    granted = allowance(subscriber)
    if feature not in granted.limits:
        raise NoAccess(f"Your plan does not include {feature}.")
    limit = granted.limits[feature]
    row = Usage(subscriber=subscriber, feature=feature, period_start=granted.period_start)
    with transaction.atomic():
        is_counted = _count(row, quantity, limit) or (_insert(row) and _count(row, quantity, limit))
        used = _used(row)
    if not is_counted:
        raise QuotaExceeded(used, limit or 0)
    return Quota(used, limit)


def allowance(subscriber: Any, decided: access.Access | None = None) -> Allowance:
    """The effective plan's limits and when its period began. `decided` spares asking for access twice."""
    decided = decided or access.of(subscriber)
    paid = decided.subscription if decided.has_access else None
    plan = decided.plan or Plan.objects.filter(slug=conf.free_plan).first()
    at = clock.now()
    start, _ = month_of(paid.current_period_start if paid and paid.current_period_start else month_start(at), at)
    return Allowance(plan, start, {row.feature: row.quantity for row in plan.limits.all()} if plan else {})


def summary(subscriber: Any, granted: Allowance | None = None) -> dict[str, Quota]:
    """Feature → quota, for all the plan includes."""
    granted = granted or allowance(subscriber)
    rows = Usage.objects.filter(
        subscriber=subscriber, period_start=granted.period_start, feature__in=granted.limits
    ).values_list("feature", "used")
    used = dict(rows)
    return {feature: Quota(used.get(feature, 0), limit) for feature, limit in granted.limits.items()}


def month_of(anchor: datetime, at: datetime) -> tuple[datetime, datetime]:
    """The month that `at` lies in, counted from `anchor`: a year's subscription counts twelve times."""
    months = (at.year - anchor.year) * 12 + at.month - anchor.month
    if months > 0 and _months_after(anchor, months) > at:
        months -= 1
    return _months_after(anchor, max(months, 0)), _months_after(anchor, max(months, 0) + 1)


def _months_after(anchor: datetime, months: int) -> datetime:
    """The same day of a later month, or its last where it is shorter."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    return anchor.replace(year=year, month=month + 1, day=day)


def month_start(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _count(row: Usage, quantity: int, limit: int | None) -> bool:
    """The one statement that decides: it adds only where the sum stays within the limit."""
    counter = _counter(row)
    if limit is not None:
        counter = counter.filter(used__lte=limit - quantity)
    return counter.update(used=F("used") + quantity) == 1


def _insert(row: Usage) -> bool:
    """Whoever comes second finds the row there, which is as good."""
    Usage.objects.bulk_create([row], ignore_conflicts=True)
    return True


def _used(row: Usage) -> int:
    return _counter(row).values_list("used", flat=True).first() or 0


def _counter(row: Usage) -> Any:
    return Usage.objects.filter(subscriber=row.subscriber, feature=row.feature, period_start=row.period_start)
