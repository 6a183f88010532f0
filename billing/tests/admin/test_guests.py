"""Staff see what guests bought, give it to a subscriber, or have the guest deleted."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from billing import usage
from billing.lifecycle import guests
from billing.models import AccountDeletion, Purchase
from billing.tests.lifecycle.test_guests import paid, shop

__all__ = ["shop"]
pytestmark = pytest.mark.django_db(transaction=True)


def member_of_staff(*names):
    bob = get_user_model().objects.create_user(email=f"{len(names)}@example.com", password=None, is_staff=True)
    bob.user_permissions.set(Permission.objects.filter(codename__in=["view_purchase", "view_user", *names]))
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def bob(shop):
    return member_of_staff("match_purchase")


def page_of(purchase, act=""):
    return f"/admin/billing/purchase/{purchase.pk}/" + (f"do/{act}/" if act else "change/")


def words(answer):
    return " ".join(answer.content.decode().replace("&#x27;", "'").split())


def test_a_purchase_is_given_to_the_subscriber_whom_staff_choose(shop, bob):
    purchase, max_ = paid(shop), shop.sign_up("max@example.com")
    assert "Gina@Example.com" in words(bob.get(page_of(purchase)))
    assert "nothing here proves it" in words(bob.get(page_of(purchase, "give")))
    assert bob.post(page_of(purchase, "give"), {"subscriber": max_.pk}).status_code == 400
    given = {"subscriber": max_.pk, "reason": "He showed the receipt"}
    assert bob.post(page_of(purchase, "give"), given).status_code == 302
    assert usage.summary(max_)["generations"].credits == 1000
    assert LogEntry.objects.get().change_message == "Given: He showed the receipt"
    again = bob.post(page_of(purchase, "give"), given)
    assert (again.status_code, "waits for nobody any more" in words(again)) == (409, True)


def test_a_guest_is_deleted_by_staff(shop, bob):
    purchase = paid(shop)
    bob.post(page_of(purchase, "forget"), {"reason": "They asked for it"})
    assert AccountDeletion.objects.get().customer_id == purchase.customer_id


def test_staff_without_the_permission_see_no_button_and_may_do_nothing(shop):
    purchase, reader = paid(shop), member_of_staff()
    assert "Give to a subscriber" not in words(reader.get(page_of(purchase)))
    for act in ("give", "forget"):
        assert reader.post(page_of(purchase, act), {"reason": "no"}).status_code == 403
    assert Purchase.objects.unmatched().exists()


def test_what_waits_for_days_is_on_the_first_page(shop, bob):
    purchase = paid(shop)
    assert "purchase of a guest" not in words(bob.get("/admin/"))
    Purchase.objects.filter(pk=purchase.pk).update(created_at=timezone.now() - 2 * guests.ABANDONED_AFTER)
    assert "purchase of a guest waits for its owner" in words(bob.get("/admin/"))
