"""A subscriber's invoices as Stripe has them now: their links expire, so they are fetched when they are shown."""

import heapq
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from billing import stripe_account, stripe_client
from billing.clock import from_timestamp
from billing.models import Customer
from billing.stripe_client import NoSuchCustomer, StripeRefused, readers

from .refusals import UnknownCursor

PAGE = 20
MOST = 100


@dataclass(frozen=True)
class Invoice:
    """An invoice counts `total`, `net`, `tax` and `amount_paid` in minor units; `status` is open, paid, void or
    uncollectible. Of one that is reverse charged, the buyer owes the tax in our place.
    """

    id: str
    number: str
    status: str
    created_at: datetime
    total: int
    amount_paid: int
    currency: str
    hosted_invoice_url: str
    invoice_pdf: str
    tax: int = 0
    is_reverse_charged: bool = False

    @property
    def net(self) -> int:
        return self.total - self.tax


@dataclass(frozen=True)
class Page:
    """A page lists invoices; `next` is the cursor of the following page, None on the last."""

    invoices: list[Invoice]
    next: str | None


def invoices_of(subscriber: Any, after: str = "", limit: int = PAGE) -> Page:
    """Return a page of the subscriber's invoices of all customers, newest first, without drafts.

    Makes one Stripe call for each customer that has more to show: the current one, and the earlier ones whom our key
    reaches. `after` is the `next` of the page before: each of these customers, and which of its invoices was shown
    last. Raises `UnknownCursor`, `OfAnotherAccount`, `StripeUnavailable`.
    """
    theirs = Customer.objects.living_of(subscriber)
    customers = {each.pk: each for each in theirs if each.is_current or _is_here(each)}
    if not customers:
        return Page([], None)
    shown = _shown(after) if after else dict.fromkeys(customers, "")
    if not shown.keys() <= customers.keys():
        raise UnknownCursor
    limit = max(1, min(limit, MOST))
    lists = [_list_of(customers[pk], last, limit) for pk, last in shown.items()]
    newest = list(islice(heapq.merge(*(each["data"] for each in lists), key=lambda row: -row["created"]), limit))
    shown |= {row["customer"]: row["id"] for row in newest}
    left = [
        f"{pk}:{shown[pk]}"
        for pk, each in zip(shown, lists, strict=True)
        if each["has_more"] or (each["data"] and each["data"][-1]["id"] != shown[pk])
    ]
    return Page([_invoice(row) for row in newest if row["status"] != "draft"], ",".join(left) or None)


def _shown(after: str) -> dict[str, str]:
    """Return which invoice of each customer was shown last, "" for none yet."""
    parts = [part.partition(":") for part in after.split(",")]
    return {customer: last for customer, _, last in parts}


def _list_of(customer: Customer, last: str, limit: int) -> dict[str, Any]:
    stripe_account.refuse_if_elsewhere(customer)
    cursor = {"starting_after": last} if last else {}
    try:
        return stripe_client.get("/v1/invoices", customer=customer.pk, limit=limit, **cursor)
    except NoSuchCustomer:
        raise
    except StripeRefused as error:
        if last:
            raise UnknownCursor from error
        raise


def _is_here(customer: Customer) -> bool:
    return customer.missing_since is None and not stripe_account.is_elsewhere(customer)


def _invoice(row: dict[str, Any]) -> Invoice:
    return Invoice(
        id=row["id"],
        number=row["number"] or "",
        status=row["status"],
        created_at=from_timestamp(row["created"]),
        total=row["total"],
        tax=readers.tax_of(row),
        is_reverse_charged=readers.is_reverse_charged(row),
        amount_paid=row["amount_paid"],
        currency=row["currency"],
        hosted_invoice_url=row["hosted_invoice_url"] or "",
        invoice_pdf=row["invoice_pdf"] or "",
    )
