"""A row of history for each real change, of that customer alone, and none where nothing changed."""

from datetime import UTC, datetime

import pytest

from billing import cause
from billing.models import Customer, MrrMovement, Plan, Price, Subscription, SubscriptionChange
from billing.subscriptions.mrr import record_change
from billing.subscriptions.projection import snapshot

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def row(settings, time_machine):
    settings.BILLING_CLOCK = ""
    time_machine.move_to(NOON, tick=False)
    plan = Plan.objects.create(slug="sold", name="Sold", rank=1)
    price = Price.objects.create(pk="price_1", plan=plan, currency="usd", unit_amount=500, interval="month")
    customer = Customer.objects.create(pk="cus_ada")
    return Subscription.objects.create(
        customer=customer, stripe_id="sub_1", status="active", plan=plan, price=price, quantity=2, currency="usd"
    )


def test_what_did_not_change_leaves_no_row(row):
    before = snapshot(row)
    row.fetched_at = NOON
    assert record_change(before, row) is False
    assert not SubscriptionChange.objects.exists()
    assert not MrrMovement.objects.exists()


@pytest.mark.parametrize(("column", "value"), [("status", "past_due"), ("quantity", 3), ("cancel_at", NOON)])
def test_what_changed_is_kept_with_its_cause_its_moment_and_its_worth(row, column, value):
    before = snapshot(row)
    setattr(row, column, value)
    with cause.recorded_as("evt_1"):
        assert record_change(before, row) is True
    change = SubscriptionChange.objects.get()
    assert (change.customer_id, change.recorded_at, change.cause) == ("cus_ada", NOON, "evt_1")
    assert (change.stripe_id, change.plan, getattr(change, column)) == ("sub_1", row.plan, value)
    assert change.mrr == 500 * row.quantity
    moved = MrrMovement.objects.values_list("customer", "kind", "amount")
    assert list(moved) == ([("cus_ada", "new", 1500)] if column == "quantity" else [])


def test_a_copy_is_of_all_columns_and_is_not_changed_by_what_the_row_becomes(row):
    before = snapshot(row)
    row.status, row.quantity = "canceled", 9
    assert (before.pk, before.status, before.quantity, before.price_id) == (row.pk, "active", 2, "price_1")
