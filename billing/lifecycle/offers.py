"""A function of the host project makes one offer to a subscriber who is about to cancel: a discount for some months.

The offer stands beside the button that cancels, and is never in its way. Taken up, it is a coupon of ours at Stripe.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core import signing
from django.utils.module_loading import import_string
from django.utils.translation import gettext, gettext_lazy

from billing import clock
from billing.conf import conf
from billing.models import CancelOffer, Subscription

from . import discounting
from .live_subscription import Standing, change_subscription
from .refusals import CancellationScheduled, NoSubscription, OfferGone, PaymentOverdue

Status = Subscription.Status
SALT = "billing.cancel_offer"
VALID_SECONDS = 24 * 3600
MOST_MONTHS = 36
OWES = gettext_lazy("You have an unpaid invoice. Pay it first, then take up the offer.")


class WrongOffer(ValueError):
    """BILLING_CANCEL_OFFER returned something else than an offer."""


@dataclass(frozen=True)
class Offer:
    """An offer takes `percent_off` off for so many months. `token` is sent back by whoever takes it up."""

    percent_off: Decimal
    months: int
    token: str = ""

    @property
    def coupon(self) -> str:
        return f"billing_stay_{f'{self.percent_off:f}'.rstrip('0').rstrip('.').replace('.', '-')}_{self.months}m"


def offer_for(subscription: Subscription | None) -> Offer | None:
    """Return what is offered to keep a subscription; None for nothing, and for one that took an offer before.

    Raises `WrongOffer`.
    """
    if subscription is None or not conf.cancel_offer or not _may_be_offered(subscription):
        return None
    answer = import_string(conf.cancel_offer)(subscription)
    if answer is None:
        return None
    offer = _checked(answer)
    signed = [subscription.stripe_id, f"{offer.percent_off:f}", offer.months]
    return Offer(offer.percent_off, offer.months, signing.dumps(signed, salt=SALT))


def take_up(subscriber: Any, token: str, *, line: str = "") -> Subscription:
    """Give the discount that was offered. Returns the refreshed row. Asked twice, it is given once.

    Raises `OfferGone`, `NoSubscription`, `PaymentOverdue`, `CancellationScheduled`, `ChangePending`, and the errors of
    `live_subscription.change_subscription`.
    """
    try:
        subscription_id, percent, months = signing.loads(token, salt=SALT, max_age=VALID_SECONDS)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise OfferGone from error
    offer = Offer(Decimal(percent), months)
    row = change_subscription(subscriber, lambda now: _take_up(now, subscription_id, offer), line=line)
    CancelOffer.objects.filter(subscription_id=row.stripe_id, made_at=None).update(made_at=clock.now())
    return row


def _take_up(now: Standing, subscription_id: str, offer: Offer) -> None:
    """Reserve the offer for the subscription, then give it: of two clicks the second finds it given."""
    _check(now, subscription_id)
    terms = {"percent_off": offer.percent_off, "months": offer.months}
    taken, is_new = CancelOffer.objects.get_or_create(
        subscription_id=now.id, defaults={"customer": now.customer, "taken_at": clock.now(), **terms}
    )
    if taken.made_at or (taken.percent_off, taken.months) != (offer.percent_off, offer.months):
        raise OfferGone
    try:
        discounting.make_coupon(offer.coupon, offer.percent_off, offer.months)
        discounting.give(now, {"coupon": offer.coupon}, "stay")
    except discounting.REFUSED:
        if is_new:
            taken.delete()
        raise


def _check(now: Standing, subscription_id: str) -> None:
    if not now.is_live:
        raise NoSubscription
    if now.id != subscription_id:
        raise OfferGone
    if now.status not in {Status.ACTIVE, Status.TRIALING}:
        raise PaymentOverdue(str(OWES))
    if now.is_ending:
        raise CancellationScheduled(gettext("Your subscription is cancelled. Resume it first, then take up the offer."))


def _may_be_offered(subscription: Subscription) -> bool:
    return bool(
        subscription.is_ours
        and subscription.status in {Status.ACTIVE, Status.TRIALING}
        and not subscription.is_free
        and not subscription.cancel_at
        and not subscription.pending_kind
        and not subscription.collection_paused
        and not CancelOffer.objects.filter(subscription_id=subscription.stripe_id, made_at__isnull=False).exists()
    )


def _checked(answer: Any) -> Offer:
    try:
        percent, months = Decimal(str(answer["percent_off"])), answer["months"]
    except (TypeError, KeyError, InvalidOperation) as error:
        raise WrongOffer(f"BILLING_CANCEL_OFFER returned {answer!r}, and not percent_off and months") from error
    is_right = percent.is_finite() and 0 < percent <= 100 and type(months) is int and 1 <= months <= MOST_MONTHS
    if not is_right or percent != round(percent, 2):
        raise WrongOffer(f"BILLING_CANCEL_OFFER returned {answer!r}: percent_off is up to 100, months up to 36")
    return Offer(percent, months)
