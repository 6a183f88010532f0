"""Subscription schedules: a downgrade at the period's end, phases one after another, release and cancellation."""

from typing import Any

import pytest
import stripe

from .conftest import Control
from .test_billing_cycle import DAY, HOUR, fresh, renew


@pytest.fixture
def basic(client: stripe.StripeClient, price: Any) -> Any:
    params: Any = {"product": price.product, "currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}}
    return client.v1.prices.create(params)


@pytest.fixture
def downgraded(client: stripe.StripeClient, subscribed: Any, basic: Any) -> Any:
    """A subscription, and its schedule that makes it cheaper when the period ends."""
    sub = subscribed()
    schedule = client.v1.subscription_schedules.create({"from_subscription": sub.id})
    return sub, client.v1.subscription_schedules.update(schedule.id, in_two(schedule, basic))


def in_two(schedule: Any, price: Any, **more: Any) -> Any:
    now = schedule.phases[0]
    items = [{"price": item.price, "quantity": item.quantity} for item in now["items"]]
    current = {"items": items, "start_date": now.start_date, "end_date": now.end_date}
    return {"phases": [current, {"items": [{"price": price.id}], **more}], "end_behavior": "release"}


def types(client: stripe.StripeClient) -> list[str]:
    return [str(event.type) for event in client.v1.events.list({"limit": 100}).data][::-1]


def test_a_schedule_is_made_from_a_subscription_as_it_is(client: stripe.StripeClient, subscribed: Any) -> None:
    sub = subscribed()
    schedule = client.v1.subscription_schedules.create({"from_subscription": sub.id})
    item = sub["items"]["data"][0]
    assert (schedule.status, schedule.subscription, schedule.end_behavior) == ("active", sub.id, "release")
    assert schedule.current_phase.to_dict() == {
        "start_date": item.current_period_start,
        "end_date": item.current_period_end,
    }
    assert [entry.price for entry in schedule.phases[0]["items"]] == [item.price.id]
    assert client.v1.subscriptions.retrieve(sub.id, {"expand": ["schedule"]}).schedule.id == schedule.id
    assert types(client)[-2:] == ["subscription_schedule.created", "customer.subscription.updated"]
    assert [row.id for row in client.v1.subscription_schedules.list({"customer": sub.customer}).data] == [schedule.id]
    with pytest.raises(stripe.InvalidRequestError, match="already attached"):
        client.v1.subscription_schedules.create({"from_subscription": sub.id})


def test_a_downgrade_waits_for_the_end_of_the_period(
    client: stripe.StripeClient, control: Control, downgraded: Any, basic: Any
) -> None:
    sub, schedule = downgraded
    assert fresh(client, sub)["items"]["data"][0].price.unit_amount == 2000
    assert client.v1.invoices.create_preview({"subscription": sub.id}).amount_due == 500
    renew(control, sub)
    now = fresh(client, sub)
    assert (now["items"]["data"][0].price.id, now["items"]["data"][0].id) == (basic.id, sub["items"]["data"][0].id)
    assert (now.latest_invoice.amount_paid, now.latest_invoice.billing_reason) == (500, "subscription_cycle")
    assert now.schedule == schedule.id
    assert (
        client.v1.subscription_schedules.retrieve(schedule.id).current_phase.start_date == schedule.phases[1].start_date
    )


def test_after_the_last_phase_the_subscription_is_released(
    client: stripe.StripeClient, control: Control, downgraded: Any
) -> None:
    sub, schedule = downgraded
    control("/advance", {"to": schedule.phases[1].end_date + HOUR})
    after = client.v1.subscription_schedules.retrieve(schedule.id)
    assert (after.status, after.released_subscription, after.subscription) == ("released", sub.id, None)
    assert (fresh(client, sub).status, fresh(client, sub).schedule) == ("active", None)
    seen = types(client)
    assert seen.index("subscription_schedule.expiring") < seen.index("subscription_schedule.released")
    control("/advance", {"seconds": 31 * DAY})
    assert fresh(client, sub).latest_invoice.amount_paid == 500
    with pytest.raises(stripe.InvalidRequestError, match="currently in the `released` status"):
        client.v1.subscription_schedules.release(schedule.id)


def test_a_schedule_may_end_its_subscription(client: stripe.StripeClient, control: Control, subscribed: Any) -> None:
    sub = subscribed()
    schedule = client.v1.subscription_schedules.create({"from_subscription": sub.id})
    client.v1.subscription_schedules.update(schedule.id, {"end_behavior": "cancel"})
    end = schedule.phases[0].end_date
    assert fresh(client, sub).cancel_at == end
    control("/advance", {"to": end + HOUR})
    assert (fresh(client, sub).status, fresh(client, sub).ended_at) == ("canceled", end)
    assert client.v1.subscription_schedules.retrieve(schedule.id).status == "completed"
    assert "subscription_schedule.completed" in types(client)


def test_release_leaves_the_subscription_as_it_is(
    client: stripe.StripeClient, control: Control, downgraded: Any
) -> None:
    sub, schedule = downgraded
    assert client.v1.subscription_schedules.release(schedule.id).status == "released"
    assert types(client)[-2:] == ["subscription_schedule.released", "customer.subscription.updated"]
    renew(control, sub)
    now = fresh(client, sub)
    assert (now.schedule, now.latest_invoice.amount_paid) == (None, 2000)


def test_cancelling_a_schedule_cancels_its_subscription(client: stripe.StripeClient, downgraded: Any) -> None:
    sub, schedule = downgraded
    assert client.v1.subscription_schedules.cancel(schedule.id, {"prorate": False}).status == "canceled"
    assert fresh(client, sub).status == "canceled"


def test_cancelling_a_subscription_cancels_its_schedule(client: stripe.StripeClient, downgraded: Any) -> None:
    sub, schedule = downgraded
    client.v1.subscriptions.cancel(sub.id)
    assert client.v1.subscription_schedules.retrieve(schedule.id).status == "canceled"


@pytest.mark.parametrize("change", [{"cancel_at_period_end": True}, {"cancel_at": "max_period_end"}, {"items": [{}]}])
def test_a_scheduled_subscription_is_not_changed_directly(
    client: stripe.StripeClient, downgraded: Any, basic: Any, change: Any
) -> None:
    sub, schedule = downgraded
    params = {"items": [{"id": sub["items"]["data"][0].id, "price": basic.id}]} if "items" in change else change
    with pytest.raises(stripe.InvalidRequestError, match=f"managed by the subscription schedule `{schedule.id}`"):
        client.v1.subscriptions.update(sub.id, params)
    client.v1.subscriptions.update(sub.id, {"metadata": {"still": "allowed"}})


def test_changing_the_phase_under_way_changes_the_subscription_now(
    client: stripe.StripeClient, control: Control, subscribed: Any, basic: Any
) -> None:
    sub = subscribed()
    schedule = client.v1.subscription_schedules.create({"from_subscription": sub.id})
    control("/advance", {"to": (schedule.phases[0].start_date + schedule.phases[0].end_date) // 2})
    phase = {"items": [{"price": basic.id}], "start_date": schedule.phases[0].start_date}
    client.v1.subscription_schedules.update(schedule.id, {"phases": [phase], "proration_behavior": "create_prorations"})
    assert fresh(client, sub)["items"]["data"][0].price.id == basic.id
    pending = client.v1.invoice_items.list({"pending": True}).data
    assert sorted(item.amount for item in pending) == [-1000, 250]


def test_phases_must_follow_one_another(client: stripe.StripeClient, downgraded: Any) -> None:
    _, schedule = downgraded
    entry = {"items": [{"price": schedule.phases[0]["items"][0].price}]}
    moved = [{**entry, "start_date": schedule.phases[0].start_date + 5}]
    gap = [{**entry, "start_date": schedule.phases[0].start_date}, {**entry, "start_date": 4102444800}]
    for phases, message in ((moved, "current phase"), (gap, "must be the end date")):
        with pytest.raises(stripe.InvalidRequestError, match=message):
            client.v1.subscription_schedules.update(schedule.id, {"phases": phases})


def test_a_schedule_with_phases_makes_its_subscription(
    client: stripe.StripeClient, control: Control, customer: Any, price: Any, basic: Any
) -> None:
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    phases: Any = [
        {
            "items": [{"price": basic.id}],
            "duration": {"interval": "month", "interval_count": 2},
            "metadata": {"a": "1"},
        },
        {"items": [{"price": price.id, "quantity": 3}], "proration_behavior": "none"},
    ]
    phases[0]["default_payment_method"] = method.id
    start = client.v1.customers.retrieve(customer.id).created + 10 * DAY
    made = client.v1.subscription_schedules.create({"customer": customer.id, "start_date": start, "phases": phases})
    assert (made.status, made.subscription, made.current_phase) == ("not_started", None, None)
    assert [row.id for row in client.v1.subscription_schedules.list({"scheduled": True}).data] == [made.id]
    control("/advance", {"to": start + HOUR})
    begun = client.v1.subscription_schedules.retrieve(made.id, {"expand": ["subscription.latest_invoice"]})
    assert (begun.status, begun.subscription.status, begun.subscription.metadata["a"]) == ("active", "active", "1")
    assert begun.subscription.latest_invoice.amount_paid == 500
    control("/advance", {"to": begun.phases[1].start_date + HOUR})
    paid = [row.amount_paid for row in client.v1.invoices.list({"subscription": begun.subscription.id}).data]
    assert paid == [6000, 500, 500]


def test_a_phase_of_another_interval_starts_a_new_period(
    client: stripe.StripeClient, control: Control, subscribed: Any, price: Any
) -> None:
    yearly: Any = {"product": price.product, "currency": "usd", "unit_amount": 20000, "recurring": {"interval": "year"}}
    sub = subscribed()
    schedule = client.v1.subscription_schedules.create({"from_subscription": sub.id})
    client.v1.subscription_schedules.update(schedule.id, in_two(schedule, client.v1.prices.create(yearly)))
    control("/advance", {"to": schedule.phases[0].end_date + HOUR})
    now = fresh(client, sub)
    assert now["items"]["data"][0].current_period_start == schedule.phases[0].end_date
    assert now.latest_invoice.amount_paid == 20000
    assert len(client.v1.invoices.list({"subscription": sub.id}).data) == 2
