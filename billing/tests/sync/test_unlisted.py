"""A full run compares what Stripe no longer lists, and a run that was broken off goes on with it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import Customer, Plan, Price, SyncRun
from billing.stripe_account import WrongAccount
from billing.stripe_client import NoSuchCustomer, fetch
from billing.sync import full, list_pages, report
from billing.tests.sync.test_list_pages import LONG_AGO, SOON, ours

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def prices(settings):
    settings.BILLING_CLOCK = ""
    plan = Plan.objects.create(slug="swept", name="Swept", rank=1)
    return Price.objects.create(pk="price_low", plan=plan, currency="usd", unit_amount=1, interval="month")


@pytest.fixture
def full_run():
    now = timezone.now()
    return list_pages.FullRun(SyncRun(mode="full", started_at=now, clock_at=now), now, is_dry=False, invoices={})


# What is gone


@pytest.fixture
def deleted_at_stripe(monkeypatch):
    """Whom Stripe still knows, as deleted."""
    deleted = set()

    def customer(customer_id):
        if customer_id not in deleted:
            raise NoSuchCustomer("No such customer", "id", "resource_missing")
        return {"id": customer_id, "deleted": True}

    monkeypatch.setattr(fetch, "customer", customer)
    return deleted


@pytest.mark.parametrize(("compared", "gone", "stops"), [(0, 100, False), (0, 101, True), (1000, 200, False),
                                                         (1000, 201, True)])  # fmt: skip
def test_when_too_many_are_gone_another_account_is_suspected_and_nobody_is_touched(
    full_run, deleted_at_stripe, compared, gone, stops
):
    Customer.objects.bulk_create(Customer(pk=f"cus_{number}") for number in range(gone))
    Customer.objects.update(created_at=LONG_AGO)
    full_run.run.compared = compared
    if stops:
        with pytest.raises(WrongAccount, match="STRIPE_SECRET_KEY"):
            full._find_gone(full_run)
    else:
        full._find_gone(full_run)
    assert len(full_run.doubtful) == (0 if stops else gone)


def test_many_who_are_gone_are_compared_if_stripe_knows_them_as_deleted(full_run, deleted_at_stripe):
    Customer.objects.bulk_create(Customer(pk=f"cus_{number}") for number in range(101))
    Customer.objects.update(created_at=LONG_AGO)
    deleted_at_stripe.update(f"cus_{number}" for number in range(101))
    full._find_gone(full_run)
    assert len(full_run.doubtful) == 101


def test_who_was_listed_came_later_or_is_gone_already_is_not_missed(full_run):
    ours("cus_missing")
    ours("cus_listed", stripe_id="sub_2")
    ours("cus_deleted")
    Customer.objects.filter(pk="cus_deleted").update(deleted_at=LONG_AGO)
    ours("cus_later")
    Customer.objects.filter(pk="cus_later").update(created_at=full_run.began)
    full_run.seen = {hash("cus_listed"), hash("sub_2")}
    full._find_gone(full_run)
    assert list(full_run.doubtful) == ["cus_missing"]


def test_a_subscription_that_stripe_did_not_list_is_missed_though_its_customer_was(full_run):
    ours()
    full_run.seen = {hash("cus_ada")}
    full._find_gone(full_run)
    assert list(full_run.doubtful) == ["cus_ada"]


# A run that was broken off


def an_earlier_run(run, **columns):
    usual = {"mode": "full", "status": "failed", "started_at": run.started_at - SOON, "clock_at": run.clock_at}
    return SyncRun.objects.create(**{**usual, "progress": {"left": {"customers": []}}, **columns})


@pytest.mark.parametrize(
    ("columns", "is_gone_on_with"),
    [
        ({}, True),
        ({"status": "done"}, False),
        ({"mode": "routine"}, False),
        ({"progress": {}}, False),
    ],
)
def test_only_a_full_run_that_was_broken_off_is_gone_on_with(full_run, columns, is_gone_on_with):
    an_earlier_run(full_run.run, **columns)
    left = full._left_behind(full_run.run)
    assert (bool(left), bool(full_run.run.notes)) == (is_gone_on_with, is_gone_on_with)


@pytest.mark.parametrize(("ago", "is_gone_on_with"), [(-SOON, True), (timedelta(0), False), (SOON, False)])
def test_a_run_is_gone_on_with_for_some_hours(full_run, ago, is_gone_on_with):
    an_earlier_run(full_run.run, started_at=full_run.run.started_at - full.GOES_ON_WITHIN - ago)
    assert bool(full._left_behind(full_run.run)) is is_gone_on_with


def test_the_newest_run_decides_and_one_that_came_to_its_end_since_leaves_nothing(full_run):
    an_earlier_run(full_run.run, started_at=full_run.run.started_at - 2 * SOON)
    an_earlier_run(full_run.run, status="done")
    assert full._left_behind(full_run.run) == {}
    assert report.summary(full_run.run).endswith("s.")
