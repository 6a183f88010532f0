"""The pages say of a pause of payments when it ends, what is kept meanwhile, and what is charged then."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from billing import clock, site
from billing.lifecycle import Overview
from billing.models import MAIN_LINE, Subscription

from .banners import Banner, Tone, plan_words
from .days import day


def choices(overview: Overview, days: list[datetime]) -> list[tuple[str, str, str]]:
    """Return each day until which payments may be paused: as the form sends it, as people read it, and what it
    means."""
    held = overview.subscription
    plan = plan_words(held.plan if held else None)
    paid = (held.paid_until or held.current_period_end) if held else None
    kept = ""
    if paid and paid > clock.now():
        kept = _("You keep {plan} until {date}, then you are on the free plan.").format(plan=plan, date=day(paid)) + " "
    again = _("On {date} you are charged again and have {plan} back.")
    return [
        (f"{timezone.localtime(until):%Y-%m-%d}", day(until), kept + again.format(date=day(until), plan=plan))
        for until in days
    ]


def banner(overview: Overview) -> Banner | None:
    """Return the banner of a pause, by whomever."""
    subscription, pause = overview.subscription, overview.collection_paused
    if subscription is None or pause is None:
        return None
    sentence = " ".join(filter(None, [_charged(pause.until), _access(overview, subscription)]))
    headline = _("Payments are paused")
    if subscription.collection_paused == "keep_as_draft":
        sentence += " " + _("Invoices of this time may be collected later.")
        return Banner(Tone.NOTICE, headline, sentence)
    if _is_used_up(overview):
        sentence += " " + _("If you resume now, a new period begins and is charged at once.")
    resume = site.path_of("resume_payments") + ("" if overview.line == MAIN_LINE else f"?line={overview.line}")
    return Banner(Tone.NOTICE, headline, sentence, resume, _("Resume payments"), is_form=True)


def _charged(until: datetime | None) -> str:
    if until is None:
        return _("Nothing is charged until we resume them.")
    return _("Nothing is charged until {date}.").format(date=day(until))


def _access(overview: Overview, subscription: Subscription) -> str:
    """Return the sentence about access meanwhile, where the subscription decides it."""
    pause = overview.collection_paused
    if pause is None or overview.is_by_grant or overview.holds or overview.cancel_at:
        return ""
    facts = {"plan": plan_words(subscription.plan)}
    if pause.access_until is None:
        return _("You keep {plan} meanwhile.").format(**facts) if overview.has_access else ""
    facts |= {"date": day(pause.access_until), "back_on": day(pause.until) if pause.until else ""}
    if _is_used_up(overview):
        if pause.until:
            return _("You are on the free plan meanwhile, and by {back_on} you have {plan} back.").format(**facts)
        return _("You are on the free plan meanwhile.")
    if pause.until:
        return _(
            "You keep {plan} until {date}; then you are on the free plan, and by {back_on} you have {plan} back."
        ).format(**facts)
    return _("You keep {plan} until {date}; then you are on the free plan.").format(**facts)


def _is_used_up(overview: Overview) -> bool:
    pause = overview.collection_paused
    return pause is not None and pause.access_until is not None and pause.access_until <= clock.now()
