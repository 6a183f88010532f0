"""What a subscriber owes is read from the rows of their invoices: those that are open and buy something."""

from dataclasses import dataclass
from datetime import datetime

from billing.conf import conf
from billing.models import Customer, Invoice, Subscription

from . import invoice_links


@dataclass(frozen=True)
class Owed:
    """An invoice that waits for money. The access of the subscription depends on it, or it is another: a one-off sale,
    or an older one. `page` is the path where it is paid, "" for who may not pay it.
    """

    row: Invoice
    page: str
    access_depends: bool = False

    @property
    def url(self) -> str:
        return conf.site_url + self.page if self.page else ""

    @property
    def invoice(self) -> str:
        return self.row.pk

    @property
    def amount_remaining(self) -> int:
        return self.row.amount_remaining

    @property
    def currency(self) -> str:
        return self.row.currency

    @property
    def due_at(self) -> datetime | None:
        return self.row.due_at

    @property
    def payment(self) -> str:
        return self.row.payment


def owed_by(customer: Customer | None, subscription: Subscription | None) -> list[Owed]:
    """Return what a customer owes: first the invoice that access depends on, then what is due earliest."""
    if customer is None:
        return []
    rows = sorted(
        Invoice.objects.owed().filter(customer=customer), key=lambda row: (row.due_at or row.created_at, row.pk)
    )
    found = [Owed(row, invoice_links.page_of(row.pk), _depends(row, subscription)) for row in rows]
    return sorted(found, key=lambda owed: not owed.access_depends)


def _depends(row: Invoice, subscription: Subscription | None) -> bool:
    """Return whether access depends on an invoice: on the latest of a subscription, whose payment Stripe asks for."""
    return subscription is not None and bool(row.subscription_id) and row.pk == subscription.latest_invoice
