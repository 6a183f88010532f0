"""Links to an invoice lead to a page of ours, which redirects to Stripe's: Stripe's own links last only 30 days.

The links are signed, so nobody can guess one. Like Stripe's, they work without logging in, and open that invoice
only.
"""

from django.core.signing import Signer

from billing import site


def page_of(invoice_id: str) -> str:
    """Return the path of the page that shows an invoice, and takes payment while it is open. Mails use
    `site.absolute` of it."""
    return site.path_of("invoice", signer().sign(invoice_id))


def pdf_of(invoice_id: str) -> str:
    return site.path_of("invoice_pdf", signer().sign(invoice_id))


def signer() -> Signer:
    return Signer(salt="billing.invoice", sep=".")
