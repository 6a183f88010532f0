"""A value of Stripe's enums that we do not know: what was stays, and staff see it."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from billing import access
from billing.lifecycle import checkout
from billing.models import Alert, CheckoutAttempt, Dispute, Hold, Price, Refund, StripeEvent
from billing.monitoring import alerts, unknown_values
from billing.setup import doctor
from billing.tests.mailing import GRACE
from billing.tests.world import customer_row

pytestmark = pytest.mark.django_db(transaction=True)


def set_at_stripe(world, kind, identifier, **values):
    """Let Stripe's object say what this version does not know, and tell of it."""
    world.sandbox.state.table(kind).rows[identifier].update(values)


def told_of(world, event_type, kind, identifier, **values):
    """Deliver an event of an object, changed at Stripe before."""
    set_at_stripe(world, kind, identifier, **values)
    [event] = [each for each in world.sandbox.events() if each["type"] == event_type][-1:]
    again = {**event, "id": f"evt_{kind}_{len(world.delivered)}"}
    world.deliver([again])
    return StripeEvent.objects.get(pk=again["id"])


def warnings():
    return [finding.text for finding in doctor.examine() if finding.name == "unknown values"]


@pytest.fixture
def ada(world):
    return world.subscribed()


def test_the_hold_of_a_dispute_stays_at_an_unknown_status_and_the_event_says_why(world, ada):
    dispute = world.dispute(ada)
    world.deliver()
    event = told_of(world, "charge.dispute.created", "dispute", dispute, status="mediation_started")
    assert Hold.objects.active().count() == 1
    assert access.of(ada.user).reason == "hold_dispute"
    assert Dispute.objects.get().status == "needs_response"
    assert event.status == "processed"
    assert "mediation_started" in event.error_message
    assert any("mediation_started" in text for text in warnings())


def test_a_dispute_that_is_won_after_an_unknown_status_gives_access_back_and_is_told(world, ada):
    dispute = world.dispute(ada)
    world.deliver()
    told_of(world, "charge.dispute.created", "dispute", dispute, status="mediation_started")
    world.heard.clear()
    set_at_stripe(world, "dispute", dispute, status="needs_response")
    world.close_dispute(dispute, "won")
    world.deliver()
    assert access.has_access(ada.user)
    assert "dispute_closed" in world.said(ada)


def test_an_appeal_keeps_the_hold(world, ada):
    dispute = world.dispute(ada)
    world.deliver()
    for status in ("appeal_needs_response", "appeal_under_review"):
        told_of(world, "charge.dispute.created", "dispute", dispute, status=status)
        assert access.of(ada.user).reason == "hold_dispute"


def test_a_dispute_first_heard_of_by_an_unknown_status_takes_no_access_by_guess(world, ada):
    dispute = world.dispute(ada)
    set_at_stripe(world, "dispute", dispute, status="mediation_started")
    world.deliver()
    assert access.has_access(ada.user)
    assert Dispute.objects.get().status == "mediation_started"
    assert Alert.objects.filter(pk="unknown_value:dispute.status=mediation_started").exists()


@pytest.mark.parametrize("status", ["hibernating", "pausing"])
def test_a_subscription_of_an_unknown_status_keeps_the_status_it_had(world, ada, status):
    event = told_of(world, "customer.subscription.created", "subscription", ada.subscription, status=status)
    assert (ada.row.status, access.has_access(ada.user)) == ("active", True)
    assert status in event.error_message
    assert any(status in text for text in warnings())


@pytest.mark.parametrize("reason", ["pause_requested", "final_payment_failure", "a_reason_of_next_year"])
@pytest.mark.parametrize("has_card", [True, False])
def test_a_pause_of_any_reason_takes_access_and_the_page_claims_no_reason(world, ada, client, reason, has_card):
    card = {} if has_card else {"default_payment_method": None}
    details = {"paused": {"reason": reason, "type": "requested"}}
    said = {"status": "paused", "status_details": details, **card}
    told_of(world, "customer.subscription.created", "subscription", ada.subscription, **said)
    assert access.of(ada.user).reason == "paused"
    client.force_login(ada.user)
    page = client.get("/billing/").content.decode()
    assert "Your subscription is paused" in page
    assert "trial" not in page


def test_an_ended_one_does_not_come_back_by_it(world, ada):
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    told_of(world, "customer.subscription.created", "subscription", ada.subscription, status="hibernating")
    assert (ada.row.status, access.has_access(ada.user)) == ("canceled", False)


def test_a_new_subscription_of_an_unknown_status_gives_no_access_and_sells_no_second_one(world, client):
    ben = world.subscribe(email="ben@example.com")
    set_at_stripe(world, "subscription", ben.subscription, status="hibernating")
    world.deliver()
    assert not access.has_access(ben.user)
    client.force_login(ben.user)
    assert client.get("/billing/").status_code == 200
    body = {"plan": "pro", "interval": "month"}
    answer = client.post("/api/v1/subscriptions/checkout", body, content_type="application/json")
    assert answer.json()["code"] == "already_subscribed"


def test_no_plan_is_changed_while_the_status_is_unknown(world, ada, client):
    set_at_stripe(world, "subscription", ada.subscription, status="hibernating")
    client.force_login(ada.user)
    body = {"plan": "team", "interval": "month"}
    answer = client.post("/api/v1/subscriptions/change", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "state_unknown")
    assert "Write to us" in answer.json()["detail"]


def test_a_refund_that_waits_for_the_customer_is_announced_once_money_moves(world, ada):
    refund = world.refund(ada, 500)
    set_at_stripe(world, "refund", refund, status="requires_action")
    world.deliver()
    assert "refund_issued" not in world.said(ada)
    told_of(world, "refund.created", "refund", refund, status="succeeded")
    assert world.said(ada).count("refund_issued") == 1


def test_a_refund_of_an_unknown_status_stays_what_it_was(world, ada):
    refund = world.refund(ada, 500)
    world.deliver()
    told_of(world, "refund.created", "refund", refund, status="in_escrow")
    assert Refund.objects.get().status == "succeeded"
    assert any("in_escrow" in text for text in warnings())


def test_a_price_of_an_unknown_interval_is_no_new_price_and_takes_no_access(world, ada):
    price = ada.row.price_id
    for row in world.sandbox.state.table("price").rows.values():
        if row["id"] == price:
            row["recurring"]["interval"] = "fortnight"
    for item in world.sandbox.state.table("subscription_item").rows.values():
        if item["price"]["id"] == price:
            item["price"]["recurring"]["interval"] = "fortnight"
    told_of(world, "customer.subscription.created", "subscription", ada.subscription)
    assert access.has_access(ada.user)
    assert Price.objects.get(pk=price).interval == "month"


def test_an_unknown_payment_status_is_not_taken_for_paid(world):
    ada = world.subscribe()
    attempt = CheckoutAttempt.objects.get(customer=customer_row(ada))
    set_at_stripe(world, "checkout.session", attempt.session_id, payment_status="partially_paid")
    assert checkout.refresh_outcome(attempt) == checkout.Outcome.PROCESSING
    set_at_stripe(world, "checkout.session", attempt.session_id, status="suspended")
    assert checkout.refresh_outcome(attempt) == checkout.Outcome.PROCESSING


def test_staff_are_alerted_once_about_each_value(settings):
    settings.ADMINS = GRACE
    for number in range(3):
        assert not unknown_values.is_known("dispute.status", "mediation", {"won"}, f"dp_{number}")
        Alert.objects.update(raised_at=timezone.now() - timedelta(hours=2), told_at=timezone.now() - timedelta(hours=2))
        alerts.send()
    assert len(mail.outbox) == 1
    assert "dp_2" in Alert.objects.get().text
    assert unknown_values.is_known("dispute.status", "won", {"won"}, "dp_1")
