"""The pages on which a subscriber changes what they have: another plan, leaving, staying, cards and invoices.

Each shows first what it will do and asks; each says in words what came of it.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.access import payer
from billing.lifecycle import OUTAGES, NotConfirmed, PaymentDeclined, Refused, StalePreview, overview, previews
from billing.lifecycle import cancel as leaving
from billing.lifecycle import change as changing
from billing.lifecycle import invoices as invoicing
from billing.lifecycle import portal as stripe_portal
from billing.models import Subscription
from billing.money import format_amount
from billing.rates import stripe_wait
from billing.subscriptions import seats

from . import trouble
from .price_list import PriceList
from .wording import humanize

log = logging.getLogger(__name__)

View = Callable[..., HttpResponse]

NO_SUCH_PREVIEW = "This was not the preview of a change. Nothing was changed: choose the plan again."


def for_manager(view: View) -> View:
    """Signed in, not too often, and every refusal and outage told in words. The view is given who pays as well."""

    @never_cache
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if seconds := stripe_wait(request):
            return trouble.too_often(request, seconds)
        try:
            return view(request, payer.managed_payer(request), *args, **kwargs)
        except (payer.NobodyPays, payer.MayNotManage) as refusal:
            return trouble.not_yours(request, refusal)
        except Refused as refusal:
            messages.error(request, str(refusal))
            return redirect("billing:account")
        except NotConfirmed as error:
            messages.warning(request, str(error))
            return redirect("billing:account")
        except tuple(OUTAGES) as error:
            log.warning("a page was not served", extra={"path": request.path}, exc_info=True)
            return trouble.not_now(request, error)

    return guarded


@for_manager
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """/billing/change: GET lists the plans, with `plan` and `interval` what the change would do; POST does it."""
    now = overview.overview_of(subscriber)
    if request.method == "POST":
        return _change(request, subscriber)
    if "plan" in request.GET:
        return _preview(request, subscriber, now)
    held = now.subscription
    asked = {"interval": request.GET.get("interval") or _interval(now), "currency": held.currency if held else ""}
    context = {"list": PriceList.asked_for(asked, seats=seats.seats_shown(subscriber)), "overview": now}
    return render(request, "billing/change.html", context)


@for_manager
@require_POST
def take_back(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """/billing/change/take-back: the plan stays as it is."""
    changing.take_back(subscriber)
    messages.success(request, "The change is off. Your plan stays as it is.")
    return redirect("billing:account")


@for_manager
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """/billing/cancel: GET says what either way of leaving means, POST `when` does it."""
    when = request.POST.get("when", "")
    if request.method != "POST" or when not in ("period_end", "now"):
        return render(request, "billing/cancel.html", {"overview": overview.overview_of(subscriber)})
    left = leaving.cancel(subscriber, "now" if when == "now" else "period_end")
    if left.status in Subscription.TERMINAL:  # what ends later is told by a banner on the page
        messages.success(request, "Your subscription is cancelled. Nothing more will be charged.")
    return redirect("billing:account")


@for_manager
@require_POST
def resume(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """/billing/resume: a scheduled cancellation is called off."""
    leaving.resume(subscriber)
    messages.success(request, "Good to have you stay. Your subscription goes on as before.")
    return redirect("billing:account")


@for_manager
@require_POST
def portal(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """/billing/portal: to Stripe's page for cards and addresses."""
    return redirect(stripe_portal.open_portal(subscriber))


@for_manager
@require_safe
def invoices(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """/billing/invoices: one's own invoices, newest first, with links that work now."""
    page = invoicing.invoices_of(subscriber, request.GET.get("after", ""))
    rows = [{"invoice": invoice, "total": format_amount(invoice.total, invoice.currency)} for invoice in page.invoices]
    return render(request, "billing/invoices.html", {"rows": rows, "next": page.next})


def _change(request: HttpRequest, subscriber: Any) -> HttpResponse:
    plan, interval = request.POST.get("plan", ""), request.POST.get("interval", "")
    try:
        changing.change(subscriber, plan, interval, _proration_date(request.POST.get("proration_date", "")))
    except PaymentDeclined as refusal:
        return render(request, "billing/declined.html", {"sentence": str(refusal)}, status=402)
    pending = overview.overview_of(subscriber).pending_change
    if pending and pending.confirm_url:
        return redirect(pending.confirm_url)
    if not pending:  # what is scheduled is told by a banner on the page
        messages.success(request, "Your plan is changed.")
    return redirect("billing:account")


def _proration_date(text: str) -> int | None:
    """As the preview's form gave it. Raises `StalePreview` for what no preview gives."""
    if text and not (text.isdecimal() and len(text) < 12):
        raise StalePreview(NO_SUCH_PREVIEW)
    return int(text) if text else None


def _preview(request: HttpRequest, subscriber: Any, now: overview.Overview) -> HttpResponse:
    found = previews.preview(subscriber, request.GET["plan"], request.GET.get("interval") or _interval(now))
    context = {
        "overview": now,
        "preview": found,
        "is_now": found.effect == previews.Effect.NOW,
        "is_taken_back": found.effect == previews.Effect.TAKES_BACK,
        "is_trial": now.status == "trialing",
        "due": format_amount(found.amount_due, found.currency),
        "credit": format_amount(found.credit, found.currency) if found.credit else "",
        "renewal": format_amount(found.renewal_amount, found.currency),
        "lines": [(line, format_amount(line.amount, found.currency)) for line in found.lines],
        "overflows": [{"feature": humanize(row.feature), "row": row} for row in found.overflows],
    }
    return render(request, "billing/change_preview.html", context)


def _interval(now: overview.Overview) -> str:
    held = now.subscription
    return held.price.interval if held and held.price else ""
