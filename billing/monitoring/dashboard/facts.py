"""Facts are rows that the database has summed; sections read them by these functions."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar


class Fact(NamedTuple):
    """A fact counts rows of one kind, and their sum in minor units, in the bucket that begins `at`."""

    at: datetime | None
    currency: str
    kind: Any
    number: int
    amount: int = 0


Row = TypeVar("Row", bound="Numbered")


class Numbered(Protocol):
    """A row that has a number can be counted, such as a fact."""

    @property
    def number(self) -> int: ...


def only(rows: Iterable[Row], **where: Any) -> list[Row]:
    """Return the facts with these columns; a frozenset means any of its members."""
    found = list(rows)
    for name, wanted in where.items():
        if isinstance(wanted, frozenset):
            found = [row for row in found if getattr(row, name) in wanted]
        else:
            found = [row for row in found if getattr(row, name) == wanted]
    return found


def counted(rows: Iterable[Numbered], **where: Any) -> int:
    """Return the sum of the facts' numbers."""
    return sum(row.number for row in only(rows, **where))


def summed(rows: Iterable[Fact], **where: Any) -> dict[str, int]:
    """Return minor units by currency."""
    sums: dict[str, int] = {}
    for row in only(rows, **where):
        sums[row.currency] = sums.get(row.currency, 0) + row.amount
    return sums


def currencies(*tables: Iterable[Fact]) -> list[str]:
    return sorted({row.currency for rows in tables for row in rows})


def share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def many(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def percent(part: float | None, digits: int = 1) -> str:
    return "–" if part is None else f"{part:.{digits}%}"
