"""Grants give a subscriber a plan or a feature without a subscription: by staff, a partner's code, a migration.

A grant belongs to the subscriber and needs no Stripe customer. These functions change it in the subscriber's lane. A
receiver of our signals, which runs in that lane already, may call them too.
"""

from datetime import datetime
from functools import partial
from typing import Any

from billing import lanes
from billing.models import Grant
from billing.subscriptions import grants
from billing.subscriptions.grants import GrantRefused

__all__ = ["GrantRefused", "extend", "grant", "revoke"]


def grant(
    subscriber: Any,
    *,
    plan: str = "",
    feature: str = "",
    quantity: int | None = None,
    until: datetime | None = None,
    source: str,
    reason: str = "",
) -> Grant:
    """Give a plan (its slug) or a feature, until an aware moment or for good, and return the grant.

    A feature without `quantity` has no limit; `quantity` adds to the limit of each month, that of the free plan too.
    `source` names what gave it, such as `appsumo:XYZ`. A second call with the same source changes nothing and returns
    the first grant, even one that has ended; only `extend` moves its end. `reason` is for staff.

    Raises `GrantRefused`: neither or both of plan and feature, a plan or feature that does not exist, an end that is
    past, an account that is being deleted, a source that gave something else. Raises `LaneBusy` if a worker keeps the
    lane for longer than three seconds; nothing is changed then.
    """
    give = partial(
        grants.give,
        subscriber,
        plan=plan,
        feature=feature,
        quantity=quantity,
        until=until,
        source=source,
        reason=reason,
    )
    if Grant.objects.filter(subscriber=subscriber, source=source).exists():
        return give()  # nothing is written, so nobody has to wait for the lane
    return lanes.run_in_lane_of(subscriber, give)


def extend(subscriber: Any, source: str, until: datetime | None) -> Grant:
    """Let the grant of a source end at another moment that is ahead, or never (None), and return it.

    Raises `GrantRefused` if no grant of this source is in force, and `LaneBusy`.
    """
    return lanes.run_in_lane_of(subscriber, lambda: grants.extend(subscriber, source, until))


def revoke(subscriber: Any, source: str) -> bool:
    """End the grant of a source now; return whether there was one to end. Raises `LaneBusy`."""
    return lanes.run_in_lane_of(subscriber, lambda: grants.revoke(subscriber, source))
