"""Access lasts until the earliest of what ends it: a cancellation, the end of grace, a trial that nothing pays for."""

from datetime import datetime

from billing.models import Subscription

from .rules import GIVES_ACCESS, Access

Status = Subscription.Status
# At the end of a trial without a payment method these end access; `create_invoice` ends it by grace.
ENDS_TRIAL = frozenset({"cancel", "pause"})


def access_ends_at(decided: Access) -> datetime | None:
    """Return when access will end as things stand (UTC); None if nothing ends it, or if there is no access.

    Grants last beside the subscription: access ends when all have ended.
    """
    if not decided.has_access:
        return None
    subscription = decided.subscription
    ends: list[datetime | None] = [grant.until for grant in decided.grants]
    if subscription is not None and subscription.plan is not None and _gives(subscription, decided):
        ends.append(_paid_until(subscription, decided))
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def ends_with_trial(subscription: Subscription) -> bool:
    """Return whether access ends with the trial, because nothing is there to be charged."""
    is_unpaid = subscription.has_payment_method is False and subscription.trial_end_without_card in ENDS_TRIAL
    return subscription.status == Status.TRIALING and is_unpaid


def _gives(subscription: Subscription, decided: Access) -> bool:
    return subscription.status in GIVES_ACCESS or (
        subscription.status == Status.PAST_DUE and decided.reason in {"grace", "grant"}
    )


def _paid_until(subscription: Subscription, decided: Access) -> datetime | None:
    ends = [subscription.cancel_at, subscription.paid_until]
    if subscription.status == Status.PAST_DUE:
        ends.append(decided.grace_ends_at)
    if ends_with_trial(subscription):
        ends.append(subscription.trial_end)
    return min((end for end in ends if end is not None), default=None)
