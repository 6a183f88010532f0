"""Refunds, from signed events to access: recorded one by one, and the end of what was refunded whole."""

import pytest

from billing import testing
from billing.lanes import writes
from billing.models import (
    Hold,
    Refund,
    StripeWrite,
)
from billing.tests.world import customer_row

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_a_partial_refund_is_recorded_and_changes_no_access(world):
    ada = world.subscribed()
    world.stripe("POST", "refunds", charge=world.charge_of(ada)["id"], amount=500)
    world.deliver()
    assert ada.access.reason == "active"
    assert Refund.objects.values_list("amount", "is_full", "invoice_id").get() == (
        500,
        False,
        ada.last_payment.invoice_id,
    )
    assert world.said(ada) == ["refund_issued"]


def test_a_full_refund_of_the_running_period_holds_and_cancels_at_stripe(world):
    ada = world.subscribed()
    world.stripe("POST", "refunds", charge=world.charge_of(ada)["id"])
    refund_events = world.events()
    world.deliver(refund_events)
    assert world.stripe("GET", f"subscriptions/{ada.subscription}")["status"] == "canceled"
    world.deliver()
    assert (ada.access.has_access, ada.row.status) == (False, "canceled")
    assert sorted(world.said(ada)) == ["access_revoked", "refund_issued", "subscription_ended"]
    assert not Hold.objects.active().exists()


def test_a_full_refund_of_an_older_period_leaves_the_subscription_alone(world):
    ada = world.subscribed()
    charge = world.charge_of(ada)["id"]
    world.advance(days=32)
    world.deliver()
    world.stripe("POST", "refunds", charge=charge)
    world.deliver()
    assert (ada.access.reason, Refund.objects.get().is_full) == ("active", True)
    assert not StripeWrite.objects.exists()


def test_a_refund_that_fails_before_its_cancellation_was_made_undoes_both(world):
    ada = world.subscribed()
    refund = world.stripe("POST", "refunds", charge=world.charge_of(ada)["id"])
    world.deliver(work=False)
    with world.writes_failing():
        testing.work()
    assert ada.access.reason == "hold_refund"
    world.control(f"refunds/{refund['id']}/fail")
    with world.writes_failing():
        world.deliver()
    assert StripeWrite.objects.get().withdrawn_at
    assert (ada.access.reason, Refund.objects.get().status) == ("active", "failed")
    assert world.said(ada)[-2:] == ["refund_failed", "access_granted"]
    assert world.stripe("GET", f"subscriptions/{ada.subscription}")["status"] == "active"


@pytest.mark.parametrize("fails", [False, True])
def test_a_refund_that_is_no_full_one_calls_off_what_nobody_else_is_owed(world, fails):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    writes.owe(customer_row(ben), ben.subscription, reference="dp_ben")
    writes.owe(customer_row(ada), "sub_other", reference="dp_ada")
    refund = world.stripe("POST", "refunds", charge=world.charge_of(ada)["id"], amount=500)
    if fails:
        world.control(f"refunds/{refund['id']}/fail")
    with world.writes_failing():
        world.deliver()
    assert StripeWrite.objects.filter(withdrawn_at=None).count() == 2
    assert (ben.access.reason, world.said(ben)) == ("active", [])


@pytest.mark.parametrize("renews_first", [False, True])
def test_a_full_refund_ends_the_subscription_whenever_its_events_arrive(world, renews_first):
    """Before the payment's own event, or after the next renewal: what counts is when the money went back."""
    ada = world.subscribe() if not renews_first else world.subscribed()
    world.stripe("POST", "refunds", charge=world.charge_of(ada)["id"])
    refund_events = [event for event in world.events() if "refund" in event["type"]]
    if renews_first:
        world.advance(days=32)
        known = {event["id"] for event in refund_events}
        world.deliver([event for event in world.events() if event["id"] not in known])
    world.deliver(refund_events)
    world.deliver()
    assert world.stripe("GET", f"subscriptions/{ada.subscription}")["status"] == "canceled"
    assert (ada.access.has_access, ada.row.status) == (False, "canceled")


def test_refunds_that_add_up_to_all_of_it_are_partial_until_the_last(world):
    ada = world.subscribed()
    charge = world.charge_of(ada)["id"]
    for amount in (500, 700, 800):
        world.stripe("POST", "refunds", charge=charge, amount=amount)
    world.deliver()
    assert sorted(Refund.objects.values_list("amount", "is_full")) == [(500, False), (700, False), (800, True)]
    world.deliver()
    assert ada.row.status == "canceled"


def test_more_refunds_than_a_charge_brings_along_are_all_recorded(world):
    ada = world.subscribed()
    charge = world.charge_of(ada)["id"]
    for _ in range(12):
        world.stripe("POST", "refunds", charge=charge, amount=10)
    world.deliver()
    assert Refund.objects.count() == 12
    assert world.said(ada) == ["refund_issued"] * 12


def test_a_host_may_let_a_full_refund_end_nothing(world, settings):
    settings.BILLING_FULL_REFUND_CANCELS = False
    ada = world.subscribed()
    world.stripe("POST", "refunds", charge=world.charge_of(ada)["id"])
    world.deliver()
    assert (ada.access.reason, world.said(ada)) == ("active", ["refund_issued"])
    assert world.stripe("GET", f"subscriptions/{ada.subscription}")["status"] == "active"
    assert Refund.objects.get().is_full
