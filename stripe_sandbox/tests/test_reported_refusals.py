"""These are refusals in the words that users of Stripe report, each with a neighbour that is let through.

- https://github.com/invertase/stripe-firebase-extensions/issues/560 (prices that are no longer sold)
- https://github.com/stripe/stripe-node/issues/2248 (a discount beside promotion codes)
- https://github.com/dust-tt/dust/pull/32051 (an end beside a schedule)
"""

from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest
import stripe

from stripe_sandbox import Sandbox

from .conftest import Control

DAY = 86_400
INACTIVE = "The price specified is inactive. This field only accepts active prices."


@pytest.fixture
def v1(client: stripe.StripeClient) -> Any:
    return client.v1


@pytest.fixture
def once(v1: Any, price: Any) -> Any:
    return v1.prices.create({"product": price.product, "currency": "usd", "unit_amount": 500})


def refused(act: Any, *given: Any, **named: Any) -> Any:
    with pytest.raises(stripe.InvalidRequestError) as error:
        act(*given, **named)
    return error.value


def test_a_price_that_is_no_longer_sold_is_bought_nowhere(
    v1: Any, price: Any, once: Any, customer: Any, checkout: Callable[..., Any], subscribed: Callable[..., Any]
) -> None:
    sub = subscribed()
    v1.prices.update(price.id, {"active": False})
    v1.prices.update(once.id, {"active": False})
    of_customer = {"customer": customer.id, "currency": "usd"}
    for error, param in (
        (refused(checkout), "line_items[0][price]"),
        (
            refused(checkout, mode="payment", line_items=[{"price": once.id, "quantity": 1}], subscription_data=None),
            "line_items[0][price]",
        ),
        (
            refused(v1.subscriptions.create, {"customer": customer.id, "items": [{"price": price.id}]}),
            "items[0][price]",
        ),
        (refused(v1.invoice_items.create, {**of_customer, "pricing": {"price": once.id}}), "pricing[price]"),
    ):
        assert (error.user_message, error.param) == (INACTIVE, param)
    item = sub["items"].data[0].id
    assert v1.subscriptions.update(sub.id, {"items": [{"id": item, "quantity": 2}]})["items"].data[0].quantity == 2


def test_a_price_made_on_the_spot_is_not_for_sale_again_and_is_bought(checkout: Callable[..., Any], price: Any) -> None:
    data = {"currency": "usd", "unit_amount": 500, "product": price.product}
    session = checkout(mode="payment", line_items=[{"price_data": data, "quantity": 1}], subscription_data=None)
    assert session.amount_total == 500


@pytest.mark.parametrize(("seconds", "is_taken"), [(3600, False), (2 * DAY - 60, False), (2 * DAY + 60, True)])
def test_a_trial_bought_at_checkout_lasts_two_days(
    checkout: Callable[..., Any], sandbox: Sandbox, seconds: int, is_taken: bool
) -> None:
    data = {"trial_end": sandbox.state.now() + seconds}
    if is_taken:
        assert checkout(subscription_data=data).status == "open"
        return
    error = refused(checkout, subscription_data=data)
    assert error.user_message == "The `trial_end` date has to be at least 2 days in the future."
    assert error.param == "subscription_data[trial_end]"


def test_an_expired_checkout_with_a_trial_is_recovered_when_the_trial_is_near(
    v1: Any, checkout: Callable[..., Any], sandbox: Sandbox, control: Control
) -> None:
    """Its address leads to a copy, whatever has become of the trial."""
    recovery: Any = {"recovery": {"enabled": True}}
    session = checkout(subscription_data={"trial_end": sandbox.state.now() + 3 * DAY}, after_expiration=recovery)
    control("/advance", {"seconds": 2 * DAY})
    with urlopen(v1.checkout.sessions.retrieve(session.id).after_expiration.recovery.url) as page:
        assert page.status == 200
    copy = v1.checkout.sessions.list({"status": "open"}).data[0]
    assert (copy.recovered_from, copy.id != session.id) == (session.id, True)


def test_a_refund_names_what_was_charged_and_then_what_is_left(v1: Any, subscribed: Callable[..., Any]) -> None:
    subscribed()
    charge = v1.charges.list().data[0]
    most = refused(v1.refunds.create, {"charge": charge.id, "amount": 2500})
    assert most.user_message == "Refund amount ($25.00) is greater than charge amount ($20.00)"
    v1.refunds.create({"charge": charge.id, "amount": 500})
    left = refused(v1.refunds.create, {"charge": charge.id, "amount": 1800})
    assert left.user_message == "Refund amount ($18.00) is greater than unrefunded amount on charge ($15.00)"
    assert v1.refunds.create({"charge": charge.id, "amount": 1500}).status == "succeeded"


def test_a_payment_that_is_over_is_not_canceled(v1: Any, subscribed: Callable[..., Any]) -> None:
    subscribed()
    error = refused(v1.payment_intents.cancel, v1.payment_intents.list().data[0].id)
    assert error.user_message == (
        "You cannot cancel this PaymentIntent because it has a status of succeeded. Only a PaymentIntent with one of "
        "the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, "
        "requires_action, processing."
    )


def test_a_checkout_expires_once(v1: Any, checkout: Callable[..., Any]) -> None:
    session = v1.checkout.sessions.expire(checkout().id)
    error = refused(v1.checkout.sessions.expire, session.id)
    assert error.user_message.endswith("can be expired. This Checkout Session has a status of `expired`.")


def test_a_subscription_keeps_an_item_and_has_each_price_once(
    v1: Any, price: Any, customer: Any, subscribed: Callable[..., Any]
) -> None:
    sub = subscribed()
    assert "at least one active plan" in refused(v1.subscription_items.delete, sub["items"].data[0].id).user_message
    for error in (
        refused(v1.subscription_items.create, {"subscription": sub.id, "price": price.id}),
        refused(v1.subscriptions.create, {"customer": customer.id, "items": [{"price": price.id}] * 2}),
    ):
        assert error.user_message == f"Cannot add multiple subscription items with the same plan: {price.id}"


def test_nothing_recurring_is_no_subscription(checkout: Callable[..., Any], once: Any) -> None:
    error = refused(checkout, line_items=[{"price": once.id, "quantity": 1}])
    assert error.user_message == (
        "You must provide at least one recurring price in `subscription` mode when using prices."
    )


@pytest.fixture
def saved(v1: Any, customer: Any) -> Any:
    """A card that is saved for Alice."""
    return v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})


@pytest.mark.parametrize("confirms", ["create", "confirm"])
def test_a_saved_card_pays_for_nobody_but_its_customer(v1: Any, saved: Any, customer: Any, confirms: str) -> None:
    stranger = v1.customers.create({"email": "charlie@example.com"})

    def pay(**whose: str) -> Any:
        asked: Any = {"amount": 900, "currency": "usd", **whose}
        if confirms == "create":
            return v1.payment_intents.create({**asked, "payment_method": saved.id, "confirm": True})
        return v1.payment_intents.confirm(v1.payment_intents.create(asked).id, {"payment_method": saved.id})

    error = refused(pay)
    assert error.code == "parameter_missing"
    assert error.user_message == (
        f"The `payment_method` parameter supplied {saved.id} belongs to the Customer {customer.id}. Please include the "
        "Customer in the `customer` parameter on the PaymentIntent."
    )
    error = refused(pay, customer=stranger.id)
    assert (error.code, error.param) == ("resource_missing", "payment_method")
    assert v1.charges.list().data == []
    assert pay(customer=customer.id).status == "succeeded"


def test_a_saved_card_is_set_up_for_nobody_but_its_customer(v1: Any, saved: Any, customer: Any) -> None:
    stranger = v1.customers.create({"email": "charlie@example.com"})
    error = refused(v1.setup_intents.create, {"payment_method": saved.id})
    assert error.user_message.endswith("Please include the Customer in the `customer` parameter on the SetupIntent.")
    error = refused(v1.setup_intents.create, {"payment_method": saved.id, "customer": stranger.id})
    assert "does not belong to the Customer you supplied" in error.user_message
    made = v1.setup_intents.create({"payment_method": saved.id, "customer": customer.id, "confirm": True})
    assert made.status == "succeeded"
