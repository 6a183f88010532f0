"""The account page says what happens next: what is charged on which day, or what ends."""

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import access
from billing.lifecycle import Overview
from billing.localized import amount
from billing.models import Invoice
from billing.subscriptions import next_charges

from .days import day

# Of `next_date`: what is charged on that day.
CHARGES = frozenset({"First payment", "Next payment", "Next invoice"})
# What `next_date` names, in words.
COMING = {
    "First payment": gettext_lazy("First payment"),
    "Next payment": gettext_lazy("Next payment"),
    "Next invoice": gettext_lazy("Next invoice"),
    "Access ends": gettext_lazy("Access ends"),
    "Access ends unless paid": gettext_lazy("Access ends unless paid"),
    "Subscription ends": gettext_lazy("Subscription ends"),
    "Payments resume": gettext_lazy("Payments resume"),
    "Trial ends": gettext_lazy("Trial ends"),
}


def next_date(overview: Overview) -> tuple[str, datetime] | None:
    """Return what happens next, one of `COMING`, and when."""
    if overview.is_by_grant and (overview.is_cancelling or overview.status not in {"active", "trialing"}):
        return ("Access ends", overview.access_ends_at) if overview.access_ends_at else None
    if overview.is_cancelling:
        return None
    subscription = overview.subscription
    if overview.cancel_at and not overview.renews_before_end:
        ends_at = overview.access_ends_at or overview.cancel_at
        return ("Subscription ends", overview.cancel_at) if overview.is_by_grant else ("Access ends", ends_at)
    if overview.collection_paused:
        until = overview.collection_paused.until
        return ("Payments resume", until) if until else None
    if subscription and subscription.is_free:
        return None
    if subscription and access.ends_with_trial(subscription) and overview.trial_end:
        return "Trial ends", overview.trial_end
    if overview.status == "trialing" and overview.trial_end:
        return "First payment" if _begins_with_trial(overview) else "Next payment", overview.trial_end
    if overview.grace_ends_at and overview.has_access:
        return "Access ends unless paid", overview.grace_ends_at
    if overview.status == "active" and overview.current_period_end:
        is_sent = subscription is not None and subscription.collection_method == Invoice.SENT
        return "Next invoice" if is_sent else "Next payment", overview.current_period_end
    return None


def _begins_with_trial(overview: Overview) -> bool:
    """Return whether nothing was paid before the trial. Staff also give time by a trial in a paid subscription."""
    held = overview.subscription
    return not (held and held.started_at and held.current_period_start and held.started_at < held.current_period_start)


def next_words(overview: Overview) -> tuple[str, str] | None:
    """Return what happens next, and in words when and what is charged then, or why no amount is told."""
    if (coming := next_date(overview)) is None:
        return None
    name, on = str(COMING[coming[0]]), day(coming[1])
    if (due := next_amount(overview)) and coming[0] not in CHARGES:
        words = _("{date}. Your use beyond the limits is billed then: {amount} so far, plus any tax")
        return name, words.format(date=on, amount=due)
    if due:
        return name, _("{amount} on {date}").format(amount=due, date=on)
    held = overview.subscription
    is_asked = coming[0] in CHARGES and held is not None and next_charges.is_awaited(held)
    return name, _("{date}. Stripe is working out the amount").format(date=on) if is_asked else on


def next_amount(overview: Overview) -> str:
    """Return what is charged on the day that `next_date` names; "" where that is not known, or nothing is."""
    charge, coming = overview.next_charge, next_date(overview)
    if charge is None or charge.amount is None or coming is None or charge.at != coming[1]:
        return ""
    if coming[0] not in CHARGES and not charge.is_of_last_invoice:
        return ""
    return amount(charge.amount, charge.currency)
