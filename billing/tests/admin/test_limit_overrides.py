"""Staff set one subscriber's limit with a reason, which is logged, and lift it; nobody else's changes."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model

from billing import usage
from billing.models import LimitOverride

from .test_giving import member

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "/admin/billing/limitoverride/add/"
LIST = "/admin/billing/limitoverride/"


@pytest.fixture
def staff(world):
    return member("override_limit", "view_limitoverride", "view_user")


@pytest.fixture
def eve(world):
    """Somebody who signed up and never opened a Checkout."""
    return get_user_model().objects.create_user(email="eve@example.com", password=None)


def put(client, to, **given):
    asked = {"subscriber": to.pk, "feature": "generations", "quantity": 50, "until": "", "reason": "a pilot"}
    return client.post(ADD, {**asked, **given}, follow=True)


def limit(user):
    return usage.summary(user)["generations"].limit


def test_a_limit_is_set_for_one_subscriber_and_logged(staff, eve):
    other = get_user_model().objects.create_user(email="ben@example.com", password=None)
    page = put(staff, eve).content.decode()
    assert "Set 50 generations a month until it is lifted for eve@example.com." in page
    assert (limit(eve), limit(other)) == (50, 10)
    row, entry = LimitOverride.objects.get(), LogEntry.objects.get()
    assert (row.reason, row.cause) == ("a pilot", f"staff:{staff.pk}")
    assert entry.change_message == "Set 50 generations a month until it is lifted: a pilot"


@pytest.mark.parametrize(("quantity", "found"), [("", None), ("0", 0)])
def test_an_empty_limit_is_none_and_a_nought_stops_use(staff, eve, quantity, found):
    put(staff, eve, quantity=quantity)
    assert limit(eve) == found


@pytest.mark.parametrize("wrong", [{"reason": ""}, {"feature": "teleports"}, {"quantity": "-1"}, {"subscriber": "99"}])
def test_what_cannot_be_is_said_and_nothing_is_set(staff, eve, wrong):
    assert put(staff, eve, **wrong).status_code == 400
    assert not LimitOverride.objects.exists()


def test_chosen_ones_are_lifted_once_and_others_stay(staff, eve):
    other = get_user_model().objects.create_user(email="ben@example.com", password=None)
    put(staff, eve)
    put(staff, other)
    chosen = {"action": "lift", "_selected_action": [LimitOverride.objects.get(subscriber=eve).pk]}
    assert "Lifted 1 limits." in staff.post(LIST, chosen, follow=True).content.decode()
    assert "Lifted 0 limits." in staff.post(LIST, chosen, follow=True).content.decode()
    assert (limit(eve), limit(other)) == (10, 50)
    assert LimitOverride.objects.get(subscriber=eve).ended_by == f"staff:{staff.pk}"


def test_without_the_permission_nothing_is_set_nor_lifted(staff, eve):
    put(staff, eve)
    looker = member_named("view_limitoverride", "view_user")
    assert put(looker, eve, quantity=70).status_code == 403
    chosen = {"action": "lift", "_selected_action": [LimitOverride.objects.get().pk]}
    looker.post(LIST, chosen, follow=True)
    assert limit(eve) == 50


def member_named(*permissions):
    get_user_model().objects.filter(email="bob@example.com").update(email="rob@example.com")
    return member(*permissions)
