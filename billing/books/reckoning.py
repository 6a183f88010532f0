"""The books balance if each invoice comes out even, and each payment, refund and dispute is what Stripe's balance
transactions say."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, QuerySet

from billing import stripe_account
from billing.models import BalanceTransaction, Dispute, Invoice, InvoicePayment, Payment, Refund, StripeEvent
from billing.money import format_amount

from . import lookups, recording
from .sheets import Sheet, Span, sheet_of

Status = Invoice.Status
GIVEN_BACK = Refund.UNDONE | Refund.WAITING


@dataclass(frozen=True)
class Difference:
    """A difference is a sentence that names ids and amounts. `what` and `about` say what to ask Stripe about to mend
    our rows: an invoice, the refunds of a charge, or a dispute; "" where they are not at fault.
    """

    customer: str
    text: str
    what: str = ""
    about: str = ""

    def __str__(self) -> str:
        return f"{self.customer}: {self.text}"


@dataclass
class Reckoning:
    """`sheets`: by customer and currency, of invoices that were finalized in the time reckoned."""

    differences: list[Difference] = field(default_factory=list)
    sheets: dict[tuple[str, str], Sheet] = field(default_factory=lambda: defaultdict(Sheet))

    def whole(self) -> dict[str, Sheet]:
        """Return the sheet of all customers, by currency."""
        found: dict[str, Sheet] = defaultdict(Sheet)
        for (_, currency), sheet in sorted(self.sheets.items()):
            found[currency].add(sheet)
        return dict(found)


def reckon(span: Span | None = None) -> Reckoning:
    """Reckon the money of a span of time, or all. Nobody is judged of whom an event still waits: our rows are behind.

    What is later than the last list of balance transactions is not compared with them.
    """
    span = span or Span()
    done = Reckoning()
    found = [*_of_invoices(span, done), *_of_stripe(span)]
    behind = set(StripeEvent.objects.waiting().filter(lane__in={each.customer for each in found}).values_list("lane"))
    done.differences = [each for each in found if (each.customer,) not in behind]
    return done


def _of_invoices(span: Span, done: Reckoning) -> Iterator[Difference]:
    happened = span.has("finalized_at", "paid_at", "voided_at", "written_off_at")
    rows = Invoice.objects.exclude(status=Status.DRAFT).filter(happened).order_by("pk")
    for portion in lookups.portions(rows):
        links = lookups.links_of(row.pk for row in portion)
        for row in portion:
            sheet, wrong = sheet_of(row, links)
            if row.finalized_at and span.since <= row.finalized_at < span.until:
                done.sheets[row.customer_id, row.currency].add(sheet)
            yield from (Difference(row.customer_id, text, "invoice", row.pk) for text in wrong)


# Beside Stripe's balance transactions


def _of_stripe(span: Span) -> Iterator[Difference]:
    listed_at = lookups.books_at()
    if listed_at is None:
        return
    span = Span(span.since, min(span.until, listed_at))
    yield from _of_payments(span)
    yield from _of_refunds(span)
    yield from _of_disputes(span)
    yield from _without_rows(span)
    yield from _of_fees(span)


def _of_payments(span: Span) -> Iterator[Difference]:
    links = _here(InvoicePayment.objects.exclude(amount=0).filter(span.has("paid_at")))
    for portion in lookups.portions(links):
        currencies = _currencies(link.invoice_id for link in portion)
        of_intents = lookups.moved("payment_intent", [x.payment_intent for x in portion], BalanceTransaction.CHARGES)
        of_charges = lookups.moved("charge", [x.charge for x in portion], BalanceTransaction.CHARGES)
        for link in portion:
            if link.invoice_id in currencies:
                came = of_intents.get(link.payment_intent, of_charges.get(link.charge))
                said = f"the payment {link.payment_intent or link.charge} of {link.invoice_id}"
                about = ("invoice", link.invoice_id)
                yield from _compared(link.customer_id, said, link.amount, came, currencies[link.invoice_id], about)


def _of_refunds(span: Span) -> Iterator[Difference]:
    rows = _here(Refund.objects.filter(span.has("created_at")))
    for portion in lookups.portions(rows):
        came = lookups.moved("refund", [row.pk for row in portion], BalanceTransaction.REFUNDS)
        for row in portion:
            wanted = 0 if row.status in GIVEN_BACK else -row.amount
            if row.status in Refund.KNOWN and not (row.status == "pending" and row.pk not in came):
                said = f"the refund {row.pk} ({row.status}) of {row.invoice_id or row.charge}"
                about = ("refunds", row.charge)
                yield from _compared(row.customer_id, said, wanted, came.get(row.pk), row.currency, about)


def _of_disputes(span: Span) -> Iterator[Difference]:
    rows = _here(Dispute.objects.filter(span.has("opened_at")))
    for portion in lookups.portions(rows):
        came = lookups.moved("dispute", [row.pk for row in portion], BalanceTransaction.DISPUTES)
        back = lookups.moved("dispute", [row.pk for row in portion if row.is_lost], BalanceTransaction.GIVEN_BACK)
        for row in portion:
            is_taken = row.status in Dispute.OPEN or row.is_lost
            said = f"the dispute {row.pk} ({row.status}) of {row.invoice_id or row.charge}"
            if row.status in Dispute.KNOWN:
                wanted = _part_of(back.get(row.pk, 0), row.amount) - row.amount if is_taken else 0
                about = ("dispute", row.pk)
                yield from _compared(row.customer_id, said, wanted, came.get(row.pk), row.currency, about)


def _part_of(back: int, amount: int) -> int:
    """Return what came back of a dispute that is lost: a part, if Stripe's dashboard calls it partially won. All of it
    would be a dispute that is won.
    """
    return back if 0 < back < amount else 0


def _here(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Leave out customers of another Stripe account or mode, whose transactions our key cannot list."""
    return rows.exclude(customer__in=stripe_account.of_another_account()).order_by("pk")


def _compared(
    customer: str, said: str, wanted: int, came: int | None, currency: str, about: tuple[str, str]
) -> Iterator[Difference]:
    if came is None and wanted:
        text = f"{said} moved {format_amount(wanted, currency)}, and Stripe's balance has no transaction for it"
        yield Difference(customer, text, *about)
    elif (came or 0) != wanted:
        text = f"moved {format_amount(wanted, currency)}, and {format_amount(came or 0, currency)} by Stripe's balance"
        yield Difference(customer, f"{said} {text}", *about)


def _currencies(invoices: Iterable[str]) -> dict[str, str]:
    """Return the currency of each invoice that has a row: an older one may be known by its payment alone."""
    return dict(Invoice.objects.filter(pk__in=list(invoices)).values_list("pk", "currency"))


def _without_rows(span: Span) -> Iterator[Difference]:
    """Name the money that Stripe moved for our customers and that we have no row of."""
    for row in recording.unlinked_charges(span):
        text = f"the charge {row.charge} of {format_amount(row.face_amount, row.face_currency)} has no invoice here"
        yield Difference(row.customer_id, text)
    ours = lookups.in_the_books(BalanceTransaction.objects.filter(span.has("created_at")))
    kinds: dict[str, QuerySet[Any]] = {"refund": Refund.objects.all(), "dispute": Dispute.objects.all()}
    for name, rows in kinds.items():
        for portion in lookups.portions(ours.exclude(**{name: ""}).order_by("pk")):
            yield from _unknown(name, portion, rows)


def _unknown(name: str, portion: list[BalanceTransaction], rows: QuerySet[Any]) -> Iterator[Difference]:
    """Name refunds and disputes that have no row, although we recorded the payment of their invoice. Those that were
    paid before we knew the customer are not in our books."""
    known = set(rows.filter(pk__in=[getattr(row, name) for row in portion]).values_list("pk", flat=True))
    lost = [row for row in portion if getattr(row, name) not in known]
    invoices = lookups.invoices_of(lost)
    recorded = set(Payment.objects.filter(invoice_id__in=invoices.values()).values_list("invoice_id", flat=True))
    for row in lost:
        if invoices.get(row.pk) in recorded:
            amount = format_amount(row.face_amount, row.face_currency)
            said = f"the {name} {getattr(row, name)} of {invoices[row.pk]}"
            text = f"{said}, {amount} by Stripe's balance, has no row here"
            about = ("dispute", row.dispute) if row.dispute else ("refunds", row.charge)
            yield Difference(row.customer_id, text, *about)


def _of_fees(span: Span) -> Iterator[Difference]:
    rows = BalanceTransaction.objects.filter(span.has("created_at")).exclude(net=F("amount") - F("fee"))
    for row in rows.order_by("pk"):
        amounts = [format_amount(each, row.currency) for each in (row.amount, row.fee, row.net)]
        yield Difference(row.customer_id, f"{row.pk}: {amounts[0]} less a fee of {amounts[1]} is not {amounts[2]}")
