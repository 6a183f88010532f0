"""Beliefs of another integration are compared with our rows, some hundred customers at a time."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from billing.models import Customer, Subscription

from .beliefs import Belief
from .ours import OVER, Ours, live_customers
from .sources import AT_ONCE

# Stripe counts in seconds.
SAME_MOMENT = timedelta(seconds=1)
ONLY_THERE, ONLY_HERE = "only there", "only here"


@dataclass(frozen=True)
class Difference:
    """A difference names a fact on which both disagree, with what each says."""

    customer: str
    about: str
    theirs: str
    ours: str
    subscription: str = ""

    def __str__(self) -> str:
        of = f" ({self.subscription})" if self.subscription else ""
        return f"  {self.customer}{of}  {self.about}: {self.theirs} there, {self.ours} here"

    def as_json(self) -> dict[str, str]:
        return asdict(self)


class Comparison:
    """A comparison yields differences as it finds them; its totals are complete at the end.

    Of the customers it remembers a number each, to find those that the other integration does not know.
    """

    def __init__(self, beliefs: Iterable[Belief], field: str = "") -> None:
        self.beliefs, self.field = beliefs, field
        self.seen: set[int] = set()
        self.differing: set[int] = set()
        self.totals: Counter[str] = Counter()

    def differences(self) -> Iterator[Difference]:
        for found in self._found():
            self.differing.add(hash(found.customer))
            self.totals[found.about] += 1
            yield found

    def summary(self) -> str:
        """Return the totals in a sentence."""
        agree = len(self.seen) - len(self.differing & self.seen)
        named = ", ".join(f"{count} {about}" for about, count in sorted(self.totals.items()))
        customers = "customer" if len(self.seen) == 1 else "customers"
        return f"{len(self.seen)} {customers} compared, {agree} agree" + (f"; differences: {named}." if named else ".")

    def as_json(self) -> dict[str, Any]:
        agree = len(self.seen) - len(self.differing & self.seen)
        return {"compared": len(self.seen), "agree": agree, "differences": dict(self.totals)}

    def _found(self) -> Iterator[Difference]:
        for some in _portions(self.beliefs):
            ours = Ours(dict.fromkeys(belief.customer for belief in some), self.field)
            self.seen.update(hash(belief.customer) for belief in some)
            for belief in some:
                yield from _differences(belief, ours)
            yield from _unnamed(some, ours)
        for row in live_customers():
            if hash(row.customer_id) not in self.seen:
                yield Difference(row.customer_id, ONLY_HERE, "unknown", row.status, row.stripe_id)


def _portions(beliefs: Iterable[Belief]) -> Iterator[list[Belief]]:
    """Yield some hundred beliefs at a time; those of one customer, which follow each other, are not parted."""
    some: list[Belief] = []
    for belief in beliefs:
        if len(some) >= AT_ONCE and belief.customer != some[-1].customer:
            yield some
            some = []
        some.append(belief)
    if some:
        yield some


def _unnamed(some: list[Belief], ours: Ours) -> Iterator[Difference]:
    """Yield our live subscriptions of customers of whom they name others."""
    named: dict[str, set[str]] = {}
    for belief in some:
        if belief.subscription:
            named.setdefault(belief.customer, set()).add(belief.subscription)
    for customer, theirs in named.items():
        for row in ours.live(customer):
            if row.stripe_id not in theirs:
                yield Difference(customer, ONLY_HERE, "unknown", row.status, row.stripe_id)


def _differences(theirs: Belief, ours: Ours) -> Iterator[Difference]:
    customer = ours.customers.get(theirs.customer)
    if customer is None:
        yield Difference(theirs.customer, ONLY_THERE, theirs.status or "known", "not linked")
        return
    row = ours.subscription(theirs)
    for about, said, known, is_same in _facts(theirs, customer, row, ours):
        if said is not None and not is_same:
            yield Difference(theirs.customer, about, _words(said), known, row.stripe_id)


def _facts(theirs: Belief, customer: Customer, row: Subscription, ours: Ours) -> Iterator[tuple[str, Any, str, bool]]:
    """Yield each fact: its name, what they say, what we say in words, and whether both are the same.

    Of a subscription that is over, price, period and cancellation decide nothing, and are not compared.
    """
    if theirs.subscriber is not None:
        is_same = ours.is_subscriber(customer, theirs.subscriber)
        subscriber = ours.subscriber(customer)
        yield "subscriber", theirs.subscriber, "nobody" if subscriber is None else str(subscriber), is_same
    is_over = row.status in OVER
    yield "status", theirs.status, row.status, theirs.status == row.status or (is_over and theirs.status in OVER)
    access = ours.access(customer)
    words = f"{_words(access.has_access)} ({access.reason})"
    yield "access", theirs.has_access, words, theirs.has_access == access.has_access
    if is_over or theirs.status in OVER:
        return
    if names := ours.names_of_price(row):  # not of a subscription to another product
        yield "price", theirs.price, names[0], theirs.price in names
    is_same = _is_same_moment(theirs.period_end, row.current_period_end)
    yield "period end", theirs.period_end, _words(row.current_period_end), is_same
    cancels = row.cancel_at is not None
    yield "cancels at period end", theirs.cancels, _words(cancels), theirs.cancels == cancels


def _is_same_moment(theirs: datetime | date | None, ours: datetime | None) -> bool:
    if theirs is None or ours is None:
        return False
    if isinstance(theirs, datetime):
        return abs(theirs - ours) < SAME_MOMENT
    return theirs == ours.astimezone(UTC).date()


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return "none" if value is None else str(value)
