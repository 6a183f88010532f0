"""Usage counts how much of a feature a subscriber used, and blocks use above the limit, exactly even in parallel.

The plans in effect set the limit: in each line the plan that gives access, otherwise the free plan. The limits of
several lines and grants of the feature add up. Limits are per month, however often a subscriber pays. A subscription's
months are counted from its billing cycle anchor, as Stripe counts its periods, even if access is lost before the period
ends, so that use stays counted. The months of a feature are those of the line that gives most of it; without a
subscription, those of the calendar (UTC). A counter never goes down: after a downgrade it may exceed the new limit,
which blocks new use and is announced once.
"""

import calendar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from django.db import transaction
from django.db.models import F

from billing import access, clock, signals
from billing.conf import conf
from billing.models import MAIN_LINE, Plan, PlanLimit, Subscription, Usage

Period = tuple[datetime, datetime]

DELETED = frozenset({"closing", "customer_deleted"})


class QuotaExceeded(Exception):
    """The use would exceed the limit by `over`, so nothing was counted. `used` of `limit` stands as before."""

    def __init__(self, feature: str, used: int, limit: int, quantity: int, resets_at: datetime) -> None:
        self.feature, self.used, self.limit, self.quantity, self.resets_at = feature, used, limit, quantity, resets_at
        self.over = used + quantity - limit
        super().__init__(
            f"{used} of {limit} {feature} are used, and {quantity} more would be {self.over} too many. "
            f"The limit resets on {resets_at.astimezone(UTC):%Y-%m-%d at %H:%M} UTC."
        )


class NoAccess(Exception):
    """Neither a plan nor a grant includes the feature."""


@dataclass(frozen=True)
class Quota:
    """A quota compares use with its limit.

    `limit` and `remaining` are None if the plan sets no limit; `remaining` is never negative.
    """

    used: int
    limit: int | None
    resets_at: datetime | None = field(default=None, compare=False)

    @property
    def remaining(self) -> int | None:
        return None if self.limit is None else max(self.limit - self.used, 0)

    @property
    def overflow(self) -> int:
        """Return how much use exceeds the limit, which a downgrade can cause."""
        return 0 if self.limit is None else max(self.used - self.limit, 0)


@dataclass(frozen=True)
class Allowance:
    """An allowance holds the limits of a subscriber, and for each feature the running period in which they count;
    `period_start` and `period_end` are those of a feature that no plan in effect has.
    """

    plan: Plan | None
    period_start: datetime
    period_end: datetime
    limits: dict[str, int | None]
    periods: dict[str, Period] = field(default_factory=dict)

    def period_of(self, feature: str) -> Period:
        return self.periods.get(feature, (self.period_start, self.period_end))


def consume(subscriber: Any, feature: str, quantity: int = 1) -> Quota:
    """Count `quantity` uses of `feature`, all or none.

    Raises `NoAccess`, `QuotaExceeded`; ValueError for a quantity below one.
    """
    if quantity < 1:
        raise ValueError("quantity must be at least 1")
    granted = allowance(subscriber)
    if feature not in granted.limits:
        raise NoAccess(f"Your plan does not include {feature}.")
    limit = granted.limits[feature]
    start, end = granted.period_of(feature)
    row = Usage(subscriber=subscriber, feature=feature, period_start=start)
    with transaction.atomic():
        is_counted = _count(row, quantity, limit) or (_insert(row) and _count(row, quantity, limit))
        used = _used(row)
    if not is_counted:
        raise QuotaExceeded(feature, used, cast("int", limit), quantity, end)
    return Quota(used, limit, end)


def allowance(subscriber: Any, lines: dict[str, access.Access] | None = None) -> Allowance:
    """Return the effective plan with the limits of all lines and their periods (UTC). `lines`, the access in each
    line, saves asking twice.
    """
    lines = access.lines_of(subscriber) if lines is None else lines
    decided, at = access.access_in(lines), clock.now()
    given = {now.plan: now for now in lines.values() if now.plan}
    free = None
    if MAIN_LINE not in {plan.line for plan in given} and (free := Plan.objects.filter(slug=conf.free_plan).first()):
        given[free] = lines.get(MAIN_LINE, decided)
    by_line = {plan.pk: month_of(_anchor(now, at), at) for plan, now in given.items()}
    rows = list(PlanLimit.objects.filter(plan__in=by_line)) if by_line else []
    rows.sort(key=lambda row: (row.quantity is None, row.quantity or 0, row.plan_id == getattr(decided.plan, "pk", 0)))
    start, end = month_of(_anchor(decided, at), at)
    periods = {row.feature: by_line[row.plan_id] for row in rows}  # of those that give a feature the last gives most
    granted = [(grant.feature, grant.quantity) for grant in decided.features]
    limits = _sums([*((row.feature, row.quantity) for row in rows), *granted])
    return Allowance(decided.plan or free, start, end, limits, periods)


def free_plan_in(line: str) -> Plan | None:
    """Return the free plan if it is of this line; it is in effect where nothing else is."""
    return Plan.objects.filter(slug=conf.free_plan, line=line).first()


def _sums(given: list[tuple[str, int | None]]) -> dict[str, int | None]:
    """Return the sum of what plans and grants give, by feature; None (no limit) if any of them has no limit."""
    limits: dict[str, int | None] = {}
    for feature, quantity in given:
        before = limits.get(feature, 0)
        limits[feature] = None if before is None or quantity is None else before + quantity
    return limits


def _anchor(decided: access.Access, at: datetime) -> datetime:
    """Return the moment from which months are counted.

    An anchor lies ahead during a trial, and when staff moved it: until then months are counted from the period's start.
    """
    subscription = decided.subscription
    if subscription is None or subscription.current_period_start is None:
        return month_start(at)
    period_end = subscription.current_period_end
    is_running = subscription.current_period_start <= at and period_end is not None and at < period_end
    if not (decided.has_access or is_running):
        return month_start(at)
    anchor = subscription.billing_cycle_anchor
    return subscription.current_period_start if anchor is None or anchor > at else anchor


def summary(subscriber: Any, granted: Allowance | None = None) -> dict[str, Quota]:
    """Return the quota of each feature that the plan includes, by feature."""
    granted = granted or allowance(subscriber)
    used = {row.feature: row.used for row in _running(subscriber, granted) if row.feature in granted.limits}
    return {
        feature: Quota(used.get(feature, 0), limit, granted.period_of(feature)[1])
        for feature, limit in granted.limits.items()
    }


def _running(subscriber: Any, granted: Allowance) -> list[Usage]:
    """Return the counters of the running periods."""
    starts = {granted.period_start, *(start for start, _ in granted.periods.values())}
    rows = Usage.objects.filter(subscriber=subscriber, period_start__in=starts)
    return [row for row in rows if row.period_start == granted.period_of(row.feature)[0]]


def announce_overflow(subscriber: Any, lines: dict[str, access.Access] | None = None) -> None:
    """Send `quota_overflowed` for each feature whose use exceeds the limit now, and did not before.

    Call it after plan, access or grants changed, holding the lane. Nothing is sent about an account that is being
    deleted.
    """
    lines = access.lines_of(subscriber) if lines is None else lines
    if all(now.reason in DELETED for now in lines.values()) or any(now.reason == "closing" for now in lines.values()):
        return
    granted = allowance(subscriber, lines)
    for row in _running(subscriber, granted):
        limit = granted.limits.get(row.feature, 0)
        is_over = limit is not None and row.used > limit
        changed = Usage.objects.filter(pk=row.pk).exclude(has_announced_overflow=is_over)
        if changed.update(has_announced_overflow=is_over) and is_over:
            subscription = access.access_in(lines).subscription
            _send_overflow(subscription, row, cast("int", limit), granted.period_of(row.feature)[1])


def _send_overflow(subscription: Subscription | None, row: Usage, limit: int, resets_at: datetime) -> None:
    signals.quota_overflowed.send(
        sender=Usage,
        subscription=subscription,
        subscriber=row.subscriber,
        feature=row.feature,
        used=row.used,
        limit=limit,
        resets_at=resets_at,
        usage=row,
    )


def month_of(anchor: datetime, at: datetime) -> tuple[datetime, datetime]:
    """Return start and end of the month around `at`, counted from `anchor`: 31 January, 28 February, 31 March."""
    months = (at.year - anchor.year) * 12 + at.month - anchor.month
    if months > 0 and _months_after(anchor, months) > at:
        months -= 1
    return _months_after(anchor, max(months, 0)), _months_after(anchor, max(months, 0) + 1)


def _months_after(anchor: datetime, months: int) -> datetime:
    """Return the same day of a later month, or its last day if that month is shorter."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    return anchor.replace(year=year, month=month + 1, day=day)


def month_start(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _count(row: Usage, quantity: int, limit: int | None) -> bool:
    """Add to the counter in one statement, only if the sum stays within the limit. Returns whether it did."""
    counter = _counter(row)
    if limit is not None:
        counter = counter.filter(used__lte=limit - quantity)
    return counter.update(used=F("used") + quantity) == 1


def _insert(row: Usage) -> bool:
    """Insert the counter, unless another caller has just done so."""
    Usage.objects.bulk_create([row], ignore_conflicts=True)
    return True


def _used(row: Usage) -> int:
    return _counter(row).values_list("used", flat=True).first() or 0


def _counter(row: Usage) -> Any:
    return Usage.objects.filter(subscriber=row.subscriber, feature=row.feature, period_start=row.period_start)
