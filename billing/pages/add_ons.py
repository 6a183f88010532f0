"""A subscriber sees what is sold on top of their plan on these pages, and changes how many of it they have."""

import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from billing import site
from billing.lifecycle import Effect, PaymentDeclined, StalePreview, overview
from billing.lifecycle import add_ons as buying
from billing.localized import amount, own_words

from . import add_on_words, tax_words
from .banners import plan_words
from .guarding import for_manager, line_of
from .managing import overflow_words

NUMBER = re.compile(r"\d{1,6}")
NO_SUCH_PREVIEW = gettext_lazy("This form is not from a preview. Nothing was changed. Please choose again.")
NO_NUMBER = gettext_lazy("Choose how many you want: a whole number, 0 for none.")


@for_manager
@require_http_methods(["GET", "HEAD", "POST"])
def add_ons(request: HttpRequest, subscriber: Any) -> HttpResponse:
    """Answer /billing/add-ons: GET lists what is sold with the plan, or previews `quantity` of `add_on`; POST makes the
    change."""
    asked = request.POST if request.method == "POST" else request.GET
    if "add_on" not in asked:
        return _list(request, subscriber)
    if not NUMBER.fullmatch(asked.get("quantity", "")):
        messages.error(request, NO_NUMBER)
        return redirect(site.path_of("add_ons"))
    slug, quantity = asked.get("add_on", ""), int(asked.get("quantity", ""))
    return (_change if request.method == "POST" else _preview)(request, subscriber, slug, quantity)


def _list(request: HttpRequest, subscriber: Any) -> HttpResponse:
    now = overview.overview_of(subscriber, line_of(request))
    context = {
        "plan": plan_words(now.effective_plan),
        "offers": add_on_words.offers(now.subscription),
        "line": line_of(request),
    }
    return render(request, "billing/add_ons.html", context)


def _preview(request: HttpRequest, subscriber: Any, slug: str, quantity: int) -> HttpResponse:
    line = line_of(request)
    found = buying.preview(subscriber, slug, quantity, line)
    if found.effect is None:
        name = add_on_words.counted(own_words(found.add_on.name), quantity)
        messages.info(request, _("You have {add_on} already, or have chosen it.").format(add_on=name))
        return redirect(site.path_of("account"))
    now = overview.overview_of(subscriber, line)
    context = {
        "preview": found,
        "line": line,
        "name": add_on_words.counted(own_words(found.add_on.name), quantity)
        if quantity
        else own_words(found.add_on.name),
        "gives": add_on_words.gives(found.add_on, quantity) if quantity else "",
        "is_now": found.effect == Effect.NOW,
        "is_taken_back": found.effect == Effect.TAKES_BACK,
        "is_trial": now.status == "trialing",
        "due": amount(found.amount_due, found.currency),
        "net": amount(found.net, found.currency) if found.tax or found.is_reverse_charged else "",
        "tax": amount(found.tax, found.currency) if found.tax else tax_words.of_invoice(found),
        "renewal": "" if found.renewal_amount is None else amount(found.renewal_amount, found.currency),
        "lines": [(row, amount(row.amount, found.currency)) for row in found.lines],
        "overflows": [overflow_words(row) for row in found.overflows],
    }
    return render(request, "billing/add_on_preview.html", context)


def _change(request: HttpRequest, subscriber: Any, slug: str, quantity: int) -> HttpResponse:
    date = request.POST.get("proration_date", "")
    if date and not (date.isdecimal() and len(date) < 12):
        raise StalePreview(str(NO_SUCH_PREVIEW))
    try:
        row = buying.set_quantity(subscriber, slug, quantity, int(date) if date else None, line_of(request))
    except PaymentDeclined as refusal:
        return render(request, "billing/declined.html", {"sentence": str(refusal)}, status=402)
    pending = overview.overview_of(subscriber, row.line).pending_change
    if pending and pending.confirm_url:
        return redirect(pending.confirm_url)
    if not pending:  # a banner on the page says what is scheduled
        messages.success(request, _("Your add-ons have been changed."))
    return redirect(site.path_of("account"))
