"""Seeding makes many customers with active, paid subscriptions at once, for benchmarks, with as many events as asked
for.

One subscription is bought the long way; the others are copies of it under ids, e-mail and invoice numbers of their own.
"""

import gc
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from .books import cards, collection, standing, subscribing
from .errors import invalid
from .events import emit
from .resources import catalogue, customers, payment_methods
from .store import Object, State

LARGEST = 1_000_000
LOOKUP_KEY = "sandbox_seed_monthly"
KINDS = ("payment_method subscription invoice payment_intent charge balance_transaction invoice_payment").split()


def seed(state: State, customer_count: int, subscription_count: int, event_count: int) -> dict[str, int]:
    """Make customers with subscriptions, spread evenly over them, and events that update the subscriptions, else the
    customers."""
    if max(customer_count, subscription_count, event_count) > LARGEST:
        raise invalid(f"At most {LARGEST} of each at once.")
    state.held = []
    gc.disable()  # nothing is thrown away meanwhile, and looking for it would take as long as all the rest
    try:
        made = [_customer(state, number) for number in range(customer_count)]
        owners = made or list(state.table("customer").rows.values())
        if subscription_count and not owners:
            raise invalid("There are no customers to give subscriptions to.", "subscriptions")
        subs = _subscriptions(state, owners, subscription_count)
    finally:
        gc.enable()
        state.held = None
    rows = subs or made
    for number in range(event_count if rows else 0):
        _touch(state, rows[number % len(rows)])
    state.published.clear()
    return {"customers": len(made), "subscriptions": len(subs), "events": event_count if rows else 0}


def _customer(state: State, number: int) -> Object:
    given = {"email": f"seed-{state.made}@example.com", "name": f"Seeded customer {number + 1}"}
    return state.put(customers.new(state, given))


def _touch(state: State, row: Object) -> None:
    kind = "customer.subscription.updated" if row["object"] == "subscription" else "customer.updated"
    emit(state, kind, row, {"metadata": {}})


def _subscriptions(state: State, owners: list[Object], count: int) -> list[Object]:
    if not count:
        return []
    first = _bought(state, owners[0])
    mould = Mould(state, owners[0], first)
    return [first, *(mould.cast(owners[number % len(owners)]) for number in range(1, count))]


def _bought(state: State, customer: Object) -> Object:
    method = payment_methods.new(state, cards.BY_TOKEN["visa"])
    method["customer"] = customer["id"]
    state.put(method)
    options = {"default_payment_method": method["id"]}
    sub = subscribing.build(state, customer, [{"price": _price(state)["id"]}], options)
    sub["status"] = "active"
    if (invoice := subscribing.first_invoice(state, sub)) is not None:
        collection.collect(state, invoice, on_session=True, outcome="paid")
    standing.plan(state, sub)
    return sub


def _price(state: State) -> Object:
    for row in state.table("price").rows.values():
        if row["lookup_key"] == LOOKUP_KEY:
            return row
    product = catalogue.create_product(state, {"name": "Seeded plan"})
    monthly: dict[str, Any] = {"interval": "month", "interval_count": 1}
    given = {"product": product["id"], "currency": "usd", "unit_amount": 2900, "recurring": monthly}
    return catalogue.create_price(state, {**given, "lookup_key": LOOKUP_KEY})


class Mould:
    """A mould is a bought subscription and all that belongs to it, to be copied under other ids, names and numbers."""

    def __init__(self, state: State, customer: Object, sub: Object) -> None:
        self.state, self.customer, self.sub = state, customer, sub
        latest = (next(state.table(kind).newest_first()) for kind in KINDS)
        self.rows = [json.loads(json.dumps(row)) for row in latest]
        self.number = str(self._row("invoice")["number"])
        self.ids = [row["id"] for row in self.rows] + [sub["items"]["data"][0]["id"], self._line()]
        named = [*self.ids, customer["id"], self.number, customer["email"], customer["name"]]
        own = re.compile("|".join(re.escape(name) for name in named))
        self.shapes = [Shape(row, own) for row in self.rows]
        self.notes = {old: Shape(state.notes[old], own) for old in self.ids if old in state.notes}

    def _row(self, kind: str) -> Object:
        return next(row for row in self.rows if row["object"] == kind)

    def _line(self) -> str:
        return str(self._row("invoice")["lines"]["data"][0]["id"])

    def cast(self, owner: Object) -> Object:
        state = self.state
        fresh = {old: state.new_id(old.split("_", 1)[0]) for old in self.ids}
        number = f"{owner['invoice_prefix']}-{owner['next_invoice_sequence']:04d}"
        fresh |= {self.customer["id"]: owner["id"], self.number: number}
        fresh |= {self.customer["email"]: owner["email"], self.customer["name"]: owner["name"]}
        for shape in self.shapes:
            state.put(shape.cast(fresh))
        for old, shape in self.notes.items():
            state.notes[fresh[old]] = shape.cast(fresh)
        owner["next_invoice_sequence"] += 1
        owner["currency"] = self.sub["currency"]
        sub = state.get("subscription", fresh[self.sub["id"]])
        standing.plan(state, sub)
        return sub


class Shape:
    """A shape makes copies of an object, with other texts in the places that name something of the mould's own.

    It is compiled to the display of such an object, as one would write it in Python: nothing makes copies faster.
    """

    def __init__(self, row: Object, pattern: re.Pattern[str]) -> None:
        self.cast: Callable[[dict[str, str]], Object] = eval(f"lambda fresh: {_display(row, pattern)}")  # noqa: S307


def _display(value: Any, pattern: re.Pattern[str]) -> str:
    """Return the value as an expression of Python, in which `fresh[…]` stands for each text of the mould's own."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name!r}: {_display(inner, pattern)}' for name, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_display(inner, pattern) for inner in value)}]"
    if not isinstance(value, str) or not pattern.search(value):
        return repr(value)
    return " + ".join(_parts(value, pattern))


def _parts(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    end = 0
    for found in pattern.finditer(text):
        if text[end : found.start()]:
            yield repr(text[end : found.start()])
        yield f"fresh[{found[0]!r}]"
        end = found.end()
    if text[end:]:
        yield repr(text[end:])
