"""A subscriber changes their subscription on these pages: plan, cancellation, cards and invoices.

Each page first shows what it will do and asks; afterwards it says what happened.
"""

import re
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from billing import site
from billing.lifecycle import (
    EndsNow,
    NoSubscription,
    PaymentDeclined,
    StalePreview,
    invoice_links,
    languages,
    overview,
    pausing,
    previews,
)
from billing.lifecycle import add_card as adding_card
from billing.lifecycle import cancel as cancelling
from billing.lifecycle import change as changing
from billing.lifecycle import invoices as invoicing
from billing.lifecycle import portal as stripe_portal
from billing.localized import amount, number
from billing.models import Subscription
from billing.subscriptions import seats

from . import add_on_words, cancel_words, choices, leaving_words, status_words, staying, tax_words
from .guarding import for_manager, line_of
from .price_list import PriceList, cadence_query
from .signed_in import form_only
from .status_words import humanize

CHECKOUT_SESSION = re.compile(r"cs_[A-Za-z0-9_]{1,250}")
NOTHING_MORE = gettext_lazy("Your subscription is cancelled. Nothing more will be charged for it.")
STILL_UNDER_WAY = gettext_lazy(
    "Your subscription is cancelled. A payment that your bank is already making may still arrive; no other will follow."
)
NO_SUCH_PREVIEW = gettext_lazy("This form is not from a preview. Nothing was changed. Please choose the plan again.")


@for_manager
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Answer /billing/change: GET lists the plans, or previews the change to `plan` and `interval`; POST makes the
    change."""
    now = overview.overview_of(subscriber, line_of(request))
    if request.method == "POST":
        return _change(request, subscriber)
    if "plan" in request.GET:
        return _preview(request, subscriber, now)
    held = now.subscription
    asked = {**_asked(request, now), "currency": held.currency if held else ""}
    found = PriceList.asked_for(asked, seats=seats.seats_shown(subscriber)).of_line(now.line)
    cards = [(card, choices.of_card(card, now)) for card in found.cards]
    context = {
        "list": found,
        "cards": cards,
        "line": line_of(request),
        "refusal": choices.refusal(now),
        "is_bought": choices.is_bought(now),
    }
    return render(request, "billing/change.html", context)


@form_only
@for_manager
def take_back(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Answer /billing/change/take-back: cancel the pending change."""
    changing.take_back(subscriber, line_of(request))
    messages.success(request, _("The change is cancelled. Your plan stays as it is."))
    return redirect(site.path_of("account"))


@for_manager
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Answer /billing/cancel: GET explains what each way to cancel would do, POST `when` cancels.

    If something has become unpaid since the page was shown, the page is shown anew and says what that means.
    """
    when = request.POST.get("when", "")
    if request.method != "POST" or when not in ("period_end", "now"):
        return _cancel_page(request, subscriber)
    reason = request.POST.get("reason", "")
    told = (reason if reason in cancelling.REASONS else "", request.POST.get("comment", "").strip()[:500])
    try:
        ends: cancelling.When = "now" if when == "now" else "period_end"
        left = cancelling.cancel(subscriber, ends, *told, line=line_of(request), may_end_now=False)
    except EndsNow as refusal:
        messages.warning(request, str(refusal))
        return _cancel_page(request, subscriber)
    if left.status in Subscription.TERMINAL:  # a banner on the page says when a later end comes
        messages.success(request, STILL_UNDER_WAY if cancelling.is_invoice_left(left) else NOTHING_MORE)
    return redirect(site.path_of("account"))


@form_only
@for_manager
def resume(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Answer /billing/resume: withdraw a scheduled cancellation, or take up a paused subscription."""
    try:
        row = cancelling.resume(subscriber, line_of(request))
    except PaymentDeclined as refusal:
        return render(request, "billing/declined.html", {"sentence": str(refusal)}, status=402)
    if row.status == Subscription.Status.PAUSED:  # its payment waits for the cardholder
        return redirect(invoice_links.page_of(row.latest_invoice))
    messages.success(request, _("Glad you're staying. Your subscription continues as before."))
    return redirect(site.path_of("account"))


@form_only
@for_manager
def portal(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Redirect /billing/portal to Stripe's page for cards and addresses."""
    return redirect(stripe_portal.open_portal(subscriber, languages.locale_of(request)))


@form_only
@for_manager
def add_card(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Redirect /billing/card to Stripe's page on which a card is added."""
    return redirect(adding_card.open_page(subscriber, line_of(request), languages.locale_of(request)))


@for_manager
@require_safe
def card_return(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Answer /billing/card/return?session_id=, to which Stripe sends a subscriber who has added a card."""
    session_id = request.GET.get("session_id", "")
    if not CHECKOUT_SESSION.fullmatch(session_id):
        raise Http404
    try:
        is_saved = adding_card.finish(subscriber, session_id)
    except NoSubscription as error:
        raise Http404 from error
    if is_saved:
        messages.success(request, _("Your card is saved. The next payment is charged to it."))
    return redirect(site.path_of("account"))


@for_manager
@require_safe
def invoices(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Show /billing/invoices: the subscriber's invoices, newest first, with fresh links."""
    page = invoicing.invoices_of(subscriber, request.GET.get("after", ""))
    rows = [
        {
            "invoice": invoice,
            "status": status_words.invoice_status(invoice.status),
            "total": amount(invoice.total, invoice.currency),
            "tax": tax_words.of_invoice(invoice),
        }
        for invoice in page.invoices
    ]
    return render(request, "billing/invoices.html", {"rows": rows, "next": page.next})


def _cancel_page(request: HttpRequest, subscriber: Any) -> HttpResponse:
    try:
        outlook = cancelling.outlook(subscriber, line_of(request))
    except NoSubscription:
        outlook = None
    now = overview.overview_of(subscriber, line_of(request))
    context = {
        "overview": now,
        "line": line_of(request),
        "outlook": outlook,
        "consequences": leaving_words.consequences(outlook) if outlook else [],
        "add_ons": add_on_words.ends_with(now) if outlook else "",
        "pay": next((invoice_links.page_of(each.invoice) for each in outlook.charged if not each.is_draft), "")
        if outlook
        else "",
        "reasons": cancel_words.reasons(),
        "offer": cancel_words.offered(staying.offer_to(now.subscription) if outlook else None, now.subscription),
        "pause": bool(outlook and pausing.days_offered(now.subscription)),
    }
    return render(request, "billing/cancel.html", context)


def _change(request: HttpRequest, subscriber: Any) -> HttpResponse:
    plan, interval, count = (request.POST.get(name, "") for name in ("plan", "interval", "interval_count"))
    try:
        at = _proration_date(request.POST.get("proration_date", ""))
        row = changing.change(subscriber, plan, interval, at, _count(count))
    except PaymentDeclined as refusal:
        return render(request, "billing/declined.html", {"sentence": str(refusal)}, status=402)
    pending = overview.overview_of(subscriber, row.line).pending_change
    if pending and pending.confirm_url:
        return redirect(pending.confirm_url)
    if not pending:  # a banner on the page says what is scheduled
        messages.success(request, _("Your plan has been changed."))
    return redirect(site.path_of("account"))


def _proration_date(text: str) -> int | None:
    """Parse the date that the form of the preview sent. Raises `StalePreview` for any other text."""
    if text and not (text.isdecimal() and len(text) < 12):
        raise StalePreview(str(NO_SUCH_PREVIEW))
    return int(text) if text else None


def _preview(request: HttpRequest, subscriber: Any, now: overview.Overview) -> HttpResponse:
    asked = _asked(request, now)
    count = _count(asked.get("interval_count", ""))
    found = previews.preview(subscriber, request.GET["plan"], asked.get("interval", ""), count)
    context = {
        "overview": now,
        "preview": found,
        "is_now": found.effect == previews.Effect.NOW,
        "is_taken_back": found.effect == previews.Effect.TAKES_BACK,
        "is_trial": now.status == "trialing",
        "due": amount(found.amount_due, found.currency),
        "net": amount(found.net, found.currency) if found.tax or found.is_reverse_charged else "",
        "tax": amount(found.tax, found.currency) if found.tax else tax_words.of_invoice(found),
        "is_all_due": found.net + found.tax == found.amount_due,
        "credit": amount(found.credit, found.currency) if found.credit else "",
        "from_credit": amount(found.from_credit, found.currency) if found.from_credit else "",
        "renewal": "" if found.renewal_amount is None else amount(found.renewal_amount, found.currency),
        "lines": [(line, amount(line.amount, found.currency)) for line in found.lines],
        "overflows": [overflow_words(row) for row in found.overflows],
        "add_ons": add_on_words.in_change(found.add_ons, found.price.plan, found.currency, found.price.cadence),
    }
    return render(request, "billing/change_preview.html", context)


def overflow_words(row: previews.Overflow) -> dict[str, str]:
    counts = {"used": row.used, "over": row.over_by, "limit": row.limit}
    return {"feature": humanize(row.feature), **{name: number(count) for name, count in counts.items()}}


def _asked(request: HttpRequest, now: overview.Overview) -> dict[str, str]:
    """Return the cadence that the address names, else the subscriber's own."""
    if interval := request.GET.get("interval"):
        return {"interval": interval, "interval_count": request.GET.get("interval_count", "")}
    held = now.subscription
    return cadence_query(held.price.cadence) if held and held.price else {}


def _count(text: str) -> int:
    """Return the number of intervals that a form or address names; 1 for none and for any other text."""
    return int(text) if text.isdecimal() and len(text) < 5 else 1
