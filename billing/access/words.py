"""Each reason of access has a sentence for staff."""

from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime

from billing.commands import spelled
from billing.models import Grant

from .rules import Access

WHY = {
    "active": "the subscription is active and paid until {period_end}",
    "trialing": "the trial runs until {trial_end}",
    "grace": "a payment has been due since {past_due_since}, and grace lasts until {grace_end}",
    "grace_over": "a payment has been due since {past_due_since}, and grace ended {grace_end}",
    "grant": "{grant}",
    "free": "the subscription to {plan} costs nothing",
    "collection_paused": "payments are paused, and what was paid before lasted until {paid_until}",
    "incomplete": "the first payment was never completed",
    "unpaid": "every attempt to collect the payment failed",
    "paused": "the subscription is paused at Stripe",
    "canceled": "the subscription ended {ended_at}",
    "hold_dispute": "a payment is disputed, and access is held until the bank decides",
    "hold_refund": "the current period was refunded in full",
    "hold_fraud": "a payment was reported as fraud",
    "hold_staff": "a member of staff placed a hold on access",
    "unmapped_price": "its price {unmapped_price} belongs to no plan: give the price a lookup key <plan>_<interval> at "
    "Stripe, or run `manage.py import_customers --price`, then refresh the customer",
    "closing": "the account is being deleted",
    "customer_deleted": "the customer was deleted at Stripe",
    "no_subscription": "there has never been a subscription",
}


def sentence_of(access: Access) -> str:
    """Return the reason as a sentence: "The subscription is active and paid until 3 Dec 2026."."""
    row = access.subscription
    facts = {
        "plan": str(row.plan or "no plan") if row else "",
        "period_end": moment(row.current_period_end if row else None),
        "trial_end": moment(row.trial_end if row else None),
        "past_due_since": moment(row.past_due_since if row else None),
        "paid_until": moment(row.paid_until if row else None),
        "ended_at": moment(row.ended_at if row else None),
        "grace_end": moment(access.grace_ends_at),
        "grant": given(access.grant) if access.grant else "",
        "unmapped_price": row.unmapped_price if row else "",
    }
    own = f"this project's own rule says: {access.refused_by_host}"
    reason = own if access.refused_by_host else WHY.get(access.reason, access.reason.replace("_", " ")).format(**facts)
    return f"{capitalized(spelled(reason))}.{_ending(access)}"


def given(grant: Grant) -> str:
    """Return who gave what, and until when: "a member of staff gave Pro until 3 Dec 2026, 00:00"."""
    who = "a member of staff" if grant.is_by_staff else f"the source {grant.source}"
    return f"{who} gave {grant.what} {f'until {moment(grant.until)}' if grant.until else 'for good'}"


def moment(at: datetime | None) -> str:
    return date_format(localtime(at), "j M Y, H:i") if at else "an unknown date"


def capitalized(sentence: str) -> str:
    return f"{sentence[0].upper()}{sentence[1:]}"


def _ending(access: Access) -> str:
    row = access.subscription
    if not access.has_access or row is None or row.cancel_at is None:
        return ""
    return f" It is cancelled and ends {moment(row.cancel_at)}."
