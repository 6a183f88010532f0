"""Situations that users of Stripe report, each with the place where they do: the sandbox answers as they were answered.

- https://github.com/stripe/stripe-cli/issues/1314 (lists without test clocks)
- https://github.com/stripe/stripe-go/issues/1887, https://github.com/fjordllc/bootcamp/issues/10095 (canceled twice)
- https://github.com/dj-stripe/dj-stripe/issues/1155, https://github.com/stripe/stripe-php/issues/1221 (spent cards)
- https://github.com/Automattic/woocommerce-payments/issues/487 (nothing to pay with)
- https://github.com/laravel/cashier-stripe/pull/1597 (a preview of nothing)
"""

from typing import Any

import pytest
import stripe

from .conftest import Control

SPENT, NOT_AGAIN = "may not be used again", "It may not be used again"


@pytest.fixture
def v1(client: stripe.StripeClient) -> Any:
    return client.v1


@pytest.fixture
def clocked(v1: Any, price: stripe.Price) -> Any:
    """A customer of a test clock, with a subscription."""
    clock = v1.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000}).id
    card: Any = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    person = v1.customers.create({"email": "clock@example.com", "test_clock": clock, **card})
    v1.subscriptions.create({"customer": person.id, "items": [{"price": price.id}]})
    line: Any = [{"price": price.id, "quantity": 1}]
    v1.quotes.create({"customer": person.id, "line_items": line})
    return person


def refused(act: Any, *given: Any) -> Any:
    with pytest.raises(stripe.InvalidRequestError) as error:
        act(*given)
    return error.value


@pytest.mark.parametrize("family", ["customers", "subscriptions", "quotes"])
def test_a_list_leaves_out_whom_a_test_clock_holds_until_it_is_named(v1: Any, clocked: Any, family: str) -> None:
    service, clock = getattr(v1, family), str(clocked.test_clock)
    assert service.list().data == []
    assert [row.test_clock for row in service.list({"test_clock": clock}).data] == [clock]
    other = v1.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000}).id
    assert service.list({"test_clock": other}).data == []


def test_what_a_customer_of_a_test_clock_has_is_listed_by_the_customer(v1: Any, clocked: Any) -> None:
    assert len(v1.subscriptions.list({"customer": clocked.id}).data) == 1
    assert len(v1.quotes.list({"customer": clocked.id}).data) == 1
    assert v1.customers.list({"email": "clock@example.com"}).data == []
    assert len(v1.customers.list({"email": "clock@example.com", "test_clock": clocked.test_clock}).data) == 1


def test_those_whom_no_clock_holds_are_listed_beside_a_clock(v1: Any, clocked: Any, customer: Any) -> None:
    assert [row.id for row in v1.customers.list().data] == [customer.id]


def test_whoever_cancels_twice_is_told_that_there_is_no_such_subscription(v1: Any, subscribed: Any) -> None:
    sub = subscribed()
    v1.subscriptions.cancel(sub.id)
    again = refused(v1.subscriptions.cancel, sub.id)
    assert (again.http_status, again.code, again.param) == (404, "resource_missing", "id")
    assert v1.subscriptions.retrieve(sub.id).status == "canceled"
    assert "can only update its cancellation_details and metadata" in str(
        refused(v1.subscriptions.update, sub.id, {"cancel_at_period_end": True})
    )


def test_a_canceled_subscription_has_no_upcoming_invoice(v1: Any, subscribed: Any) -> None:
    sub = subscribed()
    v1.subscriptions.cancel(sub.id)
    details: Any = {"items": [{"id": sub["items"].data[0].id, "quantity": 2}]}
    for more in ({}, {"subscription_details": details}):
        none = refused(v1.invoices.create_preview, {"subscription": sub.id, **more})
        assert (none.http_status, none.code) == (404, "invoice_upcoming_none")


def test_an_ending_subscription_has_no_upcoming_invoice_but_a_change_of_it_has(v1: Any, subscribed: Any) -> None:
    sub = subscribed()
    v1.subscriptions.update(sub.id, {"cancel_at_period_end": True})
    assert refused(v1.invoices.create_preview, {"subscription": sub.id}).code == "invoice_upcoming_none"
    more: Any = {"items": [{"id": sub["items"].data[0].id, "quantity": 2}], "proration_behavior": "always_invoice"}
    assert v1.invoices.create_preview({"subscription": sub.id, "subscription_details": more}).lines.data


def test_a_customer_as_a_whole_has_no_preview(v1: Any, customer: Any) -> None:
    assert "not for a customer as a whole" in str(refused(v1.invoices.create_preview, {"customer": customer.id}))


@pytest.fixture
def detached(v1: Any, customer: Any) -> str:
    card = v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})
    v1.payment_methods.detach(card.id)
    return str(card.id)


def test_a_detached_card_is_nobodys_default_and_cannot_be_detached_again(v1: Any, customer: Any, detached: str) -> None:
    assert v1.customers.retrieve(customer.id).invoice_settings.default_payment_method is None
    assert "detachment is impossible" in str(refused(v1.payment_methods.detach, detached))


def test_a_detached_card_is_not_attached_again(v1: Any, customer: Any, detached: str) -> None:
    other = v1.customers.create({})
    for person in (customer.id, other.id):
        assert SPENT in str(refused(v1.payment_methods.attach, detached, {"customer": person}))
    assert SPENT in str(refused(v1.customers.create, {"payment_method": detached}))
    assert v1.payment_methods.retrieve(detached).customer is None


@pytest.mark.parametrize("family", ["payment_intents", "setup_intents"])
def test_a_detached_card_neither_pays_nor_is_set_up(v1: Any, customer: Any, detached: str, family: str) -> None:
    service = getattr(v1, family)
    paid: Any = {"amount": 900, "currency": "usd"} if family == "payment_intents" else {}
    intent = service.create({"customer": customer.id, **paid})
    assert NOT_AGAIN in str(refused(service.confirm, intent.id, {"payment_method": detached}))
    assert service.retrieve(intent.id).status == "requires_payment_method"


def test_a_card_that_paid_without_a_customer_pays_once(v1: Any, customer: Any) -> None:
    card = v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}).id
    once: Any = {"amount": 900, "currency": "usd", "payment_method": card, "confirm": True}
    assert v1.payment_intents.create(once).status == "succeeded"
    assert NOT_AGAIN in str(refused(v1.payment_intents.create, once))
    assert SPENT in str(refused(v1.payment_methods.attach, card, {"customer": customer.id}))


def test_a_card_that_was_declined_or_saved_is_used_again(v1: Any, customer: Any) -> None:
    card = v1.payment_methods.create({"type": "card", "card": {"token": "tok_chargeCustomerFail"}}).id
    once: Any = {"amount": 900, "currency": "usd", "payment_method": card, "confirm": True}
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            v1.payment_intents.create(once)
    good = v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}).id
    kept: Any = {**once, "payment_method": good, "customer": customer.id, "setup_future_usage": "off_session"}
    assert [v1.payment_intents.create(kept).status for _ in range(2)] == ["succeeded", "succeeded"]


@pytest.mark.parametrize("family", ["payment_intents", "setup_intents"])
def test_nothing_to_pay_with_is_told_by_the_intents_state(v1: Any, family: str) -> None:
    service = getattr(v1, family)
    paid: Any = {"amount": 900, "currency": "usd"} if family == "payment_intents" else {}
    error = refused(service.confirm, service.create(paid).id)
    assert "it's missing a payment method" in str(error)
    assert error.code == f"{family.removesuffix('s')}_unexpected_state"


def test_a_payment_that_succeeded_is_not_confirmed_again(v1: Any) -> None:
    once: Any = {"amount": 900, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    error = refused(v1.payment_intents.confirm, v1.payment_intents.create(once).id)
    assert (error.code, "already succeeded" in str(error)) == ("payment_intent_unexpected_state", True)


def test_a_spent_card_stays_spent_through_a_restart(v1: Any, detached: str, sandbox: Any, tmp_path: Any) -> None:
    from stripe_sandbox import saving

    saving.save(sandbox.state, tmp_path / "state.json")
    assert saving.load(tmp_path / "state.json").notes[detached]["spent"] is True


def test_a_preview_of_a_coupon_is_what_the_change_then_costs(
    v1: Any, subscribed: Any, price: Any, control: Control
) -> None:
    """https://github.com/stripe/stripe-go/issues/1671: a coupon of a month, on a plan of a year."""
    year: Any = {"interval": "year"}
    yearly = v1.prices.create({"product": price.product, "currency": "usd", "unit_amount": 20000, "recurring": year})
    coupon = v1.coupons.create({"percent_off": 25, "duration": "repeating", "duration_in_months": 1}).id
    sub = subscribed()
    control("/advance", {"seconds": 86_400})
    now = control("/", method="GET")["now"]
    change: Any = {"items": [{"id": sub["items"].data[0].id, "price": yearly.id}], "proration_date": now}
    change["proration_behavior"], given = "always_invoice", [{"coupon": coupon}]
    shown = v1.invoices.create_preview({"subscription": sub.id, "subscription_details": change, "discounts": given})
    done = v1.subscriptions.update(sub.id, {**change, "discounts": given, "expand": ["latest_invoice"]})
    assert done.latest_invoice.total == shown.total < 20000


@pytest.mark.parametrize(
    ("named", "value"),
    [
        ("off_session", True),
        ("return_url", "https://example.com/"),
        ("mandate_data", {"customer_acceptance": {"type": "offline", "offline": {}}}),
    ],
)
def test_what_counts_for_a_confirmation_alone_is_refused_without_one(
    client: stripe.StripeClient, named: str, value: Any
) -> None:
    given: Any = {"amount": 900, "currency": "usd", "payment_method": "pm_card_visa", named: value}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.create(given)
    assert refused.value.user_message == (
        f"The parameter `{named}` cannot be passed when creating a PaymentIntent unless `confirm` is set to true."
    )
    assert (refused.value.param, refused.value.code) == (named, "payment_intent_invalid_parameter")
    if named != "off_session":
        with pytest.raises(stripe.InvalidRequestError, match="creating a SetupIntent unless") as refused:
            client.v1.setup_intents.create({"payment_method": "pm_card_visa", named: value})
        assert refused.value.code == "setup_intent_invalid_parameter"
    if named == "return_url":
        assert client.v1.payment_intents.create({**given, "confirm": True}).status == "succeeded"


def test_a_card_is_not_saved_by_a_payment_at_which_nobody_is_there(
    client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    given: Any = {"amount": 900, "currency": "usd", "payment_method": "pm_card_visa", "customer": customer.id}
    with pytest.raises(stripe.InvalidRequestError, match="when `setup_future_usage` is also set"):
        client.v1.payment_intents.create(
            {**given, "confirm": True, "off_session": True, "setup_future_usage": "off_session"}
        )
    assert client.v1.charges.list().data == []
    assert client.v1.payment_intents.create({**given, "confirm": True, "off_session": True}).status == "succeeded"
