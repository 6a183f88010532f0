"""Rules decide whether a plan may change and when the change takes effect. Nothing here asks Stripe.

An upgrade is charged at once and takes effect when paid; a downgrade waits until the paid period is over.
"""

from enum import StrEnum
from fractions import Fraction

from django.utils.translation import gettext as _

from billing import access, catalogue
from billing.models import Price, Subscription

from .live_subscription import Standing
from .refusals import (
    AccessWithheld,
    CancellationScheduled,
    ChangePending,
    CollectionPaused,
    NoSubscription,
    PaymentOverdue,
    PriceNotOffered,
    SamePlan,
    StateUnknown,
    SubscriptionPaused,
)

Status = Subscription.Status


class Effect(StrEnum):
    """An effect tells when the choice of a price changes the plan."""

    NOW = "now"
    PERIOD_END = "period_end"
    TAKES_BACK = "takes_back"


def effect(now: Standing, price: Price) -> Effect:
    """Return what choosing `price` does.

    1. Choosing the current plan while another is pending cancels the pending change.
    2. During a trial nothing was paid, so every change is made at once, and the trial continues.
    3. A higher plan, or the same plan by a longer interval, starts now. Anything else starts with the next period.

    Raises the refusals of `check_changeable`, `SamePlan`, `AccessWithheld`, `PriceNotOffered`, `ChangePending`.
    """
    check_changeable(now)
    if now.is_on(price):
        if now.pending is None:
            raise SamePlan(_("You already have this plan, billed {how_often}.").format(how_often=price.cadence.adverb))
        return Effect.TAKES_BACK
    if access.withheld(now.customer, now.id):
        raise AccessWithheld
    _check_currency(now, price)
    if now.awaited and not now.is_changing_to(price):
        raise ChangePending
    is_now = now.is_trial or _rank_of(price) > _rank_of(now.price)
    is_blocked = now.pending is not None and (is_now or now.has_pending_update)
    if is_blocked and not now.is_changing_to(price):
        raise ChangePending
    return Effect.NOW if is_now else Effect.PERIOD_END


def check_changeable(now: Standing) -> None:
    """Refuse a change of a subscription whose plan may not change now."""
    if not now.is_live:
        raise NoSubscription
    if now.status in {Status.PAST_DUE, Status.UNPAID, Status.INCOMPLETE}:
        raise PaymentOverdue
    if now.status == Status.PAUSED:
        raise SubscriptionPaused
    if now.is_ending:
        raise CancellationScheduled
    if now.status not in {Status.ACTIVE, Status.TRIALING}:
        raise StateUnknown
    if now.found.get("pause_collection"):
        raise CollectionPaused


def _rank_of(price: Price) -> tuple[int, Fraction]:
    return price.plan.rank, price.cadence.months


def _check_currency(now: Standing, price: Price) -> None:
    """Refuse a price in another currency, since a subscription keeps its currency for life."""
    currency = now.found["currency"]
    if currency not in catalogue.amounts.currencies(price):
        words = _("You pay in {currency}, and we don't sell {plan} in that currency.")
        raise PriceNotOffered(words.format(currency=currency.upper(), plan=price.plan.name))
