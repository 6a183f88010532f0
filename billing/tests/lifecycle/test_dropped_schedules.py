"""A price rise that staff scheduled at Stripe is lost when a subscriber cancels: staff get to know what was dropped."""

import pytest
from django.core import mail

from billing.lifecycle import cancel, change
from billing.models import Plan, Price
from billing.monitoring import alerts
from billing.tests.mailing import GRACE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def staff(settings):
    settings.ADMINS = GRACE


@pytest.fixture
def ada(world):
    return world.subscribed()


def told():
    alerts.send()
    bodies = [message.body for message in mail.outbox if message.to == ["grace@example.com"]]
    mail.outbox.clear()
    return bodies


def dearer(world):
    """The same plan, by a new price."""
    old = Price.objects.get(lookup_key="pro_month")
    recurring = {"interval": "month"}
    made = world.stripe("POST", "prices", product=old.product, currency="usd", unit_amount=2500, recurring=recurring)
    return Price.objects.create(
        pk=made["id"], plan=old.plan, product=old.product, currency="usd", unit_amount=2500, interval="month"
    ).pk


def scheduled(world, subscriber, price):
    """Staff schedule a price for the next period."""
    made = world.stripe("POST", "subscription_schedules", from_subscription=subscriber.subscription)
    phase = made["phases"][0]
    kept = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    items = [{"price": row["price"], "quantity": 1} for row in phase["items"]]
    then = {"items": [{"price": price}], "duration": {"interval": "month", "interval_count": 1}}
    world.stripe("POST", f"subscription_schedules/{made['id']}", phases=[{**kept, "items": items}, then])
    world.deliver()
    assert subscriber.row.pending_price_id == price
    return made["id"]


def test_a_rise_that_is_dropped_by_cancelling_is_told_once_with_what_it_was(world, ada):
    rise = dearer(world)
    schedule = scheduled(world, ada, rise)
    cancel.cancel(ada.user, "period_end")
    (text,) = told()
    assert schedule in text
    assert rise in text
    assert ada.subscription in text
    assert cancel.resume(ada.user).pending_kind == ""
    assert told() == []


def test_also_when_the_subscriber_takes_it_back_as_if_it_were_a_change_of_theirs(world, ada):
    rise = dearer(world)
    scheduled(world, ada, rise)
    change.take_back(ada.user)
    (text,) = told()
    assert rise in text


def test_what_the_subscriber_had_scheduled_is_theirs_to_drop(world):
    ada = world.subscribed(plan="team", interval="year")
    world.stripe("POST", f"subscriptions/{ada.subscription}", trial_end="now")
    world.deliver()
    change.change(ada.user, "pro", "month")
    cancel.cancel(ada.user, "period_end")
    assert told() == []


def test_what_ends_now_loses_nothing_by_it(world, ada):
    scheduled(world, ada, Plan.objects.get(slug="team").prices.get(interval="month").pk)
    cancel.cancel(ada.user, "now")
    assert told() == []


def test_a_schedule_without_a_change_is_no_loss(world, ada):
    world.stripe("POST", "subscription_schedules", from_subscription=ada.subscription)
    cancel.cancel(ada.user, "period_end")
    assert told() == []
