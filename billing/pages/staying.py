"""A subscriber who thinks of leaving takes up an offer here, or pauses their payments and resumes them."""

import logging
from datetime import datetime, time
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from billing import site
from billing.lifecycle import offers, overview, pausing
from billing.lifecycle.offers import Offer
from billing.models import Subscription
from billing.monitoring import alerts

from . import add_on_words, pause_words
from .banners import plan_words
from .guarding import for_manager, line_of
from .signed_in import form_only

log = logging.getLogger(__name__)

NO_DAY = gettext_lazy("Choose one of the days below.")


@form_only
@for_manager
def stay(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Answer /billing/cancel/stay: take up the offer that the cancel page made."""
    row = offers.take_up(subscriber, request.POST.get("offer", ""), line=line_of(request))
    said = _("Glad you're staying. Your discount on {plan} starts with your next payment.")
    messages.success(request, said.format(plan=plan_words(row.plan)))
    return redirect(site.path_of("account"))


@for_manager
@require_http_methods(["GET", "HEAD", "POST"])
def pause(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Answer /billing/pause: GET lists the days until which payments may be paused, POST `until` pauses them."""
    line = line_of(request)
    day = _day(request.POST.get("until", "")) if request.method == "POST" else None
    if day is not None:
        pausing.pause(subscriber, day, line=line)
        messages.success(request, _("Your payments are paused."))
        return redirect(site.path_of("account"))
    if request.method == "POST":
        messages.warning(request, NO_DAY)
    now = overview.overview_of(subscriber, line)
    context = {
        "overview": now,
        "line": line,
        "add_ons": add_on_words.paused_with(now),
        "choices": pause_words.choices(now, pausing.days_offered(now.subscription)),
    }
    return render(request, "billing/pause.html", context)


@form_only
@for_manager
def resume_payments(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Answer /billing/pause/resume: collect payments again now."""
    row = pausing.resume_early(subscriber, line=line_of(request))
    if row.status == Subscription.Status.PAST_DUE:
        messages.warning(request, _("Your payments are resumed, but the payment that is due did not go through."))
    else:
        messages.success(request, _("Glad you're back. Your payments are resumed."))
    return redirect(site.path_of("account"))


def offer_to(held: Subscription | None) -> Offer | None:
    """Return what is offered to keep a subscription. A host's function that fails never stands in the way of a
    cancellation: staff are told, and nothing is offered."""
    try:
        return offers.offer_for(held)
    except Exception as error:
        log.exception("no offer made", extra={"subscription": held.stripe_id if held else ""})
        alerts.remind_staff(
            "cancel_offer",
            "BILLING_CANCEL_OFFER fails",
            f"It raised {type(error).__name__}. The cancel page offers nothing, and cancels as before.",
        )
        return None


def _day(text: str) -> datetime | None:
    """Return the midnight that begins a day; None for any other text."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return timezone.make_aware(datetime.combine(day, time.min)) if day else None
