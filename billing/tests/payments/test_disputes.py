"""Disputes, from signed events to access: held, given back, cancelled."""

import pytest

from billing.models import (
    Alert,
    Dispute,
    Hold,
    Price,
    StripeWrite,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def alerts_raised():
    """Return how often staff were to be told, nobody having been mailed yet."""
    return sum(Alert.objects.values_list("waiting", flat=True))


def test_a_dispute_holds_access_and_winning_it_gives_it_back(world):
    ben = world.subscribed()
    dispute = world.control("disputes", charge=world.charge_of(ben)["id"])
    world.deliver()
    assert (ben.access.has_access, ben.access.reason, ben.row.status) == (False, "hold_dispute", "active")
    assert world.said(ben) == ["access_revoked", "dispute_opened"]
    world.heard.clear()
    world.control(f"disputes/{dispute['id']}", status="won")
    world.deliver()
    assert ben.access.reason == "active"
    assert world.said(ben) == ["access_granted", "dispute_closed"]


def test_a_lost_dispute_cancels_the_subscription_at_stripe(world):
    ben = world.subscribed()
    dispute = world.control("disputes", charge=world.charge_of(ben)["id"])
    world.deliver()
    world.control(f"disputes/{dispute['id']}", status="lost")
    world.deliver()
    assert world.stripe("GET", f"subscriptions/{ben.subscription}")["status"] == "canceled"
    assert StripeWrite.objects.get().done_at
    world.deliver()
    assert (ben.row.status, ben.access.reason) == ("canceled", "canceled")
    assert not Hold.objects.active().exists(), "a new subscription starts free of it"


def test_an_inquiry_changes_no_access(world):
    ben = world.subscribed()
    world.control("disputes", charge=world.charge_of(ben)["id"], inquiry=True)
    world.deliver()
    assert ben.access.reason == "active"
    assert Dispute.objects.get().is_inquiry


def test_an_inquiry_that_becomes_a_dispute_is_announced_again_and_holds_access(world):
    ben = world.subscribed()
    inquiry = world.control("disputes", charge=world.charge_of(ben)["id"], inquiry=True)
    world.deliver()
    assert world.said(ben) == ["dispute_opened"]
    world.heard.clear()
    world.control(f"disputes/{inquiry['id']}", status="needs_response")
    world.deliver()
    assert ben.access.reason == "hold_dispute"
    assert world.said(ben) == ["access_revoked", "dispute_opened"]


def test_what_is_heard_again_of_an_open_dispute_is_announced_to_nobody(world):
    ben, eve = world.subscribed(), world.subscribed(email="eve@example.com")
    dispute = world.control("disputes", charge=world.charge_of(ben)["id"])
    world.deliver()
    told = alerts_raised()
    assert told == 1
    world.heard.clear()
    world.stripe("POST", f"disputes/{dispute['id']}", evidence={"customer_name": "Ben"})
    heard = [event["type"] for event in world.events()]
    assert "charge.dispute.updated" in heard
    world.deliver()
    assert (world.heard, alerts_raised()) == ([], told)
    assert (ben.access.reason, eve.access.reason) == ("hold_dispute", "active")


def test_a_dispute_that_is_first_heard_of_when_it_is_closed_is_said_to_be_closed_alone(world):
    ben = world.subscribed()
    dispute = world.control("disputes", charge=world.charge_of(ben)["id"])
    world.control(f"disputes/{dispute['id']}", status="won")
    world.deliver(world.events("charge.dispute.closed"))
    assert [name for name in world.said(ben) if "dispute" in name] == ["dispute_closed"]
    assert alerts_raised() == 0
    world.deliver()
    assert world.said(ben) == ["dispute_closed"], "what comes late changes nothing"


def test_a_dispute_that_comes_before_its_payment_waits_for_one_call_and_finds_its_customer(world):
    ben = world.subscribe()
    world.control("disputes", charge=world.charge_of(ben)["id"])
    dispute = [event for event in world.events() if event["type"] == "charge.dispute.created"]
    world.deliver(dispute)
    assert ben.access.reason == "hold_dispute"
    world.deliver()
    assert ben.access.reason == "hold_dispute"
    assert Dispute.objects.get().invoice_id == ben.last_payment.invoice_id


def test_a_lost_dispute_about_a_second_subscription_cancels_that_one(world):
    ada = world.subscribed()
    price = Price.objects.get(lookup_key="team_month").pk
    second = world.subscribe_again(ada, price)
    charge = world.charge_of(ada)
    assert charge["amount"] == 6000
    dispute = world.control("disputes", charge=charge["id"])
    world.deliver()
    assert ada.access.reason == "active", "the one that counts is not disputed"
    world.control(f"disputes/{dispute['id']}", status="lost")
    world.deliver()
    assert world.stripe("GET", f"subscriptions/{second}")["status"] == "canceled"
    assert world.stripe("GET", f"subscriptions/{ada.subscription}")["status"] == "active"


def test_who_disputed_and_left_can_buy_again(world):
    ben = world.subscribed()
    world.control("disputes", charge=world.charge_of(ben)["id"])
    world.stripe("DELETE", f"subscriptions/{ben.subscription}")
    world.deliver()
    again = world.subscribe(user=ben.user)
    world.deliver()
    assert again.access.reason == "active"


def test_a_host_may_let_a_dispute_hold_nothing_and_a_lost_one_cancel_nothing(world, settings):
    settings.BILLING_DISPUTE_HOLDS = settings.BILLING_LOST_DISPUTE_CANCELS = False
    ben = world.subscribed()
    dispute = world.control("disputes", charge=world.charge_of(ben)["id"])
    world.deliver()
    assert (ben.access.reason, world.said(ben)) == ("active", ["dispute_opened"])
    world.control(f"disputes/{dispute['id']}", status="lost")
    world.deliver()
    assert ben.access.reason == "active"
    assert world.stripe("GET", f"subscriptions/{ben.subscription}")["status"] == "active"
    assert not StripeWrite.objects.exists()


def test_a_hold_is_released_by_a_lost_dispute_that_cancels_nothing(world, settings):
    settings.BILLING_LOST_DISPUTE_CANCELS = False
    ben = world.subscribed()
    dispute = world.control("disputes", charge=world.charge_of(ben)["id"])
    world.deliver()
    assert ben.access.reason == "hold_dispute"
    world.control(f"disputes/{dispute['id']}", status="lost")
    world.deliver()
    assert ben.access.reason == "active"
