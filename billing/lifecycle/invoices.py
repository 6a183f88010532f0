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
    """Return a page of the subscriber's invoices, without drafts. Makes one Stripe call.

    Those of the current customer come first, newest first, then those of each earlier one whom our key reaches.
    `after` is the `next` of the page before. Raises `UnknownCursor`, `OfAnotherAccount`,
    `StripeUnavailable`.
    """
    customers = [each for each in Customer.objects.living_of(subscriber) if each.is_current or _is_here(each)]
    if not customers:
        return Page([], None)
    whose, _, last = after.rpartition(":")
    place = next((n for n, each in enumerate(customers) if each.pk == whose), 0 if not whose else None)
    if place is None:
        raise UnknownCursor
    customer, following = customers[place], customers[place + 1 :]
    stripe_account.refuse_if_elsewhere(customer)
    cursor = {"starting_after": last} if last else {}
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
    if found["has_more"] and rows:
        return Page(issued, rows[-1]["id"] if place == 0 else f"{customer.pk}:{rows[-1]['id']}")
    return Page(issued, f"{following[0].pk}:" if following else None)


def _is_here(customer: Customer) -> bool:
    return customer.missing_since is None and not stripe_account.is_elsewhere(customer)


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
