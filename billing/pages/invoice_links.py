"""The pages behind the links to an invoice fetch it and redirect to Stripe's page, or to its PDF."""

import logging
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing import site
from billing.lifecycle import invoice_links
from billing.models import Invoice
from billing.rates import link_wait
from billing.stripe_client import StripeRefused, StripeUnavailable, fetch

from . import trouble

log = logging.getLogger(__name__)


@login_not_required
@never_cache
@require_safe
def lead_on(request: HttpRequest, signed: str, field: str) -> HttpResponse:
    """Redirect /billing/pay/<signed> and /billing/pay/<signed>/pdf to `field` of the invoice, which is fetched now.

    One that buys nothing any more is not offered for payment: the account page says what can be done instead.
    """
    try:
        invoice_id = invoice_links.signer().unsign(signed)
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
    if field == "hosted_invoice_url" and _buys_nothing(invoice):
        return redirect(site.path_of("account"))
    return redirect(invoice[field] or site.path_of("account"))


def _buys_nothing(invoice: dict[str, Any]) -> bool:
    if invoice["status"] != Invoice.Status.OPEN:
        return invoice["status"] == Invoice.Status.VOID
    return Invoice.objects.filter(pk=invoice["id"], purpose=Invoice.Purpose.NOTHING).exists()
