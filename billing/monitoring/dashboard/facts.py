"""Rows that the database has summed, and how sections read them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar


class Fact(NamedTuple):
    """So many of a kind, and so much money in minor units, in the bucket that begins `at`."""

    at: datetime | None
    currency: str
    kind: Any
    number: int
    amount: int = 0


Row = TypeVar("Row", bound="Numbered")


class Numbered(Protocol):
    """Fact, and what is like it."""

    @property
    def number(self) -> int: ...


def only(rows: Iterable[Row], **where: Any) -> list[Row]:
    """Those whose columns are as given; a frozenset stands for any of its members."""
    found = list(rows)
    for name, wanted in where.items():
        if isinstance(wanted, frozenset):
            found = [row for row in found if getattr(row, name) in wanted]
        else:
            found = [row for row in found if getattr(row, name) == wanted]
    return found


def counted(rows: Iterable[Numbered], **where: Any) -> int:
    """How many they are in sum."""
    return sum(row.number for row in only(rows, **where))


def summed(rows: Iterable[Fact], **where: Any) -> dict[str, int]:
    """Minor units of each currency."""
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
