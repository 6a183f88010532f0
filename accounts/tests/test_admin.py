"""Staff see and edit users; deleting one goes the way of leaving: see test_closing."""

import re

import pytest
from django.contrib.auth import get_user_model

from billing.models import Customer

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.com")


def test_users_are_listed_and_found_by_address(admin_client, ada):
    assert "ada@example.com" in admin_client.get("/admin/accounts/user/?q=ada").content.decode()


def test_a_users_page_leads_to_what_billing_knows_of_them(admin_client, ada):
    customer = Customer.objects.create(id="cus1", subscriber=ada, email="money@example.com")
    page = admin_client.get(f"/admin/accounts/user/{ada.pk}/change/").content.decode()
    [address] = re.findall(r'href="([^"]+)">What they have, and why', page)
    found = admin_client.get(address, follow=True)
    assert found.redirect_chain == [(f"/admin/billing/customer/{customer.pk}/change/", 302)]


def test_a_user_is_added_with_address_and_password(admin_client):
    given = {
        "email": "New@example.com",
        "usable_password": "true",
        "password1": "correct-horse-battery",
        "password2": "correct-horse-battery",
    }
    answer = admin_client.post("/admin/accounts/user/add/", given)
    assert answer.status_code == 302, answer.context["errors"]
    assert User.objects.get(email="new@example.com").check_password("correct-horse-battery")


def test_users_are_not_deleted_by_the_list(admin_client, ada):
    admin_client.post(
        "/admin/accounts/user/", {"action": "delete_selected", "_selected_action": [str(ada.pk)], "post": "yes"}
    )
    assert User.objects.filter(pk=ada.pk).exists()
