"""The one query behind access: what is found beside a subscription is its own customer's, and nobody else's."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from billing import access
from billing.models import AccountDeletion, Customer, Grant, Hold, Plan, PlanLimit, Subscription

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
PLANS = ("low", "mid", "high")


@pytest.fixture(autouse=True)
def plans(settings):
    settings.BILLING_CLOCK = ""
    Plan.objects.all().delete()
    made = {slug: Plan.objects.create(slug=slug, name=slug, rank=rank) for rank, slug in enumerate(PLANS)}
    for slug in ("mid", "high"):
        PlanLimit.objects.create(plan=made[slug], feature="exports", quantity=None)
    PlanLimit.objects.create(plan=made["high"], feature="seats", quantity=5)
    return made


@pytest.fixture
def ada(plans):
    return subscriber("ada", plans["mid"])


@pytest.fixture
def ben(plans):
    return subscriber("ben", plans["mid"])


def subscriber(name, plan):
    user = get_user_model().objects.create_user(f"{name}@example.com")
    customer = Customer.objects.create(pk=f"cus_{name}", subscriber=user)
    Subscription.objects.create(customer=customer, stripe_id=f"sub_{name}", status="active", plan=plan)
    return user


def hold(user, kind="staff", ago=DAY, **columns):
    moment = timezone.now() - ago
    Hold.objects.create(customer=user.billing_customers.get(), kind=kind, reference=kind, placed_at=moment, **columns)


def give(user, plan, **columns):
    now = timezone.now()
    usual = {"granted_at": now - DAY, "until": now + DAY, "source": f"staff:{uuid4()}"}
    Grant.objects.create(subscriber=user, plan=plan, **{**usual, **columns})


def reasons(*users):
    return [access.of(user).reason for user in users]


def test_a_hold_takes_its_own_customers_access_and_the_oldest_in_force_is_named(ada, ben):
    hold(ben)
    assert reasons(ada, ben) == ["active", "hold_staff"]
    hold(ada, "refund", 2 * DAY, released_at=timezone.now())
    assert reasons(ada, ben) == ["active", "hold_staff"]
    hold(ada, "fraud", DAY)
    hold(ada, "dispute", 2 * DAY)
    assert reasons(ada, ben) == ["hold_dispute", "hold_staff"]


def test_who_is_leaving_loses_access_and_nobody_else(ada, ben):
    AccountDeletion.objects.create(
        subscriber=ben, customer=ben.billing_customers.get(), lane="cus_ben", requested_at=timezone.now()
    )
    assert reasons(ada, ben) == ["active", "closing"]


def test_what_is_given_is_one_subscribers_until_it_is_ended(ada, ben, plans):
    give(ben, plans["high"])
    assert reasons(ada, ben) == ["active", "grant"]
    Grant.objects.update(ended_at=timezone.now())
    assert reasons(ada, ben) == ["active", "active"]
    give(ben, plans["high"])
    assert reasons(ada, ben) == ["active", "grant"]


def test_whose_subscription_it_is_decides(ada, ben):
    Subscription.objects.filter(customer="cus_ben").update(status="unpaid")
    eve = get_user_model().objects.create_user("eve@example.com")
    assert reasons(ada, ben, eve) == ["active", "unpaid", "no_subscription"]


@pytest.mark.parametrize("nobody", [None, AnonymousUser()])
def test_nobody_has_no_access_without_a_query(nobody, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert not access.has_access(nobody)
        assert access.of(nobody).reason == "no_subscription"


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({}, True),
        ({"plan": "low"}, True),
        ({"plan": "mid"}, True),
        ({"plan": "high"}, False),
        ({"plan": "gold"}, False),
        ({"feature": "exports"}, True),
        ({"feature": "seats"}, False),
        ({"feature": "flights"}, False),
        ({"plan": "mid", "feature": "exports"}, True),
        ({"plan": "high", "feature": "exports"}, False),
        ({"plan": "mid", "feature": "seats"}, False),
    ],
)
def test_a_plan_is_asked_for_by_its_rank_and_a_feature_by_its_plan(ada, asked, answer):
    assert access.has_access(ada, **asked) is answer


def test_a_feature_is_of_the_plan_in_effect_paid_or_given(ada, ben, plans):
    give(ben, plans["high"])
    assert [access.has_access(user, feature="seats") for user in (ada, ben)] == [False, True]
    assert [access.has_access(user, plan="high") for user in (ada, ben)] == [False, True]
    Subscription.objects.filter(customer="cus_ben").update(plan=plans["high"])
    Grant.objects.update(plan=plans["low"])
    assert access.has_access(ben, feature="seats"), "what is paid is more"
    Subscription.objects.filter(customer="cus_ben").update(status="unpaid")
    assert access.has_access(ben)
    assert not access.has_access(ben, feature="exports"), "only what was given is left"


def test_without_access_there_is_neither_plan_nor_feature(ada):
    hold(ada)
    assert not access.has_access(ada)
    assert not access.has_access(ada, plan="low")
    assert not access.has_access(ada, feature="exports")


def test_a_grant_needs_no_customer_and_the_check_stays_one_query(plans, django_assert_num_queries):
    eve = get_user_model().objects.create_user("eve@example.com")
    give(eve, plans["mid"])
    give(eve, None, feature="seats", quantity=3)
    asked = [({}, True), ({"plan": "mid"}, True), ({"plan": "high"}, False), ({"feature": "seats"}, True)]
    asked += [({"feature": "exports"}, True), ({"plan": "mid", "feature": "seats"}, True), ({"line": "main"}, True)]
    asked += [({"line": "other"}, False), ({"line": "other", "feature": "seats"}, False)]
    for question, answer in asked:
        with django_assert_num_queries(1):
            assert access.has_access(eve, **question) is answer, question
    with django_assert_num_queries(1):
        now = access.of(eve)
    assert (now.reason, now.plan.slug, now.subscription) == ("grant", "mid", None)


def test_a_feature_is_given_without_a_plan_and_is_no_access_by_itself(ada, ben, plans):
    Subscription.objects.filter(customer="cus_ben").update(status="canceled")
    for user in (ada, ben):
        give(user, None, feature="seats")
    assert [access.has_access(user) for user in (ada, ben)] == [True, False]
    assert [access.has_access(user, feature="seats") for user in (ada, ben)] == [True, True]
    assert [access.has_access(user, plan="low", feature="seats") for user in (ada, ben)] == [True, False]
    hold(ben)
    assert not access.has_access(ben, feature="seats"), "a hold withholds everything"
    Grant.objects.update(until=timezone.now())
    assert [access.has_access(user, feature="seats") for user in (ada, ben)] == [False, False]


def test_what_several_gave_multiplies_no_line(ada, plans):
    Plan.objects.create(slug="store", name="Store", line="storage")
    store = Plan.objects.get(slug="store")
    Subscription.objects.create(customer_id="cus_ada", stripe_id="sub_2", status="active", plan=store, line="storage")
    for plan in (plans["low"], plans["high"], store):
        give(ada, plan)
    lines = access.lines_of(ada)
    assert {line: (now.reason, len(now.grants)) for line, now in lines.items()} == {
        "main": ("grant", 2), "storage": ("active", 1)
    }  # fmt: skip
    assert lines["main"].plan == plans["high"]
