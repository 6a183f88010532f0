"""The hourly sync asks Stripe about some customers, from both sides of each bound, and leaves the others alone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import CheckoutAttempt, Customer, Plan, Price, Subscription
from billing.sync import whom_to_ask

pytestmark = pytest.mark.django_db

SOON = timedelta(days=20)
TICK = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def now(time_machine, settings):
    settings.BILLING_CLOCK = ""
    time_machine.move_to(timezone.now(), tick=False)
    return timezone.now()


@pytest.fixture
def have(now):
    """Makes a customer whose subscription is active, was looked at just now and renews later, but for `columns`."""

    def make(name, **columns):
        customer = Customer.objects.create(pk=f"cus_{name}", deleted_at=columns.pop("deleted_at", None))
        usual = {"stripe_id": f"sub_{name}", "status": "active", "current_period_end": now + SOON, "fetched_at": now}
        Subscription.objects.create(customer=customer, **{**usual, **columns})
        return customer.pk

    return make


def test_where_nothing_is_due_nobody_is_asked_about(have, now):
    have("ada")
    have("ben", status="canceled", current_period_end=now - SOON)
    have("eve", status="unpaid", current_period_end=now - SOON)
    have("fay", status="past_due", whose="foreign")
    assert whom_to_ask.customers(now) == []


@pytest.mark.parametrize("status", ["incomplete", "past_due"])
def test_a_payment_that_is_awaited_is_asked_about(have, now, status):
    have("ada")
    assert [have("ben", status=status)] == whom_to_ask.customers(now)


@pytest.mark.parametrize("status", ["active", "trialing"])
@pytest.mark.parametrize("column", ["current_period_end", "cancel_at"])
def test_what_should_have_renewed_or_ended_is_asked_about_once_it_is_late(have, now, status, column):
    have("ada", status=status, **{column: now - whom_to_ask.RENEWS_WITHIN})
    assert whom_to_ask.customers(now) == [], "it may still come"
    late = have("ben", status=status, **{column: now - whom_to_ask.RENEWS_WITHIN - TICK})
    assert whom_to_ask.customers(now) == [late]


def test_who_is_gone_is_not_asked_about(have, now):
    have("ada", status="past_due", deleted_at=now)
    assert whom_to_ask.customers(None) == []


@pytest.mark.parametrize(("full", "asks"), [(None, True), (timedelta(0), False), (TICK, True)])
def test_who_was_not_seen_for_long_is_asked_about_only_where_no_full_sync_does_it(have, now, full, asks):
    long_ago = now - whom_to_ask.LONG
    have("ada", fetched_at=long_ago)
    have("ben", fetched_at=long_ago - TICK, status="canceled")
    unseen = have("eve", fetched_at=long_ago - TICK)
    assert whom_to_ask.customers(full if full is None else long_ago - full) == ([unseen] if asks else [])


def test_the_longest_unseen_come_first_and_no_more_than_fit(have, now, monkeypatch):
    names = [have(name, status="past_due", fetched_at=now - timedelta(hours=hours)) for name, hours in
             (("ada", 1), ("ben", 3), ("eve", 2))]  # fmt: skip
    assert whom_to_ask.customers(now) == [names[1], names[2], names[0]]
    monkeypatch.setattr(whom_to_ask, "MOST", 2)
    assert whom_to_ask.customers(now) == [names[1], names[2]]


@pytest.fixture
def at_checkout(now):
    """Makes a customer who went to Checkout so long ago."""
    plan = Plan.objects.create(slug="sync-pro", name="Pro", rank=1)
    price = Price.objects.create(pk="price_1", plan=plan, currency="usd", unit_amount=2000, interval="month")

    def make(name, ago, deleted_at=None, **columns):
        customer = Customer.objects.create(pk=f"cus_{name}", deleted_at=deleted_at)
        usual = {"session_id": f"cs_{name}", "status": "open", "price": price}
        attempt = CheckoutAttempt.objects.create(customer=customer, **{**usual, **columns})
        CheckoutAttempt.objects.filter(pk=attempt.pk).update(created_at=now - ago)
        return customer.pk

    return make


def test_who_has_been_at_checkout_for_a_while_is_asked_about_the_longest_there_first(at_checkout, now):
    at_checkout("ada", whom_to_ask.CHECKOUT_TAKES)
    assert whom_to_ask.customers(now) == [], "they may still be typing"
    there = at_checkout("ben", whom_to_ask.CHECKOUT_TAKES + TICK)
    longer = at_checkout("eve", whom_to_ask.CHECKOUT_TAKES * 2)
    at_checkout("done", whom_to_ask.CHECKOUT_TAKES * 3, status="completed")
    at_checkout("unmade", whom_to_ask.CHECKOUT_TAKES * 3, session_id="")
    at_checkout("gone", whom_to_ask.CHECKOUT_TAKES * 3, deleted_at=now)
    assert whom_to_ask.customers(now) == [longer, there]
