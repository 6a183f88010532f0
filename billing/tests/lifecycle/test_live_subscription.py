"""A subscription as Stripe has it now: which price it is on, and which it is changing to."""

import pytest

from billing import lanes
from billing.lifecycle import cancel, customers, refusals
from billing.lifecycle.live_subscription import Standing, standing_of
from billing.models import Customer, Plan, Price
from billing.stripe_client import StripeUnavailable
from billing.tests.subscriptions.test_projection import found, item

pytestmark = pytest.mark.django_db


@pytest.fixture
def low():
    plan = Plan.objects.create(slug="low", name="low", rank=100)
    return Price.objects.create(pk="price_low", plan=plan, currency="usd", unit_amount=1, interval="month")


@pytest.fixture
def high():
    plan = Plan.objects.create(slug="high", name="high", rank=200)
    return Price.objects.create(pk="price_high", plan=plan, currency="usd", unit_amount=2, interval="month")


def standing(pending=""):
    """On the low plan, changing to the price `pending` when an invoice is paid."""
    update = {"subscription_items": [item(pending)], "expires_at": 9} if pending else None
    return Standing(Customer(pk="cus_1"), found(pending_update=update))


def test_it_changes_to_the_plan_and_interval_that_wait_and_to_no_other(low, high):
    yearly = Price(pk="price_year", plan=high.plan, interval="year")
    replaced = Price(pk="price_old", plan=high.plan, interval="month")
    changing = standing("price_high")
    assert [changing.is_changing_to(price) for price in (high, replaced, yearly, low)] == [True, True, False, False]
    assert [changing.is_on(price) for price in (low, high)] == [True, False]


def test_a_change_to_a_price_of_no_plan_of_ours_is_a_change_to_none_of_them(low, high):
    changing = standing("price_of_somebody_else")
    assert changing.pending is not None
    assert [changing.is_changing_to(price) for price in (low, high)] == [False, False]


def test_without_a_change_that_waits_it_changes_to_nothing(low, high):
    assert [standing().is_changing_to(price) for price in (low, high)] == [False, False]


# At the sandbox


def test_a_customer_who_never_subscribed_has_none(world):
    world.subscribed(email="ben@example.com")
    with pytest.raises(refusals.NoSubscription):
        standing_of(customers.customer_for(world.sign_up()))


@pytest.mark.parametrize("error", [StripeUnavailable("down"), lanes.LaneBusy("cus_1")])
def test_what_stripe_has_done_and_we_could_not_read_again_is_not_called_undone(world, monkeypatch, error):
    ada = world.subscribed()

    def fail(customer):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("billing.subscriptions.refresh", fail)
        with pytest.raises(refusals.NotConfirmed, match="do not know the outcome yet"):
            cancel.cancel(ada.user, "period_end")
    assert ada.row.cancel_at is None
    world.deliver()
    assert ada.row.cancel_at == ada.row.current_period_end
