"""Production refuses to start on an unsafe setting, and says which variable to set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.db import connection
from pytest_django import Settings

from billing.hosting import POSTGRESQL_OPTIONS

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


def test_the_publishable_key_is_read_from_the_environment() -> None:
    key = "pk_test_" + "production0" * 3
    shown = "from django.conf import settings; print(settings.STRIPE_PUBLISHABLE_KEY)"
    for environment, expected in (({"STRIPE_PUBLISHABLE_KEY": key}, key), ({}, "")):
        told = run("-c", shown, environment={**environment, "DJANGO_SETTINGS_MODULE": "config.settings"})
        assert told.stdout.strip() == expected, told.stderr


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
        ("STRIPE_API_BASE", "http://127.1:12111", "config.E005", "STRIPE_API_BASE"),
        ("STRIPE_API_BASE", "http://[::ffff:127.0.0.1]:12111", "config.E005", "STRIPE_API_BASE"),
        ("STRIPE_API_BASE", "http://api.stripe.com", "config.E005", "STRIPE_API_BASE"),
        ("STRIPE_API_BASE", "https://stripe.example.com", "config.E005", "STRIPE_API_BASE"),
        ("SITE_URL", "https://localhost.", "config.E003", "SITE_URL"),
        ("STRIPE_SECRET_KEY", "sk_test_sandbox0sandbox0sandbox0", "config.E006", "STRIPE_SECRET_KEY"),
        ("STRIPE_SECRET_KEY", "", "billing.E001", "STRIPE_SECRET_KEY"),
        ("STRIPE_SECRET_KEY", "sk_live_" + "production0" * 3, "billing.E001", "STRIPE_LIVE_MODE"),
        ("STRIPE_LIVE_MODE", True, "billing.E001", "STRIPE_SECRET_KEY"),
    ],
)
def test_production_refuses(production: Settings, setting: str, value: object, refusal: str, variable: str) -> None:
    setattr(production, setting, value)
    assert f"Set {variable}" in refusals()[refusal] or variable in refusals()[refusal]


@pytest.mark.parametrize("base", ["", "https://api.stripe.com"])
def test_production_calls_stripe_alone(production: Settings, base: str) -> None:
    production.STRIPE_API_BASE = base
    assert refusals() == {}


def test_a_live_key_is_sent_nowhere_else_even_where_that_is_silenced(production: Settings) -> None:
    production.STRIPE_SECRET_KEY = "sk_live_" + "production0" * 3
    production.STRIPE_LIVE_MODE = True
    production.STRIPE_API_BASE = "http://api.stripe.com"
    assert "config.E009" in refusals()


PUBLIC = [
    {"STRIPE_SECRET_KEY": "sk_live_" + "production0" * 3, "STRIPE_LIVE_MODE": "true"},
    {"ALLOWED_HOSTS": "localhost,billing.example.com"},
    {"ALLOWED_HOSTS": "*"},
    {"SITE_URL": "https://billing.example.com"},
]


@pytest.mark.parametrize("public", PUBLIC, ids=min)
def test_debug_forgotten_on_a_site_that_others_reach_starts_nothing(public: dict[str, str]) -> None:
    checked = run("manage.py", "check", environment=public)
    assert checked.returncode == 1
    assert "config.E008" in checked.stderr
    assert "HINT: Set DJANGO_DEBUG to false" in checked.stderr
    assert "add config.E008 to SILENCED_SYSTEM_CHECKS" in checked.stderr
    served = run("-c", "import config.wsgi", environment=public)
    assert served.returncode == 3
    assert "config.E008" in served.stderr
    assert "Traceback" not in served.stderr


def test_debug_on_ones_own_machine_is_no_error() -> None:
    own = {
        "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1],.localhost,shop.localhost,0.0.0.0",
        "SITE_URL": "http://127.0.0.1:8000",
    }
    own |= {"STRIPE_SECRET_KEY": "sk_test_" + "developer0" * 3, "STRIPE_WEBHOOK_SECRET": "whsec_developer"}
    result = run("manage.py", "check", environment=own)
    assert (result.returncode, "config.E008" in result.stderr) == (0, False), result.stderr


@pytest.mark.parametrize("proxies", ["nonsense", "10.0.0.0/8,0.0.0.0/0", "::/0"])
def test_proxies_that_are_nobodys_or_everybodys_are_refused_without_a_traceback(proxies: str) -> None:
    for command in (("manage.py", "check"), ("-c", "import config.wsgi")):
        result = run(*command, environment=SAFE | {"TRUSTED_PROXIES": proxies})
        assert result.returncode in {1, 3}
        assert "HINT: Set TRUSTED_PROXIES to" in result.stderr
        assert "Traceback" not in result.stderr


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
    assert run("-c", show, environment=environment).stdout == f"5.0 2 {POSTGRESQL_OPTIONS}\n"
    environment["DATABASE_URL"] += "?connect_timeout=9&tcp_user_timeout=0"
    options = {**POSTGRESQL_OPTIONS, "connect_timeout": 9, "tcp_user_timeout": 0}
    assert run("-c", show, environment=environment).stdout == f"5.0 2 {options}\n"


@pytest.mark.postgres_only
@pytest.mark.django_db
def test_a_process_stopped_inside_a_transaction_does_not_keep_its_locks() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)


def test_a_web_server_starts_on_safe_settings() -> None:
    result = run("-c", "import config.wsgi", environment=SAFE)
    assert (result.returncode, result.stderr) == (0, "")
