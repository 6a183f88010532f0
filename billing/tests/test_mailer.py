"""How mail is sent is read by whichever names a project has for it, and no warning is ours."""

import re
import subprocess
import sys
import warnings

import django
import pytest
from django.conf import settings as site
from django.core.mail.backends.locmem import EmailBackend

from billing import mailer
from billing.tests.mailing import send_by

# Each is a project's whole settings; `print` shows what is read of them.
READ = """
from django.conf import settings
settings.configure(**{settings!r})
from billing import mailer
print(mailer.backend(), mailer.option("EMAIL_HOST"), mailer.option("EMAIL_HOST_PASSWORD"))
connection = mailer.connection()
print(type(connection).__module__, getattr(connection, "host", None), getattr(connection, "timeout", None))
"""
SMTP = mailer.SMTP.rpartition(".")[0]
SERVER = {"EMAIL_HOST": "mail.acme.example", "EMAIL_HOST_PASSWORD": "secret", "EMAIL_TIMEOUT": 3}


def read(settings, *options):
    """Return what a project with these settings alone says, with its warnings, which `options` may make errors."""
    command = [sys.executable, *options, "-c", READ.format(settings=settings)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split(), done.stderr


def test_a_server_is_read_by_the_names_of_the_installed_django():
    said, warned = read(mailer.mail_settings(mailer.SMTP, **SERVER), "-W", "error::DeprecationWarning")
    assert said == [mailer.SMTP, "mail.acme.example", "secret", SMTP, "mail.acme.example", "3"]
    assert warned == ""


def test_a_backend_without_a_server_is_read_too():
    said, _ = read(mailer.mail_settings(mailer.CONSOLE), "-W", "error::DeprecationWarning")
    assert said == [mailer.CONSOLE, "None", "None", mailer.CONSOLE.rpartition(".")[0], "None", "None"]


def test_the_old_names_are_read_where_a_project_still_has_them():
    said, _ = read({"EMAIL_BACKEND": mailer.SMTP, **SERVER})
    assert said == [mailer.SMTP, "mail.acme.example", "secret", SMTP, "mail.acme.example", "3"]


def test_what_a_project_does_not_set_is_none_and_its_backend_is_djangos():
    assert read({})[0][:3] == [mailer.SMTP, "None", "None"]


@pytest.mark.skipif(mailer.HAS_MAILERS, reason="MAILERS means something since Django 6.1")
def test_mailers_say_nothing_to_a_django_that_does_not_know_them(settings):
    settings.MAILERS = {"default": {"BACKEND": mailer.CONSOLE, "OPTIONS": {"host": "mail.acme.example"}}}
    send_by(settings, mailer.SMTP, EMAIL_HOST="127.0.0.1")
    assert (mailer.backend(), mailer.option("EMAIL_HOST")) == (mailer.SMTP, "127.0.0.1")


@pytest.mark.skipif(not mailer.HAS_MAILERS, reason="MAILERS came with Django 6.1")
@pytest.mark.parametrize("mailers", [{}, {"default": {}}, {"news": {"BACKEND": mailer.CONSOLE}}])
def test_mailers_without_a_default_name_no_server(settings, mailers):
    settings.MAILERS = mailers
    assert (mailer.backend(), mailer.option("EMAIL_HOST")) == (mailer.SMTP, None)


def test_admins_are_as_the_installed_django_takes_them():
    people = mailer.admins([("Grace", "grace@example.com"), ("", "ops@example.com")])
    assert ["grace@example.com" in each for each in people] == [True, False]
    assert isinstance(people[0], str) == (django.VERSION >= (6, 0))


def test_the_connection_is_that_of_the_project():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(mailer.connection(), EmailBackend)


def test_no_other_module_reads_the_names_that_django_6_1_refuses_beside_mailers():
    ours = [
        path
        for top in ("accounts", "billing", "config", "notifications")
        for path in (site.BASE_DIR / top).rglob("*.py")
    ]
    readers = [path.name for path in ours if re.search(r"settings\.EMAIL_(?!SUBJECT)", path.read_text())]
    assert readers == []


def test_no_test_names_admins_as_pairs_of_which_django_6_warns():
    """The warning is an error in a test, so no alert is mailed there. `mailing.GRACE` is right on each Django."""
    rooms = [site.BASE_DIR / name / "tests" for name in ("accounts", "billing", "config", "notifications")]
    files = [file for room in rooms for file in room.rglob("*.py")]
    assert files
    assert [file.name for file in files if re.search(r"ADMINS = \[\(", file.read_text())] == []
