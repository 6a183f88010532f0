"""The getting-started page, followed to the letter in a project with users of its own, on PostgreSQL."""

import pytest

from billing.tests.processes import until

from . import recipe
from .browsing import Person

pytestmark = [pytest.mark.postgres_only, pytest.mark.slow]

USER_MODEL = """
from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    "With a username, and a key that counts."
"""
OWN_SETTINGS = """
INSTALLED_APPS += ["people"]
AUTH_USER_MODEL = "people.User"
"""
ADA = {
    "DJANGO_SUPERUSER_USERNAME": "ada",
    "DJANGO_SUPERUSER_EMAIL": "ada@example.com",
    "DJANGO_SUPERUSER_PASSWORD": "correct-horse-battery",
}
HAS_ACCESS = """
from billing.access import has_access
from people.models import User
print(has_access(User.objects.get(username="ada"), plan="pro"))
"""


@pytest.fixture(scope="module")
def sold(host):
    """The project after every step of the page but the last one: buying."""
    host.write("people/__init__.py", "")
    host.write("people/models.py", USER_MODEL)
    host.add("mysite/settings.py", OWN_SETTINGS)
    host.manage("makemigrations", "people")
    for addition in recipe.additions():
        if addition.when != "on SQLite":
            host.add(addition.path, addition.text)
    for command in recipe.commands():
        host.follow(*command, **ADA)
    return host


def test_billing_comes_from_the_wheel_and_without_its_tests(host, packages):
    place = host.python("import billing; print(billing.__file__)")
    assert place == str(packages / "billing" / "__init__.py")
    assert not (packages / "billing" / "tests").exists()
    assert (packages / "billing" / "testing.py").exists() or (packages / "billing" / "testing").exists()


def test_a_host_writes_no_more_than_ten_lines():
    written = [line for addition in recipe.additions() if addition.when != "a page" for line in addition.lines]
    assert len(written) <= 10


def test_a_person_reaches_a_paid_subscription_and_what_it_opens(sold):
    ada = Person()
    ada.log_in(f"{sold.url}/billing/", "ada", "correct-horse-battery")
    assert ada.heading == "Billing"
    ada.open(f"{sold.url}/report/")
    assert ada.page.url == f"{sold.url}/"

    ada.open(f"{sold.url}/")
    ada.submit("/billing/checkout")
    assert ada.page.url.startswith(f"{sold.sandbox_url}/c/")
    ada.submit(number="4242 4242 4242 4242", expiry="12 / 40", cvc="123")
    assert ada.heading == "Welcome to Pro"

    assert ada.open(f"{sold.url}/report/").text == "For subscribers of Pro."
    assert sold.run(HAS_ACCESS) == "True"
    until(lambda: ada.open(f"{sold.url}/billing/").text.count("$20.00") > 1, what="the first payment on her page")


def test_a_stranger_is_led_to_log_in(sold):
    page = Person().open(f"{sold.url}/report/")
    assert "/admin/login/" in page.url


def test_nothing_is_left_to_check_to_migrate_or_to_make(sold):
    assert "no issues" in sold.manage("check")
    assert "No changes detected" in sold.manage("makemigrations", "--check", "--dry-run")
    assert "No migrations to apply" in sold.manage("migrate")
    assert "0 plans and 0 schedules added" in sold.manage("setup")
    assert sold.manage("setup_stripe", "--dry-run").startswith("Dry run: 0 changes")
