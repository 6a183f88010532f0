"""A customer deleted at Stripe: what ends, what is said of it, and what of others stays as it was."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from djstripe import models as djstripe

from billing import cause, signals
from billing.models import AnnouncedAccess, Customer, Grant, Plan, Subscription, SubscriptionChange
from billing.subscriptions import end_for_deleted_customer

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def now(settings, time_machine):
    settings.BILLING_CLOCK = ""
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def said():
    """Each signal with the customer's subscriber as it was sent."""
    heard = []

    def listener(name):
        return lambda subscription, reason="", **_: heard.append((name, reason, subscription.customer.subscriber_id))

    names = ("subscription_ended", "access_revoked", "customer_deleted")
    for name in names:
        getattr(signals, name).connect(listener(name), dispatch_uid="ending", weak=False)
    yield heard
    for name in names:
        getattr(signals, name).disconnect(dispatch_uid="ending")


def customer(name, **columns):
    user = get_user_model().objects.create_user(f"{name}@example.com")
    made = Customer.objects.create(pk=f"cus_{name}", subscriber=user)
    djstripe.Customer.objects.create(id=made.pk, subscriber=user, livemode=False)
    usual = {"stripe_id": f"sub_{name}", "status": "active", "cancel_at": NOON, "past_due_since": NOON}
    usual["has_announced_start"] = True
    Subscription.objects.create(customer=made, **{**usual, **columns})
    return made


def test_access_ends_the_customer_stays_the_subscribers_and_a_bystander_keeps_all(said):
    ada, ben = customer("ada"), customer("ben")
    AnnouncedAccess.objects.create(customer=ada, is_granted=True)
    plan = Plan.objects.create(slug="given", name="Given", rank=1)
    for one in (ada, ben):
        Grant.objects.create(subscriber=one.subscriber, plan=plan, granted_at=NOON, until=NOON, source="a")
    user = ada.subscriber_id
    with cause.recorded_as("evt_1"):
        end_for_deleted_customer(ada)
    row, kept = Subscription.objects.get(customer=ada), Customer.objects.get(pk=ada.pk)
    assert (row.status, row.ended_at, row.cancel_at, row.past_due_since) == ("canceled", NOON, None, None)
    assert (kept.deleted_at, kept.subscriber_id, kept.is_current) == (NOON, user, True)
    assert Grant.objects.open().count() == 2, "what was given is the subscriber's"
    assert SubscriptionChange.objects.get().customer_id == ada.pk
    assert said == [
        ("subscription_ended", "customer_deleted", user), ("access_revoked", "customer_deleted", user),
        ("customer_deleted", "", user),
    ]  # fmt: skip
    theirs = djstripe.Customer.objects.get(id="cus_ada")
    assert (theirs.subscriber, theirs.date_purged) == (None, NOON)
    assert Subscription.objects.get(customer=ben).status == "active"
    assert Customer.objects.get(pk=ben.pk).subscriber_id == ben.subscriber_id
    assert djstripe.Customer.objects.get(id="cus_ben").subscriber_id == ben.subscriber_id
    said.clear()
    end_for_deleted_customer(ada)
    assert said == []


@pytest.mark.parametrize(
    ("columns", "status", "is_ended"),
    [
        ({"status": "incomplete"}, "canceled", False),
        ({"status": "canceled", "ended_at": NOON - timedelta(days=9)}, "canceled", False),
        ({"status": "past_due"}, "canceled", True),
        ({"status": "trialing"}, "canceled", True),
    ],
)
def test_only_what_had_started_is_said_to_end_and_an_end_of_before_keeps_its_time(said, columns, status, is_ended):
    ada = customer("ada", **columns)
    end_for_deleted_customer(ada)
    row = Subscription.objects.get()
    assert (row.status, row.ended_at) == (status, columns.get("ended_at", NOON))
    assert ("subscription_ended" in [name for name, *_ in said]) is is_ended


def test_who_never_subscribed_is_gone_all_the_same():
    ada = customer("ada")
    Subscription.objects.all().delete()
    end_for_deleted_customer(Customer.objects.get(pk=ada.pk))
    assert (Customer.objects.get().deleted_at, Subscription.objects.exists()) == (NOON, False)
