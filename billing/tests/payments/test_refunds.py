"""Refunds, from signed events to access: recorded one by one, and the end of what was refunded whole."""

import pytest

from billing import stripe_client, testing
from billing.lanes import writes
from billing.models import Alert, Hold, Price, Refund, StripeWrite
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
    assert sorted(world.said(ada)[-2:]) == ["access_granted", "refund_failed"]
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


def test_a_refund_that_names_only_its_payment_is_of_that_payments_charge(world):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    charge = world.charge_of(ada)
    assert refunds.charge_of(customer_row(ada), {"charge": charge["id"], "payment_intent": None}) == charge["id"]
    named = {"charge": None, "payment_intent": charge["payment_intent"]}
    with stripe_client.drain_reads():
        assert refunds.charge_of(customer_row(ada), named) == charge["id"] != world.charge_of(ben)["id"]


def test_a_refund_is_kept_as_stripe_has_it(world):
    ada = world.subscribed()
    refund = world.refund(ada, 500)
    world.deliver()
    made, charge = Refund.objects.get(), world.charge_of(ada)
    assert (made.pk, made.customer_id, made.charge) == (refund, ada.customer, charge["id"])
    assert (made.payment_intent, made.invoice_id) == (charge["payment_intent"], ada.last_payment.invoice_id)
    assert (made.amount, made.currency, made.status, made.is_full) == (500, "usd", "succeeded", False)


def test_a_refund_first_heard_of_when_it_failed_is_told_to_nobody(world):
    ada = world.subscribed()
    world.control(f"refunds/{world.refund(ada)}/fail")
    world.deliver()
    assert (Refund.objects.get().status, Refund.objects.get().is_full) == ("failed", False)
    assert (world.said(ada), ada.access.reason) == ([], "active")


# Sums over the period


def upgrade(world, who, price="team_month"):
    """Upgrade behind our back, as the portal does; the proration is charged at once."""
    item = world.stripe("GET", f"subscriptions/{who.subscription}")["items"]["data"][0]["id"]
    team = world.stripe("GET", "prices", lookup_keys=[price])["data"][0]["id"]
    world.stripe(
        "POST", f"subscriptions/{who.subscription}", items=[{"id": item, "price": team}],
        proration_behavior="always_invoice",
    )  # fmt: skip


def charges_of(world, who):
    """The charges that went through, oldest first."""
    return [charge for charge in world.stripe("GET", "charges", customer=who.customer)["data"] if charge["paid"]][::-1]


def test_a_refund_of_the_share_that_a_card_paid_ends_nothing_while_the_balance_paid_the_rest(world):
    ada = world.subscribed()
    world.stripe("POST", f"customers/{ada.customer}/balance_transactions", amount=-1900, currency="usd")
    world.advance(days=32)
    world.deliver()
    assert world.charge_of(ada)["amount"] == 100
    world.refund(ada)
    world.deliver()
    assert ada.access.reason == "active"
    assert world.stripe("GET", f"subscriptions/{ada.subscription}")["status"] == "active"


def test_a_first_month_refunded_as_goodwill_after_an_upgrade_ends_nothing(world):
    ada = world.subscribed()
    world.advance(days=10)
    upgrade(world, ada)
    world.deliver()
    first, second = charges_of(world, ada)
    world.stripe("POST", "refunds", charge=first["id"])
    world.deliver()
    assert (ada.access.plan.slug, ada.access.reason) == ("team", "active")
    world.stripe("POST", "refunds", charge=second["id"], amount=second["amount"] - 1)
    world.deliver()
    assert ada.access.reason == "active"
    world.stripe("POST", "refunds", charge=second["id"], amount=1)
    world.deliver()
    world.deliver()
    assert (ada.access.has_access, ada.row.status) == (False, "canceled")


@pytest.mark.parametrize("to", ["team_month", "team_year"])
def test_a_first_month_refunded_as_goodwill_a_moment_before_an_upgrade_ends_nothing(world, to):
    """We hear of the refund when more has been paid for the period that was running then."""
    ada = world.subscribed()
    world.refund(ada)
    world.advance(hours=1)
    item = world.stripe("GET", f"subscriptions/{ada.subscription}")["items"]["data"][0]["id"]
    items = [{"id": item, "price": Price.objects.get(lookup_key=to).pk}]
    world.stripe("POST", f"subscriptions/{ada.subscription}", items=items, proration_behavior="always_invoice")
    world.deliver()
    assert (ada.access.reason, ada.access.plan.slug) == ("active", "team")
    assert not StripeWrite.objects.exists()
    for charge in world.stripe("GET", "charges", customer=ada.customer)["data"]:
        if not charge["refunded"]:
            world.stripe("POST", "refunds", charge=charge["id"])
    world.deliver()
    world.deliver()
    assert ada.row.status == "canceled", "all of it was given back then"


def test_an_upgrade_refunded_before_we_heard_of_the_first_payment_ends_nothing(world):
    ada = world.subscribe()
    world.advance(days=10)
    upgrade(world, ada)
    world.stripe("POST", "refunds", charge=charges_of(world, ada)[1]["id"])
    refund_events = [event for event in world.events() if "refund" in event["type"]]
    world.deliver(refund_events)
    assert (ada.access.reason, ada.access.plan.slug) == ("active", "team")


def test_a_refund_that_fails_after_its_cancellation_is_told_to_the_subscriber_and_to_staff(world):
    ada = world.subscribed()
    refund = world.refund(ada)
    world.deliver()
    world.deliver()
    assert ada.row.status == "canceled"
    world.control(f"refunds/{refund}/fail")
    world.deliver()
    assert Refund.objects.get().ended_subscription == ada.subscription
    assert world.said(ada)[-1] == "refund_failed"
    assert "give them access" in Alert.objects.get(pk="refund_failed").text
