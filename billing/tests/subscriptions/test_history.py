"""A row of history for each real change, of that customer alone, and none where nothing changed."""

from copy import copy
from datetime import UTC, datetime

import pytest

from billing import cause
from billing.models import Customer, MrrMovement, Plan, Price, Subscription, SubscriptionChange
from billing.subscriptions.mrr import of_row, record_changes

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
        customer=customer, stripe_id="sub_1", status="active", plan=plan, price=price, quantity=2, currency="usd",
        mrr=1000,
    )  # fmt: skip


def test_what_did_not_change_leaves_no_row(row):
    before = copy(row)
    row.fetched_at = NOON
    assert record_changes([(before, row)]) is False
    assert not SubscriptionChange.objects.exists()
    assert not MrrMovement.objects.exists()


@pytest.mark.parametrize(("column", "value"), [("status", "past_due"), ("quantity", 3), ("cancel_at", NOON)])
def test_what_changed_is_kept_with_its_cause_its_moment_and_its_worth(row, column, value):
    before, other = copy(row), Subscription(customer=row.customer, stripe_id="sub_2")
    setattr(row, column, value)
    row.mrr = of_row(row)
    with cause.recorded_as("evt_1"):
        assert record_changes([(before, row), (other, other)]) is True
    change = SubscriptionChange.objects.get()
    assert (change.customer_id, change.recorded_at, change.cause) == ("cus_ada", NOON, "evt_1")
    assert (change.stripe_id, change.plan, getattr(change, column)) == ("sub_1", row.plan, value)
    assert change.mrr == 500 * row.quantity
    moved = MrrMovement.objects.values_list("customer", "kind", "amount")
    assert list(moved) == ([("cus_ada", "new", 1500)] if column == "quantity" else [])


def test_what_another_product_sells_has_no_history(row):
    before = copy(row)
    row.whose, row.status = "foreign", "past_due"
    assert record_changes([(before, row)]) is False
    assert not SubscriptionChange.objects.exists()


def test_the_customers_total_is_of_all_that_is_billed(row):
    other = Subscription(customer=row.customer, stripe_id="sub_2", status="active", currency="usd", mrr=300)
    record_changes([(Subscription(customer=row.customer), row), (Subscription(customer=row.customer), other)])
    record_changes([(copy(row), row), (copy(other), Subscription(customer=row.customer, stripe_id="sub_2"))])
    assert list(MrrMovement.objects.order_by("pk").values_list("kind", "amount")) == [
        ("new", 1300), ("contraction", -300),
    ]  # fmt: skip


def test_while_no_plan_knows_the_price_what_was_counted_stays(row):
    row.price, row.whose = None, "unknown"
    assert of_row(row) == 1000
    row.status = "canceled"
    assert of_row(row) == 0
