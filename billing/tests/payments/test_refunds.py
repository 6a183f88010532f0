"""Refunds, from signed events to access: recorded one by one, and the end of what was refunded whole."""

import pytest

from billing import signals, stripe_client, testing
from billing.clock import from_timestamp
from billing.lanes import writes
from billing.models import Customer, Hold, InvoicePayment, Refund, StripeWrite, Subscription
from billing.payments import refunds
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


# One refund, row by row


@pytest.fixture
def said():
    """The signals about refunds, each with the refund's state as it was sent."""
    heard = []

    def listener(name):
        return lambda refund, subscription, **_: heard.append((name, refund.pk, refund.status, subscription.pk))

    for name in ("refund_issued", "refund_failed"):
        getattr(signals, name).connect(listener(name), dispatch_uid="refunds", weak=False)
    yield heard
    for name in ("refund_issued", "refund_failed"):
        getattr(signals, name).disconnect(dispatch_uid="refunds")


@pytest.fixture
def row(db):
    return Subscription.objects.create(customer=Customer.objects.create(pk="cus_ada"), stripe_id="sub_1")


def recorded(row, status, *, is_full=False, link=None, **changes):
    usual = {"id": "re_1", "payment_intent": "pi_1", "amount": 500, "currency": "eur", "created": 1000}
    refunds._record_refund(row, {**usual, "status": status, **changes}, "ch_1", link, is_full=is_full)
    return Refund.objects.get(pk="re_1")


def test_all_that_is_kept_of_a_refund_is_as_at_stripe(row, said):
    link = InvoicePayment(invoice_id="in_1")
    made = recorded(row, "pending", is_full=True, link=link, payment_intent={"id": "pi_2"})
    assert (made.customer_id, made.charge, made.payment_intent, made.invoice_id) == ("cus_ada", "ch_1", "pi_2", "in_1")
    assert (made.amount, made.currency, made.status, made.is_full) == (500, "eur", "pending", True)
    assert (made.created_at, made.failure_reason) == (from_timestamp(1000), "")
    assert said == [("refund_issued", "re_1", "pending", row.pk)]


@pytest.mark.parametrize("undone", ["failed", "canceled"])
def test_a_refund_that_comes_undone_is_told_once_and_keeps_what_it_was(row, said, undone):
    recorded(row, "pending", is_full=True)
    recorded(row, "succeeded", amount=1)
    said.clear()
    for _ in range(2):
        kept = recorded(row, undone, amount=2, failure_reason="expired_or_canceled_card")
    assert (kept.status, kept.failure_reason, kept.amount, kept.is_full) == (
        undone, "expired_or_canceled_card", 500, True,
    )  # fmt: skip
    assert said == [("refund_failed", "re_1", undone, row.pk)]


@pytest.mark.parametrize("undone", ["failed", "canceled"])
def test_a_refund_first_heard_of_when_undone_was_none_and_is_told_to_nobody(row, said, undone):
    made = recorded(row, undone, is_full=True)
    assert (made.status, made.is_full, made.invoice_id, said) == (undone, False, "", [])


def test_a_refund_that_names_only_its_payment_is_of_that_payments_charge(world):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    charge = world.charge_of(ada)
    assert refunds.charge_of(customer_row(ada), {"charge": charge["id"], "payment_intent": None}) == charge["id"]
    named = {"charge": None, "payment_intent": charge["payment_intent"]}
    with stripe_client.drain_reads():
        assert refunds.charge_of(customer_row(ada), named) == charge["id"] != world.charge_of(ben)["id"]


@pytest.fixture
def of_a_charge(row, monkeypatch):
    """Record the refunds of a charge of 500; what follows is noted: an end, or that nothing is owed any more."""
    followed = []

    def record(is_whole, link, *statuses):
        charge = {"id": "ch_1", "payment_intent": "pi_1", "amount": 500, "refunded": is_whole}
        found = [{"id": f"re_{n}", "payment_intent": "pi_1", "amount": 250, "currency": "usd", "created": 1000 + n,
                  "status": status} for n, status in enumerate(statuses)]  # fmt: skip
        monkeypatch.setattr(refunds.subscriptions, "refresh_rows", lambda customer: None)
        monkeypatch.setattr(refunds.mirror, "write_object", lambda obj: None)
        monkeypatch.setattr(refunds.fetch, "charge", lambda *which: charge)
        monkeypatch.setattr(refunds.fetch, "refunds", lambda charge: found)
        monkeypatch.setattr(refunds.invoices, "link_of", lambda *which: link)
        monkeypatch.setattr(refunds, "_end_refunded_period", lambda *args, **kwargs: followed.append(("ends", kwargs)))
        monkeypatch.setattr(refunds.writes, "withdraw", lambda reference: followed.append(("withdrawn", reference)))
        monkeypatch.setattr(refunds.holds, "release", lambda *which: followed.append(("released", which[2])))
        refunds.record_refunds(row.customer, "ch_1")
        return followed

    return record


LINK = InvoicePayment(invoice_id="in_1", subscription_id="sub_1")
CALLED_OFF = [("withdrawn", "ch_1"), ("released", "ch_1")]


@pytest.mark.parametrize(
    ("is_whole", "link", "statuses", "followed"),
    [
        (True, LINK, ["succeeded", "pending"], [("ends", {"refunded_at": from_timestamp(1001)})]),
        (True, LINK, ["succeeded", "pending", "failed"], [("ends", {"refunded_at": from_timestamp(1001)})]),
        (True, None, ["succeeded", "succeeded"], []),
        (True, LINK, ["failed", "canceled"], []),
        (False, LINK, ["succeeded"], CALLED_OFF),
        (False, None, ["succeeded"], CALLED_OFF),
    ],
)
def test_the_whole_of_a_payment_for_a_subscription_ends_its_period_and_less_calls_that_off(
    of_a_charge, settings, is_whole, link, statuses, followed
):
    assert of_a_charge(is_whole, link, *statuses) == followed
    settings.BILLING_FULL_REFUND_CANCELS = False
    assert of_a_charge(is_whole, link, *statuses) == followed + (CALLED_OFF if not is_whole else [])
    whole = [status for status in statuses if status not in refunds.UNDONE][1:]
    assert Refund.objects.filter(is_full=True).count() == len(whole)
