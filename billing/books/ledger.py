"""The ledger of a month is written for an accountant, and checks its own sums while it is written."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from django.db.models import Sum

from billing import clock
from billing.commands import spelled
from billing.models import CreditNote, Invoice, TaxRate
from billing.money import format_amount

from . import beancount, csv_lines
from .facts import KINDS, Fact, Kind, facts, transactions
from .lookups import books_at
from .reckoning import Difference, reckon
from .sheets import Span
from .taxes import Rates

FORMATS = ("csv", "beancount")
MONTH = re.compile(r"(\d{4})-(\d{2})")


class Out(Protocol):
    """A ledger is written to this: a file, or a command's output."""

    def write(self, text: str, /) -> object: ...


class NotAMonth(ValueError):
    """The text is no month."""


@dataclass(frozen=True)
class Month:
    """A month is one in UTC, written `2026-10`."""

    name: str
    span: Span

    @classmethod
    def parse(cls, text: str) -> "Month":
        found = MONTH.fullmatch(text)
        year, month = (int(found[1]), int(found[2])) if found else (0, 0)
        if not (1970 <= year < 9999 and 1 <= month <= 12):
            raise NotAMonth(f"{text!r} is not a month. Write 2026-10.")
        after = (year + 1, 1) if month == 12 else (year, month + 1)
        return cls(text, Span(datetime(year, month, 1, tzinfo=UTC), datetime(*after, 1, tzinfo=UTC)))

    @property
    def is_over(self) -> bool:
        return self.span.until <= clock.now()


class Ledger:
    """`wrong` names each sum that differs from its rows, and `differences` what the books do not explain."""

    def __init__(self, month: Month, form: str = "csv") -> None:
        self.month, self.form = month, form
        self.rates = Rates()
        self.counts: Counter[str] = Counter()
        self.sums: Counter[tuple[str, str]] = Counter()
        self.wrong: list[str] = []
        self.differences: list[Difference] = []

    @property
    def is_even(self) -> bool:
        return not self.wrong and not self.differences

    def write(self, out: Out) -> None:
        """Write all lines as they are read from the database; then reckon the month's books."""
        write = self._beancount if self.form == "beancount" else self._csv
        write(out)
        self._check()
        self.differences = reckon(self.month.span).differences

    def summary(self) -> str:
        """Return one line on what was written, whether the books balance, and what is still to come."""
        lines = ", ".join(f"{number:,} {kind.replace('_', ' ')}" for kind, number in sorted(self.counts.items()))
        wrong = len(self.wrong) + len(self.differences)
        verdict = f"{wrong:,} {'difference' if wrong == 1 else 'differences'}" if wrong else "the books balance"
        said = f"Ledger of {self.month.name}: {lines or 'no money moved'}; {verdict}."
        return " ".join([said, *self._still_to_come()])

    def _still_to_come(self) -> Iterator[str]:
        listed_at = books_at()
        if not self.month.is_over:
            yield f"{self.month.name} is not over, so lines will be added."
        if listed_at is None:
            yield spelled("Stripe's balance transactions are not here yet: run `manage.py sync_stripe`.")
        elif listed_at < self.month.span.until and self.month.is_over:
            upto = f"{listed_at:%Y-%m-%d %H:%M}"
            yield spelled(f"Stripe's balance transactions are here up to {upto}: run `manage.py sync_stripe`.")

    def _facts(self) -> Iterator[Fact]:
        for fact in facts(self.month.span):
            self.counts[fact.kind] += 1
            self.sums[fact.kind, fact.currency] += fact.gross
            self.sums["fee", fact.booked[1] if fact.booked else fact.currency] += fact.fee
            yield fact

    def _csv(self, out: Out) -> None:
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(csv_lines.header())
        for fact in self._facts():
            lines.writerows(csv_lines.lines_of(fact, self.rates))

    def _beancount(self, out: Out) -> None:
        countries = TaxRate.objects.order_by("country").values_list("country", flat=True).distinct()
        for line in beancount.header(countries):
            out.write(f"{line}\n")
        for fact in self._facts():
            for line in beancount.lines_of(fact, self.rates):
                out.write(f"{line}\n")
            if not beancount.is_even(beancount.postings_of(fact, self.rates)):
                self.wrong.append(f"{fact.kind} {fact.id} does not come to zero")

    def _check(self) -> None:
        """Compare what was written with sums that the database adds up by itself."""
        sums = self._sums_by_the_database()
        checked = {kind for kind, _ in sums}
        for key in sorted(sums.keys() | {key for key in self.sums if key[0] in checked}):
            wanted = sums.get(key, 0)
            if self.sums[key] != wanted:
                kind, currency = key
                written, there = (format_amount(each, currency) for each in (self.sums[key], wanted))
                self.wrong.append(f"the lines of {kind} come to {written}, and the rows to {there}")

    def _sums_by_the_database(self) -> dict[tuple[str, str], int]:
        span = self.month.span
        invoices = Invoice.objects.exclude(status=Invoice.Status.DRAFT).filter(span.has("finalized_at"))
        sums: Counter[tuple[str, str]] = Counter()
        sums.update(_by_currency(Kind.INVOICE, invoices, "total", "currency"))
        moved = transactions(span).order_by()
        for category in set(moved.values_list("category", flat=True).distinct()):
            kind = KINDS.get(category, Kind.OTHER)
            sums.update(_by_currency(kind, moved.filter(category=category), "face_amount", "face_currency"))
        sums.update(_by_currency("fee", moved, "fee", "currency"))
        voided = _by_currency(Kind.CREDIT_NOTE, CreditNote.objects.filter(span.has("voided_at")), "total", "currency")
        issued = _by_currency(Kind.CREDIT_NOTE, CreditNote.objects.filter(span.has("created_at")), "total", "currency")
        sums.update(voided)
        sums.subtract(issued)
        return dict(sums)


def _by_currency(kind: str, rows: Any, amount: str, currency: str) -> Counter[tuple[str, str]]:
    sums: Counter[tuple[str, str]] = Counter()
    for code, total in rows.order_by().values_list(currency).annotate(sum=Sum(amount)):
        sums[kind, code] += total
    return sums
