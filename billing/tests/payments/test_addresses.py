"""An invoice that lacks an address to be taxed: the subscriber is asked, and it goes out once there is one."""

import pytest

from billing import lanes, testing
from billing.lifecycle import owed
from billing.models import Alert, Invoice, StripeWrite, Subscription
from billing.tests.lifecycle.test_tax import nowhere
from billing.tests.taxed import BERLIN, bought, latest_invoice, sell_with_tax

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world, settings):
    """Her renewal is a draft: Stripe does not know where she is any more."""
    sell_with_tax(world, settings)
    world.control("tax", without_location="fail")
    ada = bought(world)
    nowhere(world, ada)
    world.deliver()
    world.advance(days=32)
    return ada


@pytest.fixture
def untaxed(world, settings):
    """Hers went out without tax, which Stripe has switched off."""
    sell_with_tax(world, settings)
    untaxed = bought(world)
    nowhere(world, untaxed)
    world.deliver()
    world.advance(days=32)
    world.deliver()
    return untaxed


def draft_of(subscriber):
    return Invoice.objects.get(customer=subscriber.customer, status="draft")


def move_to(world, subscriber, **address):
    world.stripe("POST", f"customers/{subscriber.customer}", address={**BERLIN, **address})


def test_the_subscriber_is_asked_once_however_often_and_in_which_order_stripe_says_it(world, ada):
    world.deliver(scramble=True)
    world.deliver(all_events(world, "invoice.finalization_failed"))
    assert draft_of(ada).lacks_address
    assert world.said(ada).count("tax_address_missing") == 1
    assert "asked for an address" in Alert.objects.get(pk="invoice_not_finalized").text
    assert owed.lacks_address(ada.user)


def all_events(world, kind):
    return [event for event in world.sandbox.events() if event["type"] == kind]


def collected(world):
    """Stripe charges a finalized invoice within the hour."""
    world.deliver()
    testing.work()
    world.advance(hours=2)
    world.deliver()


def test_once_the_address_is_there_it_is_finalized_paid_and_nothing_is_asked_any_more(world, ada):
    world.deliver()
    draft = draft_of(ada)
    move_to(world, ada)
    collected(world)
    row = Invoice.objects.get(pk=draft.pk)
    assert (row.status, row.lacks_address, row.tax) == ("paid", False, 303)
    assert not owed.lacks_address(ada.user)


def test_an_address_that_came_before_the_failure_was_told_finalizes_it_too(world, ada):
    move_to(world, ada)
    world.deliver(scramble=True)
    collected(world)
    assert latest_invoice(world, ada)["status"] == "paid"


def test_an_address_that_is_none_changes_nothing_and_is_tried_once(world, ada):
    world.deliver()
    world.stripe(
        "POST", f"customers/{ada.customer}", address={"country": "Germany"}, tax={"validate_location": "deferred"}
    )
    world.deliver()
    testing.work()
    world.deliver()
    world.deliver(all_events(world, "customer.updated"))
    testing.work()
    assert draft_of(ada).lacks_address
    assert StripeWrite.objects.filter(action="finalize_invoice").count() == 1
    assert not StripeWrite.objects.filter(action="finalize_invoice", done_at=None).exists()


def test_during_an_outage_it_stays_owed_and_is_done_after_it(world, ada):
    world.deliver()
    move_to(world, ada)
    with world.writes_failing():
        world.deliver()
        testing.work()
    assert draft_of(ada).lacks_address
    StripeWrite.objects.update(next_attempt_at=None)
    lanes.wake(ada.customer)
    testing.work()
    collected(world)
    assert latest_invoice(world, ada)["status"] == "paid"


def test_of_a_subscription_that_stripe_stopped_to_tax_the_subscriber_is_asked_and_its_tax_comes_back(world, untaxed):
    row = Invoice.objects.latest("created_at")
    assert (row.status, row.tax, row.lacks_address) == ("paid", 0, True)
    assert untaxed.row.lacks_address
    assert world.said(untaxed).count("tax_address_missing") == 1
    move_to(world, untaxed)
    world.deliver()
    testing.work()
    world.deliver()
    assert not Subscription.objects.get().lacks_address
    assert not owed.lacks_address(untaxed.user)
    world.advance(days=31)
    world.deliver()
    assert Invoice.objects.latest("created_at").tax == 303


def test_tax_that_a_person_switched_off_stays_off(world, untaxed):
    world.stripe("POST", f"subscriptions/{untaxed.subscription}", automatic_tax={"enabled": False})
    found = world.stripe("GET", f"subscriptions/{untaxed.subscription}")["automatic_tax"]
    if found["disabled_reason"] is None:
        move_to(world, untaxed)
        world.deliver()
        testing.work()
        assert not world.stripe("GET", f"subscriptions/{untaxed.subscription}")["automatic_tax"]["enabled"]


def test_a_strangers_address_finalizes_nothing_of_hers(world, ada):
    world.deliver()
    eve = bought(world, "eve@example.com")
    move_to(world, eve, postal_code="10117")
    world.deliver()
    testing.work()
    assert draft_of(ada).lacks_address
    assert not StripeWrite.objects.filter(action="finalize_invoice").exists()
