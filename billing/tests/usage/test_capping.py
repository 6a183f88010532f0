"""A cap is set by its bounds, is the subscriber's own, and is told once a month to who is at it and to nobody else."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.contrib.auth import get_user_model

from billing import signals, usage
from billing.models import (
    AccountDeletion,
    Customer,
    OveragePrice,
    Plan,
    Price,
    SpendCap,
    Subscription,
    SubscriptionItem,
    Usage,
)
from billing.usage import capping, overage
from billing.usage.allowances import allowance

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def noon(settings):
    settings.BILLING_CLOCK = ""
    settings.BILLING_SPEND_CAP = {}
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def heard():
    told = []

    def receiver(**sent):
        told.append((sent["subscriber"].email, sent["amount"], sent["currency"], sent["policy"], sent["resets_at"]))

    signals.spend_cap_reached.connect(receiver)
    yield told
    signals.spend_cap_reached.disconnect(receiver)


# Setting it


@pytest.mark.parametrize(
    ("amount", "currency", "policy", "refusal"),
    [
        (0, "usd", "stop", None),
        (1, "EUR", "warn", None),
        (capping.MOST, "usd", "stop", None),
        (-1, "usd", "stop", "0 or more"),
        (capping.MOST + 1, "usd", "stop", "0 or more"),
        (True, "usd", "stop", "0 or more"),
        (1, "usd", "halt", "one of stop, warn"),
        (1, "us", "stop", "three letters"),
        (1, "usdd", "stop", "three letters"),
        (1, "us1", "stop", "three letters"),
        (1, "usé", "stop", "three letters"),
    ],
)
def test_a_cap_is_set_within_its_bounds_and_a_wrong_one_changes_nothing(ada, ben, amount, currency, policy, refusal):
    capping.set_cap(ben, 7, "usd")
    if refusal is None:
        capping.set_cap(ada, amount, currency, policy)
    else:
        with pytest.raises(capping.CapRefused, match=refusal):
            capping.set_cap(ada, amount, currency, policy)
    caps = {cap.subscriber: (cap.amount, cap.currency, cap.policy) for cap in SpendCap.objects.all()}
    assert caps.pop(ben) == (7, "usd", "stop")
    assert caps == ({} if refusal else {ada: (amount, currency.lower(), policy)})


def test_a_cap_that_is_set_again_is_the_same_row_with_its_own_time(ada, ben, noon):
    for who in (ada, ben):
        capping.set_cap(who, 7, "usd", "warn")
    noon.move_to(NOW + SECOND)
    capping.set_cap(ada, 8, "eur")
    caps = SpendCap.objects.order_by("subscriber__email").values_list("amount", "currency", "policy", "set_at")
    assert list(caps) == [(8, "eur", "stop", NOW + SECOND), (7, "usd", "warn", NOW)]


def test_who_is_leaving_sets_no_cap_and_everybody_else_does(ada, ben):
    leaving = Customer.objects.create(pk="cus_ada", subscriber=ada)
    AccountDeletion.objects.create(customer=leaving, subscriber=ada, lane="cus_ada", requested_at=NOW)
    with pytest.raises(capping.CapRefused, match="being deleted"):
        capping.set_cap(ada, 7, "usd")
    assert capping.set_cap(ben, 7, "usd").amount == 7
    assert SpendCap.objects.count() == 1


def test_a_cap_is_removed_once_and_a_bystanders_stays(ada, ben):
    for who in (ada, ben):
        capping.set_cap(who, 7, "usd")
    assert [capping.remove_cap(ada), capping.remove_cap(ada)] == [True, False]
    assert SpendCap.objects.get().subscriber == ben


@pytest.mark.parametrize(
    ("own", "everybodys", "cap"),
    [
        (None, {}, None),
        (None, {"eur": 5}, None),
        (None, {"usd": 5}, overage.Cap(5, "usd", "warn")),
        ((7, "usd"), {"usd": 5}, overage.Cap(7, "usd", "stop")),
        ((7, "eur"), {"usd": 5}, overage.Cap(5, "usd", "warn")),
        ((7, "eur"), {}, None),
        ((0, "usd"), {"usd": 5}, overage.Cap(0, "usd", "stop")),
        (None, {"usd": 0}, overage.Cap(0, "usd", "warn")),
    ],
)
def test_the_own_cap_of_a_currency_counts_before_everybodys(ada, ben, settings, own, everybodys, cap):
    settings.BILLING_SPEND_CAP, settings.BILLING_SPEND_CAP_POLICY = everybodys, "warn"
    capping.set_cap(ben, 99, "usd")
    if own:
        capping.set_cap(ada, *own)
    assert overage.cap_of(ada, "usd") == cap
    assert cap is None or cap.stops is (cap.policy == "stop")


# Reaching it


@pytest.fixture
def sells():
    """A plan whose exports cost 30 beyond 5."""
    plan = Plan.objects.create(slug="metered", name="Metered", rank=500)
    plan.limits.create(feature="exports", quantity=5, overage={"usd": "30"})
    price = Price.objects.create(pk="price_plan", plan=plan, currency="usd", unit_amount=1, interval="month")
    OveragePrice.objects.create(
        pk="price_beyond", plan=plan, feature="exports", interval="month", amounts={"usd": "30"}
    )
    return price


@pytest.fixture
def subscribes(sells):
    """Subscribe somebody, who has used so many beyond the limit."""

    def make(user, used, **columns):
        name = user.email.split("@")[0]
        customer = Customer.objects.create(pk=f"cus_{name}", subscriber=user)
        row = Subscription.objects.create(
            customer=customer, stripe_id=f"sub_{name}", status="active", plan=sells.plan, price=sells, currency="usd",
            current_period_start=NOW - timedelta(days=9), current_period_end=NOW + timedelta(days=22),
            billing_cycle_anchor=NOW - timedelta(days=9), started_at=NOW - timedelta(days=9),
        )  # fmt: skip
        SubscriptionItem.objects.create(subscription=row, stripe_id=f"si_{name}", stripe_price="price_beyond",
                                        is_metered=True, quantity=1, currency="usd")  # fmt: skip
        usual = {"has_overage": True, "overage_at": NOW, "overage_price": "price_beyond"}
        return Usage.objects.create(
            subscriber=user, feature="exports", period_start=allowance(user).period_of("exports")[0], used=5,
            overage=used, overage_subscription=row.stripe_id, **{**usual, **columns},
        )  # fmt: skip

    return make


def other():
    return get_user_model().objects.create_user("eve@example.com")


@pytest.mark.parametrize(
    ("used", "amount", "policy", "is_at_it"),
    [
        # One more costs 30: with 60 spent, a cap that stops at 89 lets none through.
        (2, 60, "stop", True),
        (2, 89, "stop", True),
        (2, 90, "stop", False),
        (2, 60, "warn", True),
        (2, 61, "warn", False),
        (2, 59, "warn", True),
    ],
)
def test_a_cap_is_reached_when_no_further_use_fits_or_it_is_spent(
    ada, ben, subscribes, heard, used, amount, policy, is_at_it
):
    subscribes(ada, used)
    subscribes(ben, 1)
    for who in (ada, ben):
        capping.set_cap(who, amount if who == ada else 10_000, "usd", policy)
    told = (capping.announce_reached(), capping.announce_reached())
    assert told == (int(is_at_it), 0)
    resets_at = allowance(ada).period_of("exports")[1]
    assert heard == ([("ada@example.com", amount, "usd", policy, resets_at)] if is_at_it else [])
    cap = usage.capping.reached_by(ada)
    assert (cap and (cap.amount, cap.policy)) == ((amount, policy) if is_at_it else None)
    assert capping.reached_by(ben) is None
    flags = Usage.objects.order_by("subscriber__email").values_list("has_announced_cap", flat=True)
    assert list(flags) == [is_at_it, False]


def test_what_was_spent_is_ones_own_in_a_currency(ada, ben, subscribes):
    subscribes(ada, 2)
    subscribes(ben, 9)
    granted = allowance(ada)
    assert capping.spent(ada, granted, "usd") == Decimal(60)
    assert capping.spent(ada, granted, "eur") == Decimal(0)
    assert capping.spent(other(), granted, "usd") == Decimal(0)


@pytest.mark.parametrize(
    ("columns", "is_told"),
    [
        ({}, True),
        ({"overage_at": NOW - capping.OF_LATE + SECOND}, True),
        ({"overage_at": NOW - capping.OF_LATE}, False),
        ({"has_announced_cap": True}, False),
        ({"has_overage": False}, False),
        ({"overage": 0}, False),
        ({"period_start": NOW - timedelta(days=31)}, False),
        ({"period_start": NOW - timedelta(days=40)}, False),
    ],
)
def test_only_use_of_late_in_the_running_month_that_was_not_told_is_told(ada, ben, subscribes, heard, columns, is_told):
    row = subscribes(ada, 2)
    subscribes(ben, 2, has_announced_cap=True)
    for who in (ada, ben):
        capping.set_cap(who, 60, "usd")
    Usage.objects.filter(subscriber=ben).update(has_announced_cap=True)
    Usage.objects.filter(pk=row.pk).update(**columns)
    assert capping.announce_reached() == int(is_told)
    assert [told[0] for told in heard] == ["ada@example.com"] * is_told


def test_who_is_leaving_or_has_no_cap_is_told_nothing(ada, ben, subscribes, heard, settings):
    subscribes(ada, 2)
    subscribes(ben, 2)
    assert capping.announce_reached() == 0
    settings.BILLING_SPEND_CAP = {"usd": 60}
    leaving = Customer.objects.get(pk="cus_ada")
    AccountDeletion.objects.create(customer=leaving, subscriber=ada, lane="cus_ada", requested_at=NOW)
    assert capping.announce_reached() == 1
    assert [told[:2] for told in heard] == [("ben@example.com", 60)]


def test_of_two_features_at_one_cap_it_is_told_once_and_a_new_cap_is_told_anew(ada, ben, subscribes, sells, heard):
    row = subscribes(ada, 2)
    subscribes(ben, 2)
    Usage.objects.filter(subscriber=ben).update(has_announced_cap=True)
    sells.plan.limits.create(feature="reports", quantity=5, overage={"usd": "30"})
    Usage.objects.create(
        subscriber=ada, feature="reports", period_start=row.period_start, used=5, overage=1, has_overage=True,
        overage_at=NOW, overage_price="price_beyond", overage_subscription="sub_ada",
    )  # fmt: skip
    capping.set_cap(ada, 90, "usd")
    assert (capping.announce_reached(), capping.announce_reached()) == (1, 0)
    capping.set_cap(ada, 80, "usd")
    assert (capping.announce_reached(), capping.announce_reached()) == (1, 0)
    assert [told[:2] for told in heard] == [("ada@example.com", 90), ("ada@example.com", 80)]
    assert Usage.objects.get(subscriber=ben).has_announced_cap
