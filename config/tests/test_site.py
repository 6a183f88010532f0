"""Every answer of the site carries its security policy, and the settings hold together."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.test import Client

from billing import mailer
from notifications.conf import conf


@pytest.mark.django_db
def test_answers_carry_a_strict_content_security_policy(client: Client) -> None:
    policy = client.get("/admin/login/", secure=True).headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "https://checkout.stripe.com" in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
def test_static_files_are_served_without_collecting_them(client: Client) -> None:
    response = client.get("/static/admin/css/base.css", secure=True)
    response.close()
    assert response.status_code == 200


@pytest.mark.django_db
def test_the_api_pages_load_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/docs", secure=True)
    assert page.status_code == 200
    assert "//cdn" not in page.content.decode()


@pytest.mark.django_db
def test_the_page_of_the_api_holds_nothing_inline_that_our_policy_would_refuse(client: Client) -> None:
    page = client.get("/api/docs", secure=True).content.decode()
    assert "<style" not in page
    assert "style=" not in page
    assert re.findall(r"<script(?![^>]* src=)", page) == []
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = client.get(address, secure=True)
        answer.close()
        assert answer.status_code == 200, address


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")
def test_sqlite_waits_for_its_lock_and_survives_readers() -> None:
    with connection.cursor() as cursor:
        for pragma, value in (("journal_mode", "wal"), ("busy_timeout", 20000), ("synchronous", 1)):
            assert cursor.execute(f"PRAGMA {pragma}").fetchone() == (value,)
    assert settings.DATABASES["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_a_task_is_never_handed_out_while_it_may_still_run() -> None:
    queue: dict[str, Any] = settings.Q_CLUSTER
    assert queue["retry"] > queue["timeout"]


@pytest.mark.django_db
def test_the_product_has_one_name_on_pages_mails_and_the_admin(client: Client, settings: Any) -> None:
    settings.NOTIFICATIONS_PRODUCT_NAME = "Acme & Sons"
    assert str(admin.site.site_header) == str(admin.site.site_title) == "Acme & Sons"
    page = client.get("/", secure=True).content.decode()
    assert "Acme &amp; Sons" in page
    assert "Billing demo" not in page
    assert conf.product_name == "Acme & Sons"


PRINT_MAIL_SETTINGS = """
import json
from django.conf import settings as s
from billing import mailer
print(json.dumps([mailer.backend(), s.ADMINS, s.ANYMAIL, mailer.option("EMAIL_HOST"), mailer.option("EMAIL_PORT")]))
"""


@pytest.mark.parametrize(
    ("environment", "backend", "more"),
    [
        ({"SENDGRID_API_KEY": "SG.x"}, "anymail.backends.sendgrid.EmailBackend", {"SENDGRID_API_KEY": "SG.x"}),
        ({"EMAIL_URL": "smtp+tls://u:p@mail.example.com:587"}, "django.core.mail.backends.smtp.EmailBackend", {}),
        (
            {"EMAIL_BACKEND": "anymail.backends.postmark.EmailBackend", "ANYMAIL_POSTMARK_SERVER_TOKEN": "t"},
            "anymail.backends.postmark.EmailBackend",
            {"POSTMARK_SERVER_TOKEN": "t"},
        ),
    ],
)
def test_the_provider_of_mail_is_chosen_by_variables(environment: dict[str, str], backend: str, more: Any) -> None:
    told = {**os.environ, "ADMINS": "Ops <ops@example.com>, grace@example.com", **environment}
    command = [sys.executable, "-c", PRINT_MAIL_SETTINGS]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=told, capture_output=True, text=True, check=True)
    chosen, admins, anymail, host, port = json.loads(done.stdout)
    assert chosen == backend
    people = mailer.admins([("Ops", "ops@example.com"), ("", "grace@example.com")])
    assert admins == json.loads(json.dumps(people))
    assert more.items() <= anymail.items()
    assert (host, port) == (("mail.example.com", 587) if "EMAIL_URL" in environment else (None, None))
