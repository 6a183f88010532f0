"""Staff make codes, enter those of a partner, export and withdraw them."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from billing.catalogue import definitions
from billing.models import Code, Plan

pytestmark = pytest.mark.django_db
ADD, LIST = "/admin/billing/code/add/", "/admin/billing/code/"


def member(*permissions):
    bob = get_user_model().objects.create_user(email="bob@example.com", password=None, is_staff=True)
    bob.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(bob)
    client.pk = bob.pk
    return client


@pytest.fixture
def staff(settings):
    settings.BILLING_CLOCK = ""
    definitions.update_plans()
    return member("make_code", "view_code")


def make(client, **given):
    team = Plan.objects.get(slug="team").pk
    return client.post(ADD, {"batch": "AppSumo", "plan": team, "number": "3", "most_uses": "1", **given}, follow=True)


def said(answer):
    return answer.content.decode()


def test_codes_are_made_as_many_as_asked_each_another_and_it_is_logged(staff):
    assert "Made 3 codes." in said(make(staff))
    codes = list(Code.objects.all())
    assert len({code.code for code in codes}) == 3
    assert {(code.batch, code.what, code.most_uses, code.cause) for code in codes} == {
        ("AppSumo", "Team", 1, f"staff:{staff.pk}")
    }
    assert LogEntry.objects.get().change_message == "Made 3 codes of the batch AppSumo"


def test_codes_of_a_partner_are_kept_as_they_will_be_looked_up(staff):
    make(
        staff,
        number="",
        theirs=" abc-123 \nabc 123\n\nDEF_456\n",
        plan="",
        feature="generations",
        quantity="500",
        once="on",
    )
    assert list(Code.objects.order_by("code").values_list("code", "once")) == [("ABC123", True), ("DEF456", True)]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"number": ""}, "Either say how many"),
        ({"theirs": "ABC123"}, "Either say how many"),
        ({"number": "0"}, "greater than or equal to 1"),
        ({"number": "10001"}, "less than or equal to 10000"),
        ({"plan": ""}, "either a plan or a feature"),
        ({"quantity": "5"}, "Only a feature has a quantity"),
        ({"plan": "", "feature": "generations", "once": "on"}, "Say how many credits"),
        ({"number": "", "theirs": "a b\n" + "x" * 65}, "is no code"),
        ({"number": "", "theirs": "a;b"}, "is no code"),
        ({"valid_until": "2020-01-01"}, "Choose today or a later day"),
        ({"lasts_days": "0"}, "greater than or equal to 1"),
        ({"batch": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_made(staff, given, why):
    answer = make(staff, **given)
    assert answer.status_code == 400
    assert why.lower() in said(answer).lower()
    assert not Code.objects.exists()


def test_a_list_with_one_that_exists_makes_none(staff):
    make(staff, number="", theirs="ABC123")
    assert "1 of them exist already, such as ABC123" in said(make(staff, number="", theirs="DEF456\nabc-123"))
    assert Code.objects.count() == 1


def test_chosen_ones_are_exported_without_formulas_and_it_is_logged(staff):
    make(staff, batch="=cmd|x", number="", theirs="ABC123\nDEF456")
    chosen = Code.objects.get(code="ABC123").pk
    answer = staff.post(LIST, {"action": "export", "_selected_action": [chosen]})
    lines = b"".join(answer).decode().splitlines()
    assert lines == ["code,batch,gives,used,uses,valid_until,withdrawn", "ABC123,'=cmd|x,Team,0,1,,"]
    assert LogEntry.objects.first().change_message == "Exported 1 codes as CSV"


def test_chosen_ones_are_withdrawn_once_and_others_stay(staff):
    make(staff, number="", theirs="ABC123\nDEF456")
    chosen = Code.objects.get(code="ABC123").pk
    for count in (1, 0):
        answer = staff.post(LIST, {"action": "withdraw", "_selected_action": [chosen]}, follow=True)
        assert f"Withdrew {count} codes." in said(answer)
    assert list(Code.objects.filter(withdrawn_at=None).values_list("code", flat=True)) == ["DEF456"]


def test_a_code_is_found_as_a_customer_types_it(staff):
    make(staff, number="", theirs="ABC123\nDEF456")
    answer = said(staff.get(f"{LIST}?q=abc-123"))
    assert "ABC123" in answer
    assert "DEF456" not in answer


def test_without_the_permission_nothing_is_made_exported_or_withdrawn(staff):
    make(staff)
    chosen = Code.objects.first().pk
    eve = get_user_model().objects.create_user(email="eve@example.com", password=None, is_staff=True)
    eve.user_permissions.set(Permission.objects.filter(codename="view_code"))
    client = Client()
    client.force_login(eve)
    assert client.get(ADD).status_code == client.post(ADD, {}).status_code == 403
    for action in ("export", "withdraw"):
        client.post(LIST, {"action": action, "_selected_action": [chosen]})
    assert not Code.objects.exclude(withdrawn_at=None).exists()
    assert LogEntry.objects.count() == 1
