"""Several do the same at once: it is done once, and the others are told so."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from .conftest import Control, Receiver

TIMES = 6


def at_once(act: Callable[[], Any]) -> list[Any]:
    """Return what became of it: an answer, or Stripe's error."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(act())
        except stripe.StripeError as error:
            found.append(error)

    threads = [threading.Thread(target=run) for _ in range(TIMES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.fixture
def v1(client: stripe.StripeClient) -> Any:
    return client.v1


def succeeded(found: list[Any]) -> list[Any]:
    return [row for row in found if not isinstance(row, stripe.StripeError)]


def test_a_payment_that_many_confirm_is_charged_once(v1: Any) -> None:
    intent = v1.payment_intents.create({"amount": 900, "currency": "usd"}).id
    found = at_once(lambda: v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"}))
    assert len(succeeded(found)) == 1
    assert {row.code for row in found if isinstance(row, stripe.StripeError)} == {"payment_intent_unexpected_state"}
    assert len(v1.charges.list({"payment_intent": intent}).data) == 1


def test_a_checkout_that_is_completed_many_times_subscribes_once(v1: Any, checkout: Any, control: Control) -> None:
    session = checkout()
    found = at_once(lambda: control(f"/checkout/{session.id}/complete", {"payment_method": "pm_card_visa"}))
    assert sorted(row.get("outcome", "refused") for row in found) == ["paid"] + ["refused"] * (TIMES - 1)
    assert len(v1.subscriptions.list({"customer": session.customer}).data) == 1


def test_a_refund_that_many_ask_for_is_given_once(v1: Any) -> None:
    paid: Any = {"amount": 900, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    charge = v1.payment_intents.create(paid).latest_charge
    found = at_once(lambda: v1.refunds.create({"charge": charge}))
    assert len(succeeded(found)) == 1
    assert v1.charges.retrieve(charge).amount_refunded == 900


def test_one_key_used_at_once_makes_one_object(v1: Any) -> None:
    found = at_once(lambda: v1.customers.create({"name": "Ada"}, {"idempotency_key": "same"}))
    assert len({row.id for row in succeeded(found)}) == 1 == len(v1.customers.list().data)
    refused: list[Any] = [row for row in found if isinstance(row, stripe.StripeError)]
    codes = {row.json_body["error"]["code"] for row in refused}
    assert codes <= {"idempotency_key_in_use"}


def test_a_key_with_other_parameters_changes_nothing(v1: Any) -> None:
    first = v1.customers.create({"name": "Ada"}, {"idempotency_key": "same"})
    for act in (
        lambda: v1.customers.create({"name": "Eve"}, {"idempotency_key": "same"}),
        lambda: v1.products.create({"name": "Ada"}, {"idempotency_key": "same"}),
    ):
        with pytest.raises(stripe.IdempotencyError, match="same parameters"):
            act()
    assert [row.name for row in v1.customers.list().data] == ["Ada"]
    assert v1.customers.create({"name": "Ada"}, {"idempotency_key": "same"}).id == first.id


def test_time_goes_on_while_deliveries_fail_and_all_arrive_once_it_works_again(
    v1: Any, control: Control, subscribed: Any, forwarding: Receiver
) -> None:
    control("/settings", {"delivery_retry_seconds": [0.05, 0.05]})
    sub = subscribed()
    control("/settle")
    forwarding.answers = [500] * 10
    at_once(lambda: control("/advance", {"seconds": 6 * 86_400}))
    assert control("/settle", {"timeout": 10})["pending"] == 0
    assert v1.events.list({"delivery_success": False}).data == []
    renewals = v1.invoices.list({"subscription": sub.id}).data
    assert [row.billing_reason for row in renewals] == ["subscription_cycle", "subscription_create"]
    arrived = {event["id"] for event in forwarding.events()}
    assert {event.id for event in v1.events.list({"limit": 100}).data} <= arrived
