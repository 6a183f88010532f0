"""The open invoices of a customer are compared with our rows, which say what is owed."""

from collections.abc import Iterable
from typing import Any

from billing.models import Customer, Invoice, Subscription
from billing.stripe_client import StripeRefused, fetch

Found = dict[str, Any]

COLUMNS = {"status": "status", "amount_remaining": "amount_remaining", "attempts": "attempt_count"}
KEPT = ("id", "customer", *COLUMNS.values())
OWING = (Subscription.Status.PAST_DUE, Subscription.Status.UNPAID, Subscription.Status.INCOMPLETE)


def wrong_of(customer: Customer, *, is_doubtful: bool) -> list[tuple[Invoice | None, Found]]:
    """Return the invoices that differ, each with our row of it. Stripe is asked only where our rows, or those who
    doubt them, say that something is owed.
    """
    rows = {row.pk: row for row in Invoice.objects.filter(customer=customer, status=Invoice.Status.OPEN)}
    if not (is_doubtful or rows or _is_owing(customer)):
        return []
    listed = {found["id"]: found for found in fetch.open_invoices_of(customer.pk)}
    rows |= Invoice.objects.in_bulk([pk for pk in listed if pk not in rows])
    found = {pk: listed.get(pk) or _asked(pk, customer) for pk in {**rows, **listed}}
    return [(rows.get(pk), invoice) for pk, invoice in found.items() if invoice and _differs(rows.get(pk), invoice)]


def _asked(invoice: str, customer: Customer) -> Found | None:
    """Return an invoice that Stripe no longer lists as open; None if Stripe does not know it, and go on."""
    try:
        return fetch.invoice(invoice, customer.pk)
    except StripeRefused as error:
        if error.code == "resource_missing":
            return None
        raise


def doubtful(listed: Iterable[Found]) -> list[str]:
    """Return our customers who have an open invoice at Stripe without an equal row here, or an open row that Stripe
    does not list as open."""
    found = {invoice["id"]: invoice for invoice in listed}
    rows = Invoice.objects.in_bulk(list(found))
    named = {invoice["customer"] for pk, invoice in found.items() if _differs(rows.get(pk), invoice)}
    gone = Invoice.objects.filter(status=Invoice.Status.OPEN).exclude(pk__in=found)
    named.update(gone.values_list("customer_id", flat=True))
    return list(Customer.objects.filter(pk__in=named, deleted_at=None).values_list("pk", flat=True))


def differences(wrong: list[tuple[Invoice | None, Found]]) -> dict[str, tuple[Any, Any]]:
    """Return the differences by invoice and column. An invoice without a row, as after an import, is no drift."""
    return {
        f"{row.pk} {name}": (getattr(row, name), found[theirs])
        for row, found in wrong
        if row is not None
        for name, theirs in COLUMNS.items()
        if getattr(row, name) != found[theirs]
    }


def _is_owing(customer: Customer) -> bool:
    ours = Subscription.objects.filter(customer=customer, status__in=OWING)
    return ours.exclude(whose=Subscription.Whose.FOREIGN).exists()


def _differs(row: Invoice | None, found: Found) -> bool:
    return row is None or any(getattr(row, name) != found[theirs] for name, theirs in COLUMNS.items())
