"""A write that is refused leaves nothing behind: no object, no event, no change, and no job for later."""

import json
from typing import Any

import pytest
import stripe

from stripe_sandbox import Sandbox

from .conftest import Control

MONTHLY: Any = {"currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}}
BOOK: Any = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Book"}}
HOME = "https://example.com/"


@pytest.fixture
def v1(client: stripe.StripeClient) -> Any:
    return client.v1


@pytest.fixture
def sub(subscribed: Any) -> Any:
    return subscribed()


@pytest.fixture
def session(v1: Any) -> Any:
    lines: Any = [{"price_data": BOOK, "quantity": 1}]
    return v1.checkout.sessions.create({"mode": "payment", "success_url": HOME, "line_items": lines})


def contents(sandbox: Sandbox) -> dict[str, Any]:
    """Return everything that is kept, in its order, with what is scheduled."""
    state = sandbox.state
    with sandbox.lock:
        tables = {kind: list(table.rows.items()) for kind, table in state.tables.items() if table.rows}
        orders = {kind: [i for i in table.order if i in table.rows] for kind, table in state.tables.items()}
        notes = {key: note for key, note in state.notes.items() if note}
        undelivered = list(state.undelivered)
        due = sorted(job[2:4] for job in state.due)
    kept = {"tables": tables, "orders": {kind: ids for kind, ids in orders.items() if ids}}
    found: dict[str, Any] = json.loads(json.dumps({**kept, "notes": notes, "due": due, "undelivered": undelivered}))
    return found


REFUSED: dict[str, Any] = {
    "a product whose first price is none": lambda v1, w: v1.products.create(
        {"name": "Pro", "default_price_data": {"currency": "usd", "unit_amount": -5}}
    ),
    "a customer with no such card": lambda v1, w: v1.customers.create({"payment_method": "pm_none"}),
    "a customer with a declined card": lambda v1, w: v1.customers.create({"payment_method": "pm_card_chargeDeclined"}),
    "a customer with no such default": lambda v1, w: v1.customers.create(
        {"name": "Ada", "invoice_settings": {"default_payment_method": "pm_none"}}
    ),
    "a change of a customer": lambda v1, w: v1.customers.update(
        w["customer"], {"name": "Eve", "invoice_settings": {"default_payment_method": "pm_none"}}
    ),
    "a change of a price": lambda v1, w: v1.prices.update(
        w["price"], {"nickname": "New", "lookup_key": "new", "currency_options": {"eur": {"unit_amount": -1}}}
    ),
    "a Checkout of something bought once": lambda v1, w: v1.checkout.sessions.create(
        {"mode": "subscription", "success_url": HOME, "line_items": [{"price_data": BOOK, "quantity": 1}]}
    ),
    "a change of a Checkout": lambda v1, w: v1.checkout.sessions.update(
        w["session"], {"metadata": {"a": "b"}, "shipping_options": [{"shipping_rate": "shr_none"}]}
    ),
    "a subscription in another currency": lambda v1, w: v1.subscriptions.create(
        {
            "customer": w["customer"],
            "items": [{"price_data": {**MONTHLY, "currency": "eur", "product": w["product"]}}],
        }
    ),
    "a change of a subscription": lambda v1, w: v1.subscriptions.update(
        w["sub"], {"metadata": {"a": "b"}, "discounts": [{"coupon": "none"}]}
    ),
    "an item of another subscription": lambda v1, w: v1.subscriptions.update(
        w["sub"], {"metadata": {"a": "b"}, "items": [{"id": "si_none"}]}
    ),
    "a payment of nothing to pay with": lambda v1, w: v1.payment_intents.create(
        {"amount": 500, "currency": "usd", "confirm": True}
    ),
    "a link that leads nowhere": lambda v1, w: v1.payment_links.create(
        {"line_items": [{"price_data": BOOK, "quantity": 1}], "after_completion": {"type": "redirect"}}
    ),
    "a quote of no such price": lambda v1, w: v1.quotes.create(
        {"customer": w["customer"], "line_items": [{"price": w["price"], "quantity": 1}, {"price": "price_none"}]}
    ),
    "a schedule of no such price": lambda v1, w: v1.subscription_schedules.create(
        {
            "customer": w["customer"],
            "start_date": "now",
            "phases": [
                {"items": [{"price": w["price"]}], "duration": {"interval": "month", "interval_count": 1}},
                {"items": [{"price": "price_none"}]},
            ],
        }
    ),
    "a deleted product that is in use": lambda v1, w: v1.products.delete(w["product"]),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_refused_write_leaves_nothing(
    v1: Any, sandbox: Sandbox, customer: Any, price: Any, sub: Any, session: Any, what: str
) -> None:
    world = {"customer": customer.id, "price": price.id, "product": price.product, "sub": sub.id, "session": session.id}
    before = contents(sandbox)
    with pytest.raises((stripe.InvalidRequestError, stripe.CardError)):
        REFUSED[what](v1, world)
    assert contents(sandbox) == before


def test_time_goes_on_after_refused_writes(v1: Any, sandbox: Sandbox, customer: Any, control: Control) -> None:
    """Jobs of objects that never came to be would stop it."""
    for what in ("a quote of no such price", "a schedule of no such price", "a Checkout of something bought once"):
        with pytest.raises(stripe.InvalidRequestError):
            REFUSED[what](v1, {"customer": customer.id, "price": "price_none"})
    assert "error" not in control("/advance", {"seconds": 40 * 86_400})


def test_what_follows_a_refused_write_is_as_if_it_had_not_been(v1: Any, sandbox: Sandbox, price: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        REFUSED["a product whose first price is none"](v1, {})
    again = v1.products.create({"name": "Team", "default_price_data": MONTHLY})
    assert [row.id for row in v1.products.list().data] == [again.id, price.product]
    assert [row.id for row in v1.prices.list({"product": again.id}).data] == [again.default_price]
    assert v1.products.list({"limit": 1, "ending_before": price.product}).data[0].id == again.id


def test_no_webhook_tells_of_a_refused_write(v1: Any, forwarding: Any, control: Control) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        REFUSED["a product whose first price is none"](v1, {})
    v1.customers.create({})
    assert control("/settle")["pending"] == 0
    assert forwarding.types() == ["customer.created"]


def test_a_declined_payment_is_kept(v1: Any, customer: Any) -> None:
    """A refusal of the bank is an outcome: the payment, its charge and its events are there."""
    given: Any = {"amount": 900, "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": True}
    with pytest.raises(stripe.CardError):
        v1.payment_intents.create({**given, "customer": customer.id})
    (intent,) = v1.payment_intents.list().data
    assert intent.status == "requires_payment_method"
    assert [event.type for event in v1.events.list({"types": ["charge.failed"]}).data] == ["charge.failed"]


def test_a_request_on_which_the_sandbox_fails_leaves_nothing(
    v1: Any, sandbox: Sandbox, price: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stripe_sandbox.resources import price_events

    def breaks(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(price_events, "tell", breaks)
    before = contents(sandbox)
    with pytest.raises(stripe.APIError):
        v1.products.create({"name": "Team", "default_price_data": MONTHLY})
    assert contents(sandbox) == before


def test_a_refused_write_in_a_test_clocks_time_leaves_nothing(v1: Any, sandbox: Sandbox, price: Any) -> None:
    clock = v1.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000}).id
    card: Any = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    person = v1.customers.create({"test_clock": clock, **card})
    world = {"customer": person.id, "price": price.id}
    before = contents(sandbox)
    for what in ("a quote of no such price", "a schedule of no such price"):
        with pytest.raises(stripe.InvalidRequestError):
            REFUSED[what](v1, world)
    assert contents(sandbox) == before
