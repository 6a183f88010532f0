"""Metadata is kept by whatever takes it when it is made, and merged by whatever takes it later."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from .conftest import Control

GIVEN: Any = {"a": "1", "b": "2"}
LATER: Any = {"a": "", "c": "3"}
MERGED = {"b": "2", "c": "3"}
DAY = 86_400


class World:
    """Alice has a card and a monthly price to subscribe to."""

    def __init__(self, client: stripe.StripeClient, price: Any, control: Control) -> None:
        self.v1: Any = client.v1
        self.control, self.price, self.product = control, price.id, price.product
        self.alice = self.v1.customers.create({"payment_method": "pm_card_visa"}).id
        self.card = self.v1.customers.payment_methods.list(self.alice).data[0].id
        self.v1.customers.update(self.alice, {"invoice_settings": {"default_payment_method": self.card}})

    def draft(self) -> str:
        made = self.v1.invoices.create({"customer": self.alice, "auto_advance": False})
        self.v1.invoice_items.create({"customer": self.alice, "invoice": made.id, "amount": 900, "currency": "usd"})
        return str(made.id)

    def opened(self) -> str:
        return str(self.v1.invoices.finalize_invoice(self.draft()).id)

    def charge(self) -> str:
        intent = self.v1.payment_intents.create(
            {"amount": 900, "currency": "usd", "customer": self.alice, "payment_method": self.card, "confirm": True,
             "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
        )  # fmt: skip
        return str(intent.latest_charge)

    def subscribed(self) -> Any:
        return self.v1.subscriptions.create({"customer": self.alice, "items": [{"price": self.price}]})

    def disputed(self) -> str:
        return str(self.control("/disputes", {"charge": self.charge()})["id"])


@pytest.fixture
def world(client: stripe.StripeClient, price: Any, control: Control) -> World:
    return World(client, price, control)


Make = Callable[[World, Any], Any]
MADE: dict[str, Make] = {
    "products": lambda w, m: w.v1.products.create({"name": "Hat", "metadata": m}),
    "prices": lambda w, m: w.v1.prices.create(
        {"product": w.product, "currency": "usd", "unit_amount": 5, "metadata": m}
    ),
    "plans": lambda w, m: w.v1.plans.create(
        {"product": w.product, "currency": "usd", "amount": 5, "interval": "day", "metadata": m}
    ),
    "coupons": lambda w, m: w.v1.coupons.create({"percent_off": 5, "duration": "once", "metadata": m}),
    "promotion_codes": lambda w, m: w.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": w.v1.coupons.create({"percent_off": 5}).id}, "metadata": m}
    ),
    "entitlements.features": lambda w, m: w.v1.entitlements.features.create(
        {"lookup_key": "x", "name": "X", "metadata": m}
    ),
    "customers": lambda w, m: w.v1.customers.create({"metadata": m}),
    "payment_methods": lambda w, m: w.v1.payment_methods.create(
        {"type": "card", "card": {"token": "tok_visa"}, "metadata": m}
    ),
    "payment_intents": lambda w, m: w.v1.payment_intents.create({"amount": 900, "currency": "usd", "metadata": m}),
    "setup_intents": lambda w, m: w.v1.setup_intents.create({"customer": w.alice, "metadata": m}),
    "refunds": lambda w, m: w.v1.refunds.create({"charge": w.charge(), "metadata": m}),
    "invoices": lambda w, m: w.v1.invoices.create({"customer": w.alice, "metadata": m}),
    "invoice_items": lambda w, m: w.v1.invoice_items.create(
        {"customer": w.alice, "amount": 900, "currency": "usd", "metadata": m}
    ),
    "credit_notes": lambda w, m: w.v1.credit_notes.create({"invoice": w.opened(), "amount": 100, "metadata": m}),
    "quotes": lambda w, m: w.v1.quotes.create({"customer": w.alice, "metadata": m}),
    "subscriptions": lambda w, m: w.v1.subscriptions.create(
        {"customer": w.alice, "items": [{"price": w.price}], "metadata": m}
    ),
    "subscription_items": lambda w, m: w.v1.subscription_items.create(
        {
            "subscription": w.subscribed().id,
            "price": w.v1.plans.create({"product": w.product, "currency": "usd", "amount": 5, "interval": "month"}).id,
            "quantity": 2,
            "metadata": m,
        }
    ),
    "subscription_schedules": lambda w, m: w.v1.subscription_schedules.create(
        {"customer": w.alice, "start_date": "now", "phases": [{"items": [{"price": w.price}]}], "metadata": m}
    ),
    "webhook_endpoints": lambda w, m: w.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/", "enabled_events": ["*"], "metadata": m}
    ),
    "billing_portal.configurations": lambda w, m: w.v1.billing_portal.configurations.create(
        {"features": {"invoice_history": {"enabled": True}}, "metadata": m}
    ),
}


def service(world: World, family: str) -> Any:
    found = world.v1
    for name in family.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("family", MADE)
def test_metadata_is_kept_when_it_is_given_and_merged_when_it_changes(world: World, family: str) -> None:
    made = MADE[family](world, GIVEN)
    assert made.metadata.to_dict() == GIVEN
    if family == "refunds":
        assert world.v1.refunds.retrieve(made.id).metadata.to_dict() == GIVEN
    changed = service(world, family).update(made.id, {"metadata": LATER})
    assert changed.metadata.to_dict() == MERGED
    if hasattr(service(world, family), "retrieve"):
        assert service(world, family).retrieve(made.id).metadata.to_dict() == MERGED


@pytest.mark.parametrize(
    ("family", "make"), [("charges", World.charge), ("disputes", World.disputed)], ids=["charges", "disputes"]
)
def test_what_a_bank_makes_takes_metadata_later(world: World, family: str, make: Callable[[World], str]) -> None:
    identifier = make(world)
    service(world, family).update(identifier, {"metadata": GIVEN})
    assert service(world, family).update(identifier, {"metadata": LATER}).metadata.to_dict() == MERGED


def test_a_movement_of_the_balance_has_words_and_metadata(world: World) -> None:
    moves = world.v1.customers.balance_transactions
    moved = moves.create(world.alice, {"amount": -500, "currency": "usd", "description": "Sorry", "metadata": GIVEN})
    assert (moved.description, moved.metadata.to_dict()) == ("Sorry", GIVEN)
    assert moves.update(world.alice, moved.id, {"metadata": LATER}).metadata.to_dict() == MERGED
    assert moves.update(world.alice, moved.id, {"description": "Very"}).description == "Very"


def test_the_items_of_a_subscription_have_metadata_of_their_own(world: World) -> None:
    params: Any = {"customer": world.alice, "items": [{"plan": world.price, "metadata": GIVEN}], "description": "Ours"}
    sub = world.v1.subscriptions.create(params)
    item = sub["items"]["data"][0]
    assert (item.metadata.to_dict(), item.price.id, sub.description) == (GIVEN, world.price, "Ours")
    after = world.v1.subscriptions.update(
        sub.id, {"items": [{"id": item.id, "metadata": LATER}], "description": "Mine"}
    )
    assert (after["items"]["data"][0].metadata.to_dict(), after.description) == (MERGED, "Mine")


def test_a_capture_adds_metadata_to_its_payment(world: World) -> None:
    held = world.v1.payment_intents.create(
        {"amount": 900, "currency": "usd", "payment_method": "pm_card_visa", "capture_method": "manual",
         "confirm": True, "metadata": GIVEN, "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
    )  # fmt: skip
    assert world.v1.payment_intents.capture(held.id, {"metadata": LATER}).metadata.to_dict() == MERGED


def test_the_phases_of_a_schedule_give_their_metadata_to_the_subscription_and_its_items(world: World) -> None:
    phase: Any = {
        "items": [{"price": world.price, "metadata": {"seat": "1"}}],
        "metadata": GIVEN,
        "description": "Ours",
    }
    made = world.v1.subscription_schedules.create({"customer": world.alice, "start_date": "now", "phases": [phase]})
    sub = world.v1.subscriptions.retrieve(made.subscription)
    assert (sub.metadata.to_dict(), sub.description) == (GIVEN, "Ours")
    assert sub["items"]["data"][0].metadata.to_dict() == {"seat": "1"}
    now = made.phases[0]
    dated: Any = {
        **phase,
        "start_date": now.start_date,
        "end_date": now.end_date,
        "metadata": LATER,
        "description": "Mine",
    }
    world.v1.subscription_schedules.update(made.id, {"phases": [dated]})
    after = world.v1.subscriptions.retrieve(made.subscription)
    assert (after.metadata.to_dict(), after.description) == ({"a": "1", "b": "2", "c": "3"}, "Mine")
