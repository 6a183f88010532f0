"""The pages say of a pause of payments when it ends, what is kept meanwhile, and what is charged then."""

from datetime import datetime

from django.utils import timezone

from billing import clock, site
from billing.lifecycle import Overview
from billing.models import MAIN_LINE, Subscription

from .banners import Banner, Tone, plan_words
from .days import day

HEADLINE = "Payments are paused"


def choices(overview: Overview, days: list[datetime]) -> list[tuple[str, str, str]]:
    """Return each day until which payments may be paused: as the form sends it, as people read it, and what it
    means."""
    held = overview.subscription
    plan = plan_words(held.plan if held else None)
    paid = (held.paid_until or held.current_period_end) if held else None
    kept = f"You keep {plan} until {day(paid)}, then you are on the free plan. " if paid and paid > clock.now() else ""
    return [
        (
            f"{timezone.localtime(until):%Y-%m-%d}",
            day(until),
            f"{kept}On {day(until)} you are charged again and have {plan} back.",
        )
        for until in days
    ]


def banner(overview: Overview) -> Banner | None:
    """Return the banner of a pause, by whomever."""
    subscription, pause = overview.subscription, overview.collection_paused
    if subscription is None or pause is None:
        return None
    sentence = f"{_charged(pause.until)}{_access(overview, subscription)}"
    if subscription.collection_paused == "keep_as_draft":
        return Banner(Tone.NOTICE, HEADLINE, f"{sentence} Invoices of this time may be collected later.")
    if _is_used_up(overview):
        sentence += " If you resume now, a new period begins and is charged at once."
    resume = site.path_of("resume_payments") + ("" if overview.line == MAIN_LINE else f"?line={overview.line}")
    return Banner(Tone.NOTICE, HEADLINE, sentence, resume, "Resume payments", is_form=True)


def _charged(until: datetime | None) -> str:
    return f"Nothing is charged until {day(until)}." if until else "Nothing is charged until we resume them."


def _access(overview: Overview, subscription: Subscription) -> str:
    """Return the sentence about access meanwhile, where the subscription decides it."""
    pause = overview.collection_paused
    if pause is None or overview.is_by_grant or overview.holds or overview.cancel_at:
        return ""
    plan = plan_words(subscription.plan)
    if pause.access_until is None:
        return f" You keep {plan} meanwhile." if overview.has_access else ""
    back = f", and by {day(pause.until)} you have {plan} back" if pause.until else ""
    if _is_used_up(overview):
        return f" You are on the free plan meanwhile{back}."
    return f" You keep {plan} until {day(pause.access_until)}; then you are on the free plan{back}."


def _is_used_up(overview: Overview) -> bool:
    pause = overview.collection_paused
    return pause is not None and pause.access_until is not None and pause.access_until <= clock.now()
