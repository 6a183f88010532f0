"""This module lists the money facts of a span of time, oldest first: invoices, what paid them, and what was given back.

An amount has the sign of what it does to our side: invoices, payments, and what a balance or others paid are above 0;
credit notes, voids, write-offs, refunds and disputes below. The reverse of each has the other sign.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import QuerySet

from billing.models import BalanceTransaction, CreditNote, Invoice, InvoicePayment

from . import lookups, sheets
from .lookups import Links
from .sheets import Span
from .taxes import Part, negated, parts_of, scaled

Status = Invoice.Status


class Kind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    VOID = "void"
    WRITE_OFF = "write_off"
    BALANCE = "balance"
    OUT_OF_BAND = "out_of_band"
    PAYMENT = "payment"
    PAYMENT_FAILED = "payment_failed"
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    DISPUTE = "dispute"
    DISPUTE_REVERSED = "dispute_reversed"
    OTHER = "other"


KINDS = {
    "charge": Kind.PAYMENT,
    "charge_failure": Kind.PAYMENT_FAILED,
    "refund": Kind.REFUND,
    "refund_failure": Kind.REFUND_FAILED,
    "dispute": Kind.DISPUTE,
    "dispute_reversal": Kind.DISPUTE_REVERSED,
}


@dataclass(frozen=True)
class Fact:
    """A money fact has one part for each tax rate; that of a payment has one part, without tax. Minor units.

    `settles`: whether it settles what an invoice or credit note asks for. `fee` is in the currency of the balance;
    `booked` is what the balance moved in that currency, where Stripe converted.
    """

    at: datetime
    id: str
    kind: Kind
    customer: str
    invoice: str
    parts: tuple[Part, ...]
    currency: str
    fee: int = 0
    settles: bool = True
    booked: tuple[int, str] | None = None

    @property
    def gross(self) -> int:
        return sum(part.gross for part in self.parts)


def facts(span: Span) -> Iterator[Fact]:
    """Yield the facts of a span in a fixed order, a portion of rows in memory at a time; what is 0 is left out."""
    sources = (
        *(_of_invoices(span, name) for name in ("finalized_at", "paid_at", "voided_at", "written_off_at")),
        *(_of_credit_notes(span, name) for name in ("created_at", "voided_at")),
        _of_payments_after_write_off(span),
        _of_transactions(span),
    )
    for fact in heapq.merge(*sources, key=lambda fact: fact.at):
        if fact.gross or fact.fee or any(part.tax for part in fact.parts):
            yield fact


def _of_invoices(span: Span, name: str) -> Iterator[Fact]:
    """Yield what happened to invoices at one of their times."""
    facts_of = {
        "finalized_at": _at_finalization,
        "paid_at": _at_payment,
        "voided_at": _at_voiding,
        "written_off_at": _at_write_off,
    }[name]
    rows = Invoice.objects.exclude(status=Status.DRAFT).filter(span.has(name)).order_by(name, "pk")
    for portion in lookups.portions(rows):
        links = lookups.links_of(row.pk for row in portion)
        for row in portion:
            yield from facts_of(row, links, getattr(row, name))


def _at_finalization(row: Invoice, links: Links, at: datetime) -> Iterator[Fact]:
    yield _of(row, Kind.INVOICE, at, parts_of(row.total, row.taxes))
    yield _of(row, Kind.BALANCE, at, [Part(row.balance_applied, 0)])


def _at_payment(row: Invoice, links: Links, at: datetime) -> Iterator[Fact]:
    """Yield what was paid elsewhere, what was overpaid, and what had been written off."""
    yield _of(row, Kind.OUT_OF_BAND, at, [Part(sheets.elsewhere(row, links), 0)])
    yield _of(row, Kind.BALANCE, at, [Part(-row.overpaid, 0)])
    if row.written_off_at and row.status == Status.PAID:
        yield _of(row, Kind.WRITE_OFF, at, [Part(_regained(row, links), 0)])


def _at_voiding(row: Invoice, links: Links, at: datetime) -> Iterator[Fact]:
    """Yield the invoice in reverse, but for what was credited or paid, and what its balance gets back."""
    if row.status != Status.VOID:
        return
    parts = negated(scaled(parts_of(row.total, row.taxes), sheets.voided(row)))
    yield _of(row, Kind.VOID, at, parts)
    yield _of(row, Kind.BALANCE, at, [Part(-row.balance_applied, 0)])
    if row.written_off_at:
        yield _of(row, Kind.WRITE_OFF, at, [Part(_regained(row, links), 0)])


def _at_write_off(row: Invoice, links: Links, at: datetime) -> Iterator[Fact]:
    yield _of(row, Kind.WRITE_OFF, at, [Part(-_written_off(row, links), 0)])


def _written_off(row: Invoice, links: Links) -> int:
    """Return what was written off: all that had not been paid until then."""
    before = [link.amount for link in links.get(row.pk, ()) if not _is_after_write_off(row, link)]
    return row.amount_due - sum(before)


def _is_after_write_off(row: Invoice, link: InvoicePayment) -> bool:
    return bool(row.written_off_at and link.paid_at and link.paid_at >= row.written_off_at)


def _regained(row: Invoice, links: Links) -> int:
    """Return the part of a write-off that is undone when the invoice is closed: the part that no later payment has
    undone."""
    later = sum(link.amount for link in links.get(row.pk, ()) if _is_after_write_off(row, link))
    return _written_off(row, links) - later + row.overpaid


def _of_payments_after_write_off(span: Span) -> Iterator[Fact]:
    """Yield the part of a write-off that each later payment of the invoice undoes."""
    ids = Invoice.objects.exclude(written_off_at=None).values("pk")
    rows = InvoicePayment.objects.filter(span.has("paid_at"), invoice_id__in=ids).exclude(amount=0)
    for portion in lookups.portions(rows.order_by("paid_at", "pk")):
        invoices = Invoice.objects.in_bulk({link.invoice_id for link in portion})
        for link in portion:
            if link.paid_at and _is_after_write_off(invoices[link.invoice_id], link):
                parts = (Part(link.amount, 0),)
                row = invoices[link.invoice_id]
                yield Fact(link.paid_at, link.pk, Kind.WRITE_OFF, row.customer_id, row.pk, parts, row.currency)


def _of(row: Invoice, kind: Kind, at: datetime, parts: list[Part]) -> Fact:
    return Fact(at, row.pk, kind, row.customer_id, row.pk, tuple(parts), row.currency)


def _of_credit_notes(span: Span, name: str) -> Iterator[Fact]:
    sign = 1 if name == "voided_at" else -1
    for portion in lookups.portions(CreditNote.objects.filter(span.has(name)).order_by(name, "pk")):
        for note in portion:
            yield from _of_note(note, getattr(note, name), sign)


def _of_note(note: CreditNote, at: datetime, sign: int) -> Iterator[Fact]:
    """Yield a credit note and what it gives back, except its refunds, which are facts of their own."""
    parts = parts_of(note.total, note.taxes)
    for kind, amounts in (
        (Kind.CREDIT_NOTE, parts if sign > 0 else negated(parts)),
        (Kind.BALANCE, [Part(sign * note.to_balance, 0)]),
        (Kind.OUT_OF_BAND, [Part(sign * note.out_of_band, 0)]),
    ):
        yield Fact(at, note.pk, kind, note.customer_id, note.invoice_id, tuple(amounts), note.currency)


def transactions(span: Span) -> QuerySet[BalanceTransaction]:
    """Return Stripe's balance transactions that the books have."""
    rows = lookups.in_the_books(BalanceTransaction.objects.filter(span.has("created_at")))
    return rows.order_by("created_at", "pk")


def _of_transactions(span: Span) -> Iterator[Fact]:
    for portion in lookups.portions(transactions(span)):
        invoices = lookups.invoices_of(portion)
        credited = _by_credit_notes(invoices.values())
        for row in portion:
            yield _of_transaction(row, invoices.get(row.pk, ""), credited)


def _of_transaction(row: BalanceTransaction, invoice: str, credited: set[str]) -> Fact:
    kind = KINDS.get(row.category, Kind.OTHER)
    settles = bool(invoice) if kind in {Kind.PAYMENT, Kind.PAYMENT_FAILED} else row.refund in credited
    return Fact(
        row.created_at,
        row.pk,
        kind,
        row.customer_id,
        invoice,
        (Part(row.face_amount, 0),),
        row.face_currency,
        row.fee,
        settles,
        (row.amount, row.currency) if row.is_converted else None,
    )


def _by_credit_notes(invoices: Iterable[str]) -> set[str]:
    """Return the refunds that a credit note explains: they give back what it has taken off the invoice."""
    lists = CreditNote.objects.filter(invoice_id__in=set(invoices), voided_at=None).values_list("refunds", flat=True)
    return {refund for refunds in lists for refund in refunds}
