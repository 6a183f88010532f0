"""A subscriber buys a pack on these pages, and comes back from its Checkout."""

import logging
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing import catalogue
from billing.access import payer
from billing.catalogue import visitors
from billing.lanes import LaneBusy
from billing.lifecycle import OUTAGES, Refused, guests, languages, outage_of, overview, purchases
from billing.lifecycle.refusals import AccessWithheld
from billing.localized import amount, number
from billing.models import Pack, Purchase
from billing.private_answers import keep_by_language, keep_private
from billing.rates import checkout_wait, return_wait
from billing.stripe_client import StripeRefused, StripeUnavailable

from . import choices, trouble
from .signed_in import form_only, signed_in
from .status_words import humanize

log = logging.getLogger(__name__)
NOTHING_CHARGED = gettext_lazy("Nothing was charged.")


@login_not_required
@require_safe
def packs(request: HttpRequest) -> HttpResponse:
    """Show what is sold once, in the visitor's currency."""
    response = _shown(request)
    keep_by_language(response)
    if payer.is_signed_in(request):
        keep_private(response)
    return response


@never_cache
@form_only
@signed_in
def buy(request: HttpRequest) -> HttpResponse:
    """Lead the buyer to Stripe's page, or show the packs with the reason why not."""
    try:
        subscriber = payer.managed_payer(request)
    except (payer.NobodyPays, payer.MayNotManage) as refusal:
        return trouble.not_yours(request, refusal)
    if seconds := checkout_wait(request):
        return trouble.too_often(request, seconds)
    pack, currency = request.POST.get("pack", ""), request.POST.get("currency", "").lower()
    try:
        return redirect(purchases.start(subscriber, pack, 1, currency, languages.locale_of(request)).url)
    except Refused as refusal:
        return _shown(request, f"{refusal} {NOTHING_CHARGED}", 409)
    except tuple(OUTAGES) as error:
        log.warning("purchase not started", exc_info=True)
        return _shown(request, str(outage_of(error).sentence), outage_of(error).status)


@never_cache
@signed_in
@require_safe
def purchase_return(request: HttpRequest) -> HttpResponse:
    """Show how the payment stands. Only the buyer's own session is shown."""
    session_id, subscriber = request.GET.get("session_id", ""), payer.payer_of(request)
    if not session_id.isprintable() or not session_id or subscriber is None:
        raise Http404
    rows = Purchase.objects.select_related("pack")
    purchase = get_object_or_404(rows, session_id=session_id, customer__subscriber=subscriber)
    if seconds := return_wait(request):
        return trouble.too_often(request, seconds)
    try:
        purchase = purchases.refresh(purchase)
    except (StripeUnavailable, *StripeRefused, LaneBusy) as error:
        log.warning("purchase not confirmed on return", extra={"session": session_id, "error": str(error)})
    return render(request, "billing/pack_return.html", {"purchase": purchase})


def _shown(request: HttpRequest, problem: str = "", status: int = 200) -> HttpResponse:
    asked = request.POST.get("currency") or request.GET.get("currency", "")
    language = request.headers.get("Accept-Language", "")
    cards = [card(pack, asked, language) for pack in catalogue.packs.for_sale()]
    subscriber = payer.payer_of(request)
    if not problem and payer.is_signed_in(request) and choices.is_withheld([overview.overview_of(subscriber)]):
        problem, is_withheld = str(AccessWithheld.sentence), True
    else:
        is_withheld = False
    context = {
        "cards": cards,
        "problem": problem,
        "serves_guest": guests.are_served() and not payer.is_signed_in(request),
        "is_withheld": is_withheld,
        "why_not": payer.reason_not_to_manage(request, subscriber) if payer.is_signed_in(request) else "",
    }
    return render(request, "billing/packs.html", context, status=status)


def card(pack: Pack, asked: str, language: str) -> dict[str, Any]:
    currency = visitors.currency_of_visitor(asked, language, catalogue.packs.currencies_of(pack))
    price = amount(pack.amounts[currency], currency)
    return {"pack": pack, "gives": gives(pack), "currency": currency, "amount": price}


def gives(pack: Pack) -> str:
    """Return what a pack gives: "1,000 generations, for 30 days"; "" for what is the project's own."""
    if pack.is_own:
        return ""
    what = str(pack.plan) if pack.plan else f"{number(pack.quantity or 0)} {humanize(pack.feature)}"
    if not pack.lasts_days:
        return _("{what}, with no expiry date").format(what=what)
    words = ngettext("{what}, for {count} day", "{what}, for {count} days", pack.lasts_days)
    return words.format(what=what, count=pack.lasts_days)


def account_rows(subscriber: Any) -> list[dict[str, Any]]:
    """Return what the account page shows of each purchase."""
    return [
        {
            "purchase": purchase,
            "amount": "" if purchase.amount is None else amount(purchase.amount, purchase.currency),
            "given_back": amount(purchase.given_back, purchase.currency) if purchase.given_back else "",
            "standing": standing(purchase),
        }
        for purchase in purchases.bought_by(subscriber)
    ]


def standing(purchase: Any) -> str:
    """Return what a purchase still gives, or how its payment stands."""
    if purchase.status == Purchase.Status.PROCESSING:
        return _("Your payment is being processed")
    if purchase.status == Purchase.Status.FAILED:
        return _("The payment failed")
    still = purchase.still_grants
    if still.feature:
        return _("{count} {feature} left").format(count=number(still.credits), feature=humanize(still.feature))
    if still.plan or still.own:
        return _("Active")
    return _("Ended") if purchase.delivered_at else _("On its way")
