"""A subscriber owes their invoices that are open and buy something; their rows say so."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from billing import site
from billing.access import Access
from billing.models import Customer, Invoice, PaymentFailure, Subscription

from . import invoice_links


@dataclass(frozen=True)
class Owed:
    """This invoice waits for money. The access of the line depends on it, or that of another line does, or none: a
    one-off sale, or an older one. `page` is the path where it is paid, and `pdf` that of its document; both are "" for
    who may not pay it.
    """

    row: Invoice
    page: str
    pdf: str = ""
    access_depends: bool = False
    of_another_line: bool = False

    @property
    def url(self) -> str:
        return site.absolute(self.page) if self.page else ""

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

    @cached_property
    def failure(self) -> PaymentFailure | None:
        """Return the latest try that failed, if the invoice waits for another one."""
        if self.row.payment != Invoice.Standing.FAILED:
            return None
        return PaymentFailure.objects.filter(invoice_id=self.row.pk).order_by("-attempt").first()


def unpaid_of(subscriber: Any) -> list[Invoice]:
    """Return the invoices of a subscriber that wait for money, the earliest due first."""
    rows = Invoice.objects.owed().filter(customer__in=Customer.objects.living_of(subscriber).values("pk"))
    return sorted(rows, key=lambda row: (row.due_at or row.created_at, row.pk))


def lacks_address(subscriber: Any) -> bool:
    """Return whether an invoice, or the tax of a subscription, waits for an address of the subscriber."""
    theirs = Customer.objects.living_of(subscriber).values("pk")
    if Invoice.objects.awaiting_address().filter(customer__in=theirs).exists():
        return True
    rows = Subscription.objects.filter(customer__in=theirs, lacks_address=True)
    return rows.exclude(whose=Subscription.Whose.FOREIGN).exists()


def owed_in(line: str, lines: dict[str, Access], unpaid: list[Invoice]) -> list[Owed]:
    """Return what is owed; the invoice that access in this line depends on comes first."""
    held = {now.subscription.latest_invoice: name for name, now in lines.items() if now.subscription}
    found = [
        Owed(
            row,
            invoice_links.page_of(row.pk),
            invoice_links.pdf_of(row.pk),
            access_depends=held.get(row.pk) == line,
            of_another_line=held.get(row.pk, line) != line,
        )
        for row in unpaid
    ]
    return sorted(found, key=lambda owed: not owed.access_depends)
