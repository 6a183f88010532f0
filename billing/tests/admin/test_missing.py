"""Staff who lack a permission are told which one, on a page of the admin; others are told nothing."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from .test_staff_actions import member

pytestmark = pytest.mark.django_db

ADDRESSES = {
    "/admin/billing/payment/": ["billing.view_payment", "Can view payment"],
    "/admin/billing/payment/export/": ["billing.export_customer", "billing.view_payment"],
    "/admin/billing/dashboard/": ["billing.view_dashboard"],
    "/admin/billing/dashboard/growth.csv": ["billing.view_dashboard"],
    "/admin/billing/customer/cus_alice/do/refund-money/": ["billing.give_back_payment", "Can refund any payment"],
    "/admin/billing/grant/add/": ["billing.grant_customer"],
    "/admin/accounts/user/": ["accounts.view_user"],
    "/admin/billing/stripeevent/export/": ["billing.export_stripeevent", "billing.view_stripeevent"],
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_page_names_what_is_missing(rows, address):
    answer = member("bob@example.com").get(address)
    assert answer.status_code == 403
    assert 'id="header"' in answer.content.decode(), "it is a page of the admin"
    for words in ADDRESSES[address]:
        assert words in answer.content.decode()


def test_what_they_have_is_not_named(rows):
    said = member("bob@example.com", "view_payment").get("/admin/billing/payment/export/").content.decode()
    assert "billing.export_customer" in said
    assert "billing.view_payment" not in said


def test_a_subscriber_is_told_nothing_of_permissions(rows):
    client = Client()
    client.force_login(get_user_model().objects.create_user("eve@example.com", "correct-horse-battery"))
    answer = client.get("/admin/billing/payment/")
    assert answer.status_code == 302
