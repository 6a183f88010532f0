"""Staff give access to a subscriber whom Stripe does not know: chosen by name, once for each source, with a log."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from billing import access, clock, lanes
from billing.lifecycle import deletion
from billing.models import Credit, Grant, Plan

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "/admin/billing/grant/add/"
CHOICES = "/admin/autocomplete/"
OF_GRANTS = {"app_label": "billing", "model_name": "grant", "field_name": "subscriber"}


def member(*permissions):
    bob = get_user_model().objects.create_user(email="bob@example.com", password=None, is_staff=True)
    bob.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(bob)
    client.pk = bob.pk
    return client


@pytest.fixture
def staff(world):
    return member("grant_customer", "view_grant", "view_user", "view_customer")


@pytest.fixture
def eve(world):
    """Somebody who signed up and never opened a Checkout."""
    return get_user_model().objects.create_user(email="eve@example.com", password=None)


def give(client, to, **given):
    until = (timezone.localdate(clock.now()) + timedelta(days=10)).isoformat()
    team = Plan.objects.get(slug="team").pk
    known = {"subscriber": to.pk, "plan": team, "until": until, "source": "appsumo:XYZ", "reason": "a partner"}
    return client.post(ADD, {**known, **given}, follow=True)


def said(answer):
    return answer.content.decode()


def test_a_subscriber_without_a_customer_is_given_a_plan_and_it_is_logged(staff, eve):
    answer = give(staff, eve)
    assert "Gave Team until" in said(answer)
    assert (access.explain(eve).decided.reason, access.has_access(eve, plan="team")) == ("grant", True)
    grant = Grant.objects.get()
    assert (grant.source, grant.reason, grant.cause) == ("appsumo:XYZ", "a partner", f"staff:{staff.pk}")
    entry = LogEntry.objects.get()
    assert (entry.user_id, entry.object_id, entry.is_addition()) == (staff.pk, str(grant.pk), True)
    assert entry.change_message.endswith(": a partner")


def test_sent_again_it_gives_nothing_twice_and_says_so(staff, eve):
    give(staff, eve)
    again = give(staff, eve)
    assert (again.status_code, Grant.objects.count(), LogEntry.objects.count()) == (409, 1, 1)
    assert "The source appsumo:XYZ gave Team to eve@example.com before." in said(again)
    assert give(staff, eve, source="appsumo:ABC").status_code == 200
    assert Grant.objects.count() == 2


def test_a_feature_is_given_for_good(staff, eve):
    give(staff, eve, plan="", feature="generations", quantity="500", until="")
    grant = Grant.objects.get()
    assert (grant.feature, grant.quantity, grant.until) == ("generations", 500, None)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"plan": ""}, "Choose either a plan or a feature."),
        ({"feature": "generations"}, "Choose either a plan or a feature."),
        ({"quantity": "3"}, "Only a feature has a quantity."),
        ({"until": "2001-01-01"}, "Choose a day in the future."),
        ({"reason": " "}, "Enter a reason"),
        ({"subscriber": ""}, "Choose a subscriber."),
        ({"subscriber": str(uuid4())}, "Select a valid choice."),
        ({"subscriber": "nobody"}, "a valid"),  # UUID, or from Django 6.1 on: choice
        ({"source": ""}, "This field is required."),
        ({"source": "x" * 256}, "at most 255 characters"),
    ],
)
def test_what_cannot_be_given_is_said_and_nothing_is_given(staff, eve, wrong, words):
    answer = give(staff, eve, **wrong)
    assert (answer.status_code, words in said(answer)) == (400, True)
    assert (Grant.objects.exists(), LogEntry.objects.exists()) == (False, False)


def test_who_is_being_deleted_or_whose_events_are_applied_gets_nothing(staff, eve):
    with lanes.exclusive(lanes.lane_of(eve)):
        assert give(staff, eve).status_code == 503
    deletion.begin(eve)
    answer = give(staff, eve)
    assert (answer.status_code, Grant.objects.exists()) == (409, False)
    assert "The account is being deleted." in said(answer)


@pytest.mark.parametrize(
    ("permissions", "may"),
    [
        (["grant_customer", "view_user"], True),
        (["grant_customer"], False),
        (["view_grant", "view_user"], False),
        (["add_grant", "view_grant", "view_user"], False),
    ],
)
def test_it_takes_the_permission_to_give_access_and_to_see_subscribers(world, eve, permissions, may):
    client = member(*permissions)
    assert client.get(ADD).status_code == (200 if may else 403)
    assert give(client, eve).status_code == (200 if may else 403)
    assert Grant.objects.exists() == may


def test_subscribers_are_found_by_the_beginning_of_their_address_by_who_may_see_them(staff, eve):
    found = staff.get(CHOICES, {**OF_GRANTS, "term": "eve@"})
    assert [each["text"] for each in found.json()["results"]] == ["eve@example.com"]
    get_user_model().objects.get(pk=staff.pk).user_permissions.remove(Permission.objects.get(codename="view_user"))
    assert staff.get(CHOICES, {**OF_GRANTS, "term": "eve@"}).status_code == 403


def test_an_address_that_names_nobody_opens_the_empty_form(staff):
    assert staff.get(ADD, {"subscriber": "nobody"}).status_code == 200


def test_who_never_bought_is_found_by_address_and_given_access_from_there(staff, eve):
    found = staff.get("/admin/billing/customer/find/", {"q": "eve@example.com"}, follow=True)
    assert f'<a href="{ADD}?subscriber={eve.pk}">Give access</a>' in said(found)
    assert f'<option value="{eve.pk}" selected>eve@example.com</option>' in said(staff.get(ADD, {"subscriber": eve.pk}))


# Credits


def test_credits_are_given_once_and_logged(staff, eve):
    staff_of = {"plan": "", "feature": "generations", "quantity": "500", "once": "on", "until": ""}
    assert "Gave 500 credits of generations for good" in said(give(staff, eve, **staff_of))
    credit = Credit.objects.get()
    assert (credit.subscriber, credit.left, credit.source, credit.reason) == (eve, 500, "appsumo:XYZ", "a partner")
    assert LogEntry.objects.get().change_message == "Gave 500 credits of generations for good: a partner"
    again = give(staff, eve, **staff_of)
    assert (again.status_code, Credit.objects.count(), Grant.objects.count()) == (409, 1, 0)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"plan": "", "feature": "generations", "quantity": ""}, "Say how many credits"),
        ({"quantity": ""}, "Say how many credits"),
        ({"plan": "", "feature": "", "quantity": "5"}, "either"),
    ],
)
def test_credits_without_a_number_or_a_feature_are_refused(staff, eve, given, why):
    answer = give(staff, eve, once="on", **given)
    assert (answer.status_code, Credit.objects.count()) == (400, 0)
    assert why.lower() in said(answer).lower()
