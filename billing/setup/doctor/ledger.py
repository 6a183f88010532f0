"""This check compares the money of our rows with Stripe's balance transactions, as the last sync has listed them."""

from collections.abc import Iterator
from datetime import timedelta

from billing import books

from .findings import Finding, error, ok, warning

LATELY = timedelta(days=90)
MOST_NAMED = 20


def ledger() -> Iterator[Finding]:
    """Compare the money of the last 90 days with Stripe's balance, and name what differs."""
    if (listed_at := books.books_at()) is None:
        yield warning("ledger", "Stripe's balance transactions are not here yet.", "Run `manage.py sync_stripe`.")
        return
    done = books.reckon(books.Span(since=listed_at - LATELY))
    for difference in done.differences[:MOST_NAMED]:
        yield error("ledger", f"{difference}.", "Run `manage.py sync_stripe --full`. See docs/books.md if it stays.")
    if len(done.differences) > MOST_NAMED:
        text = f"{len(done.differences) - MOST_NAMED} more places differ from Stripe."
        yield error("ledger", text, "Run `manage.py export_ledger`, which names those of a month.")
    if not done.differences:
        sums = "; ".join(sheet.said(currency) for currency, sheet in done.whole().items())
        yield ok("ledger", f"The books of {LATELY.days} days balance: {sums or 'nothing was invoiced'}.")


CHECKS = (ledger,)
