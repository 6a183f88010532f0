"""Links to an invoice that never expire: to a page of ours that leads on to Stripe's, whose own links last 30 days.

They are signed and work without signing in, as Stripe's do, for whoever holds the mail: they lead to that invoice and
to nothing else, and cannot be guessed.
"""

import logging
from typing import Any

from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.rates import link_wait
from billing.stripe_client import StripeRefused, StripeUnavailable, fetch

from . import trouble

log = logging.getLogger(__name__)


def page_of(invoice_id: str) -> str:
    """The path under which an invoice is seen, and paid while it is open; in a mail, after `conf.site_url`."""
    return reverse("billing:invoice", args=[_signer().sign(invoice_id)])


def pdf_of(invoice_id: str) -> str:
    return reverse("billing:invoice_pdf", args=[_signer().sign(invoice_id)])


def _signer() -> Signer:
    return Signer(salt="billing.invoice", sep=".")


@never_cache
@require_safe
def lead_on(request: HttpRequest, signed: str, field: str) -> HttpResponse:
    """/billing/pay/<signed> and /billing/pay/<signed>/pdf: `field` of the invoice, fetched now."""
    try:
        invoice_id = _signer().unsign(signed)
    except BadSignature:
        raise Http404 from None
    if seconds := link_wait(request):
        return trouble.too_often(request, seconds)
    try:
        invoice: dict[str, Any] = fetch.invoice(invoice_id, None)
    except StripeUnavailable as error:
        return trouble.not_now(request, error)
    except StripeRefused as error:
        log.warning("invoice not shown", extra={"invoice": invoice_id, "error": str(error)})
        raise Http404 from None
    return redirect(invoice[field] or "billing:account")
