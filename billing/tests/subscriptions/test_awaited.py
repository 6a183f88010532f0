"""A change that is made and not paid yet: from when to when it waits, what is shown meanwhile, and how it ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.models import Customer, Payment, Plan, PlanChange, Price, StripeWrite, Subscription
from billing.subscriptions import awaited

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
WAITS = Subscription(pending_kind=Subscription.Pending.AWAITED)
PLAIN = Subscription()


@pytest.fixture
def prices():
    plan = Plan.objects.create(slug="waited", name="Waited", rank=1)
    return [
        Price.objects.create(pk=f"price_{name}", plan=plan, currency="usd", unit_amount=1, interval="month")
        for name in ("low", "high")
    ]


def change_of(prices, subscription="sub_ada", **columns):
    customer, _ = Customer.objects.get_or_create(pk=subscription.replace("sub", "cus"))
    usual = {"price": prices[1], "previous_price": prices[0], "status": "awaited", "proration_date": 1}
    return PlanChange.objects.create(customer=customer, subscription_id=subscription, **{**usual, **columns})


@pytest.fixture
def change(prices):
    return change_of(prices)


@pytest.fixture
def bystander(prices):
    return change_of(prices, "sub_ben")


def invoice(status="open", **changes: Any) -> dict[str, Any]:
    return {"id": "in_1", "status": status, "billing_reason": "subscription_update", **changes}


def found(latest: Any = None, price: str = "price_high", **changes: Any) -> dict[str, Any]:
    latest = latest or invoice()
    return {"id": "sub_ada", "status": "active", "items": {"data": [{"price": price}]}, "latest_invoice": latest,
            "currency": "usd", **changes}  # fmt: skip


RENEWAL = invoice(billing_reason="subscription_cycle")


@pytest.mark.parametrize(
    ("told", "before", "waits"),
    [
        (found(), PLAIN, True),
        (found(invoice("draft")), PLAIN, True),
        (found(invoice("void")), PLAIN, True),
        (found(invoice("paid")), PLAIN, False),
        (found(invoice("uncollectible")), PLAIN, False),
        (found(RENEWAL), PLAIN, False),
        (found("in_1"), PLAIN, False),
        (found(price="price_low"), PLAIN, False),
        (found(), WAITS, True),
        (found(invoice("paid")), WAITS, False),
        (found(RENEWAL), WAITS, True),
        (found({**RENEWAL, "status": "paid"}), WAITS, False),
        (found("in_1"), WAITS, True),
        (found(RENEWAL, price="price_low"), WAITS, False),
    ],
)
def test_a_change_waits_for_its_invoice(change, bystander, told, before, waits):
    assert awaited.awaited_change(told, before) == (change if waits else None)


@pytest.mark.parametrize("before", [PLAIN, WAITS])
@pytest.mark.parametrize("status", ["previewed", "asked", "made", "refused"])
def test_no_other_change_waits(prices, bystander, before, status):
    change_of(prices, status=status)
    assert awaited.awaited_change(found(), before) is None


def test_the_latest_change_is_the_one_that_waits(prices):
    changes = [change_of(prices), change_of(prices)]
    for older, newer in (changes, changes[::-1]):
        PlanChange.objects.filter(pk=older.pk).update(created_at=NOW - timedelta(days=1))
        PlanChange.objects.filter(pk=newer.pk).update(created_at=NOW)
        assert awaited.awaited_change(found(), PLAIN) == newer


@pytest.mark.parametrize(
    ("latest", "paid", "waits"),
    [
        (invoice("paid"), "", True),
        (invoice("paid"), "in_other", True),
        (invoice("open"), "in_own", False),
        (invoice("open", id="in_own"), "in_own", True),
        (invoice("paid", id="in_own"), "", False),
        ("in_own", "", True),
        ("in_own", "in_own", False),
    ],
)
def test_a_change_that_knows_its_invoice_waits_for_no_other(prices, latest, paid, waits):
    change = change_of(prices, invoice_id="in_own")
    if paid:
        Payment.objects.create(invoice_id=paid, customer=change.customer, amount=1, currency="usd", invoiced_at=NOW,
                               paid_at=NOW)  # fmt: skip
    assert awaited.awaited_change(found(latest), WAITS) == (change if waits else None)


@pytest.mark.parametrize(
    ("told", "url"),
    [
        (found(invoice(hosted_invoice_url="https://pay")), ""),
        (found(invoice(hosted_invoice_url="https://pay"), collection_method="charge_automatically"), ""),
        (found(invoice(hosted_invoice_url="https://pay"), collection_method="send_invoice"), "https://pay"),
        (found(invoice(hosted_invoice_url=None), collection_method="send_invoice"), ""),
        (found("in_1", collection_method="send_invoice"), ""),
    ],
)
def test_the_plan_that_is_paid_for_stays_and_a_sent_invoice_can_be_opened(prices, change, told, url):
    assert awaited.columns(change, told) == {
        "plan": prices[0].plan,
        "price": prices[0],
        "pending_kind": Subscription.Pending.AWAITED,
        "pending_price": prices[1],
        "pending_at": None,
        "pending_add_ons": {},
        "add_ons": {},
        "add_on_mrr": 0,
        "pending_url": url,
    }
    change.previous_price = None
    assert (awaited.columns(change, told)["plan"], awaited.columns(change, told)["price"]) == (None, None)


def statuses():
    return dict(PlanChange.objects.values_list("subscription_id", "status"))


def undone():
    return list(StripeWrite.objects.values_list("action", "lane", "object_id", "reference"))


def conclude(told, before):
    after = Subscription(customer_id="cus_ada", stripe_id="sub_ada", pending_kind=before.pending_kind)
    awaited.conclude(told, before, after)


@pytest.mark.parametrize(
    ("told", "before", "status"),
    [
        (found(invoice("paid")), WAITS, "made"),
        (found(invoice("paid")), PLAIN, "awaited"),
        (found(), WAITS, "awaited"),
        (found(), PLAIN, "awaited"),
    ],
)
def test_a_change_that_waited_and_is_paid_was_made(change, bystander, told, before, status):
    refused = change_of([change.price, change.price], status="refused")
    conclude(told, before)
    assert PlanChange.objects.get(pk=change.pk).status == status
    assert PlanChange.objects.get(pk=refused.pk).status == "refused"
    assert PlanChange.objects.get(pk=bystander.pk).status == "awaited"
    assert undone() == []


@pytest.mark.parametrize(
    ("own", "told", "is_undone"),
    [
        ("", found(), False),
        ("", found(status="past_due"), True),
        ("", found(status="unpaid"), True),
        ("", found(invoice("void")), True),
        ("in_1", found(status="past_due"), True),
        ("in_other", found(status="past_due"), False),
        ("in_other", found(invoice("void")), False),
        ("in_1", found("in_1", status="past_due"), False),
    ],
)
def test_a_change_whose_own_payment_failed_is_undone(prices, bystander, own, told, is_undone):
    change = change_of(prices, invoice_id=own)
    conclude(told, WAITS)
    assert undone() == ([("undo_change", "cus_ada", "sub_ada", str(change.pk))] if is_undone else [])
    assert statuses() == {"sub_ada": "awaited", "sub_ben": "awaited"}
