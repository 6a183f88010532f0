"""Each story takes a subscriber from signed events to access, by one of the rules."""

import random

import pytest

from billing import clock, testing, usage
from billing.events import applying, ledger
from billing.models import (
    Customer,
    Payment,
    PaymentFailure,
    Plan,
    Price,
    StripeEvent,
    Subscription,
)
from billing.tests.world import customer_row

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres, pytest.mark.first_sale]


def test_paying_at_checkout_gives_access_and_records_one_payment(world):
    ada = world.subscribe()
    assert not ada.access.has_access
    world.deliver()
    assert (ada.access.reason, ada.access.plan.slug, ada.row.status) == ("active", "pro", "active")
    assert (ada.last_payment.amount, ada.last_payment.currency, Payment.objects.count()) == (2000, "usd", 1)
    assert sorted(world.said(ada)) == ["access_granted", "payment_succeeded", "subscription_started"]


def test_the_same_events_in_any_order_and_twice_end_in_the_same_state(world):
    ada = world.subscribe()
    events = world.events()
    shuffled = events * 2
    random.Random(7).shuffle(shuffled)
    for event in shuffled:
        world.deliver([event])
    assert (ada.access.reason, ada.row.status, Payment.objects.count()) == ("active", "active", 1)
    assert sorted(world.said(ada)) == ["access_granted", "payment_succeeded", "subscription_started"]


def test_a_late_update_does_not_give_a_cancelled_subscriber_access(world):
    ada = world.subscribe()
    late = [event for event in world.events() if event["type"].startswith("customer.subscription.")]
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver([event for event in world.events() if event["id"] not in {late_one["id"] for late_one in late}])
    world.deliver(late)
    assert (ada.access.has_access, ada.row.status) == (False, "canceled")


def test_a_trial_gives_access_without_a_payment(world):
    eve = world.subscribe(plan="team")
    world.deliver()
    assert (eve.access.reason, eve.row.status) == ("trialing", "trialing")
    assert "payment_succeeded" not in world.said(eve)


def test_a_renewal_moves_the_period_and_is_one_payment(world):
    ada = world.subscribed()
    before = ada.row.current_period_end
    world.advance(days=32)
    world.deliver()
    assert ada.row.current_period_end > before
    assert Payment.objects.count() == 2
    assert world.said(ada) == ["payment_succeeded"]


def test_a_declined_renewal_keeps_access_for_three_days_of_grace(world):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=2)
    world.deliver()
    assert (ada.access.has_access, ada.access.reason, ada.row.status) == (True, "grace", "past_due")
    assert PaymentFailure.objects.get().attempt == 1
    assert world.said(ada) == ["payment_failed"]
    due = ada.row.past_due_since
    world.advance(days=3, hours=1)
    assert (ada.access.has_access, ada.access.reason) == (False, "grace_over"), "by the clock, before any event"
    world.deliver()
    assert ada.row.past_due_since == due, "a retry does not move it"
    assert ada.access.reason == "grace_over"


def test_a_failure_heard_of_late_is_dated_by_when_it_failed(world):
    """Else the chart of failures would show the day the worker was back."""
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=2)
    [failed] = [event for event in world.events() if event["type"] == "invoice.payment_failed"]
    world.advance(days=2)
    world.deliver()
    assert PaymentFailure.objects.get(attempt=1).failed_at == clock.from_timestamp(failed["created"])


def test_paying_the_open_invoice_with_another_card_brings_access_back(world):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=35)
    world.deliver()
    assert not ada.access.has_access
    world.heard.clear()
    world.change_card(ada, "pm_card_visa")
    world.control(f"invoices/{world.open_invoice(ada)}/pay")
    world.deliver()
    assert (ada.access.reason, ada.row.past_due_since) == ("active", None)
    assert sorted(world.said(ada)) == ["access_granted", "payment_recovered", "payment_succeeded"]


def test_a_failure_that_arrives_after_the_payment_is_recorded_and_says_nothing(world):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=2)
    failed = world.events()
    world.change_card(ada, "pm_card_visa")
    world.control(f"invoices/{world.open_invoice(ada)}/pay")
    known = {event["id"] for event in failed}
    world.deliver([event for event in world.events() if event["id"] not in known])
    world.deliver(failed)
    assert PaymentFailure.objects.count() == 1
    assert (ada.access.reason, "payment_failed" in world.said(ada)) == ("active", False)


@pytest.mark.parametrize("is_reversed", [False, True])
def test_3d_secure_at_renewal_asks_once_for_action_whatever_comes_first(world, is_reversed):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_authenticationRequired")
    world.advance(days=31, hours=2)
    events = world.events()
    for event in reversed(events) if is_reversed else events:
        world.deliver([event])
    assert (ada.access.reason, ada.row.status) == ("grace", "past_due")
    assert world.said(ada) == ["payment_action_required"]
    assert PaymentFailure.objects.get().hosted_invoice_url
    world.control(f"invoices/{world.open_invoice(ada)}/pay", outcome="authenticated")
    world.deliver()
    assert ada.access.reason == "active"


def test_a_subscription_to_a_price_of_no_plan_keeps_its_state_and_says_so(world):
    ada = world.subscribed()
    product = world.stripe("POST", "products", name="Custom")["id"]
    price = world.stripe(
        "POST", "prices", product=product, currency="usd", unit_amount=100, recurring={"interval": "month"}
    )["id"]
    world.subscribe_again(ada, price)
    world.deliver()
    assert (ada.row.stripe_id, ada.access.reason) == (ada.subscription, "active"), "ours counts, not the stranger"
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    assert ada.row.status == "canceled"
    ben = world.subscribe(email="ben@example.com")
    item = world.stripe("GET", f"subscriptions/{ben.subscription}")["items"]["data"][0]["id"]
    world.stripe("POST", f"subscriptions/{ben.subscription}", items=[{"id": item, "price": price}])
    world.deliver()
    assert (ben.access.has_access, ben.access.reason, ben.row.unmapped_price) == (False, "unmapped_price", price)
    Price.objects.create(pk=price, plan=Plan.objects.get(slug="pro"), currency="usd", unit_amount=100, interval="month")
    world.stripe("POST", f"subscriptions/{ben.subscription}", metadata={"a": "b"})
    world.deliver()
    assert (ben.access.reason, ben.row.unmapped_price) == ("active", "")


def test_a_subscription_that_ended_and_was_followed_by_another_is_announced_as_ended(world):
    ada = world.subscribed()
    world.subscribe_again(ada, Price.objects.get(lookup_key="team_month").pk)
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    assert ada.access.plan.slug == "team"
    assert world.said(ada)[:2] == ["subscription_ended", "subscription_started"]


def test_a_key_of_another_account_takes_nobodys_access(world):
    ada = world.subscribed()
    events = [testing.event("customer.subscription.updated", {"object": "subscription", "customer": ada.customer})]
    world.control("reset", seed=2)
    world.deliver(events, work=False)
    testing.work()
    assert ada.access.reason == "active"
    assert StripeEvent.objects.get(pk=events[0]["id"]).status == "failed"


def test_a_trials_end_is_announced_once_however_often_it_is_processed(world):
    eve = world.subscribe(plan="team")
    world.deliver()
    world.advance(days=12)
    world.deliver()
    assert world.said(eve).count("trial_ending") == 1
    ledger.replay(list(StripeEvent.objects.filter(type__endswith="trial_will_end").values_list("pk", flat=True)))
    testing.work()
    assert world.said(eve).count("trial_ending") == 1


def test_a_customer_deleted_at_stripe_loses_access_and_stays_the_subscribers(world):
    zoe = world.subscribed()
    world.stripe("DELETE", f"customers/{zoe.customer}")
    world.deliver()
    assert (zoe.access.has_access, zoe.access.reason) == (False, "customer_deleted")
    assert customer_row(zoe).deleted_at
    assert customer_row(zoe).subscriber == zoe.user
    assert set(world.said(zoe)) == {"access_revoked", "subscription_ended", "customer_deleted"}


def test_after_a_deleted_customer_the_person_can_buy_again(world):
    zoe = world.subscribed()
    world.stripe("DELETE", f"customers/{zoe.customer}")
    world.deliver()
    again = world.subscribe(user=zoe.user)
    world.deliver()
    assert again.customer != zoe.customer
    assert again.access.reason == "active"


def test_an_event_about_a_stranger_is_processed_without_effect_and_says_so(world):
    stranger = world.stripe("POST", "customers", email="stranger@example.com")
    world.stripe("DELETE", f"customers/{stranger['id']}")
    world.deliver()
    event = StripeEvent.objects.get(type="customer.deleted")
    assert (event.status, event.error_message) == ("processed", applying.NOT_OURS)
    assert not Customer.objects.exists()
    assert not Subscription.objects.exists()
    assert world.heard == []


def test_a_downgrade_keeps_the_true_usage_and_blocks_new_use_above_the_new_limit(world):
    ada = world.subscribed()
    usage.consume(ada.user, "generations", 700)
    Plan.objects.get(slug="team").limits.update(quantity=500)
    price = Plan.objects.get(slug="team").prices.get(interval="month").pk
    item = world.stripe("GET", f"subscriptions/{ada.subscription}")["items"]["data"][0]["id"]
    world.stripe("POST", f"subscriptions/{ada.subscription}", items=[{"id": item, "price": price}])
    world.deliver()
    assert ada.access.plan.slug == "team"
    with pytest.raises(usage.QuotaExceeded) as over:
        usage.consume(ada.user, "generations")
    assert (over.value.used, over.value.limit) == (700, 500)
