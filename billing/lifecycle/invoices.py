"""A subscriber's invoices as Stripe has them now: their links expire, so they are fetched when they are shown."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing import stripe_account, stripe_client
from billing.clock import from_timestamp
from billing.models import Customer
from billing.stripe_client import NoSuchCustomer, StripeRefused

from .refusals import UnknownCursor

PAGE = 20
MOST = 100


@dataclass(frozen=True)
class Invoice:
    """An invoice counts `total` and `amount_paid` in minor units; `status` is open, paid, void or uncollectible."""

    id: str
    number: str
    status: str
    created_at: datetime
    total: int
    amount_paid: int
    currency: str
    hosted_invoice_url: str
    invoice_pdf: str


@dataclass(frozen=True)
class Page:
    """A page lists invoices; `next` is the cursor of the following page, None on the last."""

    invoices: list[Invoice]
    next: str | None


def invoices_of(subscriber: Any, after: str = "", limit: int = PAGE) -> Page:
    """Return a page of the subscriber's invoices, newest first, without drafts. Makes one Stripe call.

    `after` is the `next` of the page before. Raises `UnknownCursor`, `OfAnotherAccount`,
    `StripeUnavailable`.
    """
    customer = Customer.objects.of(subscriber)
    if customer is None:
        return Page([], None)
    stripe_account.refuse_if_elsewhere(customer)
    cursor = {"starting_after": after} if after else {}
    try:
        found = stripe_client.get("/v1/invoices", customer=customer.pk, limit=min(limit, MOST), **cursor)
    except NoSuchCustomer:
        raise
    except StripeRefused as error:
        if after:
            raise UnknownCursor from error
        raise
    rows = found["data"]
    issued = [_invoice(row) for row in rows if row["status"] != "draft"]
    return Page(issued, rows[-1]["id"] if found["has_more"] and rows else None)


def _invoice(row: dict[str, Any]) -> Invoice:
    return Invoice(
        id=row["id"],
        number=row["number"] or "",
        status=row["status"],
        created_at=from_timestamp(row["created"]),
        total=row["total"],
        amount_paid=row["amount_paid"],
        currency=row["currency"],
        hosted_invoice_url=row["hosted_invoice_url"] or "",
        invoice_pdf=row["invoice_pdf"] or "",
    )
