"""Production refuses to start on an unsafe setting, and says which variable to set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.db import connection
from pytest_django import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
EVERY_VARIABLE = [
    line.removeprefix("# ").split("=")[0] for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line
]

SAFE = {
    "DJANGO_DEBUG": "false",
    "DJANGO_SECRET_KEY": "kQ3vX9-production-like-key-of-more-than-fifty-characters",
    "ALLOWED_HOSTS": "billing.example.com",
    "SITE_URL": "https://billing.example.com",
    "STRIPE_SECRET_KEY": "sk_test_" + "production0" * 3,
    "STRIPE_WEBHOOK_SECRET": "whsec_production,whsec_production_old",
}


def run(*command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    # Set to nothing, so that neither what is set here nor a developer's .env is heard.
    nothing = dict.fromkeys(EVERY_VARIABLE, "") | {"DJANGO_DEBUG": "true"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | nothing | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def production(settings: Settings) -> Settings:
    settings.DEBUG = False
    settings.SECRET_KEY = SAFE["DJANGO_SECRET_KEY"]
    settings.ALLOWED_HOSTS = ["billing.example.com"]
    settings.SITE_URL = "https://billing.example.com"
    settings.STRIPE_SECRET_KEY = SAFE["STRIPE_SECRET_KEY"]
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_production"]
    settings.STRIPE_API_BASE = ""
    settings.STRIPE_LIVE_MODE = False
    settings.STAFF_SECOND_FACTOR = True
    return settings


def refusals() -> dict[str, str]:
    return {message.id or "": message.hint or "" for message in run_checks(tags=["security", "billing"])}


def test_production_starts_when_everything_is_set(production: Settings) -> None:
    assert refusals() == {}


@pytest.mark.parametrize(
    ("setting", "value", "refusal", "variable"),
    [
        ("SECRET_KEY", "django-insecure-for-development-only-never-in-production", "config.E001", "DJANGO_SECRET_KEY"),
        ("SECRET_KEY", "short", "config.E001", "DJANGO_SECRET_KEY"),
        ("STAFF_SECOND_FACTOR", False, "config.W001", "STAFF_SECOND_FACTOR"),
        ("SECRET_KEY", "ab" * 40, "config.E001", "DJANGO_SECRET_KEY"),
        ("ALLOWED_HOSTS", [], "config.E002", "ALLOWED_HOSTS"),
        ("ALLOWED_HOSTS", ["billing.example.com", "*"], "config.E002", "ALLOWED_HOSTS"),
        ("SITE_URL", "http://billing.example.com", "config.E003", "SITE_URL"),
        ("SITE_URL", "https://127.0.0.1:8000", "config.E003", "SITE_URL"),
        ("STRIPE_WEBHOOK_SECRETS", [], "config.E004", "STRIPE_WEBHOOK_SECRET"),
        ("STRIPE_WEBHOOK_SECRETS", [""], "config.E004", "STRIPE_WEBHOOK_SECRET"),
        ("STRIPE_WEBHOOK_SECRETS", ["whsec_real", "whsec_sandbox"], "config.E004", "STRIPE_WEBHOOK_SECRET"),
        ("STRIPE_API_BASE", "http://127.0.0.1:12111", "config.E005", "STRIPE_API_BASE"),
        ("STRIPE_API_BASE", "http://[::1]:12111", "config.E005", "STRIPE_API_BASE"),
        ("STRIPE_SECRET_KEY", "sk_test_sandbox0sandbox0sandbox0", "config.E006", "STRIPE_SECRET_KEY"),
        ("STRIPE_SECRET_KEY", "", "billing.E001", "STRIPE_SECRET_KEY"),
        ("STRIPE_SECRET_KEY", "sk_live_" + "production0" * 3, "billing.E001", "STRIPE_LIVE_MODE"),
        ("STRIPE_LIVE_MODE", True, "billing.E001", "STRIPE_SECRET_KEY"),
    ],
)
def test_production_refuses(production: Settings, setting: str, value: object, refusal: str, variable: str) -> None:
    setattr(production, setting, value)
    assert f"Set {variable}" in refusals()[refusal] or variable in refusals()[refusal]


def test_nothing_is_asked_of_a_developers_machine() -> None:
    result = run("manage.py", "check", environment={})
    assert (result.returncode, result.stderr) == (0, "")


def test_manage_names_every_unsafe_variable_at_once() -> None:
    result = run("manage.py", "check", environment={"DJANGO_DEBUG": "false"})
    assert result.returncode == 1
    for variable in SAFE.keys() - {"DJANGO_DEBUG"}:
        assert f"HINT: Set {variable} to" in result.stderr


def test_a_web_server_stops_with_the_hint_and_no_traceback() -> None:
    result = run("-c", "import config.wsgi", environment=SAFE | {"DJANGO_SECRET_KEY": "short"})
    assert result.returncode == 3
    assert "HINT: Set DJANGO_SECRET_KEY to" in result.stderr
    assert "Traceback" not in result.stderr


def test_what_cannot_be_read_is_named_all_at_once_without_a_traceback() -> None:
    misset = {"STRIPE_RATE": "fast", "STRIPE_LIVE_MODE": "maybe", "DATABASE_URL": "postgres//s3cret@host"}
    result = run("manage.py", "check", environment=misset | {"REDIS_URL": "localhost:6379"})
    assert result.returncode == 1
    for variable in (*misset, "REDIS_URL"):
        assert f"HINT: Set {variable} to" in result.stderr
    assert "Traceback" not in result.stderr
    assert "s3cret" not in result.stderr


def test_redis_and_postgres_are_waited_for_no_longer_than_seconds() -> None:
    show = (
        "import redis; from django.conf import settings as s; "
        "print(redis.from_url(s.Q_CLUSTER['redis']).connection_pool.connection_kwargs['socket_timeout'], "
        "s.CACHES['default']['OPTIONS']['socket_timeout'], s.DATABASES['default']['OPTIONS'])"
    )
    urls = {"REDIS_URL": "redis://:pass@host:6379/1", "DATABASE_URL": "postgres://pooler/name"}
    environment = urls | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    assert run("-c", show, environment=environment).stdout == "5.0 2 {'connect_timeout': 5}\n"


@pytest.mark.postgres_only
@pytest.mark.django_db
def test_a_process_stopped_inside_a_transaction_does_not_keep_its_locks() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)


def test_a_web_server_starts_on_safe_settings() -> None:
    result = run("-c", "import config.wsgi", environment=SAFE)
    assert (result.returncode, result.stderr) == (0, "")
