"""A subscriber changes their subscription on these pages: plan, cancellation, cards and invoices.

Each page first shows what it will do and asks; afterwards it says what happened.
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
from billing.models import Plan, Subscription
from billing.money import format_amount
from billing.rates import stripe_wait
from billing.subscriptions import seats

from . import trouble
from .price_list import PriceList
from .wording import humanize

log = logging.getLogger(__name__)

View = Callable[..., HttpResponse]

NO_SUCH_PREVIEW = "This form is not from a preview. Nothing was changed. Please choose the plan again."


def for_manager(view: View) -> View:
    """Wrap a view: check login, rate limit and who may manage, and turn every refusal and outage into a page. The
    view also receives the subscriber."""

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
    """Answer /billing/change: GET lists the plans, or previews the change to `plan` and `interval`; POST makes the
    change."""
    now = overview.overview_of(subscriber, _line(request))
    if request.method == "POST":
        return _change(request, subscriber)
    if "plan" in request.GET:
        return _preview(request, subscriber, now)
    held = now.subscription
    asked = {"interval": request.GET.get("interval") or _interval(now), "currency": held.currency if held else ""}
    found = PriceList.asked_for(asked, seats=seats.seats_shown(subscriber)).of_line(now.line)
    context = {"list": found, "overview": now, "line": _line(request)}
    return render(request, "billing/change.html", context)


@for_manager
@require_POST
def take_back(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Answer /billing/change/take-back: cancel the pending change."""
    changing.take_back(subscriber, _line(request))
    messages.success(request, "The change is cancelled. Your plan stays as it is.")
    return redirect("billing:account")


@for_manager
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Answer /billing/cancel: GET explains both ways to cancel, POST `when` cancels."""
    when = request.POST.get("when", "")
    if request.method != "POST" or when not in ("period_end", "now"):
        now = overview.overview_of(subscriber, _line(request))
        return render(request, "billing/cancel.html", {"overview": now, "line": _line(request)})
    left = leaving.cancel(subscriber, "now" if when == "now" else "period_end", _line(request))
    if left.status in Subscription.TERMINAL:  # a banner on the page says when a later end comes
        messages.success(request, "Your subscription is cancelled. Nothing more will be charged.")
    return redirect("billing:account")


@for_manager
@require_POST
def resume(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Answer /billing/resume: withdraw a scheduled cancellation."""
    leaving.resume(subscriber, _line(request))
    messages.success(request, "Glad you're staying. Your subscription continues as before.")
    return redirect("billing:account")


@for_manager
@require_POST
def portal(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Redirect /billing/portal to Stripe's page for cards and addresses."""
    return redirect(stripe_portal.open_portal(subscriber))


@for_manager
@require_safe
def invoices(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Show /billing/invoices: the subscriber's invoices, newest first, with fresh links."""
    page = invoicing.invoices_of(subscriber, request.GET.get("after", ""))
    rows = [{"invoice": invoice, "total": format_amount(invoice.total, invoice.currency)} for invoice in page.invoices]
    return render(request, "billing/invoices.html", {"rows": rows, "next": page.next})


def _line(request: HttpRequest) -> str:
    """Return the line that the form or the address names; "" means the only one, and so does a line that is none."""
    line = request.POST.get("line", "") or request.GET.get("line", "")
    return line if Plan.objects.filter(line=line).exists() else ""


def _change(request: HttpRequest, subscriber: Any) -> HttpResponse:
    plan, interval = request.POST.get("plan", ""), request.POST.get("interval", "")
    try:
        row = changing.change(subscriber, plan, interval, _proration_date(request.POST.get("proration_date", "")))
    except PaymentDeclined as refusal:
        return render(request, "billing/declined.html", {"sentence": str(refusal)}, status=402)
    pending = overview.overview_of(subscriber, row.line).pending_change
    if pending and pending.confirm_url:
        return redirect(pending.confirm_url)
    if not pending:  # a banner on the page says what is scheduled
        messages.success(request, "Your plan has been changed.")
    return redirect("billing:account")


def _proration_date(text: str) -> int | None:
    """Parse the date that the form of the preview sent. Raises `StalePreview` for any other text."""
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
