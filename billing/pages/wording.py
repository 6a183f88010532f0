"""The billing page describes a subscription in these words: its status, and what to do where something is wrong."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils import timezone
from django.utils.formats import date_format

from billing.lifecycle import Overview
from billing.models import PaymentFailure, Plan, Subscription
from billing.pages import invoice_links


class Tone(StrEnum):
    GOOD = "good"
    NOTICE = "notice"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Banner:
    tone: Tone
    headline: str
    sentence: str
    link: str = ""
    link_text: str = ""


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
    "hold_staff": ("Access paused", "Our team has paused your access. Write to us and we'll tell you why."),
}


def day(at: datetime) -> str:
    return date_format(timezone.localtime(at), "j F Y")


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


def banners(overview: Overview, failure: PaymentFailure | None) -> list[Banner]:
    """Return the banners, the most urgent first. `failure` is the last failure of the invoice that is still open."""
    found = [
        _held(overview),
        _unknown(overview),
        _refused(overview),
        _overdue(overview, failure),
        _ended(overview),
        _leaving(overview),
    ]
    found += [_pending(overview), *_overflows(overview)]
    return [banner for banner in found if banner]


def banners_of_line(overview: Overview, failure: PaymentFailure | None) -> list[Banner]:
    """Return the banners about a further line; what is about the subscriber stands with the first."""
    found = [_unknown(overview), _overdue(overview, failure), _ended(overview), _leaving(overview), _pending(overview)]
    return [banner for banner in found if banner]


def _held(overview: Overview) -> Banner | None:
    kind = f"hold_{overview.holds[0].kind}" if overview.holds else ""
    return Banner(Tone.PROBLEM, *HELD[kind]) if kind else None


def _unknown(overview: Overview) -> Banner | None:
    """Return the banner for a live subscription at a price that no plan knows."""
    held = overview.subscription
    if (
        held is None
        or held.whose != Subscription.Whose.UNKNOWN
        or overview.status in {"canceled", "incomplete_expired"}
    ):
        return None
    if overview.has_access:
        sentence = f"You keep {_name(overview.effective_plan)} meanwhile. Write to us if you would like to know more."
        return Banner(Tone.NOTICE, "Your new price is being set up", sentence)
    sentence = "You have subscribed to a plan that we haven't set up here yet. Write to us and we'll set it up at once."
    return Banner(Tone.PROBLEM, "Your plan is being set up", sentence)


def _refused(overview: Overview) -> Banner | None:
    """Return the banner for a refusal by the project's own rule."""
    why = overview.decided.refused_by_host
    sentence = "You are on the free plan. If you think this is a mistake, write to us."
    return Banner(Tone.PROBLEM, f"You have no access: {why}", sentence) if why else None


def _overdue(overview: Overview, failure: PaymentFailure | None) -> Banner | None:
    if overview.status not in {"past_due", "unpaid", "incomplete"}:
        return None
    tone = Tone.WARNING if overview.has_access else Tone.PROBLEM
    needs_bank = failure is not None and failure.is_action_required
    headline = "Your bank asks you to confirm a payment" if needs_bank else "Your last payment did not go through"
    link = invoice_links.page_of(failure.invoice_id) if failure else ""
    link_text = "Confirm the payment" if needs_bank else "Pay now"
    return Banner(tone, headline, _until(overview, needs_bank), link, link_text)


def _until(overview: Overview, needs_bank: bool) -> str:
    action = "Confirm it" if needs_bank else "Pay the open invoice"
    if overview.is_comped:
        return f"{action} to keep your subscription. You have {_name(overview.effective_plan)} for now in any case."
    if overview.has_access and overview.grace_ends_at:
        return f"{action} by {day(overview.grace_ends_at)} to keep {_name(overview.effective_plan)} without a gap."
    return f"{action} and you get your plan back at once. Until then you are on the free plan."


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
    sentence = f"You keep {_name(overview.effective_plan)} until {day(overview.cancel_at)}. You won't be charged again."
    return Banner(Tone.NOTICE, "Your subscription is cancelled", sentence)


def _pending(overview: Overview) -> Banner | None:
    """Return the banner for a change that waits for the period's end or for its payment."""
    change = overview.pending_change
    if change is None:
        return None
    name = _name(change.price.plan if change.price else None)
    if change.effective_at:
        headline = f"Your plan changes to {name} on {day(change.effective_at)}"
        return Banner(Tone.NOTICE, headline, f"Until then you keep {_name(overview.effective_plan)}.")
    sentence = f"Until it is confirmed you keep {_name(overview.effective_plan)}, and nothing is charged."
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


def _name(plan: Plan | None) -> str:
    return plan.name if plan else "your plan"
