"""A subscription whose first payment, or whose card, is confirmed by its customer."""

from typing import Any

import pytest
import stripe

from .conftest import Control
from .test_billing_cycle import DAY, HOUR, fresh


def start(client: stripe.StripeClient, customer: Any, price: Any, **more: Any) -> Any:
    params: Any = {
        "customer": customer.id,
        "items": [{"price": price.id}],
        "payment_behavior": "default_incomplete",
        "payment_settings": {"save_default_payment_method": "on_subscription"},
        "expand": ["latest_invoice.confirmation_secret", "pending_setup_intent"],
        **more,
    }
    return client.v1.subscriptions.create(params)


def intent_of(sub: Any) -> str:
    return str(sub.latest_invoice.confirmation_secret.client_secret.partition("_secret")[0])


def test_stripes_quickstart_renews(client: stripe.StripeClient, control: Control, customer: Any, price: Any) -> None:
    """https://docs.stripe.com/billing/subscriptions/build-subscriptions"""
    sub = start(client, customer, price)
    assert (sub.status, sub.default_payment_method) == ("incomplete", None)
    client.v1.payment_intents.confirm(intent_of(sub), {"payment_method": "pm_card_visa"})
    paid = fresh(client, sub)
    card = client.v1.payment_methods.retrieve(paid.default_payment_method)
    assert (paid.status, card.customer) == ("active", customer.id)
    said = [event.type for event in client.v1.events.list({"limit": 50}).data]
    assert said.count("customer.subscription.updated") == 1
    control("/advance", {"seconds": 32 * DAY})
    renewed = fresh(client, sub)
    assert (renewed.status, renewed.latest_invoice.billing_reason) == ("active", "subscription_cycle")
    assert renewed.latest_invoice.status == "paid"


def test_a_card_that_pays_is_kept_but_is_no_default_unless_asked_for(
    client: stripe.StripeClient, customer: Any, price: Any
) -> None:
    bystander = client.v1.customers.create({"email": "bob@example.com"})
    sub = start(client, customer, price, payment_settings={"save_default_payment_method": "off"})
    client.v1.payment_intents.confirm(intent_of(sub), {"payment_method": "pm_card_visa"})
    assert fresh(client, sub).default_payment_method is None
    assert len(client.v1.customers.payment_methods.list(customer.id).data) == 1
    assert client.v1.customers.payment_methods.list(bystander.id).data == []


def test_a_card_that_is_declined_is_not_kept(client: stripe.StripeClient, customer: Any, price: Any) -> None:
    sub = start(client, customer, price)
    with pytest.raises(stripe.CardError) as refused:
        client.v1.payment_intents.confirm(intent_of(sub), {"payment_method": "pm_card_chargeDeclined"})
    body: Any = refused.value.json_body
    error = body["error"]
    assert (error["advice_code"], error["network_decline_code"]) == ("try_again_later", "01")
    assert error["doc_url"] == "https://stripe.com/docs/error-codes/card-declined"
    intent = client.v1.payment_intents.retrieve(intent_of(sub))
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert client.v1.customers.payment_methods.list(customer.id).data == []


def test_three_d_secure_is_passed_on_the_first_payment(
    client: stripe.StripeClient, control: Control, customer: Any, price: Any
) -> None:
    sub = start(client, customer, price)
    asked = client.v1.payment_intents.confirm(
        intent_of(sub), {"payment_method": "pm_card_authenticationRequired", "return_url": "https://example.com/back"}
    )
    assert asked.next_action.type == "redirect_to_url"
    assert asked.next_action.redirect_to_url.return_url == "https://example.com/back"
    control(f"/payment_intents/{asked.id}", {"outcome": "authenticated"})
    paid = fresh(client, sub)
    assert (paid.status, paid.default_payment_method) == ("active", asked.payment_method)


def test_three_d_secure_is_refused(client: stripe.StripeClient, control: Control, customer: Any, price: Any) -> None:
    sub = start(client, customer, price)
    intent = client.v1.payment_intents.confirm(intent_of(sub), {"payment_method": "pm_card_authenticationRequired"})
    assert intent.next_action.type == "use_stripe_sdk"
    control(f"/payment_intents/{intent.id}", {"outcome": "authentication_failed"})
    intent = client.v1.payment_intents.retrieve(intent.id)
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert fresh(client, sub).status == "incomplete"


def test_a_trial_without_a_card_asks_for_one(
    client: stripe.StripeClient, control: Control, customer: Any, price: Any
) -> None:
    """The SDK: `pending_setup_intent` collects the card of a subscription that begins without a payment."""
    sub = start(client, customer, price, trial_period_days=7)
    pending = sub.pending_setup_intent
    assert (sub.status, pending.status) == ("trialing", "requires_payment_method")
    client.v1.setup_intents.confirm(pending.id, {"payment_method": "pm_card_visa"})
    ready = fresh(client, sub)
    assert (ready.pending_setup_intent, ready.default_payment_method is None) == (None, False)
    control("/advance", {"seconds": 7 * DAY + 2 * HOUR})
    assert (fresh(client, sub).status, fresh(client, sub).latest_invoice.amount_paid) == ("active", 2000)


@pytest.mark.parametrize(("outcome", "status"), [("authenticated", "succeeded"), ("authentication_failed", None)])
def test_a_trial_with_a_card_that_asks_for_three_d_secure(
    client: stripe.StripeClient, control: Control, customer: Any, price: Any, outcome: str, status: str | None
) -> None:
    card = client.v1.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer.id})
    sub = start(client, customer, price, trial_period_days=7, default_payment_method=card.id)
    pending = sub.pending_setup_intent
    assert (pending.status, pending.payment_method) == ("requires_action", card.id)
    control(f"/setup_intents/{pending.id}", {"outcome": outcome})
    left = client.v1.setup_intents.retrieve(pending.id)
    assert (left.status, fresh(client, sub).pending_setup_intent) == (
        (status, None) if status else ("requires_payment_method", pending.id)
    )


def test_a_trial_with_a_card_that_works_asks_for_nothing(
    client: stripe.StripeClient, customer: Any, price: Any
) -> None:
    """Recorded: `pending_setup_intent` is null."""
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    sub = start(client, customer, price, trial_period_days=7, default_payment_method=card.id)
    assert sub.pending_setup_intent is None
    assert client.v1.setup_intents.list().data == []


def test_nobody_is_there_to_pass_three_d_secure(client: stripe.StripeClient, customer: Any) -> None:
    """https://docs.stripe.com/error-codes#authentication-required: an `off_session` charge is 402."""
    card = client.v1.payment_methods.attach("pm_card_authenticationRequired", {"customer": customer.id})
    paying: Any = {
        "amount": 900,
        "currency": "usd",
        "customer": customer.id,
        "payment_method": card.id,
        "confirm": True,
    }
    with pytest.raises(stripe.CardError) as refused:
        client.v1.payment_intents.create({**paying, "off_session": True})
    assert (refused.value.http_status, refused.value.code) == (402, "authentication_required")
    intent = client.v1.payment_intents.list({"customer": customer.id}).data[0]
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert client.v1.payment_intents.create(paying).status == "requires_action"


@pytest.mark.parametrize("token", ["pm_card_visa", "pm_card_authenticationRequired"])
def test_the_subscription_is_announced_as_the_request_leaves_it(
    client: stripe.StripeClient, customer: Any, price: Any, token: str
) -> None:
    """Recorded: `customer.subscription.created` says `active` where the card works at once; nothing takes it back."""
    card = client.v1.payment_methods.attach(token, {"customer": customer.id})
    sub = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "default_payment_method": card.id}
    )
    said = [event for event in client.v1.events.list({"limit": 50}).data if event.type.startswith("customer.subs")]
    assert [(event.type, event.data.object["status"]) for event in said] == [
        ("customer.subscription.created", sub.status)
    ]
    assert (sub.status, sub.latest_invoice is None) == ("active" if token == "pm_card_visa" else "incomplete", False)
