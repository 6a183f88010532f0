"""A link leads to one pack; a guest without an account buys it here, by their e-mail address."""

import logging
import uuid
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from billing import catalogue, site
from billing.access import payer
from billing.lanes import LaneBusy
from billing.lifecycle import OUTAGES, Refused, guests, languages, outage_of, purchases
from billing.models import Pack, Purchase
from billing.rates import guest_return_wait, guest_wait
from billing.stripe_client import StripeRefused, StripeUnavailable

from . import trouble
from .packs import NOTHING_CHARGED, card

log = logging.getLogger(__name__)


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def pack(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one pack: to a subscriber with a button that buys it, to a guest with a form that asks for their address.
    The form starts the Checkout."""
    found = get_object_or_404(catalogue.packs.for_sale(), slug=slug)
    if request.method != "POST" or payer.is_signed_in(request):
        return _shown(request, found)
    email = request.POST.get("email", "")
    if seconds := guest_wait(request, email):
        return trouble.too_often(request, seconds)
    key, currency = request.POST.get("key", ""), request.POST.get("currency", "").lower()
    try:
        return redirect(guests.start(email, slug, key, currency, languages.locale_of(request)).url)
    except Refused as refusal:
        return _shown(request, found, f"{refusal} {NOTHING_CHARGED}", 409)
    except tuple(OUTAGES) as error:
        log.warning("purchase of a guest not started", exc_info=True)
        return _shown(request, found, str(outage_of(error).sentence), outage_of(error).status)


@never_cache
@login_not_required
@require_safe
def guest_return(request: HttpRequest) -> HttpResponse:
    """Show how a guest's payment stands, and how they get what they bought. Whose it is by now is asked to log in."""
    session_id = request.GET.get("session_id", "")
    if not session_id.isprintable() or not session_id:
        raise Http404
    rows = Purchase.objects.select_related("pack", "customer")
    purchase: Any = get_object_or_404(rows, session_id=session_id)
    if not purchase.guest_email:
        return redirect(f"{site.path_of('purchase_return')}?session_id={session_id}")
    if seconds := guest_return_wait(request, session_id):
        return trouble.too_often(request, seconds)
    try:
        purchase = purchases.refresh(purchase)
    except (StripeUnavailable, *StripeRefused, LaneBusy) as error:
        log.warning("purchase not confirmed on return", extra={"session": session_id, "error": str(error)})
    return render(request, "billing/guest_return.html", {"purchase": purchase})


def _shown(request: HttpRequest, pack: Pack, problem: str = "", status: int = 200) -> HttpResponse:
    asked = request.POST.get("currency") or request.GET.get("currency", "")
    is_signed_in = payer.is_signed_in(request)
    context = {
        "card": card(pack, asked, request.headers.get("Accept-Language", "")),
        "problem": problem,
        "asks_address": guests.are_served() and not is_signed_in,
        "email": request.POST.get("email", "")[:254],
        "key": uuid.uuid4(),
        "why_not": payer.reason_not_to_manage(request, payer.payer_of(request)) if is_signed_in else "",
    }
    return render(request, "billing/pack.html", context, status=status)
