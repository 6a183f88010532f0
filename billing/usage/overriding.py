"""A subscriber's own limit of a feature wins over what plans and grants give, while it is in force.

A hold of everything, a running deletion or the project's rule let it only lower a limit, never raise one.
"""

from datetime import datetime
from functools import partial
from typing import Any

from django.utils import timezone

from billing import cause, clock, lanes
from billing.models import AccountDeletion, LimitOverride, PlanLimit

from .allowances import announce_overflow

MOST_QUANTITY = 2**53


class LimitRefused(ValueError):
    """Nothing was set; the message says why."""


def override_limit(
    subscriber: Any, feature: str, quantity: int | None, *, until: datetime | None = None, reason: str = ""
) -> LimitOverride:
    """Set the month's limit of a feature for one subscriber, in place of what plans and grants give; None: no limit.

    It holds until an aware moment, or until `lift_override`, and replaces one that was set before; the same call again
    changes nothing. `reason` is for staff. Raises `LimitRefused`: a quantity below 0, a feature that no plan has, an
    end that is past, an account that is being deleted. Raises `LaneBusy`, and then nothing is changed.
    """
    if quantity is not None and not 0 <= quantity <= MOST_QUANTITY:
        raise LimitRefused("A limit is 0 or more, or None for no limit.")
    if until is not None and timezone.is_naive(until):
        raise LimitRefused("The end needs a time zone.")
    if until is not None and until <= clock.now():
        raise LimitRefused(f"The end, {until.isoformat()}, is past.")
    if not PlanLimit.objects.filter(feature=feature).exists():
        raise LimitRefused(f"No plan has the feature {feature!r}.")
    return lanes.run_in_lane_of(subscriber, partial(_set, subscriber, feature, quantity, until, reason))


def lift_override(subscriber: Any, feature: str) -> bool:
    """Let plans and grants set the limit again; return whether there was an own one. Raises `LaneBusy`."""
    return lanes.run_in_lane_of(subscriber, partial(_lift, subscriber, feature))


def in_force(subscriber: Any) -> dict[str, LimitOverride]:
    """Return a subscriber's own limits that are in force, by feature."""
    now, rows = clock.now(), LimitOverride.objects.filter(subscriber=subscriber, ended_at=None)
    return {row.feature: row for row in rows if row.is_in_force(now)}


def forget_words(subscriber: Any) -> None:
    """End what was set for a subscriber whose account is deleted, and forget why."""
    theirs = LimitOverride.objects.filter(subscriber=subscriber)
    theirs.filter(ended_at=None).update(ended_at=clock.now(), ended_by=cause.current())
    theirs.update(reason="")


def _set(subscriber: Any, feature: str, quantity: int | None, until: datetime | None, reason: str) -> LimitOverride:
    if AccountDeletion.objects.filter(subscriber=subscriber).exists():
        raise LimitRefused("The account is being deleted.")
    now = clock.now()
    open_rows = LimitOverride.objects.filter(subscriber=subscriber, feature=feature, ended_at=None)
    known = open_rows.select_for_update().first()
    if known is not None and known.is_in_force(now) and (known.quantity, known.until) == (quantity, until):
        return known
    open_rows.update(ended_at=now, ended_by=cause.current())
    made = LimitOverride.objects.create(
        subscriber=subscriber,
        feature=feature,
        quantity=quantity,
        until=until,
        reason=reason,
        cause=cause.current(),
        set_at=now,
    )
    announce_overflow(subscriber)
    return made


def _lift(subscriber: Any, feature: str) -> bool:
    now = clock.now()
    known = LimitOverride.objects.filter(subscriber=subscriber, feature=feature, ended_at=None).first()
    if known is None:
        return False
    was_in_force = known.is_in_force(now)
    LimitOverride.objects.filter(pk=known.pk, ended_at=None).update(ended_at=now, ended_by=cause.current())
    announce_overflow(subscriber)
    return was_in_force
