"""Grants give a subscriber a plan, a feature or credits without a subscription: by staff, a code, a migration.

They belong to the subscriber and need no Stripe customer. What changes access is changed in the subscriber's lane; a
receiver of our signals, which runs in that lane already, may call these functions too. Credits are spent by
`billing.usage.consume` when the month's limit is used up, and change no access, so no lane is taken for them.
"""

from datetime import datetime
from functools import partial
from typing import Any

from billing import lanes
from billing.models import Credit, Grant
from billing.subscriptions import grants
from billing.subscriptions.grants import GrantRefused
from billing.usage import CreditRefused, TakenBack, crediting

__all__ = [
    "CreditRefused",
    "GrantRefused",
    "TakenBack",
    "extend",
    "give_credits",
    "grant",
    "revoke",
    "take_back_credits",
]


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


def give_credits(
    subscriber: Any, feature: str, quantity: int, *, until: datetime | None = None, source: str, reason: str = ""
) -> Credit:
    """Give credits of a feature, to be spent once, until an aware moment or for good, and return their row.

    `source` names what gave them, such as `pack:1234`. A second call with the same source changes nothing and returns
    the first row, whatever is left of it. `reason` is for staff.

    Raises `CreditRefused`: a quantity below one, a feature that no plan has, an end that is past, an account that is
    being deleted, a source that gave something else.
    """
    return crediting.give(subscriber, feature, quantity, until=until, source=source, reason=reason)


def take_back_credits(subscriber: Any, source: str, total: int | None = None) -> TakenBack:
    """Take credits of a source back, as after a refund, until `total` of them are gone in all: all by default.

    Only what is left can be taken. What was used already is told, and taken as soon as it is released. The same call
    again changes nothing; a smaller total gives back again. Raises `CreditRefused` if the source gave no credits.
    """
    return crediting.take_back(subscriber, source, total)
