"""Why a mail of each further kind is not sent: each column alone takes its reason away, and a bystander's do not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.contrib.auth import get_user_model

from billing.models import (
    AccountDeletion,
    Customer,
    Discount,
    Dispute,
    Hold,
    Invoice,
    NextCharge,
    Plan,
    Price,
    StripeWrite,
    Subscription,
)
from notifications import reasons
from notifications.models import Mail

from .conftest import DECEMBER, JANUARY

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 12, 5, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def bystander(db):
    """Somebody whose subscription, invoice and discount are as those of the reader might be."""
    bob = get_user_model().objects.create_user(email="bob@example.com")
    customer = Customer.objects.create(pk="cus_bob", subscriber=bob)
    plan = Plan.objects.create(slug="bobs", name="Bob's", rank=1)
    row = Subscription.objects.create(
        customer=customer, stripe_id="sub_bob", status="paused", plan=plan, trial_end=JANUARY, has_payment_method=False,
        collection_paused="void", lacks_address=True,
    )  # fmt: skip
    invoice(customer, "in_bob", subscription_id="sub_bob", lacks_address=True, payment="processing")
    discount(row, "di_bob", coupon="bobs")
    return customer


def invoice(customer, name="in_1", **columns):
    usual = {
        "subscription_id": "sub_1", "status": "open", "purpose": "plan", "currency": "usd", "total": 5,
        "amount_due": 5, "amount_paid": 0, "amount_remaining": 5, "created_at": DECEMBER,
    }  # fmt: skip
    return Invoice.objects.create(pk=name, customer=customer, **{**usual, **columns})


def discount(row, name="di_1", **columns):
    usual = {"coupon": "half", "percent_off": Decimal(50), "saves": 5, "starts_at": DECEMBER}
    return Discount.objects.create(
        customer=row.customer, subscription=row, stripe_id=name, **{**usual, **columns}
    )  # fmt: skip


def why(kind, **facts):
    return reasons.not_to_send(Mail(kind=kind, recipient="a@b", customer_id="cus_alice", context=facts))


def set_row(**columns):
    Subscription.objects.filter(stripe_id="sub_1").update(**columns)


# Any mail


def test_a_kind_that_is_off_or_stripes_and_a_mail_to_nobody_are_not_sent(settings, subscription):
    mail = Mail(kind="account_deleted", recipient="a@b", context={})
    assert reasons.not_to_send(mail) == ""
    settings.NOTIFICATIONS_OFF = ["account_deleted"]
    assert reasons.not_to_send(mail) == reasons.OFF
    assert why("payments_resumed", subscription="sub_1") == ""
    settings.NOTIFICATIONS_OFF = []
    settings.NOTIFICATIONS_BY_STRIPE = ["payment_received"]
    assert why("payment_received", amount=5) == reasons.BY_STRIPE
    settings.NOTIFICATIONS_BY_STRIPE = []
    mail.recipient = ""
    assert reasons.not_to_send(mail) == reasons.NO_ADDRESS


LIVE = {
    "welcome": {},
    "trial_ending": {"trial_end": JANUARY.isoformat()},
    "trial_paused": {},
    "renewal_coming": {"renews_at": JANUARY.isoformat()},
    "card_expiring": {},
    "plan_changed": {},
    "downgrade_scheduled": {},
    "price_change": {},
    "price_stays": {},
    "payments_paused": {},
    "payments_resumed": {},
    "discount_given": {},
    "discount_ended": {},
}


@pytest.mark.parametrize("kind", LIVE)
def test_of_what_has_ended_is_gone_or_is_being_deleted_nothing_else_is_told(subscription, bystander, kind):
    facts = {"subscription": "sub_1", **LIVE[kind]}
    AccountDeletion.objects.create(customer=bystander, lane="cus_bob", requested_at=DECEMBER)
    assert why(kind, **{**facts, "subscription": "sub_x"}) == reasons.OVER
    for status in Subscription.TERMINAL:
        set_row(status=status)
        assert why(kind, **facts) == reasons.OVER
    set_row(status="active")
    AccountDeletion.objects.create(customer=subscription.customer, lane="cus_alice", requested_at=DECEMBER)
    assert why(kind, **facts) == reasons.BEING_DELETED


def test_who_has_no_access_is_not_welcomed(subscription, bystander):
    Hold.objects.create(customer=bystander, kind="staff", placed_at=DECEMBER)
    assert why("welcome", subscription="sub_1") == ""
    set_row(status="unpaid")
    assert why("welcome", subscription="sub_1") == reasons.NO_ACCESS


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({}, ""),
        ({"status": "active"}, reasons.TRIAL_NOT_PAUSED),
        ({"trial_end": None}, reasons.TRIAL_NOT_PAUSED),
        ({"has_payment_method": True}, reasons.TRIAL_NOT_PAUSED),
        ({"has_payment_method": None}, reasons.TRIAL_NOT_PAUSED),
    ],
)
def test_a_trial_that_paused_is_told_while_it_is_so(subscription, columns, reason):
    set_row(**{"status": "paused", "trial_end": NOW, "has_payment_method": False, **columns})
    assert why("trial_paused", subscription="sub_1") == reason


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({}, ""),
        ({"current_period_end": JANUARY.replace(hour=23)}, ""),
        ({"current_period_end": JANUARY + DAY}, reasons.MOVED),
        ({"current_period_end": None}, reasons.MOVED),
        ({"collection_paused": "void"}, reasons.MOVED),
        ({"cancel_at": JANUARY}, reasons.MOVED),
        ({"cancel_at": JANUARY + SECOND}, ""),
    ],
)
def test_a_renewal_is_told_while_it_is_that_day_and_charged(subscription, columns, reason):
    set_row(**columns)
    assert why("renewal_coming", subscription="sub_1", renews_at=JANUARY.isoformat()) == reason


# Payments that are paused


PAUSED = {"collection_paused": "void", "collection_resumes_at": JANUARY, "paid_until": NOW}


@pytest.mark.parametrize(
    ("columns", "facts", "reason"),
    [
        ({}, {}, ""),
        ({"collection_paused": ""}, {}, reasons.NOT_PAUSED),
        ({"collection_paused": "mark_uncollectible"}, {}, ""),
        ({"collection_paused": "keep_as_draft"}, {}, reasons.NOT_PAUSED),
        ({"collection_paused": "keep_as_draft"}, {"is_draft": True}, ""),
        ({}, {"is_draft": True}, reasons.NOT_PAUSED),
        ({"collection_resumes_at": JANUARY + DAY}, {}, reasons.NOT_PAUSED),
        ({"collection_resumes_at": None}, {}, reasons.NOT_PAUSED),
        ({"collection_resumes_at": None}, {"resumes_at": ""}, ""),
        ({"paid_until": None}, {}, reasons.NOT_PAUSED),
        ({"paid_until": None}, {"paid_until": ""}, ""),
    ],
)
def test_a_pause_is_told_while_it_is_that_one(subscription, columns, facts, reason):
    set_row(**{**PAUSED, **columns})
    told = {"resumes_at": JANUARY.isoformat(), "paid_until": NOW.isoformat(), "is_draft": False, **facts}
    assert why("payments_paused", subscription="sub_1", **told) == reason


def test_payments_go_on_unless_they_are_paused_again(subscription):
    assert why("payments_resumed", subscription="sub_1") == ""
    set_row(collection_paused="void")
    assert why("payments_resumed", subscription="sub_1") == reasons.PAUSED_AGAIN


# Discounts


DI = {"subscription": "sub_1", "discount": "di_1", "coupon": "half", "is_once": False}


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (None, reasons.NO_DISCOUNT),
        ({}, ""),
        ({"saves": None}, ""),
        ({"saves": 0}, reasons.NO_DISCOUNT),
        ({"stripe_id": "di_2"}, ""),
        ({"coupon": "other"}, ""),
        ({"stripe_id": "di_2", "coupon": "other"}, reasons.NO_DISCOUNT),
    ],
)
def test_a_discount_is_told_while_it_or_one_by_its_coupon_takes_something_off(subscription, columns, reason):
    if columns is not None:
        discount(subscription)
        Discount.objects.filter(subscription=subscription).update(**columns)
    assert why("discount_given", **DI) == reason


@pytest.mark.parametrize(
    ("facts", "status", "columns", "reason"),
    [
        ({}, None, {}, ""),
        ({"is_once": True}, None, {}, reasons.ONE_PAYMENT),
        ({}, "sent", {}, ""),
        ({}, "failed", {}, ""),
        ({}, "queued", {}, reasons.NEVER_TOLD),
        ({}, "skipped", {}, reasons.NEVER_TOLD),
        ({}, None, {"current_period_end": None}, reasons.DISCOUNT_BACK),
        ({}, None, {"cancel_at": JANUARY}, reasons.DISCOUNT_BACK),
    ],
)
def test_the_end_of_a_discount_is_told_to_who_knew_of_it_and_is_charged(subscription, facts, status, columns, reason):
    set_row(**columns)
    awaited(subscription)
    if status:
        told("discount_given:sub_1:di_1", status)
    told("discount_given:sub_1:di_2", "skipped")
    assert why("discount_ended", **{**DI, **facts}) == reason


def test_the_end_of_a_discount_is_not_told_if_it_is_there_again(subscription):
    awaited(subscription)
    assert why("discount_ended", **DI) == ""
    discount(subscription, "di_2")
    assert why("discount_ended", **DI) == reasons.DISCOUNT_BACK


def awaited(row):
    NextCharge.objects.create(subscription=row, ask_at=NOW)


def told(key, status):
    return Mail.objects.create(
        key=key, kind="discount_given", recipient="a@b", customer_id="cus_alice", context={}, status=status,
        created_at=NOW, next_attempt_at=NOW,
    )  # fmt: skip


# Invoices


OPEN = {"status": "open", "payment": "none", "amount_remaining": 5, "purpose": "plan"}


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (None, ""),
        ({}, ""),
        ({"purpose": "one_off"}, ""),
        ({"status": "paid"}, reasons.PAID),
        ({"status": "void"}, reasons.NOT_OPEN),
        ({"purpose": "nothing"}, reasons.NOT_OPEN),
        ({"amount_remaining": 0}, reasons.NOT_OPEN),
        ({"payment": "processing"}, reasons.ON_ITS_WAY),
        ({"payment": "failed"}, ""),
    ],
)
@pytest.mark.parametrize("kind", ["payment_failed", "action_required"])
def test_who_is_asked_to_pay_still_owes_it(customer, bystander, kind, columns, reason):
    if columns is not None:
        invoice(customer, **{**OPEN, **columns})
    assert why(kind, invoice="in_1") == reason


SENT = {**OPEN, "collection_method": "send_invoice", "due_at": NOW + SECOND}


@pytest.mark.parametrize(
    ("stage", "columns", "reason"),
    [
        ("sent", None, reasons.NOT_OPEN),
        ("sent", {}, ""),
        ("due_soon", {}, ""),
        ("sent", {"due_at": NOW}, reasons.NOT_OPEN),
        ("due_soon", {"due_at": NOW}, reasons.NOT_OPEN),
        ("overdue", {"due_at": NOW}, ""),
        ("overdue", {"status": "paid"}, reasons.PAID),
        ("sent", {"status": "paid"}, reasons.PAID),
        ("sent", {"payment": "processing"}, reasons.ON_ITS_WAY),
        ("sent", {"status": "void"}, reasons.NOT_OPEN),
    ],
)
def test_an_invoice_is_told_at_its_stage_alone(customer, stage, columns, reason):
    if columns is not None:
        invoice(customer, **{**SENT, **columns})
    assert why("invoice_sent", invoice="in_1", stage=stage) == reason


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (None, reasons.NOT_ON_ITS_WAY),
        ({}, ""),
        ({"payment": "none"}, reasons.NOT_ON_ITS_WAY),
        ({"status": "paid"}, reasons.NOT_ON_ITS_WAY),
        ({"purpose": "nothing"}, reasons.NOT_ON_ITS_WAY),
    ],
)
def test_a_payment_is_told_to_be_on_its_way_while_it_is(customer, columns, reason):
    if columns is not None:
        invoice(customer, **{**OPEN, "payment": "processing", **columns})
    assert why("payment_processing", invoice="in_1") == reason


@pytest.mark.parametrize(
    ("columns", "untaxed", "reason"),
    [
        (None, True, reasons.ADDRESS_KNOWN),
        ({}, False, ""),
        ({"lacks_address": False}, True, reasons.ADDRESS_KNOWN),
        ({"status": "open"}, False, reasons.ADDRESS_KNOWN),
        ({"status": "open"}, True, ""),
    ],
)
def test_an_address_is_asked_for_while_something_waits_for_it(subscription, bystander, columns, untaxed, reason):
    set_row(lacks_address=untaxed)
    AccountDeletion.objects.create(customer=bystander, lane="cus_bob", requested_at=DECEMBER)
    if columns is not None:
        invoice(subscription.customer, **{"status": "draft", "lacks_address": True, **columns})
    assert why("address_needed", invoice="in_1") == reason
    AccountDeletion.objects.create(customer=subscription.customer, lane="cus_alice", requested_at=DECEMBER)
    assert why("address_needed", invoice="in_1") == (reason or reasons.BEING_DELETED)


@pytest.mark.parametrize(
    ("status", "reason"),
    [("failed", ""), ("canceled", ""), ("succeeded", reasons.REFUND_ARRIVED), ("pending", reasons.REFUND_ARRIVED)],
)
def test_a_refund_is_told_to_have_failed_while_it_has(refund, status, reason):
    refund.status = status
    refund.save()
    assert why("refund_failed", refund="re_1") == reason
    assert why("refund_failed", refund="re_2") == reasons.REFUND_ARRIVED


# Disputes and holds


def test_a_dispute_that_is_not_there_is_told_neither_opened_nor_closed():
    assert why("dispute_opened", dispute="dp_x") == reasons.DISPUTE_CLOSED
    assert why("dispute_closed", dispute="dp_x") == reasons.INQUIRY


@pytest.mark.parametrize(
    ("status", "owes", "reason"),
    [
        ("won", {}, ""),
        ("lost", None, ""),
        ("lost", {}, reasons.THE_END_SAYS_IT),
        ("lost", {"withdrawn_at": NOW}, ""),
        ("lost", {"reference": "dp_bob"}, ""),
        ("lost", {"done_at": NOW}, reasons.THE_END_SAYS_IT),
        ("warning_closed", {}, reasons.INQUIRY),
        ("needs_response", {}, reasons.INQUIRY),
    ],
)
def test_a_dispute_is_told_to_be_closed_unless_the_end_says_it(dispute, status, owes, reason):
    Dispute.objects.filter(pk="dp_1").update(status=status)
    if owes is not None:
        usual = {"reference": "dp_1", "object_id": "sub_1", "action": "cancel_subscription", "lane": "cus_alice"}
        StripeWrite.objects.create(requested_at=NOW, **{**usual, **owes})
    assert why("dispute_closed", dispute="dp_1") == reason


def test_a_hold_is_told_while_it_is_for_that_reason(subscription, bystander):
    Hold.objects.create(customer=bystander, kind="fraud", placed_at=DECEMBER)
    facts = {"line": "main", "reason": "hold_staff"}
    assert why("access_on_hold", **facts) == reasons.NOT_HELD
    Hold.objects.create(customer=subscription.customer, kind="staff", placed_at=DECEMBER)
    assert why("access_on_hold", **facts) == ""
    assert why("access_on_hold", **{**facts, "reason": "hold_fraud"}) == reasons.NOT_HELD
    assert why("access_on_hold", **{**facts, "line": "storage"}) == reasons.NOT_HELD


# Access that is back


BACK = {"subscription": "sub_1", "line": "main", "revoked_because": "hold_staff"}


@pytest.mark.parametrize(
    ("facts", "status", "reason"),
    [
        ({}, "active", ""),
        ({"revoked_because": "grace_over"}, "active", reasons.TOLD_BETTER),
        ({"revoked_because": "grace_over", "was_written_off": True}, "active", ""),
        ({"revoked_because": ""}, "active", reasons.TOLD_BETTER),
        ({"revoked_because": "", "was_written_off": True}, "active", reasons.NOT_BACK),
        ({"revoked_because": ""}, "unpaid", reasons.NOT_BACK),
        ({"revoked_because": "grace_over"}, "unpaid", reasons.NO_ACCESS),
        ({"revoked_because": "grace_over", "subscription": "sub_x"}, "active", ""),
        ({"line": "storage"}, "active", reasons.NO_ACCESS),
    ],
)
def test_access_is_told_to_be_back_where_nothing_else_says_it(subscription, facts, status, reason):
    set_row(status=status)
    assert why("access_restored", **{**BACK, **facts}) == reason


@pytest.mark.parametrize(
    ("context", "says_it"),
    [
        ({"line": "main", "plan": "Pro"}, True),
        ({"line": "main", "plan": "Pro", "was_held": True}, True),
        ({"line": "main", "plan": "Pro", "was_held": False}, False),
        ({"line": "main", "plan": ""}, False),
        ({"line": "main"}, False),
        ({"line": "storage", "plan": "Pro"}, False),
        ({"plan": "Pro"}, False),
    ],
)
def test_a_mail_says_so_that_is_of_this_line_of_a_plan_and_of_what_was_held(context, says_it):
    assert reasons._says_that_access_is_back(context, {"line": "main"}) is says_it


def test_a_change_at_the_same_plan_that_was_told_ahead_is_told_once(subscription):
    price = Price.objects.create(pk="price_1", plan=subscription.plan, currency="usd", unit_amount=1, interval="month")
    set_row(price=price, quantity=2, pending_kind="scheduled", pending_at=JANUARY, pending_price=price)
    facts = {"subscription": "sub_1", "price": "price_1", "quantity": 2, "since": "", "changes_at": JANUARY.isoformat()}
    assert why("plan_changed", **facts, plan="Pro", previous_plan="Low") == ""
    assert why("downgrade_scheduled", **facts, plan="Pro", next_plan="Low") == ""
