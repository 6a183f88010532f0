"""The plans in effect set the limits of a subscriber: in each line the plan that gives access, otherwise the free plan.

The limits of several lines, of add-ons (each as often as it was bought) and of grants of the feature add up; a
subscriber's own limit wins over the sum. Limits are per month, however often a subscriber pays. A subscription's months
are counted from its billing cycle anchor, as Stripe counts its periods, even if access is lost before the period ends,
so that use stays counted. The months of a feature are those of the line that gives most of it; without a subscription,
those of the calendar (UTC). After a downgrade use may exceed the new limit, which blocks new use and is announced
once.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from billing import access, catalogue, clock, signals
from billing.conf import conf
from billing.models import MAIN_LINE, LimitOverride, Plan, PlanLimit, Subscription, Usage

from . import crediting
from .months import Period, month_of, month_start
from .quotas import Quota

DELETED = frozenset({"closing", "customer_deleted"})


@dataclass(frozen=True)
class Allowance:
    """An allowance holds the limits of a subscriber, and for each feature the running period in which they count;
    `period_start` and `period_end` are those of a feature that no plan in effect has. `withholds_credits` is whether
    credits can't be spent now. `overage` names the subscription that may bill what exceeds the limit of a feature.
    `rollovers` is how much of a month's rest is kept at most; `anchors` are the days from which months are counted;
    `ends` the moments at which time alone may change the allowance.
    """

    plan: Plan | None
    period_start: datetime
    period_end: datetime
    limits: dict[str, int | None]
    periods: dict[str, Period] = field(default_factory=dict)
    withholds_credits: bool = False
    overage: dict[str, Subscription] = field(default_factory=dict)
    rollovers: dict[str, int] = field(default_factory=dict)
    anchors: dict[str, datetime] = field(default_factory=dict)
    ends: tuple[datetime, ...] = ()

    def anchor_of(self, feature: str) -> datetime:
        return self.anchors.get(feature, self.period_start)

    def period_of(self, feature: str) -> Period:
        return self.periods.get(feature, (self.period_start, self.period_end))


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
    anchor_of = {plan.pk: _anchor(now, at) for plan, now in given.items()}
    by_line = {plan: month_of(anchor, at) for plan, anchor in anchor_of.items()}
    rows = list(PlanLimit.objects.filter(plan__in=by_line)) if by_line else []
    rows.sort(key=lambda row: (row.quantity is None, row.quantity or 0, row.plan_id == getattr(decided.plan, "pk", 0)))
    start, end = month_of(_anchor(decided, at), at)
    periods = {row.feature: by_line[row.plan_id] for row in rows}  # of those that give a feature the last gives most
    granted = [(grant.feature, grant.quantity) for grant in decided.features]
    for now in lines.values():
        for feature, quantity in catalogue.add_ons.limits_of(dict(now.add_ons)):
            granted.append((feature, quantity))
            periods.setdefault(feature, month_of(_anchor(now, at), at))
    limits = _sums([*((row.feature, row.quantity) for row in rows), *granted])
    withholds_credits = any(now.withholds_all for now in lines.values())
    overage = {
        row.feature: subscription
        for row in rows
        if row.overage and limits[row.feature] is not None and (subscription := _billing(given, row.plan_id))
    }
    ends = _override(limits, subscriber, at, withholds_credits)
    ends += [end, *(period[1] for period in by_line.values()), *_ends(lines)]
    kept = [row for row in rows if row.rollover and row.plan_id != getattr(free, "pk", 0)]
    rollovers = {row.feature: sum(each.rollover for each in kept if each.feature == row.feature) for row in kept}
    anchors = {row.feature: anchor_of[row.plan_id] for row in kept}
    return Allowance(
        decided.plan or free, start, end, limits, periods, withholds_credits, overage, rollovers, anchors, tuple(ends)
    )


def _billing(given: dict[Plan, access.Access], plan_id: int) -> Subscription | None:
    """Return the subscription that bills use beyond a plan's limits: one that is paid, not in trial, nor overdue."""
    now = next(now for plan, now in given.items() if plan.pk == plan_id)
    held = now.subscription
    if held is None or not now.is_paid or held.collection_paused or held.status != Subscription.Status.ACTIVE:
        return None
    return held


def _ends(lines: dict[str, access.Access]) -> list[datetime]:
    """Return when grace, grants, and what was paid for end, past or ahead."""
    found: list[datetime | None] = []
    for now in lines.values():
        found += [now.grace_ends_at, *(grant.until for grant in (*now.grants, *now.features))]
        if now.subscription is not None:
            found += [now.subscription.paid_until, now.subscription.current_period_end]
            found += [now.subscription.billing_cycle_anchor]
    return [end for end in found if end is not None]


def _override(limits: dict[str, int | None], subscriber: Any, at: datetime, is_withheld: bool) -> list[datetime]:
    """Let the subscriber's own limits win; while everything is withheld, only where they are lower. Returns when they
    end."""
    rows = list(LimitOverride.objects.filter(subscriber=subscriber, ended_at=None))
    for own in rows:
        known = limits.get(own.feature, 0)
        is_lower = own.quantity is not None and (known is None or own.quantity < known)
        if own.is_in_force(at) and (is_lower or not is_withheld):
            limits[own.feature] = own.quantity
    return [own.until for own in rows if own.until]


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
    """Return the quota of each feature that the plan includes or of which credits are left, by feature."""
    granted = granted or allowance(subscriber)
    used = {row.feature: (row.used, row.overage) for row in _running(subscriber, granted)}
    left = {} if granted.withholds_credits else crediting.balance(subscriber)
    limits = {**dict.fromkeys(left, 0), **granted.limits}
    return {
        feature: Quota(counted, limit, granted.period_of(feature)[1], left.get(feature, 0), over)
        for feature, limit in limits.items()
        for counted, over in [used.get(feature, (0, 0))]
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
