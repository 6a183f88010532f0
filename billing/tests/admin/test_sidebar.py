"""The sidebar lists every table once, by task, and dj-stripe's mirror as one line."""

from html import unescape

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from billing.admin import first_page, sidebar, sidebar_words
from billing.conf import conf

pytestmark = pytest.mark.django_db


def groups(client):
    return {app["name"]: app["models"] for app in client.get("/admin/").context["app_list"]}


def test_tables_are_listed_by_task_with_the_engine_room_last(staff):
    names = list(groups(staff))
    assert [name for name in names if name in sidebar.TASKS] == list(sidebar.TASKS)
    assert names[-1] == "Engine room"


def test_every_table_has_its_task(staff):
    registered = {model.__name__ for model in admin.site._registry if model._meta.app_label == conf.app_label}
    named = [name for names in sidebar.TASKS.values() for name in names.split()]
    assert sorted(named) == sorted(registered)


def test_every_word_of_the_sidebar_is_explained_on_the_first_page_and_at_the_top_of_its_list(staff):
    words = sidebar_words.MODELS
    assert sorted(words) == sorted(name for names in sidebar.TASKS.values() for name in names.split())
    assert list(sidebar_words.TASKS) == list(sidebar.TASKS)
    page = unescape(staff.get("/admin/").content.decode())
    assert [said for said in (*words.values(), *sidebar_words.TASKS.values()) if said not in page] == []
    assert words["Hold"] in unescape(staff.get("/admin/billing/hold/").content.decode())
    assert "billing-explained" not in staff.get("/admin/auth/group/").content.decode()


def test_no_name_is_listed_twice(staff):
    names = [model["name"].lower() for models in groups(staff).values() for model in models]
    assert len(names) == len(set(names))


def test_the_mirror_is_one_line_that_leads_to_its_tables(staff):
    [mirror] = [model for model in groups(staff)["Engine room"] if model["object_name"] == "Mirror"]
    assert "as mirrored" in mirror["name"]
    page = staff.get(mirror["admin_url"])
    assert page.status_code == 200
    assert len(page.context["app_list"][0]["models"]) > 5


def test_staff_see_the_tasks_that_are_open_to_them_and_no_empty_one():
    user = get_user_model().objects.create_user("bob@example.com", "correct-horse-battery", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_dispute", content_type__app_label="billing"))
    client = Client()
    client.force_login(user)
    assert {name: [model["object_name"] for model in models] for name, models in groups(client).items()} == {
        "Money": ["Dispute"]
    }


def test_the_page_of_an_app_lists_its_tables_under_its_own_name(staff):
    [app] = staff.get("/admin/billing/").context["app_list"]
    assert app["name"] == apps.get_app_config("billing").verbose_name


def test_a_site_with_a_sidebar_of_its_own_keeps_it(monkeypatch):
    class Acme(admin.AdminSite):
        def get_app_list(self, request, app_label=None):
            return []

    site = Acme()
    monkeypatch.setattr(admin, "site", site)
    first_page.install()
    assert site.get_app_list(None) == []
