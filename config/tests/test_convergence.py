"""Whole histories, delivered in every kind of disorder, end where Stripe is, with each fact and mail once."""

import random

import pytest

from billing import testing
from billing.models import Dispute, Payment, Refund, StripeEvent, Subscription
from billing.testing import assert_all_processed
from notifications.models import Mail

pytestmark = [pytest.mark.django_db(transaction=True)]


def history(world):
    """Renewed, declined, recovered, refunded in part; disputed and won; refunded in full; a trial that ended."""
    ada, ben, eve, max_ = (
        world.subscribe(plan, email=f"{name}@example.com")
        for name, plan in [("ada", "pro"), ("ben", "pro"), ("eve", "team"), ("max", "pro")]
    )
    dispute = world.control("disputes", charge=world.charge_of(ben)["id"])
    world.stripe("POST", "refunds", charge=world.charge_of(max_)["id"])
    world.stripe("DELETE", f"subscriptions/{max_.subscription}")
    world.advance(days=10)
    world.control(f"disputes/{dispute['id']}", status="won")
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=16)
    world.stripe("POST", "refunds", charge=world.charge_of(ada)["id"], amount=300)
    world.stripe("DELETE", f"subscriptions/{eve.subscription}")
    return [ada, ben, eve, max_]


def in_disorder(world, chance):
    """Each event once or twice, in any order, in batches of any size; some only after the rest."""
    events = world.events()
    deliveries = events + chance.sample(events, k=len(events) // 2)
    chance.shuffle(deliveries)
    while deliveries:
        size = chance.choice([1, 1, 2, 5, 20])
        world.deliver(deliveries[:size], work=False)
        deliveries = deliveries[size:]
        if chance.random() < 0.5:
            testing.work()
    testing.work()


@pytest.mark.parametrize("seed", range(4))
def test_any_disorder_ends_in_stripes_state_with_each_fact_once(world, seed):
    subscribers = history(world)
    in_disorder(world, random.Random(seed))
    world.deliver()
    assert_all_processed()
    for subscriber in subscribers:
        theirs = world.stripe("GET", f"subscriptions/{subscriber.subscription}")
        assert (subscriber.row.stripe_id, subscriber.row.status) == (theirs["id"], theirs["status"])
        assert int(subscriber.row.current_period_end.timestamp()) == theirs["items"]["data"][0]["current_period_end"]
    paid = {invoice["id"] for invoice in invoices(world) if invoice["status"] == "paid" and invoice["amount_paid"]}
    assert set(Payment.objects.filter(amount__gt=0).values_list("invoice_id", flat=True)) == paid
    assert sorted(Refund.objects.values_list("amount", "is_full")) == [(300, False), (2000, True)]
    assert Dispute.objects.get().status == "won"
    assert [subscriber.access.reason for subscriber in subscribers] == ["active", "active", "canceled", "canceled"]
    received = Mail.objects.filter(kind="payment_received").values_list("key", flat=True)
    assert sorted(received) == sorted(f"payment_received:{invoice}" for invoice in paid)
    assert Mail.objects.filter(kind="refund").count() == 2
    assert Subscription.objects.count() == 4
    assert not StripeEvent.objects.filter(status="received").exists()


def invoices(world):
    return world.stripe("GET", "invoices", limit=100)["data"]
