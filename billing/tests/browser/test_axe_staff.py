"""axe-core finds no violation on any page of staff: by day, in the dark or on a phone, in turn.

One person opens page after page, so that the rows, the log-in and the browser are made once.
"""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.urls import reverse

from billing.models import PriceMove
from billing.tests.admin.rows import row_of_each

from . import axe

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OURS = ("billing", "billing_mail", "accounts")


@pytest.fixture
def enter(live_server, browse, client, settings):
    """`enter()`: the page of a member of staff who may do everything."""

    def page_of():
        client.force_login(get_user_model().objects.create_superuser("root@example.com", "correct-horse-battery"))
        page = browse(f"{live_server.url}/admin/login/")
        name = settings.SESSION_COOKIE_NAME
        cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
        page.context.add_cookies([cookie])
        return page

    return page_of


@pytest.fixture
def look(shoot):
    """`look(page, paths)`: what axe-core found, by path and look."""
    return lambda page, paths: axe.on_each(page, paths, shoot, in_turn=True)


def models():
    return [model for model in admin.site._registry if model._meta.app_label in OURS and not model._meta.proxy]


def address(model, name, *args):
    opts = model._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{name}", args=[quote(str(arg)) for arg in args])


def test_the_first_pages_and_every_list(enter, look):
    row_of_each()
    page = enter()
    others = ["/admin/", "/admin/billing/", "/admin/password_change/", "/admin/billing/dashboard/", "/admin/nothing/"]
    others += ["/admin/billing_mail/preview/", "/admin/auth/group/", "/admin/billing/customer/?q=nobody"]
    assert look(page, [*others, *(address(model, "changelist") for model in models())]) == {}


def test_every_page_of_a_row_and_every_form_to_add_one(enter, look):
    rows = row_of_each()
    page = enter()
    paths = [address(model, "change", row.pk) for model, row in rows.items() if model in admin.site._registry]
    paths += [address(model, "add") for model in models() if admin.site._registry[model].has_add_permission(_root())]
    paths += [address(PriceMove, "history", rows[PriceMove].pk)]
    assert look(page, paths) == {}


def _root():
    from django.test import RequestFactory

    request = RequestFactory().get("/")
    request.user = get_user_model().objects.get(email="root@example.com")
    return request
