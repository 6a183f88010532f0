"""The days on which a subscription renews are counted from its anchor, as Stripe counts them."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from billing.cadence import Cadence
from billing.models import Subscription

DAYS = {"day": 1, "week": 7}
MOST = 1200


def renewals_of(subscription: Subscription) -> Iterator[datetime]:
    """Yield the renewals ahead, the next one first; none of a subscription whose price or period is not known."""
    end, price = subscription.current_period_end, subscription.price
    if end is None or price is None:
        return
    anchor = subscription.billing_cycle_anchor or end
    for steps in range(MOST):
        yield after(end, price.cadence, steps, anchor)


def first_from(subscription: Subscription, at: datetime) -> datetime | None:
    """Return the first renewal at that moment or later; None where none is known."""
    return next((renewal for renewal in renewals_of(subscription) if renewal >= at), None)


def renewals_until(subscription: Subscription, last: datetime) -> list[datetime]:
    """Return the renewals up to that moment."""
    return list(takewhile(lambda renewal: renewal <= last, renewals_of(subscription)))


def after(end: datetime, cadence: Cadence, steps: int, anchor: datetime) -> datetime:
    """Return the end of the period that is `steps` after the one that ends at `end`. A day that the month lacks becomes
    its last one, and the anchor's day comes back after that.
    """
    if cadence.interval in DAYS:
        return end + timedelta(days=steps * cadence.count * DAYS[cadence.interval])
    end, anchor = end.astimezone(UTC), anchor.astimezone(UTC)
    months = end.year * 12 + end.month - 1 + steps * cadence.count * (12 if cadence.interval == "year" else 1)
    year, month = divmod(months, 12)
    wanted = anchor.day if end.day == monthrange(end.year, end.month)[1] else end.day
    return end.replace(year=year, month=month + 1, day=min(wanted, monthrange(year, month + 1)[1]))
