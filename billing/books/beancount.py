"""This module writes the ledger as beancount: a transaction for each fact, whose postings come to zero."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from billing.money import decimal_amount

from .facts import Fact, Kind
from .taxes import Rates

STRIPE, FEES = "Assets:Stripe", "Expenses:Stripe:Fees"
CLAIMS, SALES, TAX = "Assets:Receivable", "Income:Sales", "Liabilities:Tax"
BALANCE, ELSEWHERE, BAD_DEBTS = "Liabilities:Customer-Balance", "Assets:Elsewhere", "Expenses:Bad-Debts"
UNINVOICED, REFUNDS = "Income:Without-Invoice", "Income:Refunds"
DISPUTES, OTHER = "Expenses:Disputes", "Expenses:Stripe:Other"
ACCOUNTS = (
    STRIPE, FEES, CLAIMS, SALES, TAX, BALANCE, ELSEWHERE, BAD_DEBTS, UNINVOICED, REFUNDS, DISPUTES, OTHER
)  # fmt: skip
SOLD = (Kind.INVOICE, Kind.CREDIT_NOTE, Kind.VOID)
# What settles a claim, or writes it off, without Stripe's balance.
SETTLED_BY = {Kind.BALANCE: BALANCE, Kind.OUT_OF_BAND: ELSEWHERE}
UNSETTLED = {
    Kind.PAYMENT: UNINVOICED,
    Kind.PAYMENT_FAILED: UNINVOICED,
    Kind.REFUND: REFUNDS,
    Kind.REFUND_FAILED: REFUNDS,
    Kind.DISPUTE: DISPUTES,
    Kind.DISPUTE_REVERSED: DISPUTES,
}
COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True)
class Posting:
    """Minor units. `price`: what the amount cost in another currency, without its sign."""

    account: str
    amount: int
    currency: str
    price: tuple[int, str] | None = None

    def __str__(self) -> str:
        price = f" @@ {_amount(*self.price)}" if self.price else ""
        return f"  {self.account}  {_amount(self.amount, self.currency)}{price}"


def header(countries: Iterable[str]) -> Iterator[str]:
    """Yield the accounts; each is open since 1970, since the months of a year are read together."""
    named = sorted({tax_account(country) for country in countries} - {TAX})
    for account in (*ACCOUNTS, *named):
        yield f"1970-01-01 open {account}"


def tax_account(country: str) -> str:
    return f"{TAX}:{country}" if COUNTRY.fullmatch(country) else TAX


def postings_of(fact: Fact, rates: Rates) -> list[Posting]:
    if fact.kind in SOLD:
        return [Posting(CLAIMS, fact.gross, fact.currency), *_sold(fact, rates)]
    if fact.kind == Kind.WRITE_OFF:
        return [Posting(CLAIMS, fact.gross, fact.currency), Posting(BAD_DEBTS, -fact.gross, fact.currency)]
    against = CLAIMS if fact.settles else UNSETTLED.get(fact.kind, OTHER)
    return [*_received(fact), Posting(against, -fact.gross, fact.currency)]


def _sold(fact: Fact, rates: Rates) -> Iterator[Posting]:
    for part in fact.parts:
        if part.net:
            yield Posting(SALES, -part.net, fact.currency)
        if part.tax:
            yield Posting(tax_account(rates.named(part.rate)[1]), -part.tax, fact.currency)


def _received(fact: Fact) -> Iterator[Posting]:
    """Yield the postings of the money's source or target: the customer's balance, elsewhere, or Stripe less its fee."""
    yield Posting(SETTLED_BY.get(fact.kind, STRIPE), fact.gross, fact.currency)
    amount, currency = fact.booked or (0, fact.currency)
    if fact.booked:
        yield Posting(STRIPE, -fact.gross, fact.currency, (abs(amount), currency))
        yield Posting(STRIPE, amount, currency)
    if fact.fee:
        yield Posting(STRIPE, -fact.fee, currency)
        yield Posting(FEES, fact.fee, currency)


def lines_of(fact: Fact, rates: Rates) -> Iterator[str]:
    about = " ".join(filter(None, (fact.kind.replace("_", " "), fact.invoice)))
    yield ""
    yield f"{fact.at:%Y-%m-%d} * {_quoted(fact.customer)} {_quoted(about)}"
    yield f"  id: {_quoted(fact.id)}"
    yield from map(str, postings_of(fact, rates))


def is_even(postings: Iterable[Posting]) -> bool:
    """Return whether the postings add up to zero in each currency; a posting with a price counts in the price's
    currency."""
    sums: dict[str, int] = {}
    for posting in postings:
        amount, currency = posting.amount, posting.currency
        if posting.price:
            amount, currency = posting.price[0] * (1 if amount > 0 else -1), posting.price[1]
        sums[currency] = sums.get(currency, 0) + amount
    return not any(sums.values())


def _amount(minor: int, currency: str) -> str:
    return f"{decimal_amount(minor, currency):f} {currency.upper()}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{" ".join(escaped.split())}"'
