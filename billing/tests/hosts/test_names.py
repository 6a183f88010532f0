"""A host has an app labelled `billing`, with tables, a command, URL names, templates and admin pages of the same names:
`check` says what to set, and then both work beside each other."""

from dataclasses import replace

import pytest

from billing.tests.processes import until

from . import recipe
from .browsing import Person
from .project import HostProject

pytestmark = pytest.mark.slow

ON_SQLITE = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}'
LABEL = 'BILLING_APP_LABEL = "stripe_billing"'
CONFIG = """
from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "{package}"
    label = "billing"
    default_auto_field = "django.db.models.AutoField"
"""
MODELS = """
from django.db import models


class Customer(models.Model):
    "Of the host's own, which is called as one of ours."

    words = models.CharField(max_length=50)


class Event(models.Model):
    words = models.CharField(max_length=50)

    class Meta:
        db_table = "stripe_events"
"""
ADMIN = """
from django.contrib import admin

from .models import Customer

admin.site.register(Customer)
"""
URLS = """
from django.http import HttpResponse
from django.urls import path

app_name = "billing"
urlpatterns = [path("account/", lambda request: HttpResponse("The host's own account."), name="account")]
"""
SETUP = """
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    def handle(self, **options):
        self.stdout.write("The host's own setup.")
"""
MOUNTED = """
urlpatterns.insert(0, path("own/", include("{package}.urls")))
"""
WRITTEN = """
from django.apps import apps

apps.get_model("billing.Customer").objects.create(words="Hello")
apps.get_model("billing.Event").objects.create(words="Hello")
"""
KEPT = """
from django.apps import apps
from django.urls import reverse

print(*(row.words for name in ("Customer", "Event") for row in apps.get_model("billing", name).objects.all()))
print(reverse("billing:account"), reverse("stripe_billing:account"))
"""
TABLES = """
from django.db import connection

print(*(name for name in connection.introspection.table_names() if "billing" in name or name.endswith("stripe_events")))
"""
PEOPLE = """
from django.contrib.auth.models import Permission, User

User.objects.create_superuser("ada", "ada@example.com", "correct-horse-battery")
ben = User.objects.create_user("ben", "ben@example.com", "correct-horse-battery", is_staff=True)
ben.user_permissions.set(Permission.objects.filter(content_type__app_label="billing"))
"""
HAS_ACCESS = """
from django.contrib.auth.models import User
from billing.access import has_access

print(has_access(User.objects.get(username="ada"), plan="pro"))
"""


def add_an_app(host, package):
    """An app of the host's, labelled `billing`, in a package that may lie anywhere, with rows in its tables."""
    folder = package.replace(".", "/")
    for parent in (folder.rpartition("/")[0], folder, f"{folder}/management", f"{folder}/management/commands"):
        if parent:
            host.write(f"{parent}/__init__.py", "")
    host.write(f"{folder}/apps.py", CONFIG.format(package=package))
    host.write(f"{folder}/models.py", MODELS)
    host.write(f"{folder}/admin.py", ADMIN)
    host.write(f"{folder}/urls.py", URLS)
    host.write(f"{folder}/management/commands/setup.py", SETUP)
    host.write(f"{folder}/migrations/__init__.py", "")
    host.add("mysite/settings.py", f'INSTALLED_APPS += ["{package}"]')
    host.add("mysite/urls.py", "from django.urls import include\n" + MOUNTED.format(package=package))
    host.manage("makemigrations", "billing")
    host.manage("migrate")
    host.run(WRITTEN)


@pytest.fixture
def small(packages, tmp_path):
    host = HostProject(tmp_path, packages, "")
    host.start()
    host.add("mysite/settings.py", ON_SQLITE)
    return host


def add_ours(host):
    host.add_all(recipe.for_a_new_project(on_sqlite=True))


def said_by(host, *command):
    with pytest.raises(AssertionError) as failed:
        host.manage(*command)
    return str(failed.value)


@pytest.mark.parametrize("order", ["before", "after"])
def test_an_app_of_the_same_label_is_named_with_what_to_set(small, order):
    add_an_app(small, "shop.billing")
    add_ours(small)
    if order == "before":
        small.add("mysite/settings.py", "INSTALLED_APPS.sort(key=lambda app: app == 'shop.billing')")
    said = said_by(small, "check")
    assert 'shop.billing has the label "billing" too. Set BILLING_APP_LABEL to a name that is free' in said
    small.add("mysite/settings.py", LABEL)
    assert "Error" not in small.manage_all("check")


def test_tables_of_the_same_name_are_named_before_anything_is_made(small):
    small.run("from django.db import connection; connection.cursor().execute('CREATE TABLE stripe_events (id int)')")
    add_ours(small)
    for command in (["setup"], ["migrate"], ["check", "--database", "default"]):
        said = said_by(small, *command)
        assert "The database has tables with the names of billing's: stripe_events. " in said.replace("\n", " ")
        assert "Set BILLING_APP_LABEL" in said
        assert "Traceback" not in said
    assert small.run(TABLES) == "stripe_events"
    small.add("mysite/settings.py", LABEL)
    assert small.manage("setup").startswith("Ready")
    small.manage("check", "--database", "default")
    assert {"stripe_events", "stripe_billing_stripe_events"} <= set(small.run(TABLES).split())


def test_a_model_with_a_table_of_ours_is_named(small):
    small.write("shop/__init__.py", "")
    small.write("shop/models.py", MODELS)
    small.add("mysite/settings.py", 'INSTALLED_APPS += ["shop"]')
    add_ours(small)
    said = said_by(small, "check")
    assert (
        "(billing.E016) Models of another app have tables with the names of billing's: stripe_events (of shop" in said
    )
    small.add("mysite/settings.py", LABEL)
    assert "E016" not in small.manage_all("check")


def test_an_app_that_had_our_label_once_is_named(small):
    add_an_app(small, "shop.billing")
    small.add("mysite/settings.py", "INSTALLED_APPS.remove('shop.billing')")
    small.add("mysite/urls.py", "del urlpatterns[0]")
    small.run("from django.db import connection; connection.cursor().execute('DROP TABLE stripe_events')")
    add_ours(small)
    assert 'Another app labelled "billing" was migrated here' in said_by(small, "setup")
    small.add("mysite/settings.py", LABEL)
    assert small.manage("setup").startswith("Ready")


def test_a_command_of_the_same_name_leaves_ours_a_full_name(small):
    add_an_app(small, "shop.billing")
    small.write("shop/billing/templates/billing/account.html", "The host's own account.")
    small.add("mysite/settings.py", LABEL)
    add_ours(small)
    said = small.manage_all("check")
    assert "setup (of shop.billing)" in said
    assert 'Write "manage.py billing setup" for ours' in said
    assert "billing.W014) 1 files of shop.billing hide ours" in said
    assert small.manage("setup").strip() == "The host's own setup."
    assert small.manage("billing", "setup").startswith("Ready")
    assert "--month" in small.manage("billing", "export_ledger", "--help")
    assert "invalid choice" in said_by(small, "billing", "nothing")
    assert "0 plans" in small.run("from django.core.management import call_command; call_command('billing', 'setup')")


def test_a_package_called_billing_is_renamed_and_keeps_its_label_and_rows(small):
    add_an_app(small, "billing")
    small.folder.joinpath("billing").rename(small.folder / "shop_billing")
    small.write("shop_billing/apps.py", CONFIG.format(package="shop_billing"))
    for path in ("mysite/settings.py", "mysite/urls.py"):
        text = small.folder.joinpath(path).read_text()
        small.write(path, text.replace('"billing"', '"shop_billing"').replace('"billing.urls"', '"shop_billing.urls"'))
    small.add("mysite/settings.py", LABEL)
    add_ours(small)
    assert "No changes detected" in small.manage("makemigrations", "--check", "--dry-run")
    assert small.manage("billing", "setup").startswith("Ready")
    assert small.run(KEPT).splitlines() == ["Hello Hello", "/own/account/ /billing/"]


@pytest.fixture(scope="module")
def both(host):
    """The project on PostgreSQL with two apps that would be `billing`, both in use."""
    add_an_app(host, "shop.billing")
    host.add("mysite/settings.py", LABEL)
    host.add_all(
        replace(each, text=each.text.replace("billing:", "stripe_billing:")) for each in recipe.for_a_new_project()
    )
    for command in recipe.commands():
        if command[0] == "createsuperuser":
            host.run(PEOPLE)
        else:
            host.follow(*(["billing", *command] if command[0] == "setup" else command))
    return host


@pytest.mark.postgres_only
def test_with_another_label_a_person_buys_and_the_hosts_own_app_stays_as_it_was(both):
    ada = Person()
    ada.log_in(f"{both.url}/billing/", "ada", "correct-horse-battery")
    ada.open(f"{both.url}/")
    ada.submit("/billing/checkout")
    ada.submit(number="4242 4242 4242 4242", expiry="12 / 40", cvc="123")
    assert ada.heading == "Welcome to Pro"
    assert both.run(HAS_ACCESS) == "True"
    until(lambda: ada.open(f"{both.url}/billing/").text.count("$20.00") > 1, what="the first payment on her page")
    assert ada.open(f"{both.url}/own/account/").text == "The host's own account."
    assert both.run(KEPT).splitlines() == ["Hello Hello", "/own/account/ /billing/"]


@pytest.mark.postgres_only
def test_with_another_label_every_list_of_the_admin_opens(both):
    ada = Person()
    ada.log_in(f"{both.url}/accounts/login/", "ada", "correct-horse-battery")
    page = ada.open(f"{both.url}/admin/").text
    assert "Find a subscriber" in page
    lists = sorted({part.split('"')[0] for part in page.split('href="')[1:] if part.startswith("/admin/stripe_bill")})
    assert len(lists) > 15
    assert dict.fromkeys(lists, 200) == {path: ada.open(f"{both.url}{path}").status_code for path in lists}
    found = ada.open(f"{both.url}/admin/stripe_billing/customer/find/?q=ada@example.com")
    assert (found.status_code, "/change/" in found.url) == (200, True)
    assert "Find a subscriber" not in ada.open(f"{both.url}/admin/billing/").text
    assert ada.open(f"{both.url}/admin/billing/customer/").status_code == 200


@pytest.mark.postgres_only
def test_a_permission_of_the_hosts_own_app_opens_nothing_of_ours(both):
    ben = Person()
    ben.log_in(f"{both.url}/accounts/login/", "ben", "correct-horse-battery")
    assert ben.open(f"{both.url}/admin/billing/customer/").status_code == 200
    assert ben.open(f"{both.url}/admin/stripe_billing/customer/").status_code == 403
    assert "Find a subscriber" not in ben.open(f"{both.url}/admin/").text


@pytest.mark.postgres_only
def test_with_another_label_nothing_is_left_to_migrate(both):
    assert "No changes detected" in both.manage("makemigrations", "--check", "--dry-run")
    assert "No migrations to apply" in both.manage("migrate")
