"""The find box suggests customers by the beginning of their address, to whoever may see them."""

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Customer

from .test_staff_actions import member

pytestmark = pytest.mark.django_db
ADDRESS = "/admin/billing/customer/suggest/"


def suggested(client, begins):
    answer = client.get(ADDRESS, {"q": begins})
    assert answer.headers["Content-Type"] == "application/json"
    return [one["value"] for one in answer.json()["found"]]


@pytest.fixture
def bob(db):
    for number in range(20):
        name = f"ada{number:02}@example.com"
        user = get_user_model().objects.create_user(name, "correct-horse-battery")
        Customer.objects.create(id=f"cus_{number}", email=name, subscriber=user)
    return member("bob@example.com")


def test_the_first_eight_are_suggested_in_order_whatever_the_case(bob):
    assert suggested(bob, "ADA") == [f"ada{number:02}@example.com" for number in range(8)]
    assert suggested(bob, "ada13") == ["ada13@example.com"]


@pytest.mark.parametrize("begins", ["", "a", "%", "__", "zzz", "a\0", "x" * 5000, "'; --"])
def test_what_is_too_short_or_of_nobody_suggests_nobody(bob, begins):
    assert suggested(bob, begins) == []


def test_it_costs_the_same_statements_for_one_as_for_eight(bob):
    costs = []
    for begins in ("ada13", "ada"):
        with CaptureQueriesContext(connection) as queries:
            suggested(bob, begins)
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_whoever_may_not_see_customers_is_told_nothing(bob):
    eve = get_user_model().objects.create_user("eve@example.com", "correct-horse-battery", is_staff=True)
    bob.force_login(eve)
    assert bob.get(ADDRESS, {"q": "ada"}).status_code == 403
