"""The billing page describes a subscription in these words: its status, and what to do where something is wrong."""

from datetime import datetime

from billing import clock
from billing.lifecycle import Overview

from . import owed_words
from .banners import Banner, Tone, day, plan_words

STATUS_WORDS = {
    "none": "No subscription",
    "incomplete": "Waiting for the first payment",
    "incomplete_expired": "Never started",
    "trialing": "Trial",
    "active": "Active",
    "past_due": "Payment overdue",
    "unpaid": "Unpaid",
    "paused": "Paused",
    "canceled": "Ended",
}

HELD = {
    "hold_dispute": (
        "Access paused: a payment is disputed",
        (
            "Your bank told us that you dispute a payment. Access comes back when the dispute is withdrawn or "
            "decided in our favour. If it was a mistake, ask your bank to withdraw it."
        ),
    ),
    "hold_refund": (
        "Your payment was refunded",
        "We refunded the current period in full, so your access has ended. You can choose a plan again at any time.",
    ),
    "hold_fraud": (
        "Access paused: a payment is being checked",
        "The card's bank warned us about a payment. Write to us and we'll sort it out together.",
    ),
    "unmapped_price": (
        "Your plan is being set up",
        "You have subscribed to a plan that we haven't set up here yet. Write to us and we'll set it up at once.",
    ),
    "hold_staff": ("Access paused", "Our team has paused your access. Write to us and we'll tell you why."),
}


def status_words(overview: Overview) -> str:
    if overview.comp_ends_at:
        return f"Complimentary until {day(overview.comp_ends_at)}"
    if overview.cancel_at and overview.status in {"active", "trialing"}:
        return f"{STATUS_WORDS[overview.status]}, ends on {day(overview.cancel_at)}"
    return STATUS_WORDS[overview.status]


def next_date(overview: Overview) -> tuple[str, datetime] | None:
    """Return what happens next, and when."""
    if overview.comp_ends_at and overview.status not in {"active", "trialing"}:
        return "Access ends", overview.comp_ends_at
    if overview.cancel_at:
        return "Subscription ends" if overview.is_comped else "Access ends", overview.cancel_at
    if overview.status == "trialing" and overview.trial_end:
        return "First payment", overview.trial_end
    if overview.grace_ends_at and overview.has_access:
        return "Access ends unless paid", overview.grace_ends_at
    if overview.status == "active" and overview.current_period_end:
        return "Next payment", overview.current_period_end
    return None


def banners(overview: Overview) -> list[Banner]:
    """Return the banners, the most urgent first."""
    found = [_held(overview), _refused(overview), owed_words.for_plan(overview), _ended(overview), _leaving(overview)]
    found += [_pending(overview), *owed_words.for_others(overview), *_overflows(overview)]
    return [banner for banner in found if banner]


def _held(overview: Overview) -> Banner | None:
    if not overview.holds:
        return None
    headline, sentence = HELD[f"hold_{overview.holds[0].kind}"]
    return Banner(Tone.PROBLEM, headline, f"{sentence}{_renews_meanwhile(overview)}")


def _renews_meanwhile(overview: Overview) -> str:
    """Return that renewals go on during a hold, and how to stop them; "" where nothing is charged any more."""
    at = overview.current_period_end
    if overview.status not in {"active", "trialing", "past_due"} or overview.cancel_at or not at or at < clock.now():
        return ""
    return f" Your subscription goes on meanwhile and is charged on {day(at)}. To stop that, cancel it below."


def _refused(overview: Overview) -> Banner | None:
    """Return the banner for a refusal by the project's own rule."""
    why = overview.decided.refused_by_host
    sentence = "You are on the free plan. If you think this is a mistake, write to us."
    return Banner(Tone.PROBLEM, f"You have no access: {why}", sentence) if why else None


def _ended(overview: Overview) -> Banner | None:
    if overview.holds or overview.is_comped or overview.status not in {"canceled", "incomplete_expired", "paused"}:
        return None
    if overview.status == "paused":
        return Banner(Tone.WARNING, "Your subscription is paused", "Nothing is billed, and you are on the free plan.")
    return Banner(
        Tone.NOTICE, "Your subscription has ended", "You are on the free plan. Choose one to subscribe again."
    )


def _leaving(overview: Overview) -> Banner | None:
    if not overview.cancel_at or not overview.has_access or overview.is_comped:
        return None
    sentence = (
        f"You keep {plan_words(overview.effective_plan)} until {day(overview.cancel_at)}. You won't be charged again."
    )
    return Banner(Tone.NOTICE, "Your subscription is cancelled", sentence)


def _pending(overview: Overview) -> Banner | None:
    """Return the banner for a change that waits for the period's end or for its payment."""
    change = overview.pending_change
    if change is None:
        return None
    name = plan_words(change.price.plan if change.price else None)
    if change.effective_at:
        headline = f"Your plan changes to {name} on {day(change.effective_at)}"
        return Banner(Tone.NOTICE, headline, f"Until then you keep {plan_words(overview.effective_plan)}.")
    sentence = f"Until it is confirmed you keep {plan_words(overview.effective_plan)}, and nothing is charged."
    return Banner(Tone.WARNING, f"Confirm the payment for {name}", sentence, change.confirm_url, "Confirm the payment")


def _overflows(overview: Overview) -> list[Banner]:
    return [
        Banner(
            Tone.WARNING,
            f"You have used {quota.used:,} {humanize(feature)}, and your plan includes {quota.limit:,}",
            f"You can't use more until {day(overview.resets_at)}, unless you choose a larger plan.",
        )
        for feature, quota in overview.usage.items()
        if quota.limit is not None and quota.used > quota.limit
    ]


def humanize(feature: str) -> str:
    return feature.replace("_", " ").replace("-", " ")
