"""A compiled query finds what the same query finds that is built anew, whoever asks, on any thread."""

from unittest import mock

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Manager, Q

from billing import access
from billing.access import facts
from billing.catalogue import definitions
from billing.models import Compiled, Customer, Hole, Plan, Price, Subscription

from ..parallel import at_once

pytestmark = pytest.mark.django_db


def holder(name):
    user = get_user_model().objects.create_user(f"{name}@example.com")
    customer = Customer.objects.create(pk=f"cus_{name}", subscriber=user)
    plan = Plan.objects.get(slug="pro")
    price = Price.objects.create(pk=f"price_{name}", plan=plan, currency="usd", unit_amount=1, interval="month")
    return Subscription.objects.create(
        customer=customer, stripe_id=f"sub_{name}", plan=plan, price=price, status="active", counts=True
    )


@pytest.fixture(autouse=True)
def catalogue():
    definitions.update_plans()


def held_in(row):
    return getattr(row, "billing_held", None)


def plans():
    return Plan.objects.filter(slug=Hole("slug", Plan._meta.get_field("slug"))).order_by("pk")


def test_each_value_is_asked_for_itself_and_nothing_is_kept_of_the_one_before():
    named = Compiled(plans)
    assert [row.slug for row in named.rows(slug="pro")] == ["pro"]
    assert [row.slug for row in named.rows(slug="free")] == ["free"]
    assert named.rows(slug="'; DROP TABLE billing_plan; --") == []
    Plan.objects.filter(slug="pro").update(name="Renamed")
    assert [row.name for row in named.rows(slug="pro")] == ["Renamed"]


def test_it_is_built_once_and_each_time_where_it_varies():
    with mock.patch(f"{__name__}.plans", wraps=plans) as build:
        kept, anew = Compiled(build), Compiled(build, lambda: True)
        for slug in ("pro", "free", "team"):
            kept.rows(slug=slug)
        assert build.call_count == 1
        for slug in ("pro", "free", "team"):
            assert [row.slug for row in anew.rows(slug=slug)] == [slug]
        assert build.call_count == 4


def test_rows_have_their_related_rows_with_them_and_can_be_saved(django_assert_num_queries):
    held = holder("ada")
    holder("ben")
    with django_assert_num_queries(1):
        [row] = facts.rows_of(held.customer.subscriber_id)
        assert (row.billing_held, row.billing_held.plan.slug, row.billing_theirs.pk) == (held, "pro", "cus_ada")
    row.email = "new@example.com"
    row.save()
    assert get_user_model().objects.get(pk=row.pk).email == "new@example.com"


def test_access_is_the_same_as_by_a_query_that_is_built_anew():
    for name in ("ada", "ben"):
        holder(name)
    nobody = get_user_model().objects.create_user("eve@example.com")
    for user in get_user_model().objects.all():
        anew, kept = list(facts._about(Q(pk=user.pk))), facts.rows_of(user.pk)
        assert [vars(row).keys() for row in kept] == [vars(row).keys() for row in anew]
        assert [getattr(row, "billing_held", None) for row in kept] == [
            getattr(row, "billing_held", None) for row in anew
        ]
        assert access.of(user).has_access == (user != nobody)


def test_a_base_manager_of_the_hosts_is_asked_each_time(monkeypatch):
    held = holder("ada")
    model = get_user_model()
    assert access.of(held.customer.subscriber).has_access

    class Scoped(Manager):
        seen = True

        def get_queryset(self):
            rows = super().get_queryset()
            return rows if self.seen else rows.none()

    scoped = Scoped()
    scoped.model, scoped.name = model, "_base_manager"
    monkeypatch.setitem(model._meta.__dict__, "base_manager", scoped)
    assert access.of(held.customer.subscriber).has_access
    scoped.seen = False
    assert not access.of(held.customer.subscriber).has_access


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_threads_ask_it_at_once_each_for_their_own():
    rows = [holder(f"u{number}") for number in range(20)]
    found = at_once(lambda number: access.of(rows[number].customer.subscriber).subscription, 20)
    assert found == rows
