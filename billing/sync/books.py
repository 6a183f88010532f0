"""The sync lists Stripe's balance transactions, credit notes and tax rates, a hundred a call, for the books.

None of them changes once it is made, but a credit note that is voided: so a run lists what is new since the last, and
`--full` all there ever was.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from billing import books, lanes, payments
from billing.models import BalanceTransaction, Customer, SyncRun
from billing.monitoring import alerts
from billing.stripe_client import NoSuchCustomer, StripeRefused, fetch

from . import report
from .listing import Reader, Stretch
from .parallel import each

LISTS: tuple[tuple[str, dict[str, Any], Any], ...] = (
    ("/v1/tax_rates", {}, books.recording.tax_rate_of),
    ("/v1/balance_transactions", {"expand": ["data.source"]}, books.recording.transaction_of),
    ("/v1/credit_notes", {}, books.recording.credit_note_of),
)
RECORDS = {
    "invoice": payments.record_anew,
    "refunds": payments.refunds.record_refunds,
    "dispute": payments.disputes.record_dispute,
}
# Stripe may list a transaction a while after the time that it bears; a note may be voided while its invoice is open.
OVERLAP = timedelta(days=3)
COMPARED = timedelta(days=90)
WAIT_SECONDS = 5.0
MOST_NAMED = 5


def fill(run: SyncRun, tick: Callable[[], None], *, from_the_beginning: bool, is_dry: bool) -> None:
    """Save what is new, and find the invoices that unknown charges pay. Raises `StripeUnavailable`. A key that may not
    read one of the lists is noted, and stops nothing else.
    """
    began_at, last = run.clock_at, books.books_at()
    since = books.BEGINNING if last is None or from_the_beginning else last - OVERLAP
    try:
        for path, params, row_of in LISTS:
            recorder = books.recording.Recorder(row_of, is_dry=is_dry)
            for page in Reader([Stretch(path, params, int(since.timestamp()))]):
                recorder(page)
                tick()
            for bad in recorder.bad:
                report.note(run, f"{bad} of {path} could not be saved, so the books lack it.")
            if recorder.unknown:
                report.note(run, f"{recorder.unknown:,} of {path} have no row here yet.")
    except StripeRefused as error:
        report.note(run, f"The books were not filled: {error.user_message or error.code or type(error).__name__}")
        return
    if is_dry:
        return
    books.recording.fill_in_customers(since)
    _link_charges(run, since, tick)
    run.books_at = began_at
    run.save(update_fields=["books_at"])


def _link_charges(run: SyncRun, since: datetime, tick: Callable[[], None]) -> None:
    """Ask Stripe, once for each charge whose invoice we do not know, which invoice it pays."""
    rows = {row.pk: row for row in books.recording.unlinked_charges(books.Span(since))}
    each(lambda pk: _link(run, rows[pk]), rows, tick)


def _link(run: SyncRun, row: BalanceTransaction) -> None:
    _under_lane(run, row.customer_id, row.charge, partial(_record, row))


def _record(row: BalanceTransaction) -> None:
    customer = Customer.objects.get(pk=row.customer_id)
    if not payments.record_missed_invoice(customer, row.payment_intent):
        BalanceTransaction.objects.filter(pk=row.pk).update(is_without_invoice=True)


def compare(run: SyncRun, tick: Callable[[], None], *, is_dry: bool) -> None:
    """Ask Stripe anew about what the books of the last 90 days do not explain, and alert staff to what stays so.

    Charges are linked once more: a customer's books begin with their first invoice, which this run may have brought.
    """
    if run.books_at is None or is_dry:
        return
    span = books.Span(since=run.books_at - COMPARED)
    _link_charges(run, span.since, tick)
    doubtful = {each.about: each for each in books.reckon(span).differences if each.about}
    if doubtful:
        each(lambda about: _mend(run, doubtful[about]), doubtful, tick)
        report.note(run, f"The books differed in {report.count(len(doubtful), 'place')}, so Stripe was asked anew.")
    if found := books.reckon(span).differences:
        named = "\n".join(str(each) for each in found[:MOST_NAMED])
        alerts.remind_staff(
            "books",
            f"The books differ from Stripe in {report.count(len(found), 'place')}",
            f"{named}\n`manage.py billing_doctor` shows them all.",
        )


def _mend(run: SyncRun, wrong: books.Difference) -> None:
    """Record an invoice, the refunds of a charge, or a dispute, as its webhook would have done."""
    record = RECORDS[wrong.what]
    _under_lane(run, wrong.customer, wrong.about, lambda: record(Customer.objects.get(pk=wrong.customer), wrong.about))


def _under_lane(run: SyncRun, customer: str, about: str, work: Callable[[], Any]) -> None:
    """Do the work with the lane locked; what Stripe refuses is noted. The next run meets a busy lane again."""
    try:
        with lanes.exclusive(customer, WAIT_SECONDS) as commit:
            commit(work)
    except (lanes.LaneBusy, NoSuchCustomer):
        return
    except (*StripeRefused, fetch.NotTheirs) as error:
        report.note(run, f"{about}: {getattr(error, 'user_message', '') or error}")
