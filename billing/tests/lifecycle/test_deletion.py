"""Nothing bills any more once an account is called deleted, whatever happens on the way."""

import pytest
from django.contrib.auth import get_user_model
from django.db.models import ProtectedError

from billing import signals, testing
from billing.lifecycle import checkout, customers, deletion
from billing.lifecycle.deletion import process, steps
from billing.lifecycle.refusals import AccountClosing
from billing.models import AccountDeletion, Customer, Payment, Price, Subscription
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)


def leave(subscriber):
    """Ask for it, and let the worker do what it can."""
    leaving = deletion.begin(subscriber.user)
    testing.work()
    leaving.refresh_from_db()
    return leaving


def live_at_stripe(world):
    found = world.stripe("GET", "subscriptions", status="all", limit=100)["data"]
    return [item["id"] for item in found if item["status"] not in {"canceled", "incomplete_expired"}]


# The whole way


def test_everything_is_cancelled_and_confirmed_before_it_counts_as_done(world):
    ada = world.subscribed()
    leaving = leave(ada)
    assert (leaving.is_done, leaving.error_message, leaving.next_step) == (True, "", "")
    assert live_at_stripe(world) == []
    assert world.stripe("GET", f"customers/{ada.customer}")["deleted"] is True


def test_the_customer_becomes_a_tombstone_and_the_money_stays(world):
    ada = world.subscribed()
    leave(ada)
    customer = customer_row(ada)
    assert (customer.subscriber, customer.email, bool(customer.deleted_at)) == (None, "", True)
    assert Payment.objects.filter(customer=customer).count() == 1
    assert ada.row.status == "canceled"


def test_late_webhooks_land_on_the_tombstone(world):
    ada = world.subscribed()
    leave(ada)
    world.deliver()
    assert (ada.row.status, customer_row(ada).subscriber) == ("canceled", None)
    assert world.said(ada).count("subscription_ended") == 1
    assert [name for name in world.said(ada) if name.startswith(("access", "account", "customer"))] == [
        "account_closing",
        "access_revoked",
        "customer_deleted",
        "account_closed",
    ]


def test_access_ends_and_nothing_can_be_bought_from_the_first_moment(world):
    ada = world.subscribed()
    deletion.begin(ada.user)
    assert (ada.access.has_access, ada.access.reason) == (False, "closing")
    with pytest.raises(AccountClosing):
        checkout.start(ada.user, "pro", "month")


def test_a_card_that_is_scrubbed_is_kept_at_stripe_without_a_person(world, settings):
    settings.BILLING_DELETE_CUSTOMER = False
    ada = world.subscribed()
    assert leave(ada).is_done
    customer = world.stripe("GET", f"customers/{ada.customer}")
    assert (customer["email"], customer["name"], customer["metadata"]) == (None, None, {})
    assert world.stripe("GET", f"customers/{ada.customer}/payment_methods")["data"] == []
    assert live_at_stripe(world) == []


def test_a_renewal_that_stripe_was_about_to_collect_is_never_collected(world, settings):
    """Within its first hour a renewal's invoice is a draft, which cannot be void."""
    settings.BILLING_DELETE_CUSTOMER = False
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    renews_at = ada.row.current_period_end
    world.advance(hours=(renews_at - testing.now()).total_seconds() / 3600 + 0.1)
    [draft] = world.stripe("GET", "invoices", customer=ada.customer, status="draft")["data"]
    [bystanders] = world.stripe("GET", "invoices", customer=ben.customer, status="draft")["data"]
    assert leave(ada).is_done
    assert world.stripe("GET", f"invoices/{draft['id']}")["auto_advance"] is False
    assert world.stripe("GET", f"invoices/{bystanders['id']}")["auto_advance"] is True
    world.advance(days=2)
    assert world.stripe("GET", f"invoices/{draft['id']}")["status"] == "draft"
    assert world.stripe("GET", f"invoices/{bystanders['id']}")["status"] == "paid"


def test_every_kind_of_subscription_ends_also_those_we_never_knew(world):
    ada = world.subscribed()
    price = Price.objects.get(plan__slug="team", interval="month").pk
    unknown = world.subscribe_again(ada, price)
    trial = world.stripe("POST", "subscriptions", customer=ada.customer, items=[{"price": price}], trial_period_days=5)
    unpaid = world.stripe(
        "POST",
        "subscriptions",
        customer=ada.customer,
        items=[{"price": price}],
        payment_behavior="default_incomplete",
    )
    assert {unknown, trial["id"], unpaid["id"], ada.subscription} == set(live_at_stripe(world))
    assert leave(ada).is_done
    assert live_at_stripe(world) == []


def test_all_that_stripe_lists_on_more_than_one_page_ends(world, monkeypatch):
    ada = world.subscribed()
    price = Price.objects.get(plan__slug="team", interval="month").pk
    more = [world.subscribe_again(ada, price) for _ in range(3)]
    get = steps.stripe_client.get

    def in_pages_of_two(path, **params):
        return get(path, **({**params, "limit": 2} if "limit" in params else params))

    monkeypatch.setattr(steps.stripe_client, "get", in_pages_of_two)
    listed = [item["id"] for item in steps._list_all(AccountDeletion(customer_id=ada.customer), "/v1/subscriptions")]
    assert listed == [*more[::-1], ada.subscription]
    monkeypatch.setattr(steps.stripe_client, "get", get)
    assert leave(ada).is_done
    assert live_at_stripe(world) == []


@pytest.mark.parametrize("days", [1, 40])
def test_past_due_ends_too_and_its_open_invoice_is_void(world, days):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31 + days)
    world.deliver()
    invoice = world.open_invoice(ada) if days == 1 else None
    assert leave(ada).is_done
    assert live_at_stripe(world) == []
    if invoice:
        assert world.stripe("GET", f"invoices/{invoice}")["status"] == "void"
    world.advance(days=60)
    assert world.stripe("GET", "invoices", customer=ada.customer, status="open")["data"] == []


def test_a_paused_subscription_ends_too(world):
    ada = world.subscribed()
    world.stripe("POST", f"subscriptions/{ada.subscription}", pause_collection={"behavior": "void"})
    assert leave(ada).is_done
    assert live_at_stripe(world) == []


def test_a_schedule_is_released_and_does_not_bring_anything_back(world):
    ada = world.subscribed()
    schedule = world.stripe("POST", "subscription_schedules", from_subscription=ada.subscription)
    assert leave(ada).is_done
    assert world.stripe("GET", f"subscription_schedules/{schedule['id']}")["status"] == "released"
    world.advance(days=62)
    assert live_at_stripe(world) == []


# Without a customer


def test_who_never_bought_is_closed_by_the_same_way(world):
    user = world.sign_up()
    leaving = deletion.begin(user)
    testing.work()
    leaving.refresh_from_db()
    assert (leaving.is_done, leaving.customer) == (True, None)
    assert world.heard == [("account_closing", ""), ("account_closed", "")]


def test_who_leaves_is_told_at_stripes_address_or_else_at_their_own(world):
    told = {}

    def hear(sender, subscriber, email, **details):
        told[subscriber.pk] = email

    never, ada = world.sign_up("never@example.com"), world.subscribed()
    Customer.objects.filter(pk=ada.customer).update(email="at-stripe@example.com")
    signals.account_closed.connect(hear)
    try:
        process.begin(never)
        testing.work()
        assert told == {never.pk: "never@example.com"}
        leave(ada)
    finally:
        signals.account_closed.disconnect(hear)
    assert told == {never.pk: "never@example.com", ada.user.pk: "at-stripe@example.com"}


def test_a_customer_left_behind_at_stripe_by_a_crash_is_found_and_removed(world):
    user = world.sign_up()
    customer = customers.customer_for(user).pk
    Customer.objects.all().delete()
    leaving = deletion.begin(user)
    testing.work()
    leaving.refresh_from_db()
    assert (leaving.is_done, leaving.customer_id) == (True, customer)
    assert world.stripe("GET", f"customers/{customer}")["deleted"] is True


def test_a_customer_deleted_at_stripe_before_is_no_obstacle(world):
    ada = world.subscribed()
    world.stripe("DELETE", f"customers/{ada.customer}")
    assert leave(ada).is_done
    world.deliver()
    assert world.said(ada).count("customer_deleted") == 1


# Other ways to lose a user


def test_a_user_whom_stripe_may_bill_cannot_be_deleted_from_under_it(world):
    ada = world.subscribed()
    with pytest.raises(ProtectedError):
        ada.user.delete()
    with pytest.raises(ProtectedError):
        get_user_model().objects.all().delete()
    assert Subscription.objects.get().customer.subscriber == ada.user


def test_who_has_left_may_be_deleted_and_the_money_stays(world):
    ada = world.subscribed()
    leave(ada)
    get_user_model().objects.all().delete()
    assert Payment.objects.count() == 1
    assert AccountDeletion.objects.get().subscriber is None
