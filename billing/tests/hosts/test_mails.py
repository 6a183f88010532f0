"""docs/mail.md, followed to the letter: a host that has an app `notifications` installs the mails, and they go out."""

from email import message_from_bytes
from email.policy import default

import pytest

from billing import mailer
from billing.tests.processes import until

from . import recipe
from .browsing import Person

pytestmark = [pytest.mark.postgres_only, pytest.mark.slow]

PAGE = recipe.PAGE.with_name("mail.md")
OWN_APP = """
from django.contrib.auth.models import User
from django.db import models


class Mail(models.Model):
    "Of the host's own, which is called as one of ours."

    to = models.ForeignKey(User, on_delete=models.CASCADE)
    words = models.CharField(max_length=50)
"""
OWN_SETTINGS = """
INSTALLED_APPS += ["notifications"]
TEMPLATES[0]["DIRS"] += [BASE_DIR / "own"]
"""
FILES = mailer.mail_settings("django.core.mail.backends.filebased.EmailBackend", EMAIL_FILE_PATH="mails")
INTO_FILES = f"vars().update({FILES!r})"
FORGETFUL = f"""
from mysite.settings import *

del NOTIFICATIONS_PRODUCT_NAME, DEFAULT_FROM_EMAIL, {", ".join(FILES)}
"""
PEOPLE = """
from django.contrib.auth.models import User
from notifications.models import Mail

ben = User.objects.create_user("ben", "ben@example.com", "correct-horse-battery")
User.objects.create_superuser("ada", "ada@example.com", "correct-horse-battery")
Mail.objects.create(to=ben, words="Hello")
"""
WHAT_IS_KEPT = """
from notifications.models import Mail

print(*Mail.objects.values_list("words", flat=True))
"""


def additions():
    """Those for a project, and not the switches of ours."""
    return [addition for addition in recipe.additions(PAGE) if addition.path.startswith("mysite/")]


@pytest.fixture(scope="module")
def mailing(host):
    """The project after both pages, with Ada and Ben, whom the host's own app has told something."""
    host.write("notifications/__init__.py", "")
    host.write("notifications/models.py", OWN_APP)
    host.write("own/mail/welcome.txt", "The host's own welcome, which is no business of ours.")
    host.add("mysite/settings.py", OWN_SETTINGS)
    host.manage("makemigrations", "notifications")
    host.add_all([*recipe.for_a_new_project(), *additions()])
    host.write("mysite/forgetful.py", FORGETFUL)
    host.add("mysite/settings.py", INTO_FILES)
    for command in (*recipe.commands(), *recipe.commands(PAGE)):
        if command == ["createsuperuser"]:
            host.run(PEOPLE)
        else:
            host.follow(*command)
    return host


def mails(host):
    """Those that the worker has handed over."""
    files = sorted((host.folder / "mails").glob("*.log")) if (host.folder / "mails").exists() else []
    texts = [text for file in files for text in file.read_bytes().split(b"-" * 79) if text.strip()]
    return [message_from_bytes(text.lstrip(), policy=default) for text in texts]


def test_nothing_of_the_wheel_is_called_as_what_others_have(packages):
    assert not (packages / "notifications").exists()
    assert not (packages / "billing_mail" / "tests").exists()
    for app in ("billing", "billing_mail"):
        for language in ("de", "fr"):
            assert (packages / app / "locale" / language / "LC_MESSAGES" / "django.mo").exists()


def test_nothing_is_left_to_check_or_to_make_and_what_is_forgotten_is_named(mailing):
    assert "no issues" in mailing.manage("check")
    assert "No changes detected" in mailing.manage("makemigrations", "--check", "--dry-run")
    settings = ("--settings", "mysite.forgetful", "--fail-level", "CRITICAL")
    done = mailing.manage_all("check", *settings)
    assert [number for number in range(1, 4) if f"billing_mail.W00{number}" in done] == [1, 2, 3]


def test_who_buys_is_welcomed_and_nobody_else_hears_of_it(mailing):
    ada = Person()
    ada.log_in(f"{mailing.url}/billing/", "ada", "correct-horse-battery")
    ada.open(f"{mailing.url}/")
    ada.submit("/billing/checkout")
    ada.submit(number="4242 4242 4242 4242", expiry="12 / 40", cvc="123")
    assert ada.heading == "Welcome to Pro"
    until(lambda: len(mails(mailing)) == 2, what="a welcome and a receipt")
    [welcome] = [mail for mail in mails(mailing) if "Welcome" in mail["Subject"]]
    assert (welcome["To"], welcome["From"]) == ("ada@example.com", "Acme <billing@acme.example>")
    text = welcome.get_body(("plain",)).get_content()
    assert "Acme" in text
    assert f"{mailing.url}/billing/" in text
    assert "<html" in welcome.get_body(("html",)).get_content()
    assert {mail["To"] for mail in mails(mailing)} == {"ada@example.com"}
    assert mailing.run(WHAT_IS_KEPT) == "Hello", "the host's own mails are untouched"


def test_staff_see_the_mails_and_the_gallery(mailing):
    ada = Person()
    ada.log_in(f"{mailing.url}/accounts/login/", "ada", "correct-horse-battery")
    assert "ada@example.com" in ada.open(f"{mailing.url}/admin/billing_mail/mail/").text
    assert "Gallery of mails" in ada.open(f"{mailing.url}/admin/billing_mail/preview/?language=de").text
    shown = ada.open(f"{mailing.url}/admin/billing_mail/preview/html/?sample=welcome&language=fr").text
    assert '<html lang="fr"' in shown
    assert "Bienvenue" in shown
