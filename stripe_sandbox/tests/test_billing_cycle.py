"""Renewals, dunning, trials, cancellations: what the clock brings."""

from typing import Any

import pytest
import stripe

from .conftest import Control, Receiver

HOUR, DAY = 3600, 86400


def renew(control: Control, sub: Any) -> None:
    """Advance to the end of the period, and past the hour until the invoice is finalized."""
    control("/advance", {"to": sub["items"]["data"][0]["current_period_end"] + HOUR})


def fresh(client: stripe.StripeClient, sub: Any) -> Any:
    return client.v1.subscriptions.retrieve(sub.id, {"expand": ["latest_invoice"]})


def use_card(client: stripe.StripeClient, sub: Any, token: str) -> Any:
    method = client.v1.payment_methods.attach(token, {"customer": sub.customer})
    client.v1.subscriptions.update(sub.id, {"default_payment_method": method.id})
    return method


def test_a_renewal_sends_its_events_in_order(forwarding: Receiver, control: Control, subscribed: Any) -> None:
    sub = subscribed()
    control("/settle")
    forwarding.received.clear()
    renew(control, sub)
    control("/settle")
    assert forwarding.types() == [
        "invoice.upcoming",
        "customer.subscription.updated",
        "invoice.created",
        "invoice.updated",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
    ]


def test_each_event_carries_the_instant_it_was_due_at(
    client: stripe.StripeClient, control: Control, subscribed: Any
) -> None:
    sub = subscribed()
    end = sub["items"]["data"][0].current_period_end
    control("/advance", {"seconds": 40 * DAY})
    at = {event.type: event.created for event in client.v1.events.list({"limit": 100}).data[::-1]}
    assert at["invoice.upcoming"] == end - 3 * DAY
    assert at["customer.subscription.updated"] == end
    assert at["invoice.payment_succeeded"] == end + HOUR


def test_a_year_brings_twelve_renewals(client: stripe.StripeClient, control: Control, subscribed: Any) -> None:
    sub = subscribed()
    control("/advance", {"seconds": 366 * DAY})
    invoices = client.v1.invoices.list({"subscription": sub.id, "limit": 100}).data
    assert len(invoices) == 13
    assert {invoice.status for invoice in invoices} == {"paid"}


def test_a_declined_renewal_is_past_due_and_tried_four_times(
    client: stripe.StripeClient, control: Control, subscribed: Any
) -> None:
    sub = subscribed()
    use_card(client, sub, "pm_card_chargeCustomerFail")
    renew(control, sub)
    now = fresh(client, sub)
    invoice = now.latest_invoice
    assert (now.status, invoice.status, invoice.attempt_count) == ("past_due", "open", 1)
    for days, attempts in ((3, 2), (5, 3), (7, 4)):
        assert invoice.next_payment_attempt is not None
        control("/advance", {"seconds": days * DAY})
        invoice = client.v1.invoices.retrieve(invoice.id)
        assert invoice.attempt_count == attempts
    over = fresh(client, sub)
    assert (over.status, over.cancellation_details.reason) == ("canceled", "payment_failed")
    assert (invoice.status, invoice.next_payment_attempt) == ("open", None)


def test_the_account_may_leave_it_unpaid_after_the_last_try(
    client: stripe.StripeClient, control: Control, subscribed: Any
) -> None:
    control("/settings", {"after_last_retry": "unpaid", "retry_days": [1]})
    sub = subscribed()
    use_card(client, sub, "pm_card_chargeCustomerFail")
    renew(control, sub)
    control("/advance", {"seconds": DAY})
    assert fresh(client, sub).status == "unpaid"


def test_a_declined_renewal_sends_its_events_in_order(
    client: stripe.StripeClient, forwarding: Receiver, control: Control, subscribed: Any
) -> None:
    sub = subscribed()
    use_card(client, sub, "pm_card_chargeCustomerFail")
    control("/advance", {"to": sub["items"]["data"][0].current_period_end})
    control("/settle")
    forwarding.received.clear()
    control("/advance", {"seconds": HOUR})
    control("/settle")
    assert forwarding.types() == [
        "invoice.updated",
        "invoice.finalized",
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "invoice.updated",
        "invoice.payment_failed",
        "customer.subscription.updated",
    ]
    assert forwarding.events()[-1]["data"]["previous_attributes"] == {"status": "active"}


def test_a_new_card_pays_at_the_next_try(client: stripe.StripeClient, control: Control, subscribed: Any) -> None:
    sub = subscribed()
    use_card(client, sub, "pm_card_chargeCustomerFail")
    renew(control, sub)
    use_card(client, sub, "pm_card_visa")
    control("/advance", {"seconds": 3 * DAY})
    now = fresh(client, sub)
    assert (now.status, now.latest_invoice.status) == ("active", "paid")


def test_a_new_card_pays_when_the_invoice_is_paid_by_hand(
    client: stripe.StripeClient, control: Control, subscribed: Any
) -> None:
    sub = subscribed()
    use_card(client, sub, "pm_card_chargeCustomerFail")
    renew(control, sub)
    use_card(client, sub, "pm_card_visa")
    invoice = client.v1.invoices.pay(fresh(client, sub).latest_invoice.id)
    assert (invoice.status, fresh(client, sub).status) == ("paid", "active")


def test_3d_secure_at_renewal_waits_for_the_customer(
    client: stripe.StripeClient, forwarding: Receiver, control: Control, subscribed: Any
) -> None:
    sub = subscribed("pm_card_authenticationRequired")
    renew(control, sub)
    control("/settle")
    assert forwarding.types()[-5:] == [
        "payment_intent.requires_action",
        "invoice.updated",
        "invoice.payment_action_required",
        "invoice.payment_failed",
        "customer.subscription.updated",
    ]
    now = fresh(client, sub)
    assert (now.status, now.latest_invoice.next_payment_attempt) == ("past_due", None)
    done = control(f"/invoices/{now.latest_invoice.id}/pay", {"outcome": "authenticated"})
    assert (done["outcome"], fresh(client, sub).status) == ("paid", "active")


def test_a_trial_warns_three_days_before_and_then_charges(
    client: stripe.StripeClient, control: Control, subscribed: Any
) -> None:
    sub = subscribed(subscription_data={"trial_period_days": 14})
    control("/advance", {"seconds": 11 * DAY})
    assert client.v1.events.list({"type": "customer.subscription.trial_will_end"}).data
    control("/advance", {"seconds": 3 * DAY + HOUR + 1})
    now = fresh(client, sub)
    assert (now.status, now.latest_invoice.amount_paid) == ("active", 2000)
    assert now["items"]["data"][0].current_period_start == sub.trial_end


def test_a_cancellation_at_period_end_sets_cancel_at_and_ends_then(
    client: stripe.StripeClient, control: Control, subscribed: Any
) -> None:
    sub = subscribed()
    end = sub["items"]["data"][0].current_period_end
    asked = client.v1.subscriptions.update(sub.id, {"cancel_at_period_end": True})
    assert (asked.cancel_at, asked.cancel_at_period_end, asked.status) == (end, True, "active")
    control("/advance", {"to": end + HOUR})
    over = fresh(client, sub)
    assert (over.status, over.ended_at, over.canceled_at) == ("canceled", end, asked.canceled_at)
    assert len(client.v1.invoices.list({"subscription": sub.id}).data) == 1


def test_a_cancellation_that_is_taken_back_changes_nothing(
    client: stripe.StripeClient, control: Control, subscribed: Any
) -> None:
    sub = subscribed()
    client.v1.subscriptions.update(sub.id, {"cancel_at_period_end": True})
    back = client.v1.subscriptions.update(sub.id, {"cancel_at_period_end": False})
    assert (back.cancel_at, back.canceled_at, back.cancellation_details.reason) == (None, None, None)
    renew(control, sub)
    assert fresh(client, sub).status == "active"


def test_cancelling_now_ends_it_now(client: stripe.StripeClient, subscribed: Any) -> None:
    sub = subscribed()
    over = client.v1.subscriptions.cancel(sub.id)
    assert (over.status, over.cancellation_details.reason) == ("canceled", "cancellation_requested")
    assert client.v1.subscriptions.list({"customer": sub.customer}).data == []


def test_an_anchor_on_the_31st_comes_back_after_february(client: stripe.StripeClient, control: Control) -> None:
    control("/reset", {"now": 1769860800})  # 31 January 2026, noon
    product = client.v1.products.create({"name": "Pro"})
    monthly: Any = {"product": product.id, "currency": "jpy", "unit_amount": 500, "recurring": {"interval": "month"}}
    price = client.v1.prices.create(monthly)
    person = client.v1.customers.create({"email": "a@example.com", "payment_method": "pm_card_visa"})
    method = client.v1.customers.payment_methods.list(person.id).data[0].id
    params: Any = {"customer": person.id, "items": [{"price": price.id}], "default_payment_method": method}
    sub = client.v1.subscriptions.create(params)
    control("/advance", {"to": 1774958400 - 1})  # a second before 31 March, noon
    assert fresh(client, sub)["items"]["data"][0].current_period_end == 1774958400
    assert fresh(client, sub)["items"]["data"][0].current_period_start == 1772280000  # 28 February, noon


def test_the_clock_never_goes_back(control: Control) -> None:
    assert "only goes forward" in control("/advance", {"to": 5})["error"]["message"]


def test_events_are_forgotten_after_thirty_days(client: stripe.StripeClient, control: Control, price: Any) -> None:
    old = client.v1.events.list({"type": "price.created"}).data[0]
    control("/advance", {"seconds": 31 * DAY})
    assert client.v1.events.list().data == []
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.events.retrieve(old.id)
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
