"""Codes that a partner made are taken over once, however often the same list is brought.

A batch has one set of terms. A code that is there with the same terms is known; one that is there with others, or of
another batch, is refused before anything is made.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db import transaction

from billing import cause, clock
from billing.models import Code, Plan, PlanLimit

from . import redeeming

AT_ONCE = 1000
MOST_NAMED = 5
COLUMN = "code"


class CodesRefused(ValueError):
    """Nothing was made; the message says why."""


@dataclass(frozen=True)
class Terms:
    """Terms say what each code of a batch gives: a plan, or a feature, for some days or for good, or credits (`once`);
    to how many subscribers, and until when it may be redeemed."""

    batch: str
    plan: Plan | None = None
    feature: str = ""
    quantity: int | None = None
    once: bool = False
    lasts_days: int | None = None
    most_uses: int | None = 1
    valid_until: datetime | None = None

    def check(self) -> None:
        if not 1 <= len(self.batch) <= 100:
            raise CodesRefused("Name the batch, in 1 to 100 characters.")
        if bool(self.plan) == bool(self.feature):
            raise CodesRefused("Give either a plan or a feature.")
        if self.feature and not PlanLimit.objects.filter(feature=self.feature).exists():
            raise CodesRefused(f"No plan has the feature {self.feature!r}.")
        if self.quantity is not None and (self.plan or self.quantity < 1):
            raise CodesRefused("A quantity is of a feature, and at least 1.")
        if self.once and not self.quantity:
            raise CodesRefused("Say how many credits of the feature.")

    def are_of(self, code: Code) -> bool:
        return all(getattr(code, name) == value for name, value in self.columns.items())

    @property
    def columns(self) -> dict[str, Any]:
        found = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "plan"}
        return {**found, "plan_id": self.plan.pk if self.plan else None}


@dataclass
class Taken:
    """This tells what became of a list: how many codes are new, and how many were there already."""

    new: int = 0
    known: int = 0


def read(lines: Iterable[str]) -> Iterator[str]:
    """Return the codes of a list: one a line, or the column `code` of a CSV with a heading."""
    rows = list(csv.reader(lines))
    heading = [cell.strip().lower() for cell in rows[0]] if rows else []
    place = heading.index(COLUMN) if COLUMN in heading else 0
    for row in rows[1:] if COLUMN in heading else rows:
        if len(row) > place and row[place].strip():
            yield row[place]


def take_over(texts: Iterable[str], terms: Terms, *, is_dry: bool = False) -> Taken:
    """Make the codes that are not there yet, all or none. Raises `CodesRefused`."""
    terms.check()
    names = list(dict.fromkeys(redeeming.plain(text) for text in texts))
    wrong = [name for name in names if not 0 < len(name) <= redeeming.LONGEST or not name.isalnum()]
    if wrong:
        raise CodesRefused(f"{wrong[0][:80]!r} is no code: use up to {redeeming.LONGEST} letters and digits.")
    taken = Taken()
    with transaction.atomic():
        for start in range(0, len(names), AT_ONCE):
            _take_over(names[start : start + AT_ONCE], terms, taken, is_dry=is_dry)
    return taken


def _take_over(names: list[str], terms: Terms, taken: Taken, *, is_dry: bool) -> None:
    there = {code.code: code for code in Code.objects.filter(code__in=names)}
    others = sorted(name for name, code in there.items() if not terms.are_of(code))
    if others:
        shown = ", ".join(others[:MOST_NAMED])
        raise CodesRefused(f"{len(others):,} of them exist already with other terms, such as {shown}. None was made.")
    new = [name for name in names if name not in there]
    taken.new, taken.known = taken.new + len(new), taken.known + len(there)
    if not is_dry:
        what = {**terms.columns, "cause": cause.current(), "made_at": clock.now()}
        Code.objects.bulk_create([Code(code=name, **what) for name in new], ignore_conflicts=True)
