"""Our books beside Stripe's: every transaction is here, every sum is the same, each ledger comes out even."""

import io
from collections import Counter
from datetime import timedelta

from django.utils import timezone

from billing import books, clock
from billing.models import BalanceTransaction, Invoice, SyncRun
from billing.sync import books as listing

NAMES = ("id", "category", "amount", "fee", "net", "currency", "source")


def differences(truth, stripe):
    """(customer, sentence) of each."""
    _list_now()
    yield from _transactions(stripe)
    done = books.reckon()
    yield from ((each.customer, f"books: {each.text}") for each in done.differences)
    yield from _sheets(truth, done.sheets)
    yield from _months()


def _list_now():
    """As the sync does, a moment after all that happened."""
    run = SyncRun.objects.create(
        mode="routine", status="done", started_at=timezone.now(), clock_at=clock.now() + timedelta(seconds=2)
    )
    listing.fill(run, lambda: None, from_the_beginning=False, is_dry=False)
    for note in run.notes:
        raise AssertionError(note)


def _transactions(stripe):
    theirs = {row["id"]: tuple(row[name.replace("category", "reporting_category")] for name in NAMES)
              for row in stripe.all("balance_transactions")}  # fmt: skip
    ours = {row[0]: row for row in BalanceTransaction.objects.values_list(*NAMES)}
    for pk in theirs.keys() | ours.keys():
        if theirs.get(pk) != ours.get(pk):
            yield "", f"balance transaction {pk} is {ours.get(pk)}, at Stripe {theirs.get(pk)}"
    balance = sum(part["amount"] for name in ("available", "pending") for part in stripe.get("balance")[name])
    if sum(row[4] for row in ours.values()) != balance:
        yield "", f"our transactions come to {sum(row[4] for row in ours.values())}, Stripe's balance is {balance}"


def _sheets(truth, sheets):
    """What was invoiced and paid by customer, as Stripe's own invoices and charges say."""
    invoiced, paid = Counter(), Counter()
    for invoice in truth.invoices.values():
        if invoice["status"] != "draft":
            invoiced[invoice["customer"], invoice["currency"]] += invoice["total"]
    for charge in truth.charges.values():
        if charge["paid"] and charge["payment_intent"] in truth.links:
            paid[charge["customer"], charge["currency"]] += charge["amount_captured"]
    for key in sheets.keys() | invoiced.keys():
        ours = (sheets[key].invoiced, sheets[key].paid, sheets[key].is_even)
        if ours != (invoiced[key], paid[key], True):
            yield key[0], f"invoiced and paid are {ours}, at Stripe {(invoiced[key], paid[key])} {key[1]}"


def _months():
    for month in sorted({f"{at:%Y-%m}" for at in Invoice.objects.values_list("created_at", flat=True)}):
        ledger = books.Ledger(books.Month.parse(month), "beancount")
        ledger.write(io.StringIO())
        yield from (("", f"ledger of {month}: {text}") for text in ledger.wrong)
