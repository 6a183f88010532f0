"""The customer's page shows what they have paid in all, what they bring, what is charged next, and their invoices."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Sum
from django.http import HttpRequest

from billing.conf import conf
from billing.models import Customer, NextCharge, Subscription
from billing.subscriptions import LIVE

from . import display, payment_words
from .panels import Panel

SHOWN = 12
COLUMNS = ("invoice", "amount", "status", "created", "to be paid")
BRINGS = (Subscription.Status.ACTIVE, Subscription.Status.PAST_DUE)


@dataclass(frozen=True)
class Money:
    """`figures` are names and values; `invoices` is None for a reader who may not see them."""

    figures: list[tuple[str, Any]]
    invoices: Panel | None


def money_of(request: HttpRequest, customer: Customer) -> Money | None:
    """Return what the reader may see; None if that is nothing."""

    def may(name: str) -> bool:
        return bool(request.user.has_perm(f"{conf.app_label}.view_{name}"))

    figures = [*(_paid(customer) if may("payment") else []), *(_coming(customer) if may("subscription") else [])]
    invoices = _invoices(customer) if may("invoice") else None
    return Money(figures, invoices) if figures or invoices else None


def _paid(customer: Customer) -> Iterator[tuple[str, Any]]:
    yield "Paid in all", _sums(customer.payments.values_list("currency").annotate(Sum("amount")).order_by("currency"))
    back = customer.refunds.exclude(status__in=["failed", "canceled"])
    if back.exists():
        yield "Of which refunded", _sums(back.values_list("currency").annotate(Sum("amount")).order_by("currency"))


def _coming(customer: Customer) -> Iterator[tuple[str, Any]]:
    bring = customer.subscriptions.filter(status__in=BRINGS).exclude(whose=Subscription.Whose.FOREIGN)
    rows = bring.values_list("currency").annotate(sum=Sum(F("mrr") - F("mrr_off"))).order_by("currency")
    yield "MRR", _sums([(currency, minor) for currency, minor in rows if minor])
    yield "Next charge", display.lines(*_charges(customer)) or "nothing"
    if customer.credit and customer.currency:
        yield "Credit", display.amount(customer.credit, customer.currency)


def _charges(customer: Customer) -> list[Any]:
    live = NextCharge.objects.filter(subscription__customer=customer, subscription__status__in=LIVE)
    known = live.filter(amount__isnull=False, at__isnull=False).order_by("at", "pk")
    words = (("on ", display.day(row.at)) for row in known)
    return [
        display.side_by_side([display.amount(row.amount, row.currency), *on], between=" ")
        for row, on in zip(known, words, strict=True)
    ]


def _sums(rows: Any) -> Any:
    return display.lines(*(display.amount(minor, currency) for currency, minor in rows)) or "nothing"


def _invoices(customer: Customer) -> Panel:
    newest = customer.invoices.order_by("-created_at", "-pk")[:SHOWN]
    rows = [
        (
            display.row_link("invoice", row.pk, row),
            display.amount(row.total, row.currency),
            payment_words.invoice_status(row),
            display.day(row.created_at),
            display.amount(row.amount_remaining, row.currency) if row.is_open else "–",
        )
        for row in newest
    ]
    return Panel("Invoices", COLUMNS, rows, display.list_link("invoice", "All invoices", q=customer.pk))
