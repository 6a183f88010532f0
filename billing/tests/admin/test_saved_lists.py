"""A member of staff saves a filtered list by a name; colleagues keep their own."""

import pytest
from django.urls import reverse

from billing.models import SavedList

from .test_staff_actions import member

pytestmark = pytest.mark.django_db
LIST = "/admin/billing/customer/"


@pytest.fixture
def bob(db):
    return member("bob@example.com")


def save(client, name, query="status=past_due"):
    return client.post(reverse("admin:billing_customer_saved"), {"name": name, "query": query}, follow=True)


def test_a_list_is_saved_shown_and_removed(bob):
    assert "Save this list as" in bob.get(LIST, {"status": "past_due"}).content.decode()
    answer = save(bob, "Owes us")
    assert "Saved the list “Owes us”." in answer.content.decode()
    assert '<a href="?status=past_due">Owes us</a>' in bob.get(LIST).content.decode()
    bob.post(reverse("admin:billing_customer_saved"), {"remove": "Owes us", "query": ""})
    assert not SavedList.objects.exists()


def test_a_colleague_has_lists_of_their_own_and_removes_no_others(bob):
    eve = member("eve@example.com")
    save(bob, "Owes us")
    save(eve, "Owes us", "status=active")
    assert "status=past_due" not in eve.get(LIST).content.decode().partition("billing-saved")[2][:400]
    eve.post(reverse("admin:billing_customer_saved"), {"remove": "Owes us"})
    assert SavedList.objects.get().staff == str(bob.pk)


def test_the_same_name_replaces_and_page_numbers_are_not_kept(bob):
    save(bob, "Owes us")
    save(bob, "Owes us", "status=unpaid")
    assert SavedList.objects.get().query == "status=unpaid"
    assert 'value="status=unpaid"' in bob.get(LIST, {"status": "unpaid", "p": "1"}).content.decode()


@pytest.mark.parametrize(
    "given", [{"name": " ", "query": "status=active"}, {"name": "x", "query": "status=" + "b" * 2000}]
)
def test_what_cannot_be_saved_gets_a_sentence(bob, given):
    answer = bob.post(reverse("admin:billing_customer_saved"), given, follow=True)
    assert 'class="error"' in answer.content.decode()
    assert not SavedList.objects.exists()


def test_a_query_leads_nowhere_else(bob):
    answer = bob.post(reverse("admin:billing_customer_saved"), {"name": "x", "query": "//evil.example/"})
    assert answer.headers["Location"].startswith(LIST + "?")


def test_whoever_may_not_see_the_list_saves_none():
    other = member("eve@example.com")
    assert other.post(reverse("admin:billing_payment_saved"), {"name": "x", "query": "a=b"}).status_code == 403
