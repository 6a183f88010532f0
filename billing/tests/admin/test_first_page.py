"""The admin's first page leads to a subscriber, whatever the order of apps, and shows no door that stays closed."""

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from billing.admin import first_page

pytestmark = pytest.mark.django_db

FIND, BOARD, EVENTS = "Find a subscriber", "Billing dashboard", "Failed events"


def staff(*codenames):
    user = get_user_model().objects.create_user("bob@example.com", "correct-horse-battery", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="billing", codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def shown(client, address="/admin/"):
    page = client.get(address).content.decode()
    return [words for words in (FIND, BOARD, EVENTS) if f"{words}</label>" in page or f"<strong>{words}<" in page]


@pytest.mark.parametrize(
    ("permissions", "found"),
    [
        ((), []),
        (("view_customer",), [FIND]),
        (("view_dashboard",), [BOARD]),
        (("view_customer", "view_dashboard", "view_stripeevent"), [FIND, BOARD, EVENTS]),
    ],
)
def test_staff_see_the_ways_that_are_open_to_them(permissions, found):
    assert shown(staff(*permissions)) == found


def test_the_page_of_our_app_has_them_too_and_no_other_apps(admin_client):
    assert shown(admin_client, "/admin/billing/") == [FIND, BOARD, EVENTS]
    assert shown(admin_client, "/admin/auth/") == []


def test_a_site_with_a_first_page_of_its_own_keeps_it():
    ours = admin.site.index_template
    try:
        admin.site.index_template = "acme/admin.html"
        first_page.install()
        assert admin.site.index_template == "acme/admin.html"
    finally:
        admin.site.index_template = ours


def test_a_projects_own_index_is_extended(admin_client, settings, tmp_path):
    (tmp_path / "admin").mkdir()
    own = '{% extends "admin/base_site.html" %}{% block content %}Acme<div id="content-main"></div>{% endblock %}'
    (tmp_path / "admin/index.html").write_text(own)
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    assert "Acme<div" in admin_client.get("/admin/").content.decode()
    assert shown(admin_client) == [FIND, BOARD, EVENTS]
