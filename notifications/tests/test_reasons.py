"""Why a mail is not sent: each rule reads the rows of its own reader, and a bystander's change nothing."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from billing.models import (
    AccountDeletion,
    Customer,
    Dispute,
    Hold,
    Payment,
    Plan,
    Price,
    Refund,
    Subscription,
    Usage,
)
from notifications import reasons
from notifications.models import Mail

from .conftest import DECEMBER, JANUARY

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def bystander(db):
    """Somebody with another subscription, of whom everything is so that could be mistaken for the reader's."""
    bob = get_user_model().objects.create_user(email="bob@example.com")
    customer = Customer.objects.create(pk="cus_bob", subscriber=bob)
    plan = Plan.objects.create(slug="bobs", name="Bob's", rank=1)
    Subscription.objects.create(customer=customer, stripe_id="sub_bob", status="incomplete_expired", plan=plan)
    AccountDeletion.objects.create(customer=customer, lane="cus_bob", requested_at=DECEMBER)
    money = {"customer": customer, "amount": 1, "currency": "usd"}
    Payment.objects.create(invoice_id="in_bob", invoiced_at=DECEMBER, paid_at=DECEMBER, **money)
    Refund.objects.create(pk="re_bob", status="failed", created_at=DECEMBER, **money)
    Dispute.objects.create(pk="dp_bob", status="lost", opened_at=DECEMBER, **money)
    Usage.objects.create(subscriber=bob, feature="exports", period_start=DECEMBER, has_announced_overflow=True)
    mail("bob", "welcome", customer)
    return customer


def mail(key, kind, customer, status="sent", at=None):
    at = at or timezone.now()
    return Mail.objects.create(
        key=key, kind=kind, recipient="a@b", customer=customer, context={"line": "main", "plan": "Pro"},
        status=status, created_at=at, next_attempt_at=at,
    )  # fmt: skip


def why(kind, customer=None, **facts):
    return reasons.not_to_send(Mail(kind=kind, recipient="a@b", customer=customer, context=facts))


def why_not_back(subscription, because="hold_staff"):
    facts = {"subscription": "sub_1", "line": "main", "revoked_because": because}
    return why("access_restored", subscription.customer, **facts)


def set_row(**columns):
    Subscription.objects.filter(stripe_id="sub_1").update(**columns)


@pytest.mark.parametrize(
    ("status", "reason"), [("failed", reasons.REFUND_UNDONE), ("canceled", reasons.REFUND_UNDONE), ("succeeded", "")]
)
def test_a_refund_that_did_not_go_through_is_not_told(refund, status, reason):
    assert why("refund", refund="re_1") == ""
    Refund.objects.filter(pk="re_1").update(status=status)
    assert why("refund", refund="re_1") == reason


@pytest.mark.parametrize("kind", ["payment_failed", "action_required"])
def test_an_invoice_that_is_paid_failed_no_more(payment, kind):
    assert why(kind, invoice="in_1") == ""
    payment("in_1")
    assert why(kind, invoice="in_1") == reasons.PAID


def test_what_fits_again_is_not_told_to_overflow(customer):
    row = Usage.objects.create(
        subscriber=customer.subscriber, feature="exports", period_start=DECEMBER, has_announced_overflow=False
    )
    assert why("quota_overflow", usage=row.pk) == reasons.FITS_AGAIN
    Usage.objects.filter(pk=row.pk).update(has_announced_overflow=True)
    assert why("quota_overflow", usage=row.pk) == ""


@pytest.mark.parametrize(("amount", "reason"), [(1, ""), (0, reasons.NOTHING_CHARGED), (-1, reasons.NOTHING_CHARGED)])
@pytest.mark.parametrize("kind", ["payment_received", "payment_recovered"])
def test_only_money_that_moved_is_told_as_paid(kind, amount, reason):
    assert why(kind, amount=amount) == reason


@pytest.mark.parametrize(
    ("status", "holds", "reason"),
    [
        ("needs_response", True, ""),
        ("needs_response", False, reasons.NO_HOLD),
        ("warning_needs_response", True, reasons.INQUIRY),
        ("won", True, reasons.DISPUTE_CLOSED),
        ("lost", True, reasons.DISPUTE_CLOSED),
    ],
)
def test_a_dispute_is_told_while_it_is_open_and_takes_access(dispute, settings, status, holds, reason):
    settings.BILLING_DISPUTE_HOLDS = holds
    Dispute.objects.filter(pk="dp_1").update(status=status)
    assert why("dispute_opened", dispute="dp_1") == reason


# An end that is ahead, or came


@pytest.mark.parametrize(
    ("cancel_at", "reason"),
    [
        (JANUARY, ""),
        (JANUARY.replace(hour=23), ""),
        (JANUARY + DAY, reasons.NOT_SCHEDULED),
        (None, reasons.NOT_SCHEDULED),
    ],
)
def test_a_cancellation_is_told_while_it_is_for_that_day(subscription, cancel_at, reason):
    set_row(cancel_at=cancel_at)
    facts = {"subscription": "sub_1", "ends_at": JANUARY.isoformat()}
    assert why("subscription_cancelled", **facts) == reason
    AccountDeletion.objects.create(customer=subscription.customer, lane="cus_alice", requested_at=DECEMBER)
    assert why("subscription_cancelled", **facts) == reasons.BEING_DELETED


@pytest.mark.parametrize(
    ("status", "reason"), [("canceled", ""), ("incomplete_expired", reasons.NEVER_STARTED), ("active", "")]
)
def test_an_end_is_told_unless_it_never_started(subscription, status, reason):
    set_row(status=status)
    assert why("subscription_cancelled", subscription="sub_1", ended_at=JANUARY.isoformat()) == reason


def test_of_a_subscription_that_is_not_there_an_end_is_told_and_a_date_is_not():
    assert why("subscription_cancelled", subscription="sub_x", ended_at=JANUARY.isoformat()) == ""
    assert why("subscription_cancelled", subscription="sub_x", ends_at=JANUARY.isoformat()) == reasons.NOT_SCHEDULED


# What is charged on a day


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({}, ""),
        ({"status": "active"}, reasons.MOVED),
        ({"trial_end": JANUARY + DAY}, reasons.MOVED),
        ({"trial_end": None}, reasons.MOVED),
        ({"cancel_at": JANUARY}, reasons.MOVED),
        ({"cancel_at": JANUARY + DAY}, ""),
    ],
)
def test_a_trials_end_is_told_while_it_is_then_and_brings_a_charge(subscription, columns, reason):
    set_row(**{"status": "trialing", "trial_end": JANUARY, **columns})
    assert why("trial_ending", subscription="sub_1", trial_end=JANUARY.isoformat()) == reason


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({}, ""),
        ({"card_last4": "0005"}, reasons.NEW_CARD),
        ({"card_expires_on": date(2027, 1, 31)}, reasons.NEW_CARD),
        ({"current_period_end": JANUARY + DAY}, reasons.MOVED),
        ({"cancel_at": JANUARY}, reasons.MOVED),
    ],
)
def test_a_card_is_told_of_while_it_is_the_one_that_is_charged(subscription, columns, reason):
    set_row(**{"card_last4": "4242", "card_expires_on": date(2026, 12, 31), **columns})
    facts = {"last4": "4242", "expires_on": "2026-12-31", "charged_at": JANUARY.isoformat()}
    assert why("card_expiring", subscription="sub_1", **facts) == reason


# A change of plan


@pytest.fixture
def price(subscription):
    made = Price.objects.create(pk="price_1", plan=subscription.plan, currency="usd", unit_amount=1, interval="month")
    set_row(price=made, quantity=2)
    return made


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({}, ""),
        ({"pending_at": JANUARY.replace(hour=1)}, ""),
        ({"pending_at": JANUARY + DAY}, reasons.CHANGED_AGAIN),
        ({"pending_at": None}, reasons.CHANGED_AGAIN),
        ({"pending_price": None}, reasons.CHANGED_AGAIN),
        ({"pending_kind": "pending_update"}, reasons.CHANGED_AGAIN),
        ({"pending_kind": ""}, reasons.CHANGED_AGAIN),
    ],
)
def test_a_change_that_is_ahead_is_told_while_it_is_so(price, columns, reason):
    set_row(**{"pending_kind": "scheduled", "pending_at": JANUARY, "pending_price": price, **columns})
    facts = {"price": "price_1", "changes_at": JANUARY.isoformat()}
    assert why("downgrade_scheduled", subscription="sub_1", **facts) == reason


@pytest.mark.parametrize(
    ("facts", "reason"),
    [({}, ""), ({"price": "price_2"}, reasons.CHANGED_AGAIN), ({"quantity": 1}, reasons.CHANGED_AGAIN)],
)
def test_a_change_is_told_while_it_is_the_last_one(price, facts, reason):
    assert why(
        "plan_changed", **{"subscription": "sub_1", "price": "price_1", "quantity": 2, "since": "", **facts}
    ) == (reason)


@pytest.mark.parametrize(("status", "reason"), [("sent", reasons.TOLD_AHEAD), ("skipped", "")])
def test_a_change_that_was_told_ahead_is_not_told_again(price, customer, status, reason):
    facts = {"subscription": "sub_1", "price": "price_1", "quantity": 2, "since": JANUARY.isoformat()}
    assert why("plan_changed", **facts) == ""
    key = reasons.facts_of.downgrade_key("sub_1", "price_1", JANUARY)
    mail(key, "downgrade_scheduled", customer, status, DECEMBER)
    assert why("plan_changed", **facts) == reason
    assert why("plan_changed", **{**facts, "since": (JANUARY + DAY).isoformat()}) == ""


# Access that is back


@pytest.mark.parametrize("because", sorted(reasons.TOLD_BY_OTHERS))
def test_access_that_another_mail_tells_of_is_not_told(subscription, because):
    assert why_not_back(subscription, because) == reasons.TOLD_BETTER


@pytest.mark.parametrize("kind", reasons.SAY_THAT_ACCESS_IS_BACK)
@pytest.mark.parametrize(
    ("ago", "status", "reason"),
    [
        (reasons.OF_ONE_MOMENT - timedelta(microseconds=1), "sent", reasons.TOLD_BETTER),
        (reasons.OF_ONE_MOMENT, "sent", ""),
        (timedelta(0), "skipped", ""),
        (timedelta(0), "failed", reasons.TOLD_BETTER),
    ],
)
def test_a_mail_of_the_same_hour_that_says_it_is_enough(subscription, time_machine, kind, ago, status, reason):
    now = datetime(2026, 12, 5, tzinfo=UTC)
    time_machine.move_to(now, tick=False)
    mail("better", kind, subscription.customer, status, now - ago)
    assert why_not_back(subscription) == reason


def test_access_is_told_to_be_back_while_it_is(subscription, bystander):
    Hold.objects.create(customer=bystander, kind="staff", reference="1", placed_at=DECEMBER)
    assert why_not_back(subscription) == ""
    mail("other", "refund", subscription.customer)
    assert why_not_back(subscription) == ""
    Hold.objects.create(customer=subscription.customer, kind="staff", reference="1", placed_at=DECEMBER)
    assert why_not_back(subscription) == reasons.NO_ACCESS
