"""Changing a subscription in its period: proration by the second, previews, changes that wait for their payment."""

from typing import Any

import pytest
import stripe

from .conftest import Control, Receiver
from .test_billing_cycle import DAY, HOUR, fresh, renew, use_card


@pytest.fixture
def team(client: stripe.StripeClient, price: Any) -> Any:
    params: Any = {"product": price.product, "currency": "usd", "unit_amount": 5000, "recurring": {"interval": "month"}}
    return client.v1.prices.create(params)


def swap(client: stripe.StripeClient, sub: Any, price: Any, **more: Any) -> Any:
    item = {"id": sub["items"]["data"][0].id, "price": price.id}
    return client.v1.subscriptions.update(sub.id, {"items": [item], **more})


def half_way(control: Control, sub: Any) -> int:
    item = sub["items"]["data"][0]
    middle = (item.current_period_start + item.current_period_end) // 2
    control("/advance", {"to": middle})
    return middle


def test_an_upgrade_is_invoiced_at_once_by_the_second(
    client: stripe.StripeClient, forwarding: Receiver, control: Control, subscribed: Any, team: Any
) -> None:
    sub = subscribed()
    middle = half_way(control, sub)
    control("/settle")
    forwarding.received.clear()
    swap(client, sub, team, proration_behavior="always_invoice", proration_date=middle)
    control("/settle")
    now = fresh(client, sub)
    lines = now.latest_invoice.lines.data
    assert [line.amount for line in lines] == [-1000, 2500]
    assert {line.parent.type for line in lines} == {"subscription_item_details"}
    assert all(line.parent.subscription_item_details.proration for line in lines)
    assert (now.latest_invoice.amount_paid, now.latest_invoice.billing_reason) == (1500, "subscription_update")
    assert forwarding.types()[:5] == [
        "customer.subscription.updated",
        "invoiceitem.created",
        "invoiceitem.created",
        "invoice.created",
        "invoice.finalized",
    ]


def test_the_preview_is_what_the_change_then_costs(
    client: stripe.StripeClient, control: Control, subscribed: Any, team: Any
) -> None:
    sub = subscribed()
    middle = half_way(control, sub)
    details: Any = {
        "items": [{"id": sub["items"]["data"][0].id, "price": team.id}],
        "proration_behavior": "always_invoice",
        "proration_date": middle,
    }
    before = client.v1.invoices.list().data
    preview = client.v1.invoices.create_preview({"subscription": sub.id, "subscription_details": details})
    assert (preview.amount_due, preview.id[:11]) == (1500, "upcoming_in")
    assert [row.id for row in client.v1.invoices.list().data] == [row.id for row in before]
    swap(client, sub, team, proration_behavior="always_invoice", proration_date=middle)
    assert fresh(client, sub).latest_invoice.amount_paid == preview.amount_due


def test_create_prorations_waits_for_the_renewal(
    client: stripe.StripeClient, control: Control, subscribed: Any, team: Any
) -> None:
    sub = subscribed()
    middle = half_way(control, sub)
    changed = swap(client, sub, team, proration_date=middle)
    assert len(client.v1.invoice_items.list({"pending": True}).data) == 2
    assert client.v1.invoices.create_preview({"subscription": sub.id}).amount_due == 6500
    renew(control, changed)
    assert fresh(client, sub).latest_invoice.amount_paid == 6500
    assert client.v1.invoice_items.list({"pending": True}).data == []


def test_without_proration_nothing_is_owed(
    client: stripe.StripeClient, control: Control, subscribed: Any, team: Any
) -> None:
    sub = subscribed()
    half_way(control, sub)
    changed = swap(client, sub, team, proration_behavior="none")
    renew(control, changed)
    assert fresh(client, sub).latest_invoice.amount_paid == 5000


def test_another_interval_keeps_the_anchor(client: stripe.StripeClient, control: Control, subscribed: Any) -> None:
    """A recorded answer, and https://docs.stripe.com/billing/subscriptions/billing-mode: the year is the anchor's."""
    sub = subscribed()
    middle = half_way(control, sub)
    product = client.v1.prices.retrieve(sub["items"]["data"][0].price.id).product
    yearly: Any = {"product": product, "currency": "usd", "unit_amount": 20000, "recurring": {"interval": "year"}}
    changed = swap(client, sub, client.v1.prices.create(yearly), proration_date=middle)
    item = changed["items"]["data"][0]
    assert (changed.billing_cycle_anchor, item.current_period_start) == (sub.billing_cycle_anchor,) * 2
    assert item.current_period_end - item.current_period_start in (365 * DAY, 366 * DAY)
    year = item.current_period_end - item.current_period_start
    rest = round(20000 * (item.current_period_end - middle) / year)
    assert fresh(client, sub).latest_invoice.amount_paid == rest - 1000


def test_a_downgrade_leaves_a_credit_for_the_next_invoice(
    client: stripe.StripeClient, control: Control, subscribed: Any, price: Any
) -> None:
    sub = subscribed()
    cheap: Any = {"product": price.product, "currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}}
    middle = half_way(control, sub)
    changed = swap(
        client, sub, client.v1.prices.create(cheap), proration_behavior="always_invoice", proration_date=middle
    )
    assert client.v1.customers.retrieve(sub.customer).balance == -750
    renew(control, changed)
    invoice = fresh(client, sub).latest_invoice
    assert (invoice.total, invoice.amount_due, invoice.ending_balance, invoice.status) == (500, 0, -250, "paid")


def test_pending_if_incomplete_keeps_the_old_plan_until_paid(
    client: stripe.StripeClient, control: Control, subscribed: Any, team: Any
) -> None:
    sub = subscribed()
    use_card(client, sub, "pm_card_chargeCustomerFail")
    half_way(control, sub)
    pending: Any = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
    waiting = swap(client, sub, team, **pending)
    assert waiting.status == "active"
    assert waiting.pending_update.subscription_items[0].price.id == team.id
    assert waiting["items"]["data"][0].price.unit_amount == 2000
    use_card(client, sub, "pm_card_visa")
    client.v1.invoices.pay(waiting.latest_invoice)
    now = fresh(client, sub)
    assert (now.pending_update, now["items"]["data"][0].price.id) == (None, team.id)


def test_a_pending_update_lapses_after_23_hours(
    client: stripe.StripeClient, control: Control, subscribed: Any, team: Any
) -> None:
    sub = subscribed("pm_card_authenticationRequired")
    half_way(control, sub)
    pending: Any = {"proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
    waiting = swap(client, sub, team, **pending)
    control("/advance", {"seconds": 23 * HOUR + 1})
    now = fresh(client, sub)
    assert (now.status, now.pending_update, now["items"]["data"][0].price.unit_amount) == ("active", None, 2000)
    assert client.v1.invoices.retrieve(waiting.latest_invoice).status == "void"


def test_error_if_incomplete_changes_nothing(
    client: stripe.StripeClient, control: Control, subscribed: Any, team: Any
) -> None:
    sub = subscribed()
    use_card(client, sub, "pm_card_chargeCustomerFail")
    half_way(control, sub)
    with pytest.raises(stripe.CardError):
        swap(client, sub, team, proration_behavior="always_invoice", payment_behavior="error_if_incomplete")
    assert fresh(client, sub)["items"]["data"][0].price.unit_amount == 2000


def test_ending_a_trial_now_charges_now(client: stripe.StripeClient, subscribed: Any) -> None:
    sub = subscribed(subscription_data={"trial_period_days": 14})
    client.v1.subscriptions.update(sub.id, {"trial_end": "now"})
    now = fresh(client, sub)
    assert (now.status, now.latest_invoice.amount_paid) == ("active", 2000)


def test_metadata_is_merged_and_announced(client: stripe.StripeClient, subscribed: Any) -> None:
    sub = client.v1.subscriptions.update(subscribed().id, {"metadata": {"team": "blue", "attempt": ""}})
    assert sub.metadata.to_dict() == {"team": "blue"}
    event = client.v1.events.list({"type": "customer.subscription.updated"}).data[0]
    assert event.data.previous_attributes.to_dict() == {"metadata": {"attempt": "1", "team": None}}


def test_cancelling_with_proration_gives_credit(client: stripe.StripeClient, control: Control, subscribed: Any) -> None:
    sub = subscribed()
    half_way(control, sub)
    client.v1.subscriptions.cancel(sub.id, {"prorate": True, "invoice_now": True})
    assert client.v1.customers.retrieve(sub.customer).balance in (-1000, -999)


@pytest.mark.parametrize(
    ("card", "behaviour", "status"),
    [
        ("pm_card_visa", "allow_incomplete", "active"),
        ("pm_card_chargeCustomerFail", "allow_incomplete", "incomplete"),
        ("pm_card_visa", "default_incomplete", "incomplete"),
    ],
)
def test_a_subscription_by_the_api(
    client: stripe.StripeClient, control: Control, price: Any, customer: Any, card: str, behaviour: Any, status: str
) -> None:
    method = client.v1.payment_methods.attach(card, {"customer": customer.id})
    params: Any = {"customer": customer.id, "items": [{"price": price.id}], "default_payment_method": method.id}
    sub = client.v1.subscriptions.create(
        {**params, "payment_behavior": behaviour, "expand": ["latest_invoice.payments"]}
    )
    assert sub.status == status
    if behaviour == "default_incomplete":
        intent = sub.latest_invoice.payments.data[0].payment.payment_intent
        client.v1.payment_intents.confirm(intent, {"payment_method": method.id})
        assert fresh(client, sub).status == "active"
    elif status == "incomplete":
        control("/advance", {"seconds": 23 * HOUR + 1})
        assert (fresh(client, sub).status, fresh(client, sub).latest_invoice.status) == ("incomplete_expired", "void")


def test_a_currency_option_is_billed_in_its_currency(
    client: stripe.StripeClient, control: Control, price: Any, checkout: Any
) -> None:
    client.v1.prices.update(price.id, {"currency_options": {"jpy": {"unit_amount": 3000}}})
    done = control(f"/checkout/{checkout(currency='jpy').id}/complete")["session"]
    sub = client.v1.subscriptions.retrieve(done["subscription"], {"expand": ["latest_invoice"]})
    assert (sub.currency, sub.latest_invoice.amount_paid, sub.latest_invoice.currency) == ("jpy", 3000, "jpy")


def test_an_end_in_the_past_is_refused_at_creation_as_at_a_change(
    client: stripe.StripeClient, customer: stripe.Customer, price: stripe.Price
) -> None:
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    wanted: Any = {"customer": customer.id, "items": [{"price": price.id}], "default_payment_method": method.id}
    with pytest.raises(stripe.InvalidRequestError, match="must be in the future") as refused:
        client.v1.subscriptions.create({**wanted, "cancel_at": customer.created - DAY})
    assert refused.value.param == "cancel_at"
    assert client.v1.subscriptions.list({"customer": customer.id}).data == []
    assert client.v1.subscriptions.create({**wanted, "cancel_at": customer.created + DAY}).cancel_at
