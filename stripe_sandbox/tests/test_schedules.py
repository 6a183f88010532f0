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
    assert seen.count("subscription_schedule.expiring") == 1
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
    for phase in phases:
        phase["default_payment_method"] = method.id
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


def items_of(price: Any) -> list[Any]:
    return [{"price": price.id}]


@pytest.fixture
def payer(client: stripe.StripeClient, customer: Any) -> Any:
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    return client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})


@pytest.fixture
def setup_fee(client: stripe.StripeClient, price: Any) -> Any:
    return client.v1.prices.create({"product": price.product, "currency": "usd", "unit_amount": 700})


def test_a_phase_may_be_a_trial(client: stripe.StripeClient, control: Control, payer: Any, price: Any) -> None:
    phases: Any = [
        {"items": items_of(price), "trial": True, "duration": {"interval": "week"}},
        {"items": items_of(price)},
    ]
    made = client.v1.subscription_schedules.create({"customer": payer.id, "phases": phases})
    sub = client.v1.subscriptions.retrieve(str(made.subscription))
    assert (made.phases[0].trial_end, sub.status, sub.trial_end) == (made.phases[0].end_date, "trialing", sub.trial_end)
    control("/advance", {"to": made.phases[0].end_date + HOUR})
    assert (fresh(client, sub).status, fresh(client, sub).latest_invoice.amount_paid) == ("active", 2000)
    phases[0]["trial_end"] = 1
    with pytest.raises(stripe.InvalidRequestError, match="only specify one"):
        client.v1.subscription_schedules.create({"customer": payer.id, "phases": phases})


def test_a_later_phase_may_begin_with_a_trial(
    client: stripe.StripeClient, control: Control, downgraded: Any, basic: Any
) -> None:
    sub, schedule = downgraded
    end = schedule.phases[0].end_date
    client.v1.subscription_schedules.update(schedule.id, in_two(schedule, basic, trial_end=end + 5 * DAY))
    control("/advance", {"to": end + HOUR})
    assert (fresh(client, sub).status, fresh(client, sub).trial_end) == ("trialing", end + 5 * DAY)
    control("/advance", {"seconds": 5 * DAY})
    assert (fresh(client, sub).status, fresh(client, sub).latest_invoice.amount_paid) == ("active", 500)


def test_the_first_invoice_of_a_phase_carries_what_is_added(
    client: stripe.StripeClient, control: Control, payer: Any, price: Any, basic: Any, setup_fee: Any
) -> None:
    extra = [{"price": setup_fee.id, "quantity": 2}]
    phases: Any = [{"items": items_of(basic)}, {"items": items_of(price), "add_invoice_items": extra}]
    phases[0]["add_invoice_items"] = [{"price": setup_fee.id}]
    made = client.v1.subscription_schedules.create({"customer": payer.id, "phases": phases})
    control("/advance", {"to": made.phases[0].end_date + HOUR})
    paid = [row.amount_paid for row in client.v1.invoices.list({"subscription": str(made.subscription)}).data]
    assert paid == [3400, 1200]


def test_a_subscription_begins_with_what_is_added(
    client: stripe.StripeClient, payer: Any, price: Any, setup_fee: Any
) -> None:
    params: Any = {"customer": payer.id, "items": items_of(price), "add_invoice_items": [{"price": setup_fee.id}]}
    sub = client.v1.subscriptions.create({**params, "trial_period_days": 7})
    assert fresh(client, sub).latest_invoice.amount_paid == 700


def test_a_start_in_the_past_is_billed(client: stripe.StripeClient, control: Control, payer: Any, price: Any) -> None:
    control("/advance", {"seconds": 100 * DAY})
    start = client.v1.customers.create({}).created - 14 * DAY
    weekly: Any = {"product": price.product, "currency": "usd", "unit_amount": 700, "recurring": {"interval": "week"}}
    week = client.v1.prices.create(weekly)
    phases: Any = [{"items": items_of(week), "duration": {"interval": "month"}}]
    made = client.v1.subscription_schedules.create({"customer": payer.id, "start_date": start + DAY, "phases": phases})
    sub = client.v1.subscriptions.retrieve(str(made.subscription), {"expand": ["latest_invoice"]})
    assert (sub.start_date, made.current_phase.start_date) == (start + DAY, start + DAY)
    assert [line.amount for line in sub.latest_invoice.lines.data] == [700, 700]
    assert sub["items"]["data"][0].current_period_start == start + 8 * DAY
    own: Any = {"customer": payer.id, "items": items_of(week), "backdate_start_date": start}
    direct = client.v1.subscriptions.create({**own, "expand": ["latest_invoice"]})
    assert direct.latest_invoice.total in range(2100, 2102)
    with pytest.raises(stripe.InvalidRequestError, match="must end in the future"):
        client.v1.subscription_schedules.create(
            {"customer": payer.id, "start_date": start - 60 * DAY, "phases": phases}
        )


def test_a_phase_has_the_discounts_that_it_names(
    client: stripe.StripeClient, control: Control, subscribed: Any, price: Any, basic: Any
) -> None:
    lasting, half = (client.v1.coupons.create({"percent_off": off, "duration": "forever"}) for off in (10, 50))
    sub = subscribed()
    client.v1.subscriptions.update(sub.id, {"discounts": [{"coupon": lasting.id}]})
    schedule = client.v1.subscription_schedules.create({"from_subscription": sub.id})
    discount = schedule.phases[0].discounts[0].discount
    params = in_two(schedule, basic, discounts=[{"coupon": half.id}])
    params["phases"][0]["discounts"] = [{"discount": discount}]
    client.v1.subscription_schedules.update(schedule.id, params)
    assert fresh(client, sub).discounts == [discount]
    renew(control, sub)
    assert fresh(client, sub).latest_invoice.total == 250
    assert client.v1.coupons.retrieve(half.id).times_redeemed == 1


def test_a_schedule_is_previewed(
    client: stripe.StripeClient, control: Control, downgraded: Any, payer: Any, price: Any, basic: Any, setup_fee: Any
) -> None:
    sub, schedule = downgraded
    assert client.v1.invoices.create_preview({"schedule": schedule.id}).total == 500
    whole = in_two(schedule, price)["phases"]
    details: Any = {"phases": whole}
    assert client.v1.invoices.create_preview({"schedule": schedule.id, "schedule_details": details}).total == 2000
    control("/advance", {"to": (whole[0]["start_date"] + whole[0]["end_date"]) // 2})
    details = {"phases": [{**whole[0], "items": items_of(basic)}], "proration_behavior": "always_invoice"}
    preview = client.v1.invoices.create_preview({"subscription": sub.id, "schedule_details": details})
    assert [line.amount for line in preview.lines.data] == [-1000, 250]
    first: Any = {"phases": [{"items": items_of(price), "add_invoice_items": [{"price": setup_fee.id}]}]}
    assert client.v1.invoices.create_preview({"customer": payer.id, "schedule_details": first}).total == 2700
    assert fresh(client, sub)["items"]["data"][0].price.id == price.id
    client.v1.subscription_schedules.release(schedule.id)
    client.v1.subscriptions.update(sub.id, {"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError, match="No upcoming invoices"):
        client.v1.invoices.create_preview({"subscription": sub.id})


def test_what_it_begins_is_past_due_when_its_first_payment_fails_an_hour_later(
    client: stripe.StripeClient, control: Control, price: Any
) -> None:
    customer = client.v1.customers.create({"payment_method": "pm_card_chargeCustomerFail"})
    method = client.v1.payment_methods.list({"customer": customer.id}).data[0]
    phase: Any = {"items": [{"price": price.id}], "default_payment_method": method.id}
    start = customer.created + DAY
    made = client.v1.subscription_schedules.create({"customer": customer.id, "start_date": start, "phases": [phase]})
    control("/advance", {"to": start + HOUR - 1})
    begun = client.v1.subscription_schedules.retrieve(made.id, {"expand": ["subscription"]})
    assert begun.subscription.status == "active"
    control("/advance", {"to": start + HOUR})
    assert client.v1.subscriptions.retrieve(begun.subscription.id).status == "past_due"
