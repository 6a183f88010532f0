"""docs/testing.md, followed to the letter: its tests pass in a host project, and fail without what they test."""

import os
from pathlib import Path

import pytest

from . import recipe
from .project import HostProject

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[3] / "docs" / "testing.md"
ON_SQLITE = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}'
# Without plugins of this environment that take seconds to load and that a host has not.
PYTEST = ("pytest", "-q", "-p", "no:schemathesis", "-p", "no:hypothesispytest")
# For the test below that is about no user.
CLUB = """
from django.db import models


class Organisation(models.Model):
    name = models.CharField(max_length=50)
    email = models.EmailField()
"""
APP = """
from importlib import import_module

from django.apps import AppConfig


class ClubConfig(AppConfig):
    name = "club"

    def ready(self):
        import_module("club.receivers")
"""
OF_ORGANISATIONS = """
from mysite.settings import *

BILLING_SUBSCRIBER_MODEL = "club.Organisation"
"""
ORGANISATION_TEST = """
from club.models import Organisation


def test_an_organisation_pays(billing_stripe):
    made = billing_stripe.subscribe(Organisation.objects.create(name="Acme", email="pay@acme.example"), "team")
    billing_stripe.deliver(scramble=True)
    assert made.access.has_access
    assert made.row.customer.subscriber.name == "Acme"
"""


@pytest.fixture(scope="module")
def host(packages, tmp_path_factory):
    """A new project on SQLite with the lines of getting-started, an app, and every block of the page in its file."""
    host = HostProject(tmp_path_factory.mktemp("club"), packages, "")
    host.start()
    host.add("mysite/settings.py", ON_SQLITE)
    host.add_all(recipe.for_a_new_project(on_sqlite=True))
    host.write("club/__init__.py", "")
    host.write("club/models.py", CLUB)
    host.write("club/apps.py", APP)
    host.add("mysite/settings.py", 'INSTALLED_APPS += ["club"]')
    host.add_all(recipe.additions(PAGE, languages=("python", "ini")))
    return host


def test_the_first_test_has_ten_lines():
    page = recipe.additions(PAGE)
    (test,) = [addition for addition in page if addition.path == "club/test_members.py"]
    assert len(test.lines) <= 10


def test_every_test_of_the_page_passes_in_a_host_project(host):
    written = PAGE.read_text().count("\ndef test_")
    assert f"{written} passed" in host.module(*PYTEST, "club")


def test_without_pytest_it_passes_too(host):
    assert "Found 1 test(s)" in host.manage("test", "club.tests")


@pytest.fixture
def without_receiver(host):
    """It expects users, too."""
    receivers = host.folder / "club/receivers.py"
    written = receivers.read_text()
    receivers.write_text("")
    yield
    receivers.write_text(written)


@pytest.mark.usefixtures("without_receiver")
def test_without_the_receiver_its_test_fails_and_no_other(host):
    with pytest.raises(AssertionError, match=r"Group matching query does not exist(.|\n)*1 failed, 1 passed"):
        host.module(*PYTEST, "club/test_members.py", "club/test_gates.py")


@pytest.mark.usefixtures("without_receiver")
def test_an_organisation_subscribes_like_a_user(host):
    host.write("club/of_organisations.py", OF_ORGANISATIONS)
    host.write("organisations/test_paying.py", ORGANISATION_TEST)
    assert "1 passed" in host.module(*PYTEST, "--ds", "club.of_organisations", "organisations")


def test_a_project_that_does_not_use_the_fixtures_is_left_alone_and_may_name_the_plugin_twice(host):
    host.write("elsewhere/test_it.py", "import sys\n\ndef test_it():\n    assert 'billing.models' not in sys.modules\n")
    plugins = ["-p", "no:django", "-p", "billing.testing.plugin"]
    assert "1 passed" in host.module(*PYTEST, *plugins, "-c", os.devnull, "elsewhere")


def test_nothing_but_the_plugin_needs_pytest(host):
    assert host.run("import sys; from billing.testing import Stripe; print('pytest' in sys.modules)") == "False"
