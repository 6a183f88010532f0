"""The renewals of a subscription are reckoned in Stripe's rhythm."""

from calendar import monthrange
from datetime import datetime

from billing.cadence import Cadence
from billing.models import Subscription

MOST_AHEAD = 10_000


def first_renewal(subscription: Subscription, cadence: Cadence, not_before: datetime) -> datetime:
    """Return the first end of a period that is not before a moment; a trial's end counts, since it is charged.

    The day of the month is that of the anchor: a subscription of the 31st renews on 28 February, then on 31 March.
    """
    end = subscription.current_period_end
    if end is None:
        raise ValueError(f"{subscription.stripe_id} has no period")
    if end >= not_before:
        return end
    day = _day_of(subscription, end)
    renewals = (cadence.after(end, times, day) for times in range(1, MOST_AHEAD))
    return next(at for at in renewals if at >= not_before)


def _day_of(subscription: Subscription, end: datetime) -> int:
    """Return the day of the month of the rhythm: a period that ends on a month's last day may be of a later one."""
    anchor = subscription.billing_cycle_anchor
    is_last = end.day == monthrange(end.year, end.month)[1]
    return anchor.day if anchor and is_last and anchor.day > end.day else end.day
