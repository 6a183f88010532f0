"""What every answer of the site carries, and what it stands on."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client


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
