"""Credits that run low, and credits that expire soon, are announced once by the worker, each hour.

Credits run low when at most BILLING_CREDITS_LOW_PERCENT of those given since it was last announced are left. What
rolled over from a month is left but was not given: nobody is told of it.
"""

import logging
from typing import Any

from django.db import transaction
from django.db.models import F, Q, Sum

from billing import cause, clock, signals
from billing.conf import conf
from billing.models import AccountDeletion, Credit, Customer, all_subscribers

from . import crediting, rollover

log = logging.getLogger(__name__)

CAUSE = "calendar"
AT_ONCE = 500


def hourly() -> str:
    """Announce what is due. Returns a summary for the queue."""
    with cause.recorded_as(CAUSE):
        low = sum(_announce_low(who, feature) for who, feature in _may_be_low())
        soon = sum(_announce_expiry(pk) for pk in _expiring().values_list("pk", flat=True)[:AT_ONCE])
    return f"{low} balances and {soon} expiries announced"


def is_low(left: int, given: int) -> bool:
    """Return whether so few of what was given are left that the subscriber is told."""
    return bool(conf.credits_low_percent) and left * 100 <= given * conf.credits_low_percent


def _unannounced() -> Any:
    return Credit.objects.filter(has_announced_low=False).exclude(source__startswith=rollover.SOURCE)


def _given() -> Sum:
    return Sum(F("quantity") - F("taken_back") - F("expired"))


def _may_be_low() -> list[tuple[Any, str]]:
    if not conf.credits_low_percent:
        return []
    sums = _unannounced().order_by().values("subscriber", "feature").annotate(given=_given(), still=Sum("left"))
    few = sums.filter(given__gt=0, still__lte=F("given") * conf.credits_low_percent / 100)
    return list(few.values_list("subscriber", "feature")[:AT_ONCE])


def _announce_low(subscriber_id: Any, feature: str) -> bool:
    with transaction.atomic():
        theirs = Credit.objects.filter(subscriber=subscriber_id, feature=feature)
        rows = list(_unannounced().filter(subscriber=subscriber_id, feature=feature).select_for_update())
        given = sum(row.quantity - row.taken_back - row.expired for row in rows)
        subscriber = all_subscribers().filter(pk=subscriber_id).first()
        left = crediting.balance(subscriber).get(feature, 0)
        if not rows or subscriber is None or _is_leaving(subscriber) or not is_low(left, given):
            return False
        theirs.update(has_announced_low=True)
        about = {"subscriber": subscriber, "subscription": _subscription_of(subscriber), "credit": rows[-1]}
        signals.credits_low.send(sender=Credit, **about, feature=feature, left=left, given=given)
    return True


def _expiring() -> Any:
    """Return credits that expire within BILLING_CREDITS_REMINDER_DAYS, unannounced for that day, of those that lasted
    twice as long at least."""
    now, ahead = clock.now(), conf.credits_reminder
    untold = Q(announced_expiry=None) | ~Q(announced_expiry=F("until"))
    return Credit.objects.filter(
        untold, left__gt=0, until__gt=now, until__lte=now + ahead, given_at__lte=F("until") - 2 * ahead
    ).order_by("until", "pk")


def _announce_expiry(pk: int) -> bool:
    with transaction.atomic():
        row = _expiring().filter(pk=pk).select_for_update(of=("self",)).select_related("subscriber").first()
        if row is None or _is_leaving(row.subscriber):
            return False
        Credit.objects.filter(pk=pk).update(announced_expiry=row.until)
        signals.credits_expiring.send(
            sender=Credit,
            subscriber=row.subscriber,
            subscription=_subscription_of(row.subscriber),
            credit=row,
            expires_at=row.until,
        )
    return True


def _is_leaving(subscriber: Any) -> bool:
    return AccountDeletion.objects.filter(subscriber=subscriber).exists()


def _subscription_of(subscriber: Any) -> Any:
    customer = Customer.objects.of(subscriber)
    return customer.subscription if customer else None
