"""What the admin says about a subscription: its state in a badge, and why there is access or not, in a sentence."""

from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime

from billing.access import Access
from billing.models import Subscription

from . import display

Status = Subscription.Status

KIND_OF_BADGE = {
    Status.NONE: "quiet",
    Status.INCOMPLETE: "waiting",
    Status.INCOMPLETE_EXPIRED: "quiet",
    Status.TRIALING: "good",
    Status.ACTIVE: "good",
    Status.PAST_DUE: "bad",
    Status.UNPAID: "dead",
    Status.PAUSED: "waiting",
    Status.CANCELED: "quiet",
}
WHY = {
    "active": "the subscription is active and paid until {period_end}",
    "trialing": "the trial runs until {trial_end}",
    "grace": "a payment has been due since {past_due_since}, and grace lasts until {grace_end}",
    "grace_over": "a payment has been due since {past_due_since}, and grace ended {grace_end}",
    "incomplete": "the first payment was never completed",
    "unpaid": "every try to collect the payment failed",
    "paused": "the subscription is paused at Stripe",
    "canceled": "the subscription ended {ended_at}",
    "hold_dispute": "a payment is disputed, and access is held until the bank decides",
    "hold_refund": "the current period was refunded in full",
    "hold_fraud": "a payment was reported as fraud",
    "hold_staff": "a member of staff placed a hold",
    "unmapped_price": "its price {unmapped_price} belongs to no plan: give the price a lookup key <plan>_<interval> at "
    "Stripe, then process one of its events again",
    "customer_deleted": "the customer was deleted at Stripe",
    "no_subscription": "nothing was ever bought",
}


def status_badge(status: str) -> Any:
    known = Status(status)
    return display.badge(known.label.lower().replace("_", " "), KIND_OF_BADGE[known])


def access_badge(access: Access) -> Any:
    kind = "good" if access.has_access else "bad"
    if access.reason == "grace":
        kind = "waiting"
    return display.badge("access" if access.has_access else "no access", kind)


def why(access: Access) -> str:
    """In a sentence: "The subscription is active and paid until 3 Dec 2026."."""
    row = access.subscription
    facts = {
        "period_end": _day(row.current_period_end if row else None),
        "trial_end": _day(row.trial_end if row else None),
        "past_due_since": _day(row.past_due_since if row else None),
        "ended_at": _day(row.ended_at if row else None),
        "grace_end": _day(access.grace_ends_at),
    }
    reason = WHY.get(access.reason, access.reason.replace("_", " ")).format(**facts)
    return f"{reason[0].upper()}{reason[1:]}.{_ending(access)}"


def _ending(access: Access) -> str:
    row = access.subscription
    if not access.has_access or row is None or row.cancel_at is None:
        return ""
    return f" It is cancelled for {_day(row.cancel_at)}."


def _day(at: datetime | None) -> str:
    return date_format(localtime(at), "j M Y, H:i") if at else "an unknown date"
