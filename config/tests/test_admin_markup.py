"""Every kind of page of the admin, reached by its links as staff reach it, is whole: no element closed too often."""

import re
from collections import Counter
from io import StringIO
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from django.urls import Resolver404, resolve

from billing.models import AccountDeletion
from billing.tests.markup import Page
from notifications.models import Suppression

pytestmark = pytest.mark.django_db(transaction=True)

# A list, and a list that is filtered, differ; a third one of a kind is as the second.
OF_A_KIND = 2
PAGES_OF_THEIR_OWN = {
    "index", "app_list of billing", "app_list of djstripe",
    "djstripe_changelist", "djstripe_change", "auth_user_password_change",
    "billing_plan_add", "billing_plan_delete", "billing_plan_history",
    "billing_customer_find", "billing_customer_change", "billing_customer_action",
    "billing_subscription_change", "billing_stripeevent_change", "billing_dashboard_changelist",
    "billing_mail_mail_change", "billing_mail_mail_preview", "billing_mail_preview_changelist",
    "billing_mail_preview_html",
}  # fmt: skip
APPS = ("billing", "billing_mail", "accounts", "django_q", "auth")


@pytest.fixture
def staff(world):
    """Everything has a row: somebody who paid, was declined, disputes; a mail, a suppressed address, a deletion."""
    ada = world.subscribed()
    world.control("disputes", charge=world.charge_of(ada)["id"])
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=2)
    world.deliver()
    call_command("sync_stripe", stdout=StringIO())
    Suppression.objects.create(address="ben@example.com", reason="bounced", suppressed_at=ada.user.date_joined)
    AccountDeletion.objects.create(lane="cus1", requested_at=ada.user.date_joined)
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root@example.com", "correct-horse-battery"))
    return client


def crawl(client, start):
    """Kind of page → what is wrong with the ones that were opened."""
    waiting, seen, kinds, wrong = [start], {start}, Counter(), {}
    while waiting:
        address = waiting.pop(0)
        kind = kind_of(address)
        if kind is None or kinds[kind] == OF_A_KIND:
            continue
        answer = client.get(address, follow=True)
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        kinds[kind] += 1
        page = Page(b"".join(answer).decode())
        wrong.setdefault(kind, []).extend(f"{address}: {problem}" for problem in page.problems)
        found = {urljoin(answer.request["PATH_INFO"], link) for link in page.links if not link.startswith("#")}
        waiting += sorted(found - seen)
        seen |= found
    return wrong


def kind_of(address):
    try:
        match = resolve(urlsplit(address).path)
    except Resolver404:
        return None
    if match.namespace != "admin":
        return None
    if match.url_name == "app_list":
        return f"app_list of {match.kwargs['app_label']}"
    # dj-stripe's thirty lists are of one make.
    return re.sub(r"^djstripe_[a-z]+_", "djstripe_", match.url_name)


def test_every_kind_of_page_of_the_admin_is_whole(staff):
    found = crawl(staff, "/admin/")
    assert {kind: wrong for kind, wrong in found.items() if wrong} == {}
    lists = {
        f"{model._meta.app_label}_{model._meta.model_name}_changelist"
        for model in admin.site._registry
        if model._meta.app_label in APPS
    }
    assert lists | PAGES_OF_THEIR_OWN <= found.keys()


@pytest.mark.parametrize("address", ["/admin/login/", "/admin/password_change/"])
def test_the_pages_of_the_door_are_whole(client, address):
    assert Page(client.get(address, follow=True).content.decode()).problems == []
