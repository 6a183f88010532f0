"""Which of several subscriptions is one too many, rule by rule, and what is owed for it and for it alone."""

import pytest
from django.utils import timezone

from billing.models import Alert, Customer, Plan, Price, StripeWrite
from billing.subscriptions import duplicates

from .test_projection import FIRST, found, item

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def prices():
    for rank, (slug, line) in enumerate((("low", "main"), ("high", "main"), ("storage", "storage")), start=1):
        plan = Plan.objects.create(slug=slug, name=slug, rank=rank * 100, line=line)
        Price.objects.create(pk=f"price_{slug}", plan=plan, currency="usd", unit_amount=1, interval="month")


@pytest.fixture
def ada():
    return Customer.objects.create(pk="cus_1")


def bought(name, created=1, price="price_low", **changes):
    """One that a Checkout attempt of ours made, in its first period."""
    usual = {"metadata": {"billing_attempt": name}, "latest_invoice": FIRST, "items": [item(price)]}
    return found(name, **{"created": created, **usual, **changes})


def ids(*subscriptions):
    orders = (subscriptions, subscriptions[::-1])
    (one, other) = ([each["id"] for each in duplicates.duplicates_among(list(order))] for order in orders)
    assert sorted(one) == sorted(other)
    return sorted(one)


DAY = duplicates.AT_ONCE_SECONDS
RENEWED = {"id": "in_1", "billing_reason": "subscription_cycle", "total": 0, "total_taxes": []}


@pytest.mark.parametrize(
    ("first", "second", "too_many"),
    [
        (bought("a"), bought("b", 2), ["b"]),
        (bought("b"), bought("a", 2), ["a"]),
        (bought("a"), bought("b"), ["b"]),
        (bought("a"), bought("b", 2, "price_high"), ["a"]),
        (bought("a"), bought("b", 1 + DAY), ["b"]),
        (bought("a"), bought("b", 2 + DAY), []),
        (bought("a", 1 + DAY), bought("b", 1, "price_high"), ["a"]),
        (bought("a", 2 + DAY), bought("b", 1, "price_high"), []),
        (bought("a"), bought("b", 2, "price_storage"), []),
        (bought("a"), bought("b", 2, "price_unknown"), []),
        *((bought("a"), bought("b", 2, status=status), ["b"]) for status in ("trialing", "past_due")),
        *((bought("a"), bought("b", 2, status=status), []) for status in ("canceled", "unpaid", "incomplete")),
        (bought("a"), bought("b", 2, metadata={}), []),
        (bought("a"), bought("b", 2, metadata=None), []),
        (bought("a"), bought("b", 2, latest_invoice=RENEWED), []),
        (bought("a"), bought("b", 2, latest_invoice="in_1"), []),
    ],
)
def test_of_two_that_our_checkout_sold_at_once_the_lower_or_later_is_one_too_many(first, second, too_many):
    assert ids(first, second) == too_many


def test_of_three_one_stays_and_a_single_one_is_none_too_many():
    assert ids(bought("a"), bought("b", 2), bought("c", 3)) == ["b", "c"]
    assert duplicates.duplicates_among([bought("a")]) == duplicates.duplicates_among([]) == []


def paid(intent, status="paid"):
    return {**FIRST, "payments": {"data": [{"status": status, "payment": {"payment_intent": intent}}]}}


def owed(**columns):
    rows = StripeWrite.objects.filter(withdrawn_at=None, **columns).order_by("action", "object_id")
    return list(rows.values_list("action", "object_id", "reference"))


def test_a_duplicate_is_cancelled_and_refunded_once_and_staff_are_told_once(ada, django_capture_on_commit_callbacks):
    subscriptions = [bought("a", latest_invoice=paid("pi_a")), bought("b", 2, latest_invoice=paid("pi_b"))]
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            duplicates.owe_cancellations(ada, subscriptions)
    assert owed() == [("cancel_subscription", "b", "duplicate"), ("refund", "pi_b", "b")]
    (alert,) = Alert.objects.all()
    assert ("cus_1" in alert.text, "b is one too many" in alert.text, alert.waiting) == (True, True, 1)


@pytest.mark.parametrize("payment", [paid("pi_b", "open"), paid(None), FIRST])
def test_a_payment_that_has_not_arrived_is_not_refunded_yet(ada, payment):
    duplicates.owe_cancellations(ada, [bought("a"), bought("b", 2, latest_invoice=payment)])
    assert owed() == [("cancel_subscription", "b", "duplicate")]
    duplicates.owe_cancellations(ada, [bought("a"), bought("b", 2, status="canceled", latest_invoice=paid("pi_b"))])
    assert ("refund", "pi_b", "b") in owed(), "it came after the cancellation"


def test_one_that_stays_after_all_is_neither_cancelled_nor_refunded_and_others_are(ada):
    ben = Customer.objects.create(pk="cus_2")
    duplicates.owe_cancellations(ada, [bought("a"), bought("b", 2, latest_invoice=paid("pi_b"))])
    duplicates.owe_cancellations(ben, [bought("x"), bought("y", 2, latest_invoice=paid("pi_y"))])
    others = owed(lane="cus_2")
    made = StripeWrite.objects.create(
        lane="cus_1", action="refund", object_id="pi_0", reference="b", requested_at=timezone.now(),
        done_at=timezone.now(),
    )  # fmt: skip
    ended = bought("a", status="canceled")
    duplicates.owe_cancellations(ada, [ended, bought("b", 2, latest_invoice=paid("pi_b"))])
    assert owed(lane="cus_1") == [("refund", "pi_0", "b")], "what is done stays done"
    assert made.withdrawn_at is None
    assert owed(lane="cus_2") == others
    duplicates.owe_cancellations(ada, [ended, bought("b", 2, latest_invoice=paid("pi_b"))])
    assert owed(lane="cus_1", done_at=None) == []


def test_of_one_alone_nothing_is_owed(ada):
    duplicates.owe_cancellations(ada, [bought("a")])
    assert owed() == []
