"""This module writes the ledger as CSV: a line for each tax rate of a fact, amounts in the currency's own digits, dates
in UTC."""

from collections.abc import Iterator

from billing.money import decimal_amount

from .facts import Fact
from .taxes import Part, Rates

COLUMNS = (
    "date", "customer", "invoice", "kind", "net", "tax", "tax rate", "tax country", "gross", "fee", "currency"
)  # fmt: skip
CONVERSION = "conversion"
# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def header() -> tuple[str, ...]:
    return COLUMNS


def lines_of(fact: Fact, rates: Rates) -> Iterator[tuple[str, ...]]:
    """Yield the lines of a fact. Money that Stripe converted leaves its own currency in one more line, and arrives in
    that of the balance in another.
    """
    fee = 0 if fact.booked else fact.fee
    for number, part in enumerate(fact.parts):
        yield _line(fact, fact.kind, part, fact.currency, 0 if number else fee, rates)
    if fact.booked:
        amount, currency = fact.booked
        yield _line(fact, CONVERSION, Part(-fact.gross, 0), fact.currency, 0, rates)
        yield _line(fact, CONVERSION, Part(amount, 0), currency, fact.fee, rates)


def _line(fact: Fact, kind: str, part: Part, currency: str, fee: int, rates: Rates) -> tuple[str, ...]:
    net, tax, gross, fee_ = (_amount(each, currency) for each in (part.net, part.tax, part.gross, fee))
    rate, country = rates.named(part.rate) if part.rate else ("", "")
    who = (_text(fact.customer), _text(fact.invoice), _text(kind))
    return (f"{fact.at:%Y-%m-%d}", *who, net, tax, _text(rate), _text(country), gross, fee_, _text(currency.upper()))


def _amount(minor: int, currency: str) -> str:
    return f"{decimal_amount(minor, currency):f}"


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA) else value
