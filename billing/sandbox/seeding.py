"""Many customers with active, paid subscriptions and their events at once, for benchmarks: filed, and not delivered."""

from typing import Any

from . import cards, collection, standing, subscribing
from .errors import invalid
from .events import emit
from .resources import catalogue, customers, payment_methods
from .store import Object, State

LARGEST = 1_000_000
LOOKUP_KEY = "sandbox_seed_monthly"


def seed(state: State, customer_count: int, subscription_count: int, event_count: int) -> dict[str, int]:
    """Subscriptions go round over the customers; events beyond those of the last objects are updates of them."""
    _check(customer_count, subscription_count, event_count)
    price = _price(state)
    before = len(state.table("event").rows)
    made = [_customer(state, number) for number in range(customer_count)]
    owners = made or list(state.table("customer").rows.values())
    subs = [_subscription(state, owners[n % len(owners)], price) for n in range(subscription_count)] if owners else []
    for number in range(event_count):
        _touch(state, subs or made, number)
    state.published.clear()
    return {"customers": len(made), "subscriptions": len(subs), "events": len(state.table("event").rows) - before}


def _check(*counts: int) -> None:
    if max(counts) > LARGEST:
        raise invalid(f"At most {LARGEST} of each at once.")


def _price(state: State) -> Object:
    for row in state.table("price").rows.values():
        if row["lookup_key"] == LOOKUP_KEY:
            return row
    product = catalogue.create_product(state, {"name": "Seeded plan"})
    monthly: dict[str, Any] = {"interval": "month"}
    given = {"product": product["id"], "currency": "usd", "unit_amount": 2900, "recurring": monthly}
    return catalogue.create_price(state, {**given, "lookup_key": LOOKUP_KEY})


def _customer(state: State, number: int) -> Object:
    customer = customers.new(
        state, {"email": f"seed-{state.made}@example.com", "name": f"Seeded customer {number + 1}"}
    )
    return state.put(customer)


def _subscription(state: State, customer: Object, price: Object) -> Object:
    method = payment_methods.new(state, cards.BY_TOKEN["visa"])
    method["customer"] = customer["id"]
    state.put(method)
    options = {"default_payment_method": method["id"]}
    sub = subscribing.build(state, customer, [{"price": price["id"]}], options)
    sub["status"] = "active"
    invoice = subscribing.first_invoice(state, sub)
    collection.collect(state, invoice, on_session=True, outcome="paid")
    standing.plan(state, sub)
    return sub


def _touch(state: State, rows: list[Object], number: int) -> None:
    row = rows[number % len(rows)]
    kind = "customer.subscription.updated" if row["object"] == "subscription" else "customer.updated"
    emit(state, kind, row, {"metadata": {}})
