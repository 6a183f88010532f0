"""Rows that belong together are read in portions here, so that memory stays flat however many there are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import F, Model, OuterRef, Q, QuerySet, Subquery

from billing.models import BalanceTransaction, Invoice, InvoicePayment, SyncRun

Links = dict[str, list[InvoicePayment]]  # by invoice


def portions(rows: QuerySet[Any], size: int = 500) -> Iterator[list[Any]]:
    """Yield the rows of a query in portions, each by a query of its own: behind PgBouncer a cursor would be lost.

    The query is ordered by its primary key, or by one column that is never null and then the primary key.
    """
    *by, _ = map(str, rows.query.order_by)
    portion = list(rows[:size])
    while portion:
        yield portion
        portion = list(rows.filter(_after(portion[-1], *by))[:size])


def _after(row: Model, by: str = "pk") -> Q:
    value = getattr(row, by)
    return Q(**{f"{by}__gte": value}) & (Q(**{f"{by}__gt": value}) | Q(pk__gt=row.pk))


def links_of(invoices: Iterable[str]) -> Links:
    """Return the payments that brought money to these invoices."""
    found: Links = defaultdict(list)
    for link in InvoicePayment.objects.filter(invoice_id__in=list(invoices)).exclude(amount=0).order_by("pk"):
        found[link.invoice_id].append(link)
    return found


def invoices_of(rows: Iterable[BalanceTransaction]) -> dict[str, str]:
    """Return the invoice that each transaction is about, by the transaction's id; none for one without an invoice."""
    rows = list(rows)
    by_intent = _invoices_by("payment_intent", [row.payment_intent for row in rows if row.payment_intent])
    by_charge = _invoices_by("charge", [row.charge for row in rows if row.charge])
    found = {row.pk: by_intent.get(row.payment_intent) or by_charge.get(row.charge) or "" for row in rows}
    return {pk: invoice for pk, invoice in found.items() if invoice}


def _invoices_by(name: str, ids: list[str]) -> dict[str, str]:
    links = InvoicePayment.objects.filter(**{f"{name}__in": ids}).order_by("pk")
    return dict(links.values_list(name, "invoice_id"))


def moved(name: str, ids: Iterable[str], categories: Iterable[str]) -> dict[str, int]:
    """Return what Stripe's balance transactions of these categories come to, in the charge's own currency, by the
    value of a column such as `refund`. What has no transaction is not in it.
    """
    rows = BalanceTransaction.objects.filter(**{f"{name}__in": [each for each in ids if each]})
    sums: dict[str, int] = {}
    for key, amount in rows.filter(category__in=categories).values_list(name, "face_amount"):
        sums[key] = sums.get(key, 0) + amount
    return sums


def in_the_books(rows: QuerySet[BalanceTransaction]) -> QuerySet[BalanceTransaction]:
    """Keep only rows about our customers; the books of each begin with their first invoice here."""
    first = Invoice.objects.filter(customer=OuterRef("customer_id")).order_by("created_at").values("created_at")[:1]
    return rows.exclude(customer_id="").annotate(first_at=Subquery(first)).filter(first_at__lte=F("created_at"))


def books_at() -> datetime | None:
    """Return up to when Stripe's balance transactions are here, by billing's clock; None if no sync has listed them."""
    runs = SyncRun.objects.exclude(books_at=None).order_by("-books_at")
    return runs.values_list("books_at", flat=True).first()
