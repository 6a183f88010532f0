"""This room keeps the books: Stripe's balance transactions beside our rows, and the ledger for an accountant."""

from . import recording
from .ledger import FORMATS, Ledger, Month, NotAMonth
from .lookups import books_at
from .reckoning import Difference, Reckoning, reckon
from .sheets import BEGINNING, Sheet, Span

__all__ = [
    "BEGINNING",
    "FORMATS",
    "Difference",
    "Ledger",
    "Month",
    "NotAMonth",
    "Reckoning",
    "Sheet",
    "Span",
    "books_at",
    "reckon",
    "recording",
]
