"""An invoice's total must come out even.

total = paid at Stripe + paid elsewhere + paid by the customer's balance + credited before payment + written off + void
+ open. A voided invoice gives back what the balance had paid of it. Amounts are minor units.
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime

from django.db.models import Q

from billing.models import Invoice
from billing.money import format_amount

from .lookups import Links

Status = Invoice.Status
PARTS = {"elsewhere": "paid elsewhere", "by_balance": "paid by balances", "written_off": "written off"}
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """A span of time includes `since` and excludes `until`."""

    since: datetime = BEGINNING
    until: datetime = END

    def has(self, *names: str) -> Q:
        """Return the condition that one of these columns is in the span."""
        wanted = Q()
        for name in names:
            wanted |= Q(**{f"{name}__gte": self.since, f"{name}__lt": self.until})
        return wanted


@dataclass
class Sheet:
    """A sheet sums up the invoices of one customer, or of all, in one currency, in minor units."""

    invoiced: int = 0
    paid: int = 0
    elsewhere: int = 0
    by_balance: int = 0
    credited: int = 0
    written_off: int = 0
    void: int = 0
    open: int = 0

    @property
    def is_even(self) -> bool:
        return self.invoiced == sum(getattr(self, each.name) for each in fields(self)[1:])

    def said(self, currency: str) -> str:
        """Return the sum as people read it: `$70.00 invoiced = $20.00 paid + $50.00 open`."""
        shown = {each.name: getattr(self, each.name) for each in fields(self)[1:] if getattr(self, each.name)}
        parts = [f"{format_amount(amount, currency)} {PARTS.get(name, name)}" for name, amount in shown.items()]
        return f"{format_amount(self.invoiced, currency)} invoiced = {' + '.join(parts) or 'nothing'}"

    def add(self, other: "Sheet") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def elsewhere(row: Invoice, links: Links) -> int:
    """Return what was paid of an invoice, but not by a payment at Stripe."""
    return row.amount_paid + row.overpaid - sum(link.amount for link in links.get(row.pk, ()))


def voided(row: Invoice) -> int:
    return row.total - row.credited - row.amount_paid if row.status == Status.VOID else 0


def sheet_of(row: Invoice, links: Links) -> tuple[Sheet, list[str]]:
    """Return what an invoice's total came to, and what is wrong with it."""
    outside, wrong = elsewhere(row, links), []
    is_void = row.status == Status.VOID
    sheet = Sheet(
        invoiced=row.total,
        paid=row.amount_paid - outside,
        elsewhere=outside,
        by_balance=0 if is_void else row.balance_applied,
        credited=row.credited,
        written_off=row.amount_remaining if row.status == Status.UNCOLLECTIBLE else 0,
        void=voided(row),
        open=row.amount_remaining if row.status == Status.OPEN else 0,
    )
    asked = row.total - row.balance_applied - row.credited
    if asked != row.amount_due:
        less = f"less {_said(row, row.balance_applied)} of the balance and {_said(row, row.credited)} credited"
        wrong.append(f"{row.pk} is over {_said(row, row.total)}, {less}, yet asks {_said(row, row.amount_due)}")
    if row.amount_due != row.amount_paid + row.amount_remaining:
        paid = f"{_said(row, row.amount_paid)} is paid and {_said(row, row.amount_remaining)} remains"
        wrong.append(f"{row.pk} asks {_said(row, row.amount_due)}, yet {paid}")
    if outside < 0 or (outside and row.status != Status.PAID):
        came = f"its payments brought {_said(row, row.amount_paid + row.overpaid - outside)}"
        wrong.append(f"{row.pk} has {_said(row, row.amount_paid + row.overpaid)} paid, yet {came}")
    if not sheet.is_even and not wrong:
        wrong.append(f"{row.pk} of {_said(row, row.total)} is {row.status}, and leaves a part unexplained")
    return sheet, wrong


def _said(row: Invoice, amount: int) -> str:
    return format_amount(amount, row.currency)
