"""Disputes, from signed events to access: held, given back, cancelled."""

import pytest
from django.utils import timezone

from billing.clock import from_timestamp
from billing.models import Alert, Customer, Dispute, Hold, InvoicePayment, Price, StripeWrite, Subscription
from billing.payments import disputes

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


def test_what_is_heard_again_of_an_inquiry_is_announced_to_nobody(world):
    ben = world.subscribed()
    inquiry = world.control("disputes", charge=world.charge_of(ben)["id"], inquiry=True)
    world.deliver()
    told = alerts_raised()
    world.heard.clear()
    world.stripe("POST", f"disputes/{inquiry['id']}", evidence={"customer_name": "Ben"})
    world.deliver()
    assert (world.heard, alerts_raised(), ben.access.reason) == ([], told, "active")
    assert Dispute.objects.get().is_inquiry


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
    ada = world.subscribed("team")
    price = Price.objects.get(lookup_key="pro_month").pk
    second = world.subscribe_again(ada, price)
    charge = world.charge_of(ada)
    assert charge["amount"] == 2000
    dispute = world.control("disputes", charge=charge["id"])
    world.deliver()
    assert ada.access.reason == "trialing", "the one that counts is not disputed"
    world.control(f"disputes/{dispute['id']}", status="lost")
    world.deliver()
    assert world.stripe("GET", f"subscriptions/{second}")["status"] == "canceled"
    assert world.stripe("GET", f"subscriptions/{ada.subscription}")["status"] == "trialing"


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


# By a table


@pytest.fixture
def holder(db, monkeypatch):
    """A subscriber of sub_1 who has sub_2 as well, and one to whom nothing happens."""
    live = {"sub_1", "sub_2"}
    monkeypatch.setattr(disputes.subscriptions, "is_live", lambda customer, name: name in live)
    ada, ben = (Customer.objects.create(pk=f"cus_{name}") for name in ("ada", "ben"))
    Hold.objects.create(customer=ben, kind="dispute", reference="dp_1", placed_at=timezone.now())
    Hold.objects.create(customer=ada, kind="dispute", reference="dp_other", placed_at=timezone.now())
    return Subscription.objects.create(customer=ada, stripe_id="sub_1", status="active")


OPEN, WON, LOST, INQUIRY = "needs_response", "won", "lost", "warning_needs_response"


@pytest.mark.parametrize(
    ("status", "disputed", "holds", "cancels", "is_held", "canceled"),
    [
        (OPEN, "sub_1", True, True, True, None),
        (OPEN, "sub_1", False, True, False, None),
        (OPEN, "sub_2", True, True, True, None),
        (OPEN, "sub_gone", True, True, False, None),
        (OPEN, None, True, True, False, None),
        (INQUIRY, "sub_1", True, True, False, None),
        (WON, "sub_1", True, True, False, None),
        (LOST, "sub_1", True, True, True, "sub_1"),
        (LOST, "sub_1", False, True, True, "sub_1"),
        (LOST, "sub_1", True, False, False, None),
        (LOST, "sub_2", True, True, True, "sub_2"),
        (LOST, "sub_gone", True, True, False, None),
        (LOST, None, True, True, False, None),
    ],
)
@pytest.mark.parametrize("was_held", [False, True])
def test_a_dispute_holds_and_cancels_what_it_is_about_as_the_settings_say(
    holder, settings, status, disputed, holds, cancels, is_held, canceled, was_held
):
    settings.BILLING_DISPUTE_HOLDS, settings.BILLING_LOST_DISPUTE_CANCELS = holds, cancels
    if was_held:
        Hold.objects.create(customer=holder.customer, kind="dispute", reference="dp_1", placed_at=timezone.now())
    link = None if disputed is None else InvoicePayment(subscription_id=disputed)
    disputes._apply_to_access(holder, Dispute(pk="dp_1", status=status), link)
    held = set(Hold.objects.active().values_list("customer", "reference"))
    assert held - {("cus_ada", "dp_1")} == {("cus_ben", "dp_1"), ("cus_ada", "dp_other")}
    assert (("cus_ada", "dp_1") in held) is is_held
    owed = StripeWrite.objects.values_list("lane", "object_id", "reference", "action")
    assert list(owed) == ([("cus_ada", canceled, "dp_1", "cancel_subscription")] if canceled else [])


def test_all_that_is_kept_of_a_dispute_is_as_at_stripe_and_later_only_what_may_change(holder):
    found = {"id": "dp_1", "status": OPEN, "amount": 500, "reason": "fraudulent", "evidence_details": {"due_by": 2000}}
    found |= {"charge": {"id": "ch_1"}, "payment_intent": "pi_1", "currency": "eur", "created": 1000}
    made = disputes._write_dispute(holder.customer, found, InvoicePayment(invoice_id="in_1"))
    assert (made.customer_id, made.charge, made.payment_intent, made.invoice_id) == ("cus_ada", "ch_1", "pi_1", "in_1")
    assert (made.status, made.amount, made.reason, made.currency) == (OPEN, 500, "fraudulent", "eur")
    assert (made.opened_at, made.evidence_due_at) == (from_timestamp(1000), from_timestamp(2000))
    later = {**found, "status": LOST, "amount": 400, "currency": "usd", "created": 9, "evidence_details": {"due_by": 3}}
    disputes._write_dispute(holder.customer, later, None)
    kept = Dispute.objects.get(pk="dp_1")
    assert (kept.status, kept.amount, kept.evidence_due_at) == (LOST, 400, from_timestamp(3))
    assert (kept.invoice_id, kept.currency, kept.opened_at) == ("in_1", "eur", from_timestamp(1000))
    assert disputes._write_dispute(holder.customer, {**found, "id": "dp_2"}, None).invoice_id == ""


@pytest.mark.parametrize(("held_by", "words"), [("dp_1", "is on hold"), ("dp_2", "goes on"), ("", "goes on")])
@pytest.mark.parametrize(("status", "what"), [(OPEN, "dispute"), (INQUIRY, "inquiry")])
def test_staff_are_told_what_it_is_and_whether_it_holds_access(holder, held_by, words, status, what):
    if held_by:
        Hold.objects.create(customer=holder.customer, kind="dispute", reference=held_by, placed_at=timezone.now())
    disputes._alert_staff(Dispute(pk="dp_1", customer=holder.customer, status=status, reason="fraudulent"))
    alert = Alert.objects.get()
    assert (alert.cause, alert.subject) == ("dispute_opened", f"New {what} dp_1")
    assert f"The {what} dp_1 of the customer cus_ada was opened (reason: fraudulent)." in alert.text
    assert f"Access {words} meanwhile." in alert.text
