"""Links to an invoice lead to a page of ours, which redirects to Stripe's: Stripe's own links last only 30 days.

The links are signed, so nobody can guess one. Like Stripe's, they work without logging in, and open that invoice
only.
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
    """Return the path of the page that shows an invoice, and takes payment while it is open. Mails put
    `conf.site_url` before it."""
    return reverse("billing:invoice", args=[_signer().sign(invoice_id)])


def pdf_of(invoice_id: str) -> str:
    return reverse("billing:invoice_pdf", args=[_signer().sign(invoice_id)])


def _signer() -> Signer:
    return Signer(salt="billing.invoice", sep=".")


@never_cache
@require_safe
def lead_on(request: HttpRequest, signed: str, field: str) -> HttpResponse:
    """Redirect /billing/pay/<signed> and /billing/pay/<signed>/pdf to `field` of the invoice, which is fetched now."""
    try:
        invoice_id = _signer().unsign(signed)
    except BadSignature:
        raise Http404 from None
    if seconds := link_wait(request, invoice_id):
        return trouble.too_often(request, seconds)
    try:
        invoice: dict[str, Any] = fetch.invoice(invoice_id, None)
    except StripeUnavailable as error:
        return trouble.not_now(request, error)
    except StripeRefused as error:
        log.warning("invoice not shown", extra={"invoice": invoice_id, "error": str(error)})
        raise Http404 from None
    return redirect(invoice[field] or "billing:account")
