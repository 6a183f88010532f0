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
EVE = """
from people.models import User
User.objects.create_user("eve", "eve@example.com", "correct-horse-battery")
"""


@pytest.fixture(scope="module")
def sold(host):
    """The project after every step of the page but the last one: buying."""
    host.write("people/__init__.py", "")
    host.write("people/models.py", USER_MODEL)
    host.add("mysite/settings.py", OWN_SETTINGS)
    host.manage("makemigrations", "people")
    host.add_all(recipe.for_a_new_project())
    for command in recipe.commands():
        host.follow(*command, **ADA)
    return host


def test_billing_comes_from_the_wheel_and_without_its_tests(host, packages):
    place = host.python("import billing; print(billing.__file__)")
    assert place == str(packages / "billing" / "__init__.py")
    assert not (packages / "billing" / "tests").exists()
    assert (packages / "billing" / "testing.py").exists() or (packages / "billing" / "testing").exists()


def test_a_host_writes_no_more_than_ten_lines():
    needed = [addition for addition in recipe.additions() if addition.when in {"", recipe.ON_SQLITE}]
    assert sum(len(addition.lines) for addition in needed) <= 10


def test_the_frame_to_copy_has_twelve_lines():
    html = recipe.additions(languages=("html",))
    [frame] = [addition for addition in html if addition.path == "templates/billing/base.html"]
    assert len(frame.lines) <= 12


def test_a_person_reaches_a_paid_subscription_and_what_it_opens(sold):
    ada = Person()
    ada.log_in(f"{sold.url}/billing/", "ada", "correct-horse-battery")
    assert ada.heading == "Billing"
    assert '<a class="brand" href="/">Acme</a>' in ada.page.text
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
    assert page.url == f"{sold.url}/accounts/login/?next=/report/"


def test_who_logs_out_is_at_the_prices_and_may_log_in_again(sold):
    eve = Person()
    sold.run(EVE)
    eve.log_in(f"{sold.url}/accounts/login/", "eve", "correct-horse-battery")
    assert (eve.page.url, eve.heading) == (f"{sold.url}/billing/", "Billing")
    eve.submit("/accounts/logout/")
    assert eve.page.url == f"{sold.url}/"
    assert '<a href="/accounts/login/">Log in</a>' in eve.page.text


def test_staff_are_led_to_a_subscriber_by_the_admins_first_page(sold):
    ada = Person()
    ada.log_in(f"{sold.url}/accounts/login/", "ada", "correct-horse-battery")
    assert "Find a subscriber" in ada.open(f"{sold.url}/admin/").text
    assert ada.open(f"{sold.url}/admin/billing/customer/find/?q=ada@example.com").status_code == 200


def test_nothing_is_left_to_check_to_migrate_or_to_make(sold):
    assert "no issues" in sold.manage("check")
    assert "No changes detected" in sold.manage("makemigrations", "--check", "--dry-run")
    assert "No migrations to apply" in sold.manage("migrate")
    assert "0 plans and 0 schedules added" in sold.manage("setup")
    assert sold.manage("setup_stripe", "--dry-run").startswith("Dry run: 0 changes")
