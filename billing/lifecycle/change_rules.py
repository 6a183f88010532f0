"""The rules of a change of plan: whether it may be, and when it takes effect. Nothing here asks Stripe.

More money is charged at once and takes effect when paid; less waits for what is already paid for to be used up.
"""

from enum import StrEnum

from billing import catalogue
from billing.models import Price, Subscription

from .live_subscription import Standing
from .refusals import (
    CancellationScheduled,
    ChangePending,
    NoSubscription,
    PaymentOverdue,
    PriceNotOffered,
    SamePlan,
    SubscriptionPaused,
)

Status = Subscription.Status
INTERVALS = list(Price.Interval)  # shortest first


class Effect(StrEnum):
    """What choosing a price does."""

    NOW = "now"
    PERIOD_END = "period_end"
    TAKES_BACK = "takes_back"


def effect(now: Standing, price: Price) -> Effect:
    """
    1. The plan one has, while another is pending: the pending change is taken back.
    2. In a trial nothing was paid, so every change is made at once, and the trial goes on.
    3. A higher plan, or the same by a longer interval: now. Anything else: at the end of the period.

    Raises the refusals of `check`, `SamePlan`, `PriceNotOffered`, `ChangePending`.
    """
    check_changeable(now)
    if now.is_on(price):
        if now.pending is None:
            raise SamePlan
        return Effect.TAKES_BACK
    _check_currency(now, price)
    is_now = now.is_trial or _rank_of(price) > _rank_of(now.price)
    is_blocked = now.pending is not None and (is_now or now.has_pending_update)
    if is_blocked and not now.is_changing_to(price):
        raise ChangePending
    return Effect.NOW if is_now else Effect.PERIOD_END


def check_changeable(now: Standing) -> None:
    """Whether the plan may change at all as things stand."""
    if not now.is_live:
        raise NoSubscription
    if now.status in {Status.PAST_DUE, Status.UNPAID, Status.INCOMPLETE}:
        raise PaymentOverdue
    if now.status == Status.PAUSED:
        raise SubscriptionPaused
    if now.is_ending:
        raise CancellationScheduled


def _rank_of(price: Price) -> tuple[int, int]:
    return price.plan.rank, INTERVALS.index(Price.Interval(price.interval))


def _check_currency(now: Standing, price: Price) -> None:
    """A subscription keeps its currency for life."""
    currency = now.found["currency"]
    if currency not in catalogue.amounts(price):
        raise PriceNotOffered(f"The plan {price.plan.slug} is not sold in {currency.upper()}, which you pay in.")
