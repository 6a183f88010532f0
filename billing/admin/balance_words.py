"""Pages about money list what moved on Stripe's balance for it, each line with a link to its balance transaction."""

from typing import Any

from django.db.models import Q, QuerySet

from billing.conf import conf
from billing.models import BalanceTransaction, InvoicePayment

from . import display

PERMISSION = f"{conf.app_label}.view_balancetransaction"


def of_invoice(invoice_id: str) -> QuerySet[BalanceTransaction]:
    """Return what the payments of an invoice moved, with their refunds and disputes."""
    links = InvoicePayment.objects.filter(invoice_id=invoice_id)
    intents, charges = (links.exclude(**{name: ""}).values(name) for name in ("payment_intent", "charge"))
    return BalanceTransaction.objects.filter(Q(payment_intent__in=intents) | Q(charge__in=charges))


def of_source(object_id: str) -> QuerySet[BalanceTransaction]:
    """Return what a refund or a dispute moved, there and back."""
    return BalanceTransaction.objects.filter(source=object_id)


def lines(rows: QuerySet[BalanceTransaction]) -> Any:
    return display.lines(*(_line(row) for row in rows.order_by("created_at", "pk")))


def _line(row: BalanceTransaction) -> Any:
    fee = f", fee {display.amount(row.fee, row.currency)}" if row.fee else ""
    link = display.row_link("balancetransaction", row.pk, f"{display.amount(row.amount, row.currency)} {kind(row)}")
    return display.side_by_side([link, fee], between="")


def kind(row: BalanceTransaction) -> str:
    return row.type.replace("_", " ")
